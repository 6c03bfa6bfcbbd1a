//! Tables: what a definition says and SQLite does not do.

use crate::lint::{At, Check, ColumnDef, ConstraintKind, Rule, Severity, TableDef, What};

pub(super) const SL08: Rule = Rule {
    id: "SL08",
    severity: Severity::Warn,
    title: "a definition that promises more than it holds",
    trigger: "A table without STRICT, written by hand: with lengths or precisions and no CHECK, or a primary key that is no INTEGER and not NOT NULL.",
    effect: "`varchar(5)` takes any text, `decimal(10,2)` any number, and such a key takes NULL, many times.",
    safer: "STRICT, `CHECK (length(c) <= 5)`, NOT NULL.",
    covers: &[],
    check: Check::Any(|at| {
        let table = made(at)?;
        if at.statement.generated || table.options.iter().any(|token| token.is("strict")) {
            return None;
        }
        let loose =
            table.columns.iter().find(|column| !column.ty.args.is_empty() && !column.has(ConstraintKind::Check));
        let without_rowid = table.options.iter().any(|token| token.is("rowid"));
        let null_key = table.columns.iter().find(|column| {
            column.has(ConstraintKind::Primary) && !column.not_null && column.ty.name != "integer" && !without_rowid
        });
        match (loose, null_key) {
            (Some(column), _) => {
                Some(format!("{}.{} takes any value, whatever its type says", at.table(), column.name))
            }
            (None, Some(column)) => Some(format!("the primary key {}.{} takes NULL", at.table(), column.name)),
            (None, None) => None,
        }
    }),
    fires: &["CREATE TABLE fresh (id integer PRIMARY KEY, n varchar(5))", "CREATE TABLE fresh (id text PRIMARY KEY)"],
    silent: &[
        "CREATE TABLE fresh (id integer PRIMARY KEY, n text CHECK (length(n) <= 5)) STRICT",
        "CREATE TABLE fresh (id text NOT NULL PRIMARY KEY)",
    ],
};

fn made<'a>(at: &'a At<'_>) -> Option<&'a TableDef> {
    match &at.act.what {
        What::CreateTable(table) if !table.derived && !table.temporary => Some(table),
        _ => None,
    }
}

pub(super) const SL13: Rule = Rule {
    id: "SL13",
    severity: Severity::Warn,
    title: "UNIQUE inside a table",
    trigger: "`UNIQUE` behind a column or in the body of a table, written by hand.",
    effect: "Its index (`sqlite_autoindex_…`) cannot be dropped; only a rebuild gets rid of it.",
    safer: "`CREATE UNIQUE INDEX` with a name. Covet's own are such.",
    covers: &["SYS02"],
    check: Check::Any(|at| {
        let table = made(at).filter(|_| !at.statement.generated)?;
        let inline = |column: &&ColumnDef| column.has(ConstraintKind::Unique);
        let whole = table.constraints.iter().any(|constraint| constraint.kind == ConstraintKind::Unique);
        let found = table.columns.iter().find(inline).map(|column| column.name.as_str());
        (whole || found.is_some()).then(|| format!("the index of UNIQUE in {} can never be dropped", at.table()))
    }),
    fires: &["CREATE TABLE fresh (id integer PRIMARY KEY, n text UNIQUE) STRICT"],
    silent: &[
        "CREATE TABLE fresh (id integer PRIMARY KEY, n text) STRICT;\nCREATE UNIQUE INDEX fresh_n_key ON fresh (n)",
    ],
};
