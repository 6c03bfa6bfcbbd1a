//! Changes in words, for plans and file names.

use covet_drivers::catalog::Change;

/// The change in a few words: `add column users.age`.
#[must_use]
pub fn describe(change: &Change) -> String {
    match change {
        Change::CreateSchema { name } => format!("create schema {name}"),
        Change::DropSchema { name, .. } => format!("drop schema {name}"),
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
        Change::AddCheck { table, check } => format!("add check {} on {table}", check.name),
        Change::RenameIndex { table, from, to } => format!("rename index {from} of {table} to {to}"),
        Change::RenameConstraint { table, from, to } => format!("rename constraint {from} of {table} to {to}"),
        Change::DropCheck { table, check } => format!("drop check {} on {table}", check.name),
        Change::AlterPrimaryKey { table, after, .. } => {
            format!("alter primary key of {table} to ({})", after.join(", "))
        }
        Change::FillColumn { table, column, .. } => format!("fill column {table}.{}", column.name),
        Change::CopyColumn { table, from, to } => format!("copy column {table}.{} to {}", from.name, to.name),
        Change::FollowColumn { table, from, to } => format!("let {table}.{} follow {}", to.name, from.name),
        Change::UnfollowColumn { table, from, to } => format!("let {table}.{} follow {} no more", to.name, from.name),
        Change::SwapColumn { table, from, to } => format!("put {table}.{} in the place of {}", to.name, from.name),
        Change::CommentTable { table, .. } => format!("comment table {table}"),
        Change::CreateObject { object } => format!("create {} {}", object.kind.word(), object.name),
        Change::DropObject { object } => format!("drop {} {}", object.kind.word(), object.name),
        other => format!("{other:?}"),
    }
}

/// Whether data is gone after the change, so that the way back cannot bring it back.
#[must_use]
pub fn loses_data(change: &Change) -> bool {
    match change {
        Change::DropTable { .. } => true,
        // What is generated is made again.
        Change::DropColumn { column, .. } => column.generated.is_none(),
        // Two labels that become one are not told apart again.
        Change::AlterEnum { map, after, .. } => map.iter().any(|(_, to)| {
            map.iter().filter(|(_, other)| other == to).count() > 1
                || !is_new(change, to) && after.labels.iter().any(|label| label == to)
        }),
        _ => false,
    }
}

fn is_new(change: &Change, label: &str) -> bool {
    matches!(change, Change::AlterEnum { before, .. } if !before.labels.iter().any(|known| known == label))
}
