//! Indexes: made and dropped while others write, and gone without a word.

use crate::lint::{At, Check, ConstraintKind, Rule, Severity, What, among, same};

pub(super) const PG01: Rule = Rule {
    id: "PG01",
    severity: Severity::Error,
    title: "CREATE INDEX without CONCURRENTLY",
    trigger: "An index on a table that has rows, built in the ordinary way.",
    effect: "SHARE lock on the table for the whole build: nobody writes; reading goes on.",
    safer: "`CREATE INDEX CONCURRENTLY` with `-- covet:alone` above it.",
    covers: &[],
    check: Check::Act(|at| match &at.act.what {
        What::CreateIndex(index) if !index.concurrently => {
            Some(format!("building the index {} keeps all writers out of {}", index.name, at.table()))
        }
        _ => None,
    }),
    fires: &[
        "CREATE INDEX users_age_idx ON users (age)",
        "CREATE UNIQUE INDEX i ON users USING btree (age) WHERE age > 0",
    ],
    silent: &[
        "-- covet:alone\nCREATE INDEX CONCURRENTLY users_age_idx ON users (age)",
        "CREATE TABLE fresh (id bigint PRIMARY KEY, a int);\nCREATE INDEX fresh_a_idx ON fresh (a)",
    ],
};

pub(super) const PG02: Rule = Rule {
    id: "PG02",
    severity: Severity::Error,
    title: "CONCURRENTLY inside a transaction",
    trigger: "`CONCURRENTLY` in a statement without `-- covet:alone`.",
    effect: "The server refuses it (25001), and the whole migration is rolled back.",
    safer: "Write `-- covet:alone` above the statement.",
    covers: &[],
    check: Check::Any(|at| {
        let concurrently = match &at.act.what {
            What::CreateIndex(index) => index.concurrently,
            What::DropIndex { concurrently, .. } | What::Detach { concurrently } => *concurrently,
            // A materialized view may be refreshed so within a transaction.
            What::Upkeep { what, concurrently } => *concurrently && what == "REINDEX",
            _ => false,
        };
        (concurrently && at.scene.in_transaction(at.statement.index))
            .then(|| String::from("CONCURRENTLY cannot run inside the transaction of the migration"))
    }),
    fires: &["CREATE INDEX CONCURRENTLY i ON users (age)", "DROP INDEX CONCURRENTLY posts_title_slug_idx"],
    silent: &["-- covet:alone\nDROP INDEX CONCURRENTLY posts_title_slug_idx"],
};

pub(super) const PG04: Rule = Rule {
    id: "PG04",
    severity: Severity::Warn,
    title: "DROP INDEX without CONCURRENTLY",
    trigger: "An index of a table that was there before, dropped in the ordinary way.",
    effect: "ACCESS EXCLUSIVE lock on the table: it waits for every reader, and all who come later wait behind it.",
    safer: "`DROP INDEX CONCURRENTLY` with `-- covet:alone` above it.",
    covers: &[],
    check: Check::Act(|at| match &at.act.what {
        What::DropIndex { name, concurrently: false } => {
            Some(format!("dropping the index {name} waits for everybody who uses its table, and stops who comes later"))
        }
        _ => None,
    }),
    fires: &["DROP INDEX posts_title_slug_idx", "DROP INDEX IF EXISTS unknown_idx"],
    silent: &["-- covet:alone\nDROP INDEX CONCURRENTLY posts_title_slug_idx"],
};

pub(super) const PG19: Rule = Rule {
    id: "PG19",
    severity: Severity::Warn,
    title: "a dropped column takes a composite key or index along",
    trigger: "`DROP COLUMN` of a column that shares an index, unique or primary key with others.",
    effect: "The whole index or constraint is dropped with it, without a word.",
    safer: "Drop that index first, and create the one that is to remain.",
    covers: &[],
    check: Check::Act(|at| {
        let What::DropColumn { column, .. } = &at.act.what else { return None };
        let table = at.scene.known(at.table())?;
        let gone = |name: &str| {
            at.scene.acts_before(at.statement.index).any(|(_, act)| match &act.what {
                What::DropIndex { name: dropped, .. } | What::DropConstraint { name: dropped, .. } => {
                    same(dropped, name)
                }
                _ => false,
            })
        };
        let key = (table.primary_key.len() > 1 && among(&table.primary_key, column)).then(|| table.primary_key_name());
        let index = table.indexes.iter().find(|index| index.terms.len() > 1 && among(&index.column_names(), column));
        let lost = key.into_iter().chain(index.map(|index| index.name.clone())).find(|name| !gone(name))?;
        Some(format!("{lost} covers {column} and other columns, and goes with it as a whole"))
    }),
    fires: &["ALTER TABLE posts DROP COLUMN slug", "ALTER TABLE pairs DROP COLUMN a"],
    silent: &[
        "ALTER TABLE users DROP COLUMN age",
        "DROP INDEX posts_title_slug_idx;\nDROP INDEX posts_slug_user_id_key;\nALTER TABLE posts DROP COLUMN slug",
    ],
};

/// Whether a constraint needs an index of its own, which is built under its lock.
pub(super) fn builds_index(at: &At<'_>) -> Option<&'static str> {
    match &at.act.what {
        What::AddConstraint(found) if !found.using_index => match found.kind {
            ConstraintKind::Primary => Some("PRIMARY KEY"),
            ConstraintKind::Unique => Some("UNIQUE"),
            _ => None,
        },
        What::AddColumn(column) if column.has(ConstraintKind::Unique) => Some("UNIQUE"),
        What::AddColumn(column) if column.has(ConstraintKind::Primary) => Some("PRIMARY KEY"),
        _ => None,
    }
}
