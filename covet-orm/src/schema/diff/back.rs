//! The way back: every change turned round, and put into an order that is safe for it.

use covet_drivers::catalog::{Change, ColumnType, EnumType, Schema, Table};

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
            Change::AddColumn { table, column, .. } if is_replaced(forth, table, &column.name) => {
                places.drop_replaced.push(Change::DropColumn { table: table.clone(), column: column.clone() });
            }
            Change::DropColumn { table, column } if is_replaced(forth, table, &column.name) => {
                let (table, column) = (table.clone(), column.clone());
                places.add_replaced.push(Change::AddColumn { table, column, backfill: None });
            }
            other => step(other, forth, &mut places),
        }
    }
    let new: Vec<&Table> = after.tables.iter().filter(|table| is_new(&table.name)).collect();
    let mut order = ground::parents_first(new);
    order.reverse();
    places.drop_tables_in(&order);
    places.in_order().chain(renames).collect()
}

/// Whether a column goes and comes again, as another one.
fn is_replaced(forth: &[Change], table: &str, column: &str) -> bool {
    let comes = forth
        .iter()
        .any(|c| matches!(c, Change::AddColumn { table: t, column: c, .. } if t == table && c.name == column));
    let goes =
        forth.iter().any(|c| matches!(c, Change::DropColumn { table: t, column: c } if t == table && c.name == column));
    comes && goes
}

/// Whether a column allows NULL again on the way back, which no column of a primary key does.
fn is_freed(forth: &[Change], table: &str, columns: &[String]) -> bool {
    forth.iter().any(|change| {
        matches!(change, Change::AlterColumn { table: t, before, after, .. }
            if t == table && before.nullable && !after.nullable && columns.contains(&after.name))
    })
}

/// The enum as it was.
fn labels_before(forth: &[Change], ty: &EnumType) -> EnumType {
    let changed = forth.iter().find_map(|change| match change {
        Change::AlterEnum { before, after, .. } if after == ty => Some(before),
        _ => None,
    });
    changed.unwrap_or(ty).clone()
}

fn step(change: &Change, forth: &[Change], places: &mut Places) {
    match change.clone() {
        Change::CreateEnum { ty } => places.drop_enums.push(Change::DropEnum { ty }),
        Change::DropEnum { ty } => places.enums.push(Change::CreateEnum { ty }),
        Change::AlterEnum { before, after, map } => {
            // A label goes back where it can only have been one.
            let is_one = |to: &str| {
                map.iter().filter(|(_, other)| other == to).count() == 1
                    && !before.labels.iter().any(|label| label == to)
            };
            let map = map.iter().filter(|(_, to)| is_one(to)).map(|(from, to)| (to.clone(), from.clone())).collect();
            places.enums.push(Change::AlterEnum { before: after, after: before, map });
        }
        Change::AddColumn { table, column, .. } => places.drop_columns.push(Change::DropColumn { table, column }),
        Change::DropColumn { table, column } => {
            places.add_columns.push(Change::AddColumn { table, column, backfill: None });
        }
        Change::AlterColumn { table, before, after, .. } if before.generated.is_some() && after.generated.is_none() => {
            places.drop_replaced.push(Change::DropColumn { table: table.clone(), column: after });
            places.add_replaced.push(Change::AddColumn { table, column: before, backfill: None });
        }
        Change::AlterColumn { table, mut before, mut after, .. } => {
            // The labels of an enum go back before.
            for column in [&mut before, &mut after] {
                if let ColumnType::Enum(ty) = &mut column.ty {
                    *ty = labels_before(forth, ty);
                }
            }
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
        Change::AddCheck { table, check } => places.drop_checks.push(Change::DropCheck { table, check }),
        Change::DropCheck { table, check } => places.add_checks.push(Change::AddCheck { table, check }),
        Change::AlterPrimaryKey { table, before, after } => {
            // No column of a key allows NULL, so the key goes before one of them is to allow it again.
            let nothing = Vec::new();
            if before.is_empty() {
                places.drop_keys.push(Change::AlterPrimaryKey { table, before: after, after: nothing });
            } else if is_freed(forth, &table, &after) {
                let first = Change::AlterPrimaryKey { table: table.clone(), before: after, after: nothing.clone() };
                places.drop_keys.push(first);
                places.keys.push(Change::AlterPrimaryKey { table, before: nothing, after: before });
            } else {
                places.keys.push(Change::AlterPrimaryKey { table, before: after, after: before });
            }
        }
        Change::CommentTable { table, before, after } => {
            places.comments.push(Change::CommentTable { table, before: after, after: before });
        }
        // Tables and renames are turned round above; there are no other changes.
        _ => {}
    }
}
