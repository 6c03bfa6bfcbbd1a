//! What stands on what: the order of tables, and the ground of foreign keys.

use covet_drivers::catalog::{ForeignKey, Index, Schema, Table};

use crate::schema::diff::moved::Moving;
use crate::schema::diff::parts;

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

/// Whether the key or the unique index that a foreign key stands on goes, if only for the while.
pub(super) fn loses_its_ground(key: &ForeignKey, before: &Schema, after: &Schema, moving: &Moving) -> bool {
    let (Some(old), Some(new)) = (before.table(&key.target), after.table(&key.target)) else { return false };
    let moved = moving.of(&key.target);
    if is_key(&old.primary_key, key) {
        return old.primary_key != new.primary_key || moved.is_some_and(|moved| moved.takes(&old.primary_key));
    }
    let grounds = |index: &Index| index.keeps_unique(&key.target_columns);
    let stays = |index: &Index| new.indexes.iter().any(|other| parts::is_renamed(index, other) || other.means(index));
    // An index is made again when a column that it only includes becomes another, too.
    let moves = |index: &Index| moved.is_some_and(|moved| moved.moves_key(&index.include));
    old.indexes.iter().any(|index| grounds(index) && (!stays(index) || moves(index)))
}

fn is_key(primary_key: &[String], key: &ForeignKey) -> bool {
    primary_key.len() == key.target_columns.len() && primary_key.iter().all(|name| key.target_columns.contains(name))
}
