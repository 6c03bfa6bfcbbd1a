//! Definitions of columns and tables.

use crate::catalog::{Column, ColumnDefault, ColumnType, Table};
use crate::error::Result;
use crate::mysql::defaults::default;
use crate::mysql::dialect::{literal, quote};
use crate::mysql::types::{CASE_INSENSITIVE, CASE_SENSITIVE, check, comment, native};

/// `CREATE TABLE` with columns and primary key.
pub(crate) fn create_table(table: &Table) -> Result<String> {
    let mut lines = Vec::new();
    for column in &table.columns {
        lines.push(self::column(&table.name, column)?);
    }
    if !table.primary_key.is_empty() {
        lines.push(format!("PRIMARY KEY ({})", names(&table.primary_key)));
    }
    for column in &table.columns {
        if let Some((name, condition)) = check(&table.name, &column.name, &column.ty) {
            lines.push(format!("CONSTRAINT {} CHECK ({condition})", quote(&name)));
        }
    }
    Ok(format!(
        "CREATE TABLE {} (\n  {}\n) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {CASE_SENSITIVE}",
        quote(&table.name),
        lines.join(",\n  ")
    ))
}

/// A column in full: what is left out here would be lost by `MODIFY`.
pub(crate) fn column(table: &str, column: &Column) -> Result<String> {
    with_default(table, column, column.default.as_ref())
}

/// The same column with another default.
pub(crate) fn with_default(table: &str, column: &Column, value: Option<&ColumnDefault>) -> Result<String> {
    let mut out = format!("{} {}", quote(&column.name), native(&column.ty));
    let has_collation = matches!(column.ty, ColumnType::Text { .. } | ColumnType::Enum(_));
    if has_collation {
        // Said in full, because a table made by somebody else may have another default.
        let collation = if column.case_insensitive { CASE_INSENSITIVE } else { CASE_SENSITIVE };
        out.push_str(&format!(" CHARACTER SET utf8mb4 COLLATE {collation}"));
    }
    out.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
    if let Some(value) = value {
        out.push_str(" DEFAULT ");
        out.push_str(&default(value, &column.ty, &format!("{table}.{}", column.name))?);
    }
    if column.auto {
        out.push_str(" AUTO_INCREMENT");
    }
    if let Some(comment) = comment(&column.ty) {
        out.push_str(&format!(" COMMENT {}", comment_literal(&comment)));
    }
    Ok(out)
}

/// A comment's text: it cannot be written in hexadecimal, and an enum's name needs no backslash.
fn comment_literal(comment: &str) -> String {
    literal(&comment.replace(['\\', '\0'], "_"))
}

/// Quoted names with commas between.
pub(crate) fn names(columns: &[String]) -> String {
    columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ")
}
