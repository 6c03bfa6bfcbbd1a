//! Changes while others read and write: `LOCK=NONE` in every statement, so that the server refuses what it cannot do
//! so instead of copying the table while nobody may write.
//!
//! Only `LOCK` is said and not `ALGORITHM`, because the server then takes the quickest way that there is for a change:
//! instant, without a copy, in place; and on servers that can copy a table while others write, that one too.

use crate::catalog::{Change, Column, ColumnDefault, ColumnType, ForeignKey, followers};
use crate::contract::{Batches, Step};
use crate::error::{Error, Result};
use crate::mysql::ddl::Plan;
use crate::mysql::defaults::default;
use crate::mysql::dialect::{NAME, QUOTING, literal, quote};
use crate::mysql::types::{check, native};
use crate::sql::{Reader, words};

/// The bytes up to which the length of a text is kept in one byte; a character has four of them.
const SHORT: u32 = 255;

/// The table in which the runner notes what it has done: what locks others has to lock it too.
const HISTORY: &str = "_covet_migrations";

/// Whether the server copies the table for another type, while nobody writes.
pub(super) fn copies(before: &Column, after: &Column) -> bool {
    use ColumnType::{Enum, Text};
    if native(&before.ty) == native(&after.ty) && before.case_insensitive == after.case_insensitive {
        return before.auto != after.auto || check("", "", &before.ty) != check("", "", &after.ty);
    }
    match (&before.ty, &after.ty) {
        (Enum(from), Enum(to)) => to.labels.get(..from.labels.len()) != Some(&from.labels),
        (Text { max_len: Some(from) }, Text { max_len: Some(to) }) => {
            let crosses = from.saturating_mul(4) <= SHORT && to.saturating_mul(4) > SHORT;
            from > to || crosses || before.case_insensitive != after.case_insensitive
        }
        _ => true,
    }
}

/// As [`Ddl::next_batch`](crate::contract::Ddl::next_batch).
pub(super) fn next_batch(batches: &Batches, after: Option<&str>, size: u32) -> String {
    let Batches { table, key, .. } = batches;
    let behind = after.map(|after| format!(" WHERE {key} > {after}")).unwrap_or_default();
    let (schema, table_name) = place(table);
    let schema = schema.map_or_else(|| "DATABASE()".to_owned(), |schema| literal(&schema));
    let (_, key_name) = place(key);
    // How a literal looks depends on the type: a text that is compared with a number may be rounded on the way, and
    // bytes are no text. All of them in one collation, or the server would not choose between them.
    let text = |text: &str| format!("CONVERT({text} USING utf8mb4) COLLATE utf8mb4_bin");
    let (number, bytes, other) = (text("CAST(k AS CHAR)"), text("CONCAT('0x', HEX(k))"), text("QUOTE(k)"));
    format!(
        "WITH batch AS (SELECT {key} AS k FROM {table}{behind} ORDER BY {key} LIMIT {size}) \
         SELECT (SELECT CASE \
         WHEN t.DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal') THEN {number} \
         WHEN t.DATA_TYPE IN ('binary', 'varbinary') THEN {bytes} ELSE {other} END \
         FROM batch, information_schema.COLUMNS AS t WHERE t.TABLE_SCHEMA = {schema} AND t.TABLE_NAME = {} \
         AND t.COLUMN_NAME = {} ORDER BY k DESC LIMIT 1), (SELECT COUNT(*) FROM batch)",
        literal(&table_name),
        literal(&key_name)
    )
}

/// A name as it stands in SQL, and that of the database before it.
fn place(text: &str) -> (Option<String>, String) {
    let found = words(text, QUOTING).unwrap_or_default();
    let mut reader = Reader::new(&found);
    let first = reader.name(str::to_owned).unwrap_or_default();
    match reader.sign('.').then(|| reader.name(str::to_owned)).flatten() {
        Some(second) => (Some(first), second),
        None => (None, first),
    }
}

