//! What a MySQL or MariaDB database has for which Covet has no word.

use crate::catalog::{ColumnType, Schema};
use crate::contract::{Connection, OWN_TABLES, Unmodelled};
use crate::error::Result;
use crate::mysql::introspect::rows;
use crate::mysql::objects;
use crate::mysql::types::{CASE_INSENSITIVE, CASE_SENSITIVE};

/// Each gives rows of table, kind, name and detail.
const QUESTIONS: &[&str] = &[
    "SELECT NULL, LOWER(TABLE_TYPE), TABLE_NAME, '' FROM information_schema.TABLES \
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'BASE TABLE'",
    "SELECT TABLE_NAME, 'engine', TABLE_NAME, ENGINE FROM information_schema.TABLES \
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'",
    "SELECT EVENT_OBJECT_TABLE, 'trigger', TRIGGER_NAME, CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION) \
     FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
    "SELECT NULL, LOWER(ROUTINE_TYPE), ROUTINE_NAME, '' FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()",
    "SELECT NULL, 'event', EVENT_NAME, '' FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()",
    "SELECT DISTINCT TABLE_NAME, 'partitioning', TABLE_NAME, CONCAT(PARTITION_METHOD, ' (', COALESCE(PARTITION_EXPRESSION, ''), ')') \
     FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL",
    "SELECT TABLE_NAME, IF(EXTRA LIKE '%on update%', 'value on update', 'invisible column'), COLUMN_NAME, EXTRA \
     FROM information_schema.COLUMNS \
     WHERE TABLE_SCHEMA = DATABASE() AND (EXTRA LIKE '%on update%' OR EXTRA LIKE '%INVISIBLE%')",
];

const COLLATIONS: &str = "SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
    WHERE TABLE_SCHEMA = DATABASE() AND COLLATION_NAME IS NOT NULL ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// All of it, sorted: with what reading the schema has left out.
pub(super) async fn read(
    connection: &mut dyn Connection,
    schema: &Schema,
    mut found: Vec<Unmodelled>,
) -> Result<Vec<Unmodelled>> {
    for question in QUESTIONS {
        for row in rows(connection, question, 4).await? {
            let mut cells = row.into_iter();
            let table = cells.next().flatten();
            if table.as_deref().is_some_and(|table| OWN_TABLES.contains(&table)) {
                continue;
            }
            let [kind, name, detail] =
                [cells.next(), cells.next(), cells.next()].map(|c| c.flatten().unwrap_or_default());
            found.push(Unmodelled { table, kind, name, detail, definition: None });
        }
    }
    objects::define(connection, &mut found).await?;
    found.extend(collations(schema, &rows(connection, COLLATIONS, 3).await?));
    found.sort();
    Ok(found)
}

/// Columns of text that compare otherwise than Covet's own; one answer a table.
fn collations(schema: &Schema, rows: &[Vec<Option<String>>]) -> Vec<Unmodelled> {
    let mut found: Vec<Unmodelled> = Vec::new();
    for row in rows {
        let [Some(table), Some(column), Some(collation)] = row.as_slice() else { continue };
        let known = schema.table(table).and_then(|table| table.column(column));
        let is_text = known.is_some_and(|column| matches!(column.ty, ColumnType::Text { .. }));
        let own = [CASE_SENSITIVE, CASE_INSENSITIVE].iter().any(|both| both.split(' ').any(|name| name == collation));
        if !is_text || own {
            continue;
        }
        let said = format!("{column} {collation}");
        match found.last_mut().filter(|last| last.table.as_ref() == Some(table)) {
            Some(last) => last.detail.push_str(&format!(", {said}")),
            None => found.push(Unmodelled::of(table, "collation", table, said)),
        }
    }
    found
}
