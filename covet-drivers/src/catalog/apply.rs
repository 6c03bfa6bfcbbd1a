//! Changes applied to a schema in memory: what a database has after them.

use crate::catalog::{Change, ColumnType, EnumType, Schema, Table};

impl Schema {
    /// Makes the change; `None`, and perhaps half of it made, when the schema is not one that it can be made on: the
    /// table is there already, the column is not there …
    ///
    /// What belongs to a table stays sorted; what stands on a name that changes follows.
    pub fn apply(&mut self, change: &Change) -> Option<()> {
        match change {
            // Both are told by what names them.
            Change::CreateSchema { .. } | Change::DropSchema { .. } => {}
            Change::CreateEnum { .. } | Change::DropEnum { .. } => {}
            Change::AlterEnum { before, after, .. } => self.relabel(&before.name, after),
            Change::CreateTable { table } => {
                absent(self.table(&table.name))?;
                self.tables.push(table.bare());
                self.tables.sort_by(|a, b| a.name.cmp(&b.name));
            }
            Change::DropTable { table } => {
                self.table(&table.name)?;
                self.tables.retain(|other| other.name != table.name);
            }
            Change::RenameTable { from, to } => self.rename_table(from, to)?,
            Change::RenameColumn { table, from, to } => self.rename_column(table, from, to)?,
            Change::CreateObject { object } => {
                absent(self.objects.iter().find(|other| other.is(object)))?;
                self.objects.push(object.clone());
                self.objects.sort_by(|a, b| a.order().cmp(&b.order()));
            }
            Change::DropObject { object } => {
                self.objects.iter().find(|other| other.is(object))?;
                self.objects.retain(|other| !other.is(object));
            }
            other => self.named(other.table()?)?.apply(other)?,
        }
        Some(())
    }

    fn named(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.name == name)
    }

    fn relabel(&mut self, name: &str, after: &EnumType) {
        for column in self.tables.iter_mut().flat_map(|table| &mut table.columns) {
            if let ColumnType::Enum(ty) = &mut column.ty
                && ty.name == name
            {
                *ty = after.clone();
            }
        }
    }

    /// Foreign keys of every table follow, as they do in every database.
    fn rename_table(&mut self, from: &str, to: &str) -> Option<()> {
        absent(self.table(to))?;
        to.clone_into(&mut self.named(from)?.name);
        for key in self.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.target == from {
                to.clone_into(&mut key.target);
            }
        }
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        Some(())
    }

    /// The key, the indexes, the expressions and the foreign keys of every table follow, as they do in every database.
    fn rename_column(&mut self, table: &str, from: &str, to: &str) -> Option<()> {
        let own = self.named(table)?;
        absent(own.column(to))?;
        own.column(from)?;
        own.rename_column(from, to);
        for key in self.tables.iter_mut().flat_map(|table| &mut table.foreign_keys).filter(|key| key.target == table) {
            follow(&mut key.target_columns, from, to);
        }
        Some(())
    }
}

impl Table {
    /// A column has another name: the key, the indexes, the expressions and the foreign keys of the table follow.
    pub fn rename_column(&mut self, from: &str, to: &str) {
        for column in &mut self.columns {
            if column.name == from {
                to.clone_into(&mut column.name);
            }
            column.follow(from, to);
        }
        follow(&mut self.primary_key, from, to);
        self.indexes.iter_mut().for_each(|index| index.rename(from, to));
        self.foreign_keys.iter_mut().for_each(|key| follow(&mut key.columns, from, to));
        for check in &mut self.checks {
            check.expression = check.expression.renamed(from, to);
        }
    }

    fn apply(&mut self, change: &Change) -> Option<()> {
        match change {
            Change::AddColumn { column, .. } => {
                absent(self.column(&column.name))?;
                self.columns.push(column.clone());
            }
            Change::DropColumn { column, .. } => {
                self.column(&column.name)?;
                self.columns.retain(|other| other.name != column.name);
            }
            Change::AlterColumn { after, .. } => {
                *self.columns.iter_mut().find(|column| column.name == after.name)? = after.clone();
            }
            Change::AddIndex { index, .. } => {
                absent(self.indexes.iter().find(|other| other.name == index.name))?;
                self.indexes.push(index.clone());
            }
            Change::DropIndex { index, .. } => {
                self.indexes.iter().find(|other| other.name == index.name)?;
                self.indexes.retain(|other| other.name != index.name);
            }
            Change::RenameIndex { from, to, .. } => {
                absent(self.indexes.iter().find(|other| other.name == *to))?;
                to.clone_into(&mut self.indexes.iter_mut().find(|index| index.name == *from)?.name);
            }
            Change::RenameConstraint { from, to, .. } => {
                let keys = self.foreign_keys.iter_mut().map(|key| &mut key.name);
                let mut names = keys.chain(self.checks.iter_mut().map(|check| &mut check.name));
                to.clone_into(names.find(|name| *name == from)?);
            }
            Change::AddForeignKey { foreign_key, .. } => {
                absent(self.foreign_keys.iter().find(|other| other.name == foreign_key.name))?;
                self.foreign_keys.push(foreign_key.clone());
            }
            Change::DropForeignKey { foreign_key, .. } => {
                self.foreign_keys.iter().find(|other| other.name == foreign_key.name)?;
                self.foreign_keys.retain(|other| other.name != foreign_key.name);
            }
            Change::AddCheck { check, .. } => {
                absent(self.checks.iter().find(|other| other.name == check.name))?;
                self.checks.push(check.clone());
            }
            Change::DropCheck { check, .. } => {
                self.checks.iter().find(|other| other.name == check.name)?;
                self.checks.retain(|other| other.name != check.name);
            }
            Change::AlterPrimaryKey { after, .. } => self.primary_key.clone_from(after),
            Change::CommentTable { after, .. } => self.comment.clone_from(after),
            // Rows change, or what is done when they do; the schema does not tell.
            Change::FillColumn { column, .. } => drop(self.column(&column.name)?),
            Change::CopyColumn { from, to, .. }
            | Change::FollowColumn { from, to, .. }
            | Change::UnfollowColumn { from, to, .. } => drop((self.column(&from.name)?, self.column(&to.name)?)),
            Change::SwapColumn { from, to, .. } => {
                self.column(&from.name)?;
                self.columns.retain(|column| column.name != from.name);
                self.rename_column(&to.name, &from.name);
            }
            _ => return None,
        }
        self.sort();
        Some(())
    }
}

fn absent<T>(there: Option<T>) -> Option<()> {
    there.is_none().then_some(())
}

/// A column's new name in a list.
fn follow(columns: &mut [String], from: &str, to: &str) {
    for column in columns.iter_mut().filter(|column| *column == from) {
        to.clone_into(column);
    }
}
