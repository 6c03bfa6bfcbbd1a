//! Changes of a schema, in the words of MySQL and MariaDB.
//!
//! One `ALTER` a statement, because DDL commits by itself and a run that stopped must be able to go
//! on at the exact statement. A foreign key that no declared index serves gets an index of its own
//! name, made here and not by the server, which would drop its own again in silence; it comes and
//! goes with the key, and introspection does not show it.

mod alter;
mod aside;
mod ask;
mod check;
mod convert;
mod definition;
mod effect;
mod keys;
mod leaves;
mod offline;
mod online;
mod quotes;
mod unsaid;
mod views;

use crate::catalog::{Bare, Change, Column, ForeignKey, Origins, Schema, Table};
use crate::contract::{Batches, Ddl, Effect, Leaves, Offline, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::dialect::{NAME, NO_SCHEMAS, quote};

/// Writes changes of schemas.
#[derive(Clone, Copy, Debug)]
pub struct MySqlDdl;

impl Ddl for MySqlDdl {
    fn plan(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        plan(changes, before, after, false)
    }

    fn plan_online(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        plan(changes, before, after, true)
    }

    fn has_online(&self) -> bool {
        true
    }

    fn rewrites(&self, before: &Column, after: &Column) -> bool {
        online::copies(before, after)
    }

    fn next_batch(&self, batches: &Batches, after: Option<&str>, size: u32) -> String {
        online::next_batch(batches, after, size)
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        schema.refuse_schemas("MySQL", NO_SCHEMAS)?;
        check::check(&Bare::of(&[], schema, schema).after)
    }

    fn kept(&self, schema: &Schema) -> Schema {
        let mut schema = Schema { objects: Vec::new(), ..schema.on(NAME) };
        for column in schema.tables.iter_mut().flat_map(|table| &mut table.columns) {
            // Whether it can be NULL is up to its expression; nothing is kept of it.
            column.nullable |= column.generated.is_some();
        }
        schema
    }

    fn effect(&self, sql: &str) -> Effect {
        effect::effect(sql)
    }

    fn leaves(&self, sql: &str) -> Leaves {
        leaves::leaves(sql)
    }

    fn stays(&self, sql: &str) -> Option<String> {
        leaves::stays(sql)
    }

    fn home(&self) -> Option<&'static str> {
        Some("SELECT DATABASE()")
    }

    fn offline(&self) -> Offline {
        offline::OFFLINE
    }
}

/// The steps of the changes; `online` while others write.
fn plan(changes: &[Change], before: &Schema, after: &Schema, online: bool) -> Result<Vec<Step>> {
    for schema in [before, after] {
        schema.refuse_schemas("MySQL", NO_SCHEMAS)?;
    }
    let Bare { changes, before, after } = Bare::of(changes, before, after);
    let mut plan = Plan {
        origins: Origins::new(&before, NAME, quote, quote),
        now: before.into_owned(),
        after: &after,
        first: views::guards(&changes),
        steps: Vec::new(),
        online,
        parked: Vec::new(),
        parked_checks: Vec::new(),
        leaving: Vec::new(),
        made: Vec::new(),
    };
    plan.now.tables.iter_mut().for_each(quotes::table);
    for (index, change) in changes.iter().enumerate() {
        let change = quotes::change(change, &plan.now, &after);
        plan.refuse(&change)?;
        let later = changes.get(index + 1..).unwrap_or_default();
        plan.make(&change, later)?;
        plan.unpark(later)?;
    }
    for (table, drop) in std::mem::take(&mut plan.leaving) {
        plan.push(format!("ALTER TABLE {} {drop}", quote(&table)));
    }
    plan.ask_of_changed();
    let mut steps = plan.first;
    steps.extend(plan.steps);
    Ok(steps)
}

/// A plan in the making.
struct Plan<'a> {
    /// The schema as it stands after the steps so far.
    now: Schema,
    after: &'a Schema,
    /// Where the values of its columns come from.
    origins: Origins,
    /// What is asked of rows before the first change.
    first: Vec<Step>,
    steps: Vec<Step>,
    /// Whether others write meanwhile.
    online: bool,
    /// Foreign keys taken away while the columns under them change, with their tables.
    parked: Vec<(String, ForeignKey)>,
    /// Checks taken away while a column that they read gets another name: table and name.
    parked_checks: Vec<(String, String)>,
    /// Columns that were the last ones of their tables: table, and what takes the column away with the next statement.
    leaving: Vec<(String, String)>,
    /// Tables that were made on the way, and hold no rows yet.
    made: Vec<String>,
}