impl Plan<'_> {
    /// Whether others may be at work on the table, and are not to be kept out.
    fn is_online(&self, table: &str) -> bool {
        self.online && !self.is_new(table)
    }

    /// The statement, which the server refuses where it cannot let others write meanwhile.
    pub(super) fn asserted(&self, sql: String) -> String {
        if !self.online {
            return sql;
        }
        let Ok(found) = words(&sql, QUOTING) else { return sql };
        let mut reader = Reader::new(&found);
        if reader.eat(&["alter", "table"]) {
            let old = reader.name(str::to_owned).is_some_and(|table| !self.is_new(&table));
            return if old { format!("{sql}, LOCK=NONE") } else { sql };
        }
        if reader.eat(&["create", "index"]) || reader.eat(&["create", "unique", "index"]) {
            let on = reader.name(str::to_owned).is_some() && reader.eat(&["on"]);
            let old = on && reader.name(str::to_owned).is_some_and(|table| !self.is_new(&table));
            return if old { format!("{sql} LOCK=NONE") } else { sql };
        }
        if reader.eat(&["drop", "index"])
            && let Some(index) = reader.name(str::to_owned)
            && reader.eat(&["on"])
            && let Some(table) = reader.name(str::to_owned)
        {
            // MariaDB takes no such word behind DROP INDEX.
            return format!("ALTER TABLE {} DROP INDEX {}, LOCK=NONE", quote(&table), quote(&index));
        }
        sql
    }

    /// Refuses what the server does with a copy, or with a lock for as long as the table is large.
    pub(super) fn refuse(&self, change: &Change) -> Result<()> {
        if let Change::AlterEnum { before, after, .. } = change {
            let appended = after.labels.get(..before.labels.len()) == Some(&before.labels);
            if self.online && !appended {
                return Err(refused(
                    format_args!("labels of {} that go, or come before others", after.name),
                    &after.name,
                ));
            }
        }
        let Some(table) = change.table().filter(|table| self.is_online(table)) else { return Ok(()) };
        let column = |column: &Column, what: &str| Err(refused(format_args!("{what} {table}.{}", column.name), table));
        match change {
            Change::AddColumn { column: new, .. }
                if new.generated.as_ref().is_some_and(|generated| generated.stored) =>
            {
                column(new, "the stored generated column")
            }
            Change::AddColumn { column: new, .. } if new.auto => column(new, "the numbered column"),
            Change::AddColumn { column: new, .. } if check(table, &new.name, &new.ty).is_some() => {
                column(new, "a check of the length of")
            }
            Change::AddColumn { column: new, backfill: None, .. }
                if matches!(new.default, Some(ColumnDefault::Expression(_))) =>
            {
                column(new, "a default that is computed for each row, of the new column")
            }
            Change::AlterColumn { before, after, .. } if copies(before, after) => Err(refused(
                format_args!("the change of {table}.{} from {} to {}", after.name, before.ty, after.ty),
                table,
            )),
            Change::AlterColumn { before, after, .. } if before.generated != after.generated => {
                column(after, "another way to generate")
            }
            Change::AddCheck { check, .. } => Err(refused(format_args!("the check {} on {table}", check.name), table)),
            Change::AlterPrimaryKey { after, .. } if after.is_empty() => {
                Err(refused(format_args!("a table without a primary key, as {table} becomes"), table))
            }
            Change::RenameTable { .. } | Change::RenameColumn { .. } => {
                Err(refused(format_args!("another name for {table} or what is in it"), table))
            }
            _ => Ok(()),
        }
    }

    /// Adds a foreign key for new rows, which the server does without a lock when it does not look at the rows that
    /// exist; then looks at them, as before.
    pub(super) fn foreign_key_online(&mut self, table: &str, key: &ForeignKey, sql: String) {
        if !self.is_online(table) {
            self.push(sql);
            return;
        }
        self.note("SET foreign_key_checks = 0".to_owned(), "the rows that exist are looked up behind it");
        self.push(sql);
        self.push("SET foreign_key_checks = 1".to_owned());
        self.orphans(table, key);
    }

    fn fill(&mut self, table: &str, column: &str, value: &str, condition: &str) -> Result<()> {
        let key = self.table(table)?.primary_key.first().cloned().ok_or_else(|| {
            refused(format_args!("filling {table}.{column} in batches, for which the table has no key"), table)
        })?;
        self.steps.push(Batches::fill(quote(table), quote(&key), &quote(column), value, condition));
        Ok(())
    }

    /// Gives rows that have NULL in a column a value.
    pub(super) fn fill_with(&mut self, table: &str, column: &Column, value: &ColumnDefault) -> Result<()> {
        let value = default(value, &column.ty, &format!("{table}.{}", column.name))?;
        self.fill(table, &column.name, &value, "")
    }

    /// Gives rows the value of another column.
    pub(super) fn copy(&mut self, table: &str, from: &Column, to: &Column) -> Result<()> {
        let from = quote(&from.name);
        self.fill(table, &to.name, &from, &format!(" AND {from} IS NOT NULL"))
    }

    /// Triggers write the one column whenever the other is written.
    pub(super) fn follow(&mut self, table: &str, from: &Column, to: &Column) {
        for (event, name) in followers(table, &from.name) {
            let name = quote(&name);
            self.push(format!(
                "CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {} FOR EACH ROW SET NEW.{} = NEW.{}",
                quote(table),
                quote(&to.name),
                quote(&from.name)
            ));
        }
    }

    pub(super) fn unfollow(&mut self, table: &str, from: &Column) {
        for (_, name) in followers(table, &from.name) {
            let name = quote(&name);
            self.push(format!("DROP TRIGGER IF EXISTS {name}"));
        }
    }

    /// One column in the place of another. Whoever writes waits until the triggers are gone too; should the run be lost
    /// in between, writers get an error and no write is lost.
    pub(super) fn swap(&mut self, table: &str, from: &Column, to: &Column) {
        let on = quote(table);
        self.push(format!("LOCK TABLES {on} WRITE, {} WRITE", quote(HISTORY)));
        self.steps.push(Step::new(format!(
            "ALTER TABLE {on} DROP COLUMN {}, RENAME COLUMN {} TO {}",
            quote(&from.name),
            quote(&to.name),
            quote(&from.name)
        )));
        self.unfollow(table, from);
        self.push("UNLOCK TABLES".to_owned());
    }
}

