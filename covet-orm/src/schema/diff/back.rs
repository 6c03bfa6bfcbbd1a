//! The way back: every change turned round, and put into an order that is safe for it.

use covet_drivers::catalog::{Change, Column, ColumnType, EnumType, ForeignKey, Schema, Table};

use crate::schema::diff::compare::Places;
use crate::schema::diff::moved::Moving;
use crate::schema::diff::retype::moves_keys;
use crate::schema::diff::{aside, ground};

/// The changes that undo these, which led to `after`.
pub(super) fn turn_round(forth: &[Change], after: &Schema) -> Vec<Change> {
    let is_new = |name: &str| forth.iter().any(|c| matches!(c, Change::CreateTable { table } if table.name == name));
    let mut places = Places::default();
    let moving = aside::moving(forth, after);
    // Names are given back last: whatever came meanwhile may bear them, and is gone by then.
    let mut renames = Vec::new();
    for change in forth.iter().rev() {
        // A table that goes takes what belongs to it along. The name may be that of one that was renamed.
        if !matches!(change, Change::RenameTable { .. }) && change.table().is_some_and(is_new) {
            continue;
        }
        match change {
            Change::RenameTable { from, to } => {
                renames.push(Change::RenameTable { from: to.clone(), to: from.clone() });
            }
            Change::RenameColumn { table, from, to } => {
                renames.push(Change::RenameColumn { table: table.clone(), from: to.clone(), to: from.clone() });
            }
            Change::RenameIndex { table, from, to } => {
                renames.push(Change::RenameIndex { table: table.clone(), from: to.clone(), to: from.clone() });
            }
            Change::RenameConstraint { table, from, to } => {
                renames.push(Change::RenameConstraint { table: table.clone(), from: to.clone(), to: from.clone() });
            }
            Change::DropTable { table } => places.create_table(table),
            Change::AddColumn { table, column, .. } if is_early(forth, table, column) => {
                places.drop_generated.push(Change::DropColumn { table: table.clone(), column: column.clone() });
            }
            Change::DropColumn { table, column } if is_early(forth, table, column) => {
                let (table, column) = (table.clone(), column.clone());
                places.add_generated.push(Change::AddColumn { table, column, backfill: None });
            }
            Change::AlterColumn { table, before, after: now, .. } if settles(before, now) => {
                let column = after.table(table).and_then(|table| table.column(&now.name)).unwrap_or(now).clone();
                places.drop_generated.push(Change::DropColumn { table: table.clone(), column });
                let (table, column) = (table.clone(), before.clone());
                places.add_generated.push(Change::AddColumn { table, column, backfill: None });
            }
            // It goes, and comes again as what it was.
            Change::AlterColumn { table, before, .. } if is_settled(forth, table, &before.name) => {}
            other => step(other, forth, &moving, &mut places),
        }
    }
    aside::step_aside(forth, after, &moving, &mut places);
    let new: Vec<&Table> = after.tables.iter().filter(|table| is_new(&table.name)).collect();
    let mut order = ground::parents_first(new);
    order.reverse();
    places.drop_tables_in(&order, &moving, |key| {
        !is_new(&key.target) && (loses_its_ground(forth, key) || aside::loses_its_ground(key, after, &moving))
    });
    places.in_order().chain(renames).collect()
}

/// Whether a column comes last and goes first: it is generated, or goes and comes again as another one.
fn is_early(forth: &[Change], table: &str, column: &Column) -> bool {
    column.generated.is_some() || is_replaced(forth, table, &column.name)
}

/// Whether a column is generated no longer.
pub(super) fn settles(before: &Column, after: &Column) -> bool {
    before.generated.is_some() && after.generated.is_none()
}

fn is_settled(forth: &[Change], table: &str, column: &str) -> bool {
    forth.iter().any(|change| {
        matches!(change, Change::AlterColumn { table: t, before, after, .. }
            if t == table && after.name == column && settles(before, after))
    })
}

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

/// Whether a column comes back that is numbered, and is the key as it comes.
fn is_numbered_again(forth: &[Change], table: &str) -> bool {
    forth.iter().any(|change| matches!(change, Change::DropColumn { table: t, column } if t == table && column.auto))
}

/// Whether what a foreign key of a new table stands on goes back, and the table goes only after that.
fn loses_its_ground(forth: &[Change], key: &ForeignKey) -> bool {
    let on = |table: &str, column: &Column| table == key.target && key.target_columns.contains(&column.name);
    forth.iter().any(|change| match change {
        Change::AlterPrimaryKey { table, .. } => *table == key.target,
        Change::AddIndex { table, index } => *table == key.target && index.keeps_unique(&key.target_columns),
        Change::AddColumn { table, column, .. } => on(table, column),
        Change::AlterColumn { table, before, after, .. } => on(table, after) && moves_keys(before, after),
        _ => false,
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

fn step(change: &Change, forth: &[Change], moving: &Moving, places: &mut Places) {
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
            } else if is_freed(forth, &table, &after)
                || !after.is_empty() && is_numbered_again(forth, &table)
                || moving.of(&table).is_some_and(|moved| moved.takes(&after))
            {
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
