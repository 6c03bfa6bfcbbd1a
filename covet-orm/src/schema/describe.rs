//! Changes in words, for plans and file names.

use covet_drivers::catalog::Change;

/// The change in a few words: `add column users.age`.
#[must_use]
pub fn describe(change: &Change) -> String {
    match change {
        Change::CreateEnum { ty } => format!("create enum {}", ty.name),
        Change::DropEnum { ty } => format!("drop enum {}", ty.name),
        Change::AlterEnum { after, .. } => format!("alter enum {}", after.name),
        Change::CreateTable { table } => format!("create table {}", table.name),
        Change::DropTable { table } => format!("drop table {}", table.name),
        Change::RenameTable { from, to } => format!("rename table {from} to {to}"),
        Change::AddColumn { table, column, .. } => format!("add column {table}.{}", column.name),
        Change::DropColumn { table, column } => format!("drop column {table}.{}", column.name),
        Change::RenameColumn { table, from, to } => format!("rename column {table}.{from} to {to}"),
        Change::AlterColumn { table, after, .. } => format!("alter column {table}.{}", after.name),
        Change::AddIndex { table, index } => format!("add index {} on {table}", index.name),
        Change::DropIndex { table, index } => format!("drop index {} on {table}", index.name),
        Change::AddForeignKey { table, foreign_key } => format!("add foreign key {} on {table}", foreign_key.name),
        Change::DropForeignKey { table, foreign_key } => format!("drop foreign key {} on {table}", foreign_key.name),
        other => format!("{other:?}"),
    }
}

/// Whether data is gone after the change, so that the way back cannot bring it back.
#[must_use]
pub fn loses_data(change: &Change) -> bool {
    matches!(change, Change::DropTable { .. } | Change::DropColumn { .. })
}