#[cold]
fn refused(what: impl std::fmt::Display, table: &str) -> Error {
    Error::unsupported(format_args!("{what}, while others write"), NAME).with_table(table).with_help(
        "make it in a migration of its own without --online, for a quiet time, or with a tool that copies the table \
         beside it",
    )
}

#[cfg(test)]
mod tests {
    use super::copies;
    use crate::catalog::{Column, ColumnType, EnumType};

    /// As MariaDB 10.11 answers to `LOCK=NONE`.
    #[test]
    fn what_is_copied() {
        let text = |max_len| ColumnType::Text { max_len };
        let role = |labels: &'static [&'static str]| {
            let labels = labels.iter().map(|label| (*label).into()).collect();
            ColumnType::Enum(EnumType { name: "r".into(), labels })
        };
        for (from, to, wanted) in [
            (ColumnType::I32, ColumnType::I64, true),
            (text(Some(20)), text(Some(50)), false),
            (text(Some(50)), text(Some(100)), true),
            (text(Some(100)), text(Some(300)), false),
            (text(Some(50)), text(Some(40)), true),
            (text(Some(50)), text(None), true),
            (role(&["x", "y"]), role(&["x", "y", "z"]), false),
            (role(&["x", "y"]), role(&["a", "x", "y"]), true),
            (ColumnType::Decimal { precision: 8, scale: 2 }, ColumnType::Decimal { precision: 9, scale: 2 }, true),
        ] {
            let column = |ty| Column::new("c", ty);
            assert_eq!(copies(&column(from.clone()), &column(to.clone())), wanted, "{from} to {to}");
        }
    }
}
