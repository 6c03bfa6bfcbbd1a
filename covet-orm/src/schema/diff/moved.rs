//! Columns that go for good or for the while, or become another: what stands on them has to step aside.

use std::collections::{BTreeMap, BTreeSet};

use covet_drivers::catalog::{Change, Check, Column, ColumnType, EnumType, ForeignKey, Index, Schema, Table};

use crate::schema::diff::retype::moves_keys;

/// Such columns of one table.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// They go, some of them to come again as another: nothing can stand on them meanwhile.
    pub(super) gone: BTreeSet<String>,
    /// They get another type: keys on them, and what is generated from them, cannot stay as they are.
    turned: BTreeSet<String>,
    /// They get another enum, or one that a database may have to make anew: expressions over them have to go as well.
    remade: BTreeSet<String>,
}

impl Moved {
    /// Of a table on its way from one schema to another.
    pub(super) fn between(old: &Table, new: &Table) -> Self {
        let mut moved = Moved::default();
        let pairs = || new.columns.iter().filter_map(|column| Some((old.column(&column.name)?, column)));
        for (was, column) in pairs() {
            moved.turn(was, column);
            if column.generated.is_some() && !was.means(&Column { comment: was.comment.clone(), ..column.clone() }) {
                moved.gone.insert(column.name.clone());
            }
        }
        let lost = old.columns.iter().filter(|column| new.column(&column.name).is_none());
        moved.gone.extend(lost.filter(|column| column.generated.is_some()).map(|column| column.name.clone()));
        moved.with_readers(pairs().map(|(_, column)| column).filter(|column| column.generated.is_some()));
        moved
    }

    /// Of a table that goes: enums that other tables have too become others before.
    fn going(table: &Table, after: &Schema) -> Self {
        let mut moved = Moved::default();
        for column in &table.columns {
            let same = |ty: &&EnumType| column.ty.as_enum().is_some_and(|own| own.name == ty.name);
            if let Some(ty) = after.enums().into_iter().find(same) {
                moved.turn(column, &Column { ty: ColumnType::Enum(ty.clone()), ..column.clone() });
            }
        }
        moved.with_readers(table.columns.iter().filter(|column| column.generated.is_some()));
        moved
    }

    /// Notes what becomes of a column that stays.
    pub(super) fn turn(&mut self, was: &Column, column: &Column) {
        if remakes(&was.ty, &column.ty) {
            self.remade.insert(column.name.clone());
        } else if moves_keys(was, column) {
            self.turned.insert(column.name.clone());
        }
    }

    /// Whatever of these generated columns reads one that moves goes too, and whatever reads that.
    pub(super) fn with_readers<'c>(&mut self, generated: impl Iterator<Item = &'c Column>) {
        let mut left: Vec<&Column> = generated.filter(|column| !self.gone.contains(&column.name)).collect();
        while !left.is_empty() && !self.is_empty() {
            let (go, stay): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|column| self.all().any(|name| column.reads(name)));
            if go.is_empty() {
                return;
            }
            self.gone.extend(go.into_iter().map(|column| column.name.clone()));
            left = stay;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.gone.iter().chain(&self.turned).chain(&self.remade)
    }

    /// Whether a key over these columns, on either end, cannot stay meanwhile.
    pub(super) fn moves_key(&self, columns: &[String]) -> bool {
        columns.iter().any(|name| self.all().any(|moved| moved == name))
    }

    /// Whether one of these columns goes.
    pub(super) fn takes(&self, columns: &[String]) -> bool {
        columns.iter().any(|name| self.gone.contains(name))
    }

    pub(super) fn moves_check(&self, check: &Check) -> bool {
        self.gone.iter().chain(&self.remade).any(|name| check.expression.mentions(name))
    }

    pub(super) fn moves_index(&self, index: &Index) -> bool {
        // An index over the column alone follows it.
        self.gone.iter().any(|name| index.mentions(name)) || self.remade.iter().any(|name| index.reads(name))
    }
}

/// Whether the column gets or loses an enum, or the enum loses labels, or these change places.
fn remakes(before: &ColumnType, after: &ColumnType) -> bool {
    match (before, after) {
        (ColumnType::Enum(before), ColumnType::Enum(after)) if before.name == after.name => {
            let mut kept = after.labels.iter();
            !before.labels.iter().all(|label| kept.any(|other| other == label))
        }
        _ => before != after && (before.as_enum().is_some() || after.as_enum().is_some()),
    }
}

/// What moves in a whole schema, by table.
#[derive(Debug, Default)]
pub(super) struct Moving(pub(super) BTreeMap<String, Moved>);

impl Moving {
    /// Between two schemas whose tables have the same names.
    pub(super) fn between(before: &Schema, after: &Schema) -> Self {
        let moved = before.tables.iter().map(|old| {
            let moved = match after.table(&old.name) {
                Some(new) => Moved::between(old, new),
                None => Moved::going(old, after),
            };
            (old.name.clone(), moved)
        });
        Moving(moved.filter(|(_, moved)| !moved.is_empty()).collect())
    }

    pub(super) fn of(&self, table: &str) -> Option<&Moved> {
        self.0.get(table)
    }

    /// Whether a foreign key of this table cannot stay meanwhile.
    pub(super) fn moves_foreign_key(&self, table: &str, key: &ForeignKey) -> bool {
        self.of(table).is_some_and(|moved| moved.moves_key(&key.columns))
            || self.of(&key.target).is_some_and(|moved| moved.moves_key(&key.target_columns))
    }
}

/// Columns that go, each before those that it is generated from.
pub(super) fn readers_first(mut left: Vec<Change>) -> Vec<Change> {
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_read = |change: &Change| left.iter().any(|other| reads(other, change));
        // In a circle, which no database has, the first goes ahead.
        let next = left.iter().position(|change| !is_read(change)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// Columns that come, each behind those that it is generated from.
pub(super) fn readers_last(left: Vec<Change>) -> Vec<Change> {
    let mut order = readers_first(left.into_iter().rev().collect());
    order.reverse();
    order
}

fn reads(change: &Change, other: &Change) -> bool {
    match (column(change), column(other)) {
        (Some((table, reader)), Some((same, read))) => {
            table == same && reader.name != read.name && reader.reads(&read.name)
        }
        _ => false,
    }
}

fn column(change: &Change) -> Option<(&str, &Column)> {
    match change {
        Change::AddColumn { table, column, .. } | Change::DropColumn { table, column } => Some((table, column)),
        _ => None,
    }
}