impl Plan<'_> {
    /// Writes the change, and makes it on the schema as it stands.
    fn make(&mut self, change: &Change, later: &[Change]) -> Result<()> {
        self.change(change, later)?;
        self.now.apply(change).ok_or_else(|| {
            let error = Error::new(ErrorKind::Migration, format!("a change does not fit the schema: {change:?}"));
            error.with_table(change.table().unwrap_or_default())
        })?;
        self.origins.follow(change);
        if let Change::RenameColumn { table, .. } = change {
            quotes::table(self.table_mut(table)?);
        }
        Ok(())
    }

    fn change(&mut self, change: &Change, later: &[Change]) -> Result<()> {
        match change {
            // An enum is part of its columns. What is in a schema is for another database, or was refused.
            Change::CreateEnum { .. }
            | Change::DropEnum { .. }
            | Change::CreateSchema { .. }
            | Change::DropSchema { .. } => Ok(()),
            Change::AlterEnum { before, after, map } => self.alter_enum(before, after, map),
            Change::CreateTable { table } => self.create_table(table),
            Change::DropTable { table } => {
                self.push(format!("DROP TABLE {}", quote(&table.name)));
                self.parked.retain(|(owner, _)| *owner != table.name);
                Ok(())
            }
            Change::RenameTable { from, to } => self.rename_table(from, to),
            Change::AddColumn { table, column, backfill } => self.add_column(table, column, backfill.as_ref()),
            Change::FillColumn { table, column, value } => self.fill_with(table, column, value),
            Change::CopyColumn { table, from, to } => self.copy(table, from, to),
            Change::FollowColumn { table, from, to } => {
                self.keep_unsaid(table, from, to);
                self.follow(table, from, to);
                Ok(())
            }
            Change::UnfollowColumn { table, from, .. } => {
                self.unfollow(table, from);
                Ok(())
            }
            Change::SwapColumn { table, from, to } => {
                self.swap(table, from, to);
                Ok(())
            }
            Change::DropColumn { table, column } => self.drop_column(table, column),
            Change::RenameColumn { table, from, to } => self.rename_column(table, from, to, later),
            Change::AlterColumn { table, before, after, backfill } => {
                self.turn_into(table, before, after, backfill.as_ref())
            }
            Change::AddIndex { table, index } => self.add_index(table, index),
            Change::DropIndex { table, index } => self.drop_index(table, index),
            Change::RenameIndex { table, from, to } => {
                let (from, to) = (quote(from), quote(to));
                self.push(format!("ALTER TABLE {} RENAME INDEX {from} TO {to}", quote(table)));
                Ok(())
            }
            Change::RenameConstraint { table, from, to } => self.rename_constraint(table, from, to),
            Change::AddForeignKey { table, foreign_key } => self.add_foreign_key(table, foreign_key),
            Change::DropForeignKey { table, foreign_key } => self.drop_foreign_key(table, foreign_key),
            Change::AddCheck { table, check } => {
                self.add_check(table, check);
                Ok(())
            }
            Change::DropCheck { table, check } => {
                self.drop_check(table, check);
                Ok(())
            }
            Change::AlterPrimaryKey { table, before, after } => self.alter_primary_key(table, before, after),
            Change::CommentTable { table, after, .. } => {
                let text = definition::comment_literal(after.as_deref().unwrap_or_default());
                self.push(format!("ALTER TABLE {} COMMENT = {text}", quote(table)));
                Ok(())
            }
            Change::CreateObject { object } => {
                self.steps.extend(object.create(NAME, quote).map(Step::new));
                Ok(())
            }
            Change::DropObject { object } => {
                self.steps.extend(object.drop(NAME, quote, "").map(Step::new));
                Ok(())
            }
        }
    }

    fn push(&mut self, sql: String) {
        let sql = self.asserted(sql);
        self.steps.push(Step::new(sql));
    }

    fn note(&mut self, sql: String, note: impl Into<String>) {
        let mut step = Step::new(self.asserted(sql));
        step.note = note.into();
        self.steps.push(step);
    }

    fn create_table(&mut self, table: &Table) -> Result<()> {
        let sql = definition::create_table(table)?;
        self.push(sql);
        self.made.push(table.name.clone());
        Ok(())
    }

    fn rename_table(&mut self, from: &str, to: &str) -> Result<()> {
        self.push(format!("RENAME TABLE {} TO {}", quote(from), quote(to)));
        let columns = self.table(from)?.columns.clone();
        for column in &columns {
            self.move_check(to, column, from, &column.name.clone());
        }
        for (table, key) in &mut self.parked {
            for name in [table, &mut key.target] {
                if name == from {
                    to.clone_into(name);
                }
            }
        }
        for made in self.made.iter_mut().filter(|made| *made == from) {
            to.clone_into(made);
        }
        Ok(())
    }

    /// Whether the table was made on the way, and so holds no rows that could be in the way.
    fn is_new(&self, table: &str) -> bool {
        self.made.iter().any(|made| made == table)
    }

    fn table(&self, name: &str) -> Result<&Table> {
        self.now.table(name).ok_or_else(|| unknown(name))
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table> {
        self.now.tables.iter_mut().find(|table| table.name == name).ok_or_else(|| unknown(name))
    }

    fn column(&self, table: &str, name: &str) -> Result<&Column> {
        self.table(table)?.column(name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("the column {name} of {table} is not part of the schema"))
        })
    }
}

#[cold]
fn unknown(table: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("the table {table} is not part of the schema")).with_table(table)
}
