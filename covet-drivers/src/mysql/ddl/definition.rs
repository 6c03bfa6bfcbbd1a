//! Definitions of columns and tables.

use crate::catalog::{Check, Column, ColumnDefault, ColumnType, Table};
use crate::error::Result;
use crate::mysql::defaults::default;
use crate::mysql::dialect::{NAME, literal, quote};
use crate::mysql::types::{CASE_INSENSITIVE, CASE_SENSITIVE, check as type_check, comment, native};

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
        if let Some((name, condition)) = type_check(&table.name, &column.name, &column.ty) {
            lines.push(format!("CONSTRAINT {} CHECK ({condition})", quote(&name)));
        }
    }
    lines.extend(table.checks.iter().map(self::check));
    let comment = table.comment.as_deref().map(|text| format!(" COMMENT = {}", comment_literal(text)));
    Ok(format!(
        "CREATE TABLE {} (\n  {}\n) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {CASE_SENSITIVE}{}",
        quote(&table.name),
        lines.join(",\n  "),
        comment.unwrap_or_default()
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
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
        out.push_str(&format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expression.on(NAME).unwrap_or_default()));
    } else {
        // MariaDB takes no word about NULL for a generated column.
        out.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
    }
    if let Some(value) = value {
        out.push_str(" DEFAULT ");
        out.push_str(&default(value, &column.ty, &format!("{table}.{}", column.name))?);
    }
    if column.auto {
        out.push_str(" AUTO_INCREMENT");
    }
    if let Some(comment) = comment(&column.ty, column.comment.as_deref()) {
        out.push_str(&format!(" COMMENT {}", comment_literal(&comment)));
    }
    Ok(out)
}

/// A check as it stands in `CREATE TABLE` and behind `ADD`.
pub(crate) fn check(check: &Check) -> String {
    format!("CONSTRAINT {} CHECK ({})", quote(&check.name), check.expression.on(NAME).unwrap_or_default())
}

/// A comment's text, which cannot be written in hexadecimal; what it cannot hold is refused before.
pub(crate) fn comment_literal(comment: &str) -> String {
    literal(comment)
}

/// Quoted names with commas between.
pub(crate) fn names(columns: &[String]) -> String {
    columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ")
}
