//! What has to step aside on the way back alone: the way forth did not touch it, or not for this.

use covet_drivers::catalog::{Change, Column, ColumnType, ForeignKey, Schema, Table};

use crate::schema::diff::back::settles;
use crate::schema::diff::compare::Places;
use crate::schema::diff::moved::{Moved, Moving};

/// Columns that move on the way back, and did not on the way forth: those that are generated again, and those of an
/// enum that loses the labels it got.
pub(super) fn moving(forth: &[Change], after: &Schema) -> Moving {
    let mut moving = Moving::default();
    for change in forth {
        match change {
            Change::AlterColumn { table, before, after, .. } if settles(before, after) => {
                moving.0.entry(table.clone()).or_default().gone.insert(after.name.clone());
            }
            Change::AlterEnum { before, after: labelled, .. } => {
                for table in &after.tables {
                    for column in table.columns.iter().filter(|column| column.ty.as_enum() == Some(labelled)) {
                        let back = Column { ty: ColumnType::Enum(before.clone()), ..column.clone() };
                        moving.0.entry(table.name.clone()).or_default().turn(column, &back);
                    }
                }
            }
            _ => {}
        }
    }
    for (name, moved) in &mut moving.0 {
        let columns = after.table(name).map(|table| table.columns.as_slice()).unwrap_or_default();
        moved.with_readers(columns.iter().filter(|column| column.generated.is_some()));
    }
    moving.0.retain(|_, moved| !moved.is_empty());
    moving
}

/// Lets what stands on these columns, and stayed where it was on the way forth, go and come again.
pub(super) fn step_aside(forth: &[Change], after: &Schema, moving: &Moving, places: &mut Places) {
    for table in &after.tables {
        // What belongs to a new table goes with it.
        let is_new = |change: &Change| matches!(change, Change::CreateTable { table: new } if new.name == table.name);
        if !moving.0.is_empty() && !forth.iter().any(is_new) {
            if let Some(moved) = moving.of(&table.name) {
                of_table(forth, table, moved, places);
            }
            foreign_keys(forth, after, table, moving, places);
        }
    }
}

fn of_table(forth: &[Change], table: &Table, moved: &Moved, places: &mut Places) {
    let name = || table.name.clone();
    let own = || forth.iter().filter(|change| change.table() == Some(&table.name));
    let generated = table.columns.iter().filter(|column| column.generated.is_some());
    for column in generated.filter(|column| moved.gone.contains(&column.name)) {
        if !own().any(|change| matches!(change, Change::AddColumn { column: new, .. } if new.name == column.name)) {
            places.drop_generated.push(Change::DropColumn { table: name(), column: column.clone() });
            places.add_generated.push(Change::AddColumn { table: name(), column: column.clone(), backfill: None });
        }
    }
    for check in table.checks.iter().filter(|check| moved.moves_check(check)) {
        if !own().any(|change| matches!(change, Change::AddCheck { check: new, .. } if new.name == check.name)) {
            places.drop_checks.push(Change::DropCheck { table: name(), check: check.clone() });
            places.add_checks.push(Change::AddCheck { table: name(), check: check.clone() });
        }
    }
    for index in table.indexes.iter().filter(|index| moved.moves_index(index)) {
        if !own().any(|change| matches!(change, Change::AddIndex { index: new, .. } if new.name == index.name)) {
            places.drop_indexes.push(Change::DropIndex { table: name(), index: index.clone() });
            places.add_indexes.push(Change::AddIndex { table: name(), index: index.clone() });
        }
    }
    let key = &table.primary_key;
    if moved.takes(key) && !own().any(|change| matches!(change, Change::AlterPrimaryKey { .. })) {
        let change = |before: &[String], after: &[String]| Change::AlterPrimaryKey {
            table: name(),
            before: before.to_vec(),
            after: after.to_vec(),
        };
        places.drop_keys.push(change(key, &[]));
        places.keys.push(change(&[], key));
    }
}

/// Whether the unique index that a foreign key stands on has to go for the while, if only for a column that it includes.
pub(super) fn loses_its_ground(key: &ForeignKey, after: &Schema, moving: &Moving) -> bool {
    let (Some(moved), Some(target)) = (moving.of(&key.target), after.table(&key.target)) else { return false };
    target.indexes.iter().any(|index| index.keeps_unique(&key.target_columns) && moved.moves_index(index))
}

fn foreign_keys(forth: &[Change], after: &Schema, table: &Table, moving: &Moving, places: &mut Places) {
    let moves = |key: &ForeignKey| moving.moves_foreign_key(&table.name, key) || loses_its_ground(key, after, moving);
    for key in table.foreign_keys.iter().filter(|key| moves(key)) {
        let is_added = |change: &Change| {
            matches!(change, Change::AddForeignKey { table: owner, foreign_key }
                if *owner == table.name && foreign_key.name == key.name)
        };
        if !forth.iter().any(is_added) {
            let (table, foreign_key) = (table.name.clone(), key.clone());
            places.drop_foreign_keys.push(Change::DropForeignKey { table: table.clone(), foreign_key: key.clone() });
            places.add_foreign_keys.push(Change::AddForeignKey { table, foreign_key });
        }
    }
}
