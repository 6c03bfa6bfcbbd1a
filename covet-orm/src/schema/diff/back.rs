//! The way back: every change turned round, and put into an order that is safe for it.

use covet_drivers::catalog::{Change, Schema, Table};

use crate::schema::diff::compare::Places;
use crate::schema::diff::ground;

/// The changes that undo these, which led to `after`.
pub(super) fn turn_round(forth: &[Change], after: &Schema) -> Vec<Change> {
    let is_new = |name: &str| forth.iter().any(|c| matches!(c, Change::CreateTable { table } if table.name == name));
    let mut places = Places::default();
    // Names are given back last: whatever came meanwhile may bear them, and is gone by then.
    let mut renames = Vec::new();
    for change in forth.iter().rev() {
        // A table that goes takes what belongs to it along.
        if change.table().is_some_and(is_new) {
            continue;
        }
        match change {
            Change::RenameTable { from, to } => {
                renames.push(Change::RenameTable { from: to.clone(), to: from.clone() });
            }
            Change::RenameColumn { table, from, to } => {
                renames.push(Change::RenameColumn { table: table.clone(), from: to.clone(), to: from.clone() });
            }
            Change::DropTable { table } => places.create_table(table),
            other => step(other, &mut places),
        }
    }
    let new: Vec<&Table> = after.tables.iter().filter(|table| is_new(&table.name)).collect();
    let mut order = ground::parents_first(new);
    order.reverse();
    places.drop_tables_in(&order);
    places.in_order().chain(renames).collect()
}

fn step(change: &Change, places: &mut Places) {
    match change.clone() {
        Change::CreateEnum { ty } => places.drop_enums.push(Change::DropEnum { ty }),
        Change::DropEnum { ty } => places.enums.push(Change::CreateEnum { ty }),
        Change::AlterEnum { before, after } => {
            places.narrow_enums.push(Change::AlterEnum { before: after, after: before });
        }
        Change::AddColumn { table, column, .. } => places.drop_columns.push(Change::DropColumn { table, column }),
        Change::DropColumn { table, column } => {
            places.add_columns.push(Change::AddColumn { table, column, backfill: None });
        }
        Change::AlterColumn { table, before, after, .. } => {
            places.alter_columns.push(Change::AlterColumn { table, before: after, after: before, backfill: None });
        }
        Change::AddIndex { table, index } => places.drop_indexes.push(Change::DropIndex { table, index }),
        Change::DropIndex { table, index } => places.add_indexes.push(Change::AddIndex { table, index }),
        Change::AddForeignKey { table, foreign_key } => {
            places.drop_foreign_keys.push(Change::DropForeignKey { table, foreign_key });
        }
        Change::DropForeignKey { table, foreign_key } => {
            places.add_foreign_keys.push(Change::AddForeignKey { table, foreign_key });
        }
        // Tables and renames are turned round above; there are no other changes.
        _ => {}
    }
}
