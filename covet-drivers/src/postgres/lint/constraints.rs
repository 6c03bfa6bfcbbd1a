//! Constraints: what they lock while the rows are read.

use crate::lint::{At, Check, Constraint, ConstraintKind, Rule, Severity, What, same};
use crate::postgres::lint::indexes::builds_index;

pub(super) const PG05: Rule = Rule {
    id: "PG05",
    severity: Severity::Error,
    title: "UNIQUE or PRIMARY KEY added directly",
    trigger: "`ADD UNIQUE`, `ADD PRIMARY KEY` without `USING INDEX`.",
    effect: "ACCESS EXCLUSIVE lock for as long as the index is built: nobody reads or writes.",
    safer: "`CREATE UNIQUE INDEX CONCURRENTLY` on its own, then `ADD CONSTRAINT … UNIQUE USING INDEX`.",
    covers: &[],
    check: Check::Act(|at| {
        let what = builds_index(at)?;
        Some(format!("adding {what} to {} keeps everybody out while its index is built", at.table()))
    }),
    fires: &[
        "ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE (name)",
        "ALTER TABLE logs ADD PRIMARY KEY (line)",
        "ALTER TABLE users ADD COLUMN code text UNIQUE",
    ],
    silent: &["ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE USING INDEX users_name_idx"],
};

pub(super) const PG06: Rule = Rule {
    id: "PG06",
    severity: Severity::Error,
    title: "CHECK added without NOT VALID",
    trigger: "`ADD CONSTRAINT … CHECK` without `NOT VALID`.",
    effect: "ACCESS EXCLUSIVE lock while every row is read: nobody reads or writes.",
    safer: "`ADD … NOT VALID`, then `VALIDATE CONSTRAINT` in another transaction (SHARE UPDATE EXCLUSIVE: all go on).",
    covers: &[],
    check: Check::Act(|at| {
        unchecked(at, ConstraintKind::Check)?;
        Some(format!("the new check reads all rows of {} while nobody else may", at.table()))
    }),
    fires: &["ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18)"],
    silent: &[
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT adult",
    ],
};

pub(super) const PG07: Rule = Rule {
    id: "PG07",
    severity: Severity::Error,
    title: "FOREIGN KEY added without NOT VALID",
    trigger: "`ADD CONSTRAINT … FOREIGN KEY` without `NOT VALID`.",
    effect: "SHARE ROW EXCLUSIVE lock on both tables while every row is looked up: nobody writes to either.",
    safer: "`ADD … NOT VALID`, then `VALIDATE CONSTRAINT` in another transaction (ROW SHARE on the other table).",
    covers: &["PG15"],
    check: Check::Act(|at| {
        let key = unchecked(at, ConstraintKind::Foreign)?;
        let target = key.target.as_deref().unwrap_or_default();
        Some(format!(
            "the new foreign key stops writers of {} and of {target} while all rows are looked up",
            at.table()
        ))
    }),
    fires: &["ALTER TABLE users ADD CONSTRAINT fk FOREIGN KEY (age) REFERENCES posts (id)"],
    silent: &[
        "ALTER TABLE users ADD CONSTRAINT fk FOREIGN KEY (age) REFERENCES posts (id) NOT VALID",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, u bigint);\n\
         ALTER TABLE fresh ADD CONSTRAINT fk FOREIGN KEY (u) REFERENCES users (id)",
    ],
};

fn unchecked<'a>(at: &'a At<'_>, kind: ConstraintKind) -> Option<&'a Constraint> {
    match &at.act.what {
        What::AddConstraint(found) if found.kind == kind && !found.not_valid => Some(found),
        _ => None,
    }
}

pub(super) const PG08: Rule = Rule {
    id: "PG08",
    severity: Severity::Error,
    title: "SET NOT NULL reads the whole table",
    trigger: "`SET NOT NULL` without a validated `CHECK (… IS NOT NULL)` before it.",
    effect: "ACCESS EXCLUSIVE lock while every row is read: nobody reads or writes.",
    safer: "`CHECK (c IS NOT NULL) NOT VALID`, `VALIDATE` on its own, then `SET NOT NULL` (no scan), then drop the check.",
    covers: &[],
    check: Check::Act(|at| {
        let What::NotNull { column, required: true } = &at.act.what else { return None };
        // The check that made it cheap is validated before, or dropped behind it.
        let helped = at.scene.acts().any(|(_, act)| {
            let helps = matches!(act.what, What::Validate { .. } | What::DropConstraint { .. });
            helps && same(&act.table, at.table())
        });
        let new = at.scene.is_new_column(at.table(), column, at.statement.index);
        (!helped).then(|| {
            let more = if new { ", although the column is new" } else { "" };
            format!("SET NOT NULL on {}.{column} reads all rows while nobody else may{more}", at.table())
        })
    }),
    fires: &["ALTER TABLE users ALTER COLUMN name SET NOT NULL"],
    silent: &[
        "ALTER TABLE users VALIDATE CONSTRAINT name_there;\nALTER TABLE users ALTER COLUMN name SET NOT NULL;\n\
         ALTER TABLE users DROP CONSTRAINT name_there",
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
    ],
};

pub(super) const PG15: Rule = Rule {
    id: "PG15",
    severity: Severity::Warn,
    title: "a foreign key locks the other table too",
    trigger: "A foreign key that comes with a column or a new table, or that goes, unless `-- covet:transaction` gives it a transaction to itself.",
    effect: "SHARE ROW EXCLUSIVE on the table that it points at when it comes, ACCESS EXCLUSIVE on both when it goes.",
    safer: "A migration of its own, short, with a lock timeout, at a quiet time.",
    covers: &[],
    check: Check::Any(|at| {
        let scene = at.scene;
        let index = at.statement.index;
        if at.statement.generated && at.statement.begins && scene.is_apart(index) {
            return None;
        }
        let old = |target: &str| !target.is_empty() && !same(target, at.table()) && !scene.is_new(target, index);
        let (target, when) = match &at.act.what {
            What::AddColumn(column) => (target(&column.constraints)?, "comes"),
            What::CreateTable(table) => {
                let inline = table.columns.iter().find_map(|column| target(&column.constraints));
                (target(&table.constraints).or(inline)?, "comes")
            }
            What::AddConstraint(key) if key.kind == ConstraintKind::Foreign => (key.target.clone()?, "comes"),
            What::DropConstraint { name, .. } => {
                let table = scene.known(at.table())?;
                let key = table.foreign_keys.iter().find(|key| same(&key.name, name))?;
                (key.target.clone(), "goes")
            }
            _ => return None,
        };
        old(&target).then(|| format!("{target} is locked too when this foreign key {when}"))
    }),
    fires: &[
        "ALTER TABLE logs ADD COLUMN user_id bigint REFERENCES users (id)",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, u bigint REFERENCES users)",
        "ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey",
    ],
    silent: &["CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a)"],
};

fn target(constraints: &[Constraint]) -> Option<String> {
    constraints.iter().find_map(|constraint| constraint.target.clone())
}
