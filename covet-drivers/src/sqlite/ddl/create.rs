//! `CREATE TABLE`, its columns and constraints, and `CREATE INDEX`.

use crate::catalog::{Action, Column, ForeignKey, Index, Over, Table, Term, constraint_name};
use crate::contract::Step;
use crate::error::Result;
use crate::render::ansi;
use crate::sqlite::ddl::literal;
use crate::sqlite::dialect::NAME;
use crate::sqlite::functions::NOCASE;
use crate::sqlite::types::{condition, storage};

/// The statement that creates a table with its foreign keys, under a name of its own; constraints
/// carry the names that belong to the table's final name.
pub(super) fn table(table: &Table, under: &str) -> Result<String> {
    let mut lines = Vec::new();
    for column in &table.columns {
        lines.push(self::column(table, column)?);
    }
    if !table.primary_key.is_empty() && !table.columns.iter().any(|column| column.auto) {
        let name = quote(&table.primary_key_name());
        lines.push(format!("CONSTRAINT {name} PRIMARY KEY ({})", names(&table.primary_key)));
    }
    for check in &table.checks {
        let expression = check.expression.on(NAME).unwrap_or_default();
        lines.push(format!("CONSTRAINT {} CHECK ({expression})", quote(&check.name)));
    }
    lines.extend(table.foreign_keys.iter().map(foreign_key));
    Ok(format!("CREATE TABLE {} (\n    {}\n) STRICT", quote(under), lines.join(",\n    ")))
}

/// The definition of a column.
pub(super) fn column(table: &Table, column: &Column) -> Result<String> {
    let name = quote(&column.name);
    let mut text = format!("{name} {}", storage(&column.ty));
    if column.case_insensitive {
        text.push_str(" COLLATE ");
        text.push_str(&quote(NOCASE));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
        text.push_str(&format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expression.on(NAME).unwrap_or_default()));
    }
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    if column.auto {
        text.push_str(&format!(" CONSTRAINT {} PRIMARY KEY AUTOINCREMENT", quote(&table.primary_key_name())));
    }
    if let Some(default) = &column.default {
        text.push_str(" DEFAULT ");
        text.push_str(&literal::default(&table.name, column, default)?);
    }
    if let Some(condition) = condition(&column.ty, &name) {
        let check = constraint_name(&table.name, &[&column.name], "check");
        text.push_str(&format!(" CONSTRAINT {} CHECK ({condition})", quote(&check)));
    }
    Ok(text)
}

fn foreign_key(key: &ForeignKey) -> String {
    let mut text = format!(
        "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
        quote(&key.name),
        names(&key.columns),
        quote(&key.target),
        names(&key.target_columns)
    );
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != Action::NoAction {
            text.push_str(&format!(" ON {event} {}", action.sql()));
        }
    }
    text.push_str(key.timing.sql());
    text
}

/// The statement that creates an index.
pub(super) fn index(table: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let terms: Vec<String> =
        index.terms.iter().map(|term| over(term) + if term.descending { " DESC" } else { "" }).collect();
    let mut sql = format!("CREATE {unique}INDEX {} ON {} ({})", quote(&index.name), quote(table), terms.join(", "));
    if let Some(condition) = index.condition.as_ref().and_then(|condition| condition.on(NAME)) {
        sql.push_str(&format!(" WHERE {condition}"));
    }
    sql
}

/// What a term of an index is over.
fn over(term: &Term) -> String {
    match &term.over {
        Over::Column(name) => quote(name),
        Over::Expression(expression) => expression.on(NAME).unwrap_or_default().to_owned(),
    }
}

/// Stops the migration when values that are to be unique are twice there.
pub(super) fn twice(table: &str, index: &Index) -> Step {
    let terms: Vec<String> = index.terms.iter().map(over).collect();
    let mut conditions: Vec<String> = terms.iter().map(|term| format!("{term} IS NOT NULL")).collect();
    let condition = index.condition.as_ref().and_then(|condition| condition.on(NAME));
    conditions.extend(condition.map(|condition| format!("({condition})")));
    let names: Vec<&str> = index.terms.iter().map(|term| term.as_column().unwrap_or("an expression")).collect();
    Step::guard(
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1) AS twice",
            quote(table),
            conditions.join(" AND "),
            terms.join(", ")
        ),
        format!("values of {table} ({}) that more than one row has", names.join(", ")),
    )
}

/// Quoted names with commas between.
pub(super) fn names<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| quote(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A quoted name.
pub(in crate::sqlite) fn quote(name: &str) -> String {
    let mut out = String::new();
    ansi::identifier(name, &mut out);
    out
}
