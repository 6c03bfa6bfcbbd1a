//! One change after the other, with the schema as it stands in between.

use crate::catalog::{Change, Column, ForeignKey, Index, Schema, Table};
use crate::contract::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::ddl::column::definition;
use crate::postgres::types::{CREATE_NO_CASE, check_name, condition, list, quoted, sequence_name};

/// The steps of the changes.
pub(super) fn plan(changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
    let mut plan = Plan { current: before.clone(), steps: Vec::new(), made: Vec::new(), collation: false };
    for change in changes {
        plan.change(change)?;
    }
    plan.same_keys(after)?;
    Ok(plan.steps)
}

/// The steps so far, and the schema behind them.
pub(super) struct Plan {
    pub(super) current: Schema,
    pub(super) steps: Vec<Step>,
    /// Tables that were made on the way, and hold no rows yet.
    made: Vec<String>,
    collation: bool,
}

impl Plan {
    fn change(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::CreateEnum { ty } => self.create_enum(ty),
            Change::DropEnum { ty } => self.sql(format!("DROP TYPE {}", quoted(&ty.name))),
            Change::AlterEnum { before, after } => self.alter_enum(before, after)?,
            Change::CreateTable { table } => self.create_table(table),
            Change::DropTable { table } => {
                self.sql(format!("DROP TABLE {}", quoted(&table.name)));
                self.current.tables.retain(|known| known.name != table.name);
            }
            Change::RenameTable { from, to } => self.rename_table(from, to)?,
            Change::AddColumn { table, column, backfill } => self.add_column(table, column, backfill.as_ref())?,
            Change::DropColumn { table, column } => {
                self.sql(format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quoted(&column.name)));
                self.table(table)?.columns.retain(|known| known.name != column.name);
            }
            Change::RenameColumn { table, from, to } => self.rename_column(table, from, to)?,
            Change::AlterColumn { table, before, after, backfill } => {
                self.alter_column(table, before, after, backfill.as_ref())?;
            }
            Change::AddIndex { table, index } => self.add_index(table, index)?,
            Change::DropIndex { table, index } => {
                self.sql(format!("DROP INDEX {}", quoted(&index.name)));
                self.table(table)?.indexes.retain(|known| known.name != index.name);
            }
            Change::AddForeignKey { table, foreign_key } => {
                self.orphans(table, foreign_key);
                self.add_foreign_key(table, foreign_key);
                self.table(table)?.foreign_keys.push(foreign_key.clone());
            }
            Change::DropForeignKey { table, foreign_key } => {
                self.drop_foreign_key(table, foreign_key);
                self.table(table)?.foreign_keys.retain(|known| known.name != foreign_key.name);
            }
        }
        Ok(())
    }

    pub(super) fn sql(&mut self, sql: String) {
        self.steps.push(Step::new(sql));
    }

    /// Stops the migration when the condition holds for a row, unless the table is new and empty.
    pub(super) fn guard(&mut self, table: &str, condition: &str, found: String) {
        if !self.made.iter().any(|made| made == table) {
            self.steps.push(Step::guard(format!("SELECT count(*) FROM {} WHERE {condition}", quoted(table)), found));
        }
    }

    pub(super) fn table(&mut self, name: &str) -> Result<&mut Table> {
        self.current.tables.iter_mut().find(|table| table.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("a change is about the table {name}, which is not there"))
                .with_table(name)
        })
    }

    pub(super) fn column(&mut self, table: &str, name: &str) -> Result<&mut Column> {
        self.table(table)?.columns.iter_mut().find(|column| column.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("a change is about the column {table}.{name}, which is not there"))
                .with_table(table)
                .with_column(name)
        })
    }

    /// Makes the collation that ignores case, once, when a column needs it.
    pub(super) fn collate(&mut self, column: &Column) {
        if column.case_insensitive && column.ty.is_text() && !self.collation {
            self.collation = true;
            self.sql(CREATE_NO_CASE.to_owned());
        }
    }

    fn create_table(&mut self, table: &Table) {
        for column in &table.columns {
            self.collate(column);
        }
        let mut lines: Vec<String> = table.columns.iter().map(|column| definition(&table.name, column)).collect();
        if !table.primary_key.is_empty() {
            let name = quoted(&table.primary_key_name());
            lines.push(format!("CONSTRAINT {name} PRIMARY KEY ({})", list(&table.primary_key)));
        }
        let body = if lines.is_empty() { String::new() } else { format!("\n    {}\n", lines.join(",\n    ")) };
        self.sql(format!("CREATE TABLE {} ({body})", quoted(&table.name)));
        self.made.push(table.name.clone());
        self.current.tables.push(Table { indexes: Vec::new(), foreign_keys: Vec::new(), ..table.clone() });
    }

    /// Names that Covet derived from the table's follow it; indexes and foreign keys have changes of their own.
    fn rename_table(&mut self, from: &str, to: &str) -> Result<()> {
        let table = self.table(from)?;
        let before = table.primary_key_name();
        to.clone_into(&mut table.name);
        let table = table.clone();
        for key in self.current.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.target == from {
                to.clone_into(&mut key.target);
            }
        }
        self.sql(format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to)));
        if !table.primary_key.is_empty() {
            self.rename_constraint(to, &before, &table.primary_key_name());
        }
        for column in &table.columns {
            self.rename_belongings(to, column, (from, &column.name), (to, &column.name));
        }
        for made in &mut self.made {
            if made == from {
                to.clone_into(made);
            }
        }
        Ok(())
    }

    fn rename_column(&mut self, table: &str, from: &str, to: &str) -> Result<()> {
        let column = self.column(table, from)?;
        to.clone_into(&mut column.name);
        let column = column.clone();
        let follow = |names: &mut Vec<String>| {
            names.iter_mut().filter(|name| *name == from).for_each(|name| to.clone_into(name));
        };
        let known = self.table(table)?;
        follow(&mut known.primary_key);
        known.indexes.iter_mut().for_each(|index| follow(&mut index.columns));
        known.foreign_keys.iter_mut().for_each(|key| follow(&mut key.columns));
        for key in self.current.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.target == table {
                follow(&mut key.target_columns);
            }
        }
        self.sql(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quoted(table), quoted(from), quoted(to)));
        self.rename_belongings(table, &column, (table, from), (table, to));
        Ok(())
    }

    /// The check and the sequence of a column get the names of its new place.
    fn rename_belongings(&mut self, table: &str, column: &Column, from: (&str, &str), to: (&str, &str)) {
        if condition(column).is_some() {
            self.rename_constraint(table, &check_name(from.0, from.1), &check_name(to.0, to.1));
        }
        let (before, after) = (sequence_name(from.0, from.1), sequence_name(to.0, to.1));
        if column.auto && before != after {
            self.sql(format!("ALTER SEQUENCE {} RENAME TO {}", quoted(&before), quoted(&after)));
        }
    }

    fn rename_constraint(&mut self, table: &str, from: &str, to: &str) {
        if from != to {
            let (from, to) = (quoted(from), quoted(to));
            self.sql(format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", quoted(table)));
        }
    }

    fn add_index(&mut self, table: &str, index: &Index) -> Result<()> {
        if index.unique && !self.made.iter().any(|made| made == table) {
            let names = list(&index.columns);
            let present: Vec<String> =
                index.columns.iter().map(|name| format!("{} IS NOT NULL", quoted(name))).collect();
            self.steps.push(Step::guard(
                format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} GROUP BY {names} HAVING count(*) > 1) AS twice",
                    quoted(table),
                    present.join(" AND ")
                ),
                format!("values of {table} ({}) that more than one row has", index.columns.join(", ")),
            ));
        }
        self.create_index(table, index)?;
        self.table(table)?.indexes.push(index.clone());
        Ok(())
    }

    fn create_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let mut terms = Vec::new();
        for name in &index.columns {
            // NULL is the smallest value in Covet's orders; so the index serves them.
            let nulls = if self.column(table, name)?.nullable { " NULLS FIRST" } else { "" };
            terms.push(format!("{}{nulls}", quoted(name)));
        }
        let unique = if index.unique { "UNIQUE " } else { "" };
        let (name, table) = (quoted(&index.name), quoted(table));
        self.sql(format!("CREATE {unique}INDEX {name} ON {table} ({})", terms.join(", ")));
        Ok(())
    }

    /// Makes the indexes of a column anew, whose order of NULL is another now; foreign keys that stand on
    /// one step aside for the while.
    pub(super) fn reindex(&mut self, table: &str, column: &str) -> Result<()> {
        let known = self.table(table)?.clone();
        for index in known.indexes.iter().filter(|index| index.columns.iter().any(|name| name == column)) {
            let stands_on = |key: &ForeignKey| {
                key.target == table
                    && key.target_columns != known.primary_key
                    && key.target_columns.len() == index.columns.len()
                    && key.target_columns.iter().all(|name| index.columns.contains(name))
            };
            let owners = self.current.tables.iter().map(|owner| (owner.name.clone(), owner.foreign_keys.clone()));
            let aside: Vec<(String, ForeignKey)> = owners
                .flat_map(|(owner, keys)| keys.into_iter().map(move |key| (owner.clone(), key)))
                .filter(|(_, key)| index.unique && stands_on(key))
                .collect();
            for (owner, key) in &aside {
                self.drop_foreign_key(owner, key);
            }
            let mut step = Step::new(format!("DROP INDEX {}", quoted(&index.name)));
            step.note = String::from("it is made again, because NULL stands elsewhere in it now");
            self.steps.push(step);
            self.create_index(table, index)?;
            for (owner, key) in &aside {
                self.add_foreign_key(owner, key);
            }
        }
        Ok(())
    }

    /// Stops the migration when rows point at rows that are not there.
    fn orphans(&mut self, table: &str, key: &ForeignKey) {
        let pairs = || key.columns.iter().zip(&key.target_columns);
        let present: Vec<String> = key.columns.iter().map(|name| format!("c.{} IS NOT NULL", quoted(name))).collect();
        let same: Vec<String> =
            pairs().map(|(own, other)| format!("p.{} = c.{}", quoted(other), quoted(own))).collect();
        if !self.made.iter().any(|made| made == table) {
            self.steps.push(Step::guard(
                format!(
                    "SELECT count(*) FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
                    quoted(table),
                    present.join(" AND "),
                    quoted(&key.target),
                    same.join(" AND ")
                ),
                format!(
                    "rows of {table} ({}) point at rows of {} that do not exist",
                    key.columns.join(", "),
                    key.target
                ),
            ));
        }
    }

    fn drop_foreign_key(&mut self, table: &str, key: &ForeignKey) {
        self.sql(format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(table), quoted(&key.name)));
    }

    fn add_foreign_key(&mut self, table: &str, key: &ForeignKey) {
        self.sql(format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
            quoted(table),
            quoted(&key.name),
            list(&key.columns),
            quoted(&key.target),
            list(&key.target_columns),
            key.on_delete.sql(),
            key.on_update.sql()
        ));
    }

    /// There is no change for a primary key: a difference that is left would be lost in silence.
    fn same_keys(&self, after: &Schema) -> Result<()> {
        for table in &after.tables {
            if let Some(current) = self.current.table(&table.name)
                && current.primary_key != table.primary_key
            {
                return Err(Error::unsupported(
                    format_args!("another primary key of the table {} in a generated migration", table.name),
                    "PostgreSQL",
                )
                .with_table(&table.name)
                .with_help("write this migration by hand"));
            }
        }
        Ok(())
    }
}
