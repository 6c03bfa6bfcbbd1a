//! What commits by itself.

use crate::lint::{Act, Check, Hit, Rule, Scene, Severity, Statement, Transaction, What, same};

/// Whether it changes the schema, and so commits whatever is open.
pub(super) fn is_ddl(act: &Act) -> bool {
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

fn changes_schema(statement: &Statement) -> bool {
    statement.read.acts.iter().any(is_ddl)
}

fn may_run_twice(statement: &Statement) -> bool {
    let tokens = &statement.read.tokens;
    tokens.windows(2).any(|pair| match pair {
        [a, b] => (a.is("if") && b.is_any(&["exists", "not"])) || (a.is("or") && b.is("replace")),
        _ => false,
    })
}

pub(super) const MA01: Rule = Rule {
    id: "MA01",
    severity: Severity::Error,
    title: "more than one change of the schema, written by hand",
    trigger: "More than one DDL statement in a script, of which one that was written by hand can neither be rolled back nor run twice.",
    effect: "Each commits by itself. Covet's journal goes on behind the last one that is noted; when the connection is lost in a statement written by hand, nobody can tell whether it took effect, and the run stops and asks.",
    safer: "`IF [NOT] EXISTS` (MariaDB), or one such statement in a migration.",
    covers: &[],
    check: Check::Script(|scene| {
        let all: Vec<&Statement> = scene.statements.iter().filter(|statement| changes_schema(statement)).collect();
        let doubtful = all.iter().find(|statement| !statement.generated && !may_run_twice(statement));
        match doubtful {
            Some(statement) if all.len() > 1 => {
                let message = format!("{} statements commit one by one, and this one cannot be run twice", all.len());
                vec![Hit::new(statement.index, table(statement), message)]
            }
            _ => Vec::new(),
        }
    }),
    fires: &["ALTER TABLE users ADD COLUMN a int;\nALTER TABLE posts ADD COLUMN a int"],
    silent: &[
        "ALTER TABLE users ADD COLUMN a int",
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;\nALTER TABLE posts ADD COLUMN IF NOT EXISTS a int",
    ],
};

fn table(statement: &Statement) -> &str {
    statement.read.acts.first().map_or("", |act| &act.table)
}

pub(super) const MA02: Rule = Rule {
    id: "MA02",
    severity: Severity::Error,
    title: "rows changed in a transaction that DDL commits",
    trigger: "`BEGIN` or `autocommit=0`, then a change of rows, then a change of the schema.",
    effect: "The DDL commits the rows at once, and no rollback brings them back.",
    safer: "Leave the transaction out: Covet commits each statement with its note in the journal.",
    covers: &[],
    check: Check::Script(|scene| open_rows(scene).into_iter().collect()),
    fires: &[
        "START TRANSACTION;\nUPDATE users SET age = 1 WHERE age IS NULL;\nALTER TABLE users ADD COLUMN a int;\nCOMMIT",
    ],
    silent: &["UPDATE users SET age = 1 WHERE age IS NULL;\nALTER TABLE users ADD COLUMN a int"],
};

fn open_rows(scene: &Scene<'_>) -> Option<Hit> {
    let (mut open, mut changed) = (false, false);
    for (index, act) in scene.acts() {
        match &act.what {
            What::Transaction(Transaction::Begin) => open = true,
            What::Set { name, value } if same(name, "autocommit") => open = value == "0" || value == "off",
            What::Transaction(Transaction::Commit | Transaction::Rollback) => (open, changed) = (false, false),
            What::Insert { .. } | What::Update { .. } | What::Delete { .. } => changed |= open,
            _ if is_ddl(act) && changed => {
                return Some(Hit::new(index, &act.table, "it commits the rows that were changed before it"));
            }
            _ => {}
        }
    }
    None
}
