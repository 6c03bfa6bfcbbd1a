//! How the steps of a script stand to each other.

use covet_drivers::lint::{Act, Check, Hit, Rule, Scene, Severity, Statement, Transaction, What, same};

/// Whether it changes the schema.
fn is_ddl(act: &Act) -> bool {
    !matches!(
        act.what,
        What::Insert { .. }
            | What::Update { .. }
            | What::Delete { .. }
            | What::Select
            | What::Set { .. }
            | What::Transaction(_)
    )
}

pub(super) const SYS03: Rule = Rule {
    id: "SYS03",
    severity: Severity::Warn,
    title: "many rows are changed at once",
    trigger: "An `UPDATE` of a table that was there before: in one transaction with a change of its schema, or of all rows, or of all that are NULL.",
    effect: "The rows, and the lock of the schema change, are held until all of it is committed.",
    safer: "A step of its own that goes in batches: `-- covet:batches`, which `migrate make --online` writes.",
    covers: &[],
    check: Check::Act(|at| {
        let What::Update { filtered, .. } = &at.act.what else { return None };
        let (scene, index) = (at.scene, at.statement.index);
        let tokens = &at.statement.read.tokens;
        let batched = at.statement.batched || tokens.iter().any(|token| token.is_any(&["limit", "between"]));
        let of_null = tokens.windows(2).any(|pair| matches!(pair, [is, null] if is.is("is") && null.is("null")));
        let shared = scene.in_transaction(index)
            && scene.acts().any(|(other, act)| {
                is_ddl(act)
                    && same(&act.table, at.table())
                    && scene.in_transaction(other)
                    && !scene.is_new(&act.table, other)
            });
        let many = !filtered || of_null || shared;
        (many && !batched).then(|| format!("the rows of {} are changed in one go", at.table()))
    }),
    fires: &[
        "ALTER TABLE users ADD COLUMN a int;\nUPDATE users SET a = 1 WHERE age IS NULL",
        "UPDATE users SET age = 0 WHERE age IS NULL",
    ],
    silent: &["UPDATE users SET age = 0 WHERE id BETWEEN 1 AND 1000", "UPDATE users SET age = 0 WHERE id = 7"],
};

pub(super) const SYS04: Rule = Rule {
    id: "SYS04",
    severity: Severity::Error,
    title: "a transaction inside the migration",
    trigger: "`BEGIN`, `COMMIT`, `ROLLBACK`, or `SET autocommit`, in a script.",
    effect: "It ends the transaction of the migration half-way, or leaves one open behind it. The runner stops when it sees that.",
    safer: "Leave it out: the runner sees to transactions. `-- covet:alone` marks what must run outside of one.",
    covers: &[],
    check: Check::Any(|at| match &at.act.what {
        What::Transaction(Transaction::Begin) => Some(String::from("it begins a transaction within the migration")),
        What::Transaction(Transaction::Commit | Transaction::Rollback) => {
            Some(String::from("it ends the transaction of the migration"))
        }
        What::Set { name, .. } if name == "autocommit" => Some(String::from("it changes what a transaction is")),
        _ => None,
    }),
    fires: &["BEGIN;\nSELECT 1;\nCOMMIT", "SET autocommit = 0"],
    silent: &["SELECT 1", "SAVEPOINT a;\nRELEASE SAVEPOINT a"],
};

pub(super) const SYS05: Rule = Rule {
    id: "SYS05",
    severity: Severity::Info,
    title: "several ALTER TABLE where one will do",
    trigger: "Two statements in a row, written by hand, that alter the same table.",
    effect: "Each locks the table anew, and reads or copies it anew where that is needed.",
    safer: "One statement with commas between the actions.",
    covers: &[],
    check: Check::Script(|scene| {
        let pairs = scene.statements.windows(2).filter_map(|pair| match pair {
            [first, second] => {
                let table = alters(first)?;
                (alters(second).is_some_and(|other| same(&other, &table)) && !scene.is_new(&table, first.index))
                    .then(|| Hit::new(second.index, &table, format!("{table} is altered just before, too")))
            }
            _ => None,
        });
        pairs.collect()
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int;\nALTER TABLE users ADD COLUMN b int"],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int",
        "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE posts ADD COLUMN b int",
    ],
};

/// The table that a statement written by hand alters, if other actions could stand with its own.
fn alters(statement: &Statement) -> Option<String> {
    let joins = |act: &Act| {
        matches!(
            act.what,
            What::AddColumn(_)
                | What::DropColumn { .. }
                | What::NotNull { .. }
                | What::Default { .. }
                | What::Redefine { .. }
        )
    };
    let first = statement.read.acts.first()?;
    let plain = !statement.generated && !statement.alone && statement.read.acts.iter().all(joins);
    plain.then(|| first.table.clone())
}

pub(super) const SYS06: Rule = Rule {
    id: "SYS06",
    severity: Severity::Warn,
    title: "there is no way back",
    trigger: "A `down` file without a statement, or one that says `-- covet:irreversible`.",
    effect: "When the release has to be taken back, the schema stays.",
    safer: "Write the way back by hand, or make the change in two migrations of which each has one.",
    covers: &[],
    check: Check::Script(|scene| {
        let hit = |why: &String| Hit::new(0, "", if why.is_empty() { no_way_back(scene) } else { why.clone() });
        scene.irreversible.iter().map(hit).collect()
    }),
    fires: &["-- down: -- covet:irreversible labels went\nSELECT 1", "-- down: -- nothing\nSELECT 1"],
    silent: &["-- down: SELECT 2\nSELECT 1"],
};

fn no_way_back(scene: &Scene<'_>) -> String {
    format!("the way forth has {} statements, and the way back none", scene.statements.len())
}

pub(super) const SYS08: Rule = Rule {
    id: "SYS08",
    severity: Severity::Warn,
    title: "a statement that lint cannot read",
    trigger: "A statement of a kind that is not known, or of which a part is not: `DO`, `CALL`, `EXECUTE`, `MERGE` …",
    effect: "No rule has seen what it does: that nothing was found says nothing.",
    safer: "Read it yourself, and say that you did: `-- covet:allow SYS08 why`.",
    covers: &[],
    check: Check::Script(|scene| {
        let unread = scene.statements.iter().filter(|statement| !statement.read.is_whole);
        unread.map(|statement| Hit::new(statement.index, "", "what it does is not checked")).collect()
    }),
    fires: &["CALL clean_up()", "ALTER TABLE users FROBNICATE"],
    silent: &["SELECT 1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1"],
};
