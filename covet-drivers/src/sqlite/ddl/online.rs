//! What a change that is split has on SQLite: batches, which let others write in between, and columns that follow others.

use crate::catalog::{Column, ColumnDefault, followers};
use crate::contract::{Batches, Step};
use crate::error::{Error, Result};
use crate::sqlite::ddl::create::quote;
use crate::sqlite::ddl::literal;
use crate::sqlite::ddl::plan::Planner;
use crate::sqlite::dialect::NAME;

/// As [`Ddl::next_batch`](crate::contract::Ddl::next_batch).
pub(super) fn next_batch(batches: &Batches, after: Option<&str>, size: u32) -> String {
    let Batches { table, key, .. } = batches;
    let behind = after.map(|after| format!(" WHERE {key} > {after}")).unwrap_or_default();
    format!(
        "WITH batch AS (SELECT {key} AS k FROM {table}{behind} ORDER BY {key} LIMIT {size}) \
         SELECT (SELECT quote(k) FROM batch ORDER BY k DESC LIMIT 1), (SELECT count(*) FROM batch)"
    )
}

impl Planner {
    fn fill(&mut self, table: &str, column: &str, value: &str, condition: &str) -> Result<()> {
        let id = self.used(table)?;
        let key = self.line(id)?.table.primary_key.first().cloned().ok_or_else(|| {
            Error::unsupported(
                format_args!("filling {table}.{column} in batches, for which the table has no key"),
                NAME,
            )
            .with_table(table)
            .with_help("give the table a primary key, or make the migration without --online")
        })?;
        self.steps.push(Batches::fill(quote(table), quote(&key), &quote(column), value, condition));
        Ok(())
    }

    /// Gives rows that have NULL in a column a value.
    pub(super) fn fill_with(&mut self, table: &str, column: &Column, value: &ColumnDefault) -> Result<()> {
        let value = literal::default(table, column, value)?;
        self.fill(table, &column.name, &value, "")
    }

    /// Gives rows the value of another column.
    pub(super) fn copy(&mut self, table: &str, from: &Column, to: &Column) -> Result<()> {
        let from = quote(&from.name);
        self.fill(table, &to.name, &from, &format!(" AND {from} IS NOT NULL"))
    }

    /// Triggers write the one column whenever the other is written.
    pub(super) fn follow_column(&mut self, table: &str, from: &Column, to: &Column) -> Result<()> {
        let id = self.used(table)?;
        let key = self.line(id)?.table.primary_key.clone();
        let same: Vec<String> = key.iter().map(|name| format!("{0} = NEW.{0}", quote(name))).collect();
        let this = if same.is_empty() { "rowid = NEW.rowid".to_owned() } else { same.join(" AND ") };
        let (on, from_name, to_name) = (quote(table), quote(&from.name), quote(&to.name));
        for (event, name) in followers(table, &from.name) {
            let name = quote(&name);
            let of = if event == "UPDATE" { format!(" OF {from_name}") } else { String::new() };
            self.steps.push(Step::new(format!(
                "CREATE TRIGGER {name} AFTER {event}{of} ON {on} BEGIN UPDATE {on} SET {to_name} = NEW.{from_name} \
                 WHERE {this}; END"
            )));
        }
        Ok(())
    }

    pub(super) fn unfollow_column(&mut self, table: &str, from: &Column) {
        for (_, name) in followers(table, &from.name) {
            let name = quote(&name);
            self.steps.push(Step::new(format!("DROP TRIGGER {name}")));
        }
    }

    /// One column in the place of another.
    pub(super) fn swap_column(&mut self, number: usize, table: &str, from: &Column, to: &Column) -> Result<()> {
        self.unfollow_column(table, from);
        // The check of its type has the column's name, and is written with it.
        let id = self.touch(number, table)?;
        self.must_rebuild(id);
        self.drop_column(number, table, &from.name)?;
        self.rename_column(number, table, &to.name, &from.name)
    }
}
