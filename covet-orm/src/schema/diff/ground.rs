//! What stands on what: the order of tables, and foreign keys that must step aside.

use covet_drivers::catalog::{ForeignKey, Index, Schema, Table};

use crate::schema::diff::retype::moves_keys;

/// The tables, each behind those that its foreign keys point at; by name where that leaves a choice.
pub(super) fn parents_first(mut left: Vec<&Table>) -> Vec<&Table> {
    left.sort_by(|a, b| a.name.cmp(&b.name));
    let mut order: Vec<&Table> = Vec::new();
    while !left.is_empty() {
        let waits = |table: &Table| {
            table.foreign_keys.iter().any(|key| key.target != table.name && left.iter().any(|t| t.name == key.target))
        };
        // In a circle the first by name goes ahead.
        let index = left.iter().position(|table| !waits(table)).unwrap_or(0);
        order.push(left.remove(index));
    }
    order
}

/// Foreign keys of tables that go which point at tables that go earlier: a circle.
pub(super) fn against_the_order<'t>(order: &[&'t Table]) -> Vec<(&'t Table, &'t ForeignKey)> {
    let mut found = Vec::new();
    for (index, table) in order.iter().enumerate() {
        for key in &table.foreign_keys {
            if order.iter().take(index).any(|earlier| earlier.name == key.target) {
                found.push((*table, key));
            }
        }
    }
    found
}

/// Whether a foreign key that stays must go for the while, because a column under it changes or
/// the unique index that it stands on goes.
pub(super) fn must_step_aside(table: &Table, key: &ForeignKey, before: &Schema, after: &Schema) -> bool {
    let moves = |table: &str, columns: &[String]| {
        columns.iter().any(|name| {
            let column = |schema: &'_ Schema| schema.table(table).and_then(|t| t.column(name)).cloned();
            matches!((column(before), column(after)), (Some(b), Some(a)) if moves_keys(&b, &a))
        })
    };
    // The index under it is made again when a column that lies in it becomes another, one that it only includes too.
    let grounds = before.table(&key.target).map(|target| target.indexes.as_slice()).unwrap_or_default();
    let mut grounds = grounds.iter().filter(|index| index.keeps_unique(&key.target_columns));
    moves(&table.name, &key.columns)
        || moves(&key.target, &key.target_columns)
        || grounds.any(|index| moves(&key.target, &index.include))
        || loses_its_ground(key, before, after)
}

fn loses_its_ground(key: &ForeignKey, before: &Schema, after: &Schema) -> bool {
    let (Some(old), Some(new)) = (before.table(&key.target), after.table(&key.target)) else { return false };
    let grounds = |index: &Index| index.keeps_unique(&key.target_columns);
    if is_key(&old.primary_key, key) {
        return !is_key(&new.primary_key, key) || old.primary_key != new.primary_key;
    }
    old.indexes.iter().any(|index| grounds(index) && !new.indexes.iter().any(|other| other.means(index)))
}

fn is_key(primary_key: &[String], key: &ForeignKey) -> bool {
    primary_key.len() == key.target_columns.len() && primary_key.iter().all(|name| key.target_columns.contains(name))
}
