//! The comparison: two schemas, the decisions, and the changes between, each in its place.

use std::collections::{BTreeMap, BTreeSet};

use covet_drivers::Result;
use covet_drivers::catalog::{Change, Column, EnumType, ForeignKey, Index, Schema, Table};

use crate::schema::diff::judge::Judge;
use crate::schema::diff::moved::Moving;
use crate::schema::diff::names::show_qualified;
use crate::schema::diff::{Answer, Decision, Question, ground, moved, parts, renames, similarity, table};

/// The changes, sorted into the places that their order has.
#[derive(Default)]
pub(super) struct Places {
    pub(super) drop_foreign_keys: Vec<Change>,
    pub(super) drop_checks: Vec<Change>,
    pub(super) drop_indexes: Vec<Change>,
    /// Primary keys that must go before something else can change.
    pub(super) drop_keys: Vec<Change>,
    /// Columns that are generated no longer, and keep their values.
    pub(super) settle: Vec<Change>,
    /// Generated columns that go, for good or while what they read changes.
    pub(super) drop_generated: Vec<Change>,
    /// Indexes and constraints that get another name.
    pub(super) rename: Vec<Change>,
    pub(super) enums: Vec<Change>,
    pub(super) create_tables: Vec<Change>,
    pub(super) add_columns: Vec<Change>,
    pub(super) alter_columns: Vec<Change>,
    /// Generated columns that come, and columns that come again as another.
    pub(super) add_generated: Vec<Change>,
    pub(super) keys: Vec<Change>,
    pub(super) add_checks: Vec<Change>,
    pub(super) add_indexes: Vec<Change>,
    pub(super) add_foreign_keys: Vec<Change>,
    pub(super) drop_columns: Vec<Change>,
    pub(super) drop_tables: Vec<Change>,
    pub(super) drop_enums: Vec<Change>,
    pub(super) comments: Vec<Change>,
}

impl Places {
    /// Drops these tables in this order. Where they point at each other in a circle, a foreign key goes first; and so
    /// does what is in the way of changes before the tables go: foreign keys to what becomes another, and what stands
    /// on columns that move, as those of an enum that is made anew.
    pub(super) fn drop_tables_in(
        &mut self,
        order: &[&Table],
        moving: &Moving,
        loses_its_ground: impl Fn(&ForeignKey) -> bool,
    ) {
        let against = ground::against_the_order(order);
        for table in order {
            let mut rest = (*table).clone();
            let name = || table.name.clone();
            let keys = rest.foreign_keys.extract_if(.., |key| {
                moving.moves_foreign_key(&table.name, key) || loses_its_ground(key) || against.contains(&(table, key))
            });
            let drop = |foreign_key| Change::DropForeignKey { table: name(), foreign_key };
            self.drop_foreign_keys.extend(keys.map(drop));
            if let Some(moved) = moving.of(&table.name) {
                let checks = rest.checks.extract_if(.., |check| moved.moves_check(check));
                self.drop_checks.extend(checks.map(|check| Change::DropCheck { table: name(), check }));
                let indexes = rest.indexes.extract_if(.., |index| moved.moves_index(index));
                self.drop_indexes.extend(indexes.map(|index| Change::DropIndex { table: name(), index }));
                let goes = |column: &mut Column| column.generated.is_some() && moved.gone.contains(&column.name);
                let columns = rest.columns.extract_if(.., goes);
                self.drop_generated.extend(columns.map(|column| Change::DropColumn { table: name(), column }));
            }
            self.drop_tables.push(Change::DropTable { table: rest });
        }
    }

    /// Creates a table, and what belongs to it, each in its place.
    pub(super) fn create_table(&mut self, table: &Table) {
        let name = &table.name;
        self.create_tables.push(Change::CreateTable { table: table.bare() });
        for index in &table.indexes {
            self.add_indexes.push(Change::AddIndex { table: name.clone(), index: index.clone() });
        }
        for key in &table.foreign_keys {
            self.add_foreign_keys.push(Change::AddForeignKey { table: name.clone(), foreign_key: key.clone() });
        }
    }

    /// Where something comes by a name that a part of a table that goes still bears, that part goes first, and so does a
    /// foreign key which it serves. The names of indexes are those of the whole schema on PostgreSQL and SQLite, where
    /// tables share them; those of foreign keys and checks are on MySQL.
    fn free_names(&mut self) {
        let coming = self.coming();
        let mut freed: Vec<(String, Index)> = Vec::new();
        for table in self.drop_tables.iter_mut().filter_map(dropped) {
            let name = || table.name.clone();
            let indexes = table.indexes.extract_if(.., |index| coming.indexes.contains(&index.name.to_lowercase()));
            freed.extend(indexes.map(|index| (name(), index)));
            let checks = table.checks.extract_if(.., |check| coming.checks.contains(&check.name.to_lowercase()));
            self.drop_checks.extend(checks.map(|check| Change::DropCheck { table: name(), check }));
        }
        for table in self.drop_tables.iter_mut().filter_map(dropped) {
            let serves = |(owner, index): &(String, Index), key: &ForeignKey| {
                (*owner == table.name && index.leads(&key.columns))
                    || (*owner == key.target && index.keeps_unique(&key.target_columns))
            };
            let keys = table.foreign_keys.extract_if(.., |key| {
                coming.foreign_keys.contains(&key.name.to_lowercase()) || freed.iter().any(|index| serves(index, key))
            });
            let drop = |foreign_key| Change::DropForeignKey { table: table.name.clone(), foreign_key };
            self.drop_foreign_keys.extend(keys.map(drop));
        }
        let drop = |(table, index)| Change::DropIndex { table, index };
        self.drop_indexes.extend(freed.into_iter().map(drop));
    }

    /// The names that parts of tables come by, in lower case.
    fn coming(&self) -> Coming {
        let mut coming = Coming::default();
        let comes = [&self.create_tables, &self.add_checks, &self.add_indexes, &self.add_foreign_keys];
        for change in comes.into_iter().flatten() {
            match change {
                Change::CreateTable { table } => {
                    coming.indexes.insert(table.name.to_lowercase());
                    coming.checks.extend(table.checks.iter().map(|check| check.name.to_lowercase()));
                }
                Change::AddCheck { check, .. } => drop(coming.checks.insert(check.name.to_lowercase())),
                Change::AddIndex { index, .. } => drop(coming.indexes.insert(index.name.to_lowercase())),
                Change::AddForeignKey { foreign_key, .. } => {
                    coming.foreign_keys.insert(foreign_key.name.to_lowercase());
                }
                _ => {}
            }
        }
        coming
    }

    /// The changes, place after place.
    pub(super) fn in_order(mut self) -> impl Iterator<Item = Change> {
        self.free_names();
        [
            self.drop_foreign_keys,
            self.drop_checks,
            self.drop_indexes,
            self.drop_keys,
            self.settle,
            moved::readers_first(self.drop_generated),
            self.rename,
            self.enums,
            self.create_tables,
            self.add_columns,
            self.alter_columns,
            moved::readers_last(self.add_generated),
            self.keys,
            self.add_checks,
            self.add_indexes,
            self.add_foreign_keys,
            self.drop_columns,
            self.drop_tables,
            self.drop_enums,
            self.comments,
        ]
        .into_iter()
        .flatten()
    }
}

/// Names that come, by what other names they must not meet.
#[derive(Default)]
struct Coming {
    indexes: BTreeSet<String>,
    foreign_keys: BTreeSet<String>,
    checks: BTreeSet<String>,
}

fn dropped(change: &mut Change) -> Option<&mut Table> {
    match change {
        Change::DropTable { table } => Some(table),
        _ => None,
    }
}

/// What lies around a table that is compared: both schemas, under the new names.
pub(super) struct Between<'s> {
    pub(super) before: &'s Schema,
    pub(super) after: &'s Schema,
    pub(super) moving: Moving,
    /// The names that indexes and constraints have.
    taken: BTreeSet<&'s str>,
}

impl<'s> Between<'s> {
    fn new(before: &'s Schema, after: &'s Schema) -> Self {
        let names = |table: &'s Table| {
            let keys = table.foreign_keys.iter().map(|key| key.name.as_str());
            let checks = table.checks.iter().map(|check| check.name.as_str());
            table.indexes.iter().map(|index| index.name.as_str()).chain(keys).chain(checks)
        };
        let taken = before.tables.iter().flat_map(names).collect();
        Between { before, after, moving: Moving::between(before, after), taken }
    }

    /// Whether something may be renamed to this: nothing has the name, not even something that gets another.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.taken.contains(name)
    }
}

pub(super) fn compare(before: &Schema, after: &Schema, judge: &mut Judge<'_>) -> Result<Vec<Change>> {
    let (mut before, mut after) = (before.clone(), after.clone());
    before.sort();
    after.sort();
    let mut changes = renames::rename(&mut before, &after, judge)?;
    let mut places = Places::default();
    enums(&before, &after, judge, &mut places)?;
    new_tables(&before, &after, &mut places);
    let between = Between::new(&before, &after);
    lost_tables(&between, judge, &mut places);
    for new in &after.tables {
        if let Some(old) = before.table(&new.name) {
            table::compare(old, new, &between, judge, &mut places)?;
            parts::compare(old, new, &between, &mut places);
        }
    }
    changes.extend(places.in_order());
    Ok(changes)
}

fn enums(before: &Schema, after: &Schema, judge: &mut Judge<'_>, places: &mut Places) -> Result<()> {
    let by_name = |schema: &Schema| -> BTreeMap<String, EnumType> {
        schema.enums().into_iter().map(|ty| (ty.name.to_string(), ty.clone())).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    for (name, after) in &new {
        match old.get(name) {
            None => places.enums.push(Change::CreateEnum { ty: after.clone() }),
            Some(before) if before.labels == after.labels => {}
            Some(before) => {
                if let Some(map) = judge.relabels(before, after)? {
                    places.enums.push(Change::AlterEnum { before: before.clone(), after: after.clone(), map });
                }
            }
        }
    }
    for (name, ty) in old {
        if !new.contains_key(&name) {
            places.drop_enums.push(Change::DropEnum { ty });
        }
    }
    Ok(())
}

fn new_tables(before: &Schema, after: &Schema, places: &mut Places) {
    let new = after.tables.iter().filter(|table| before.table(&table.name).is_none()).collect();
    for table in ground::parents_first(new) {
        places.create_table(table);
    }
}

fn lost_tables(between: &Between<'_>, judge: &mut Judge<'_>, places: &mut Places) {
    let (before, after) = (between.before, between.after);
    let lost: Vec<&Table> = before.tables.iter().filter(|table| after.table(&table.name).is_none()).collect();
    let mut going = Vec::new();
    for table in &lost {
        if judge.decided(&Decision::DropTable(table.name.clone()), || lost_table(table, before, after)) {
            going.push(*table);
        }
    }
    let mut order = ground::parents_first(going);
    order.reverse();
    let loses_its_ground = |key: &ForeignKey| ground::loses_its_ground(key, before, after, &between.moving);
    places.drop_tables_in(&order, &between.moving, loses_its_ground);
}

fn lost_table(table: &Table, before: &Schema, after: &Schema) -> Question {
    let mut candidates: Vec<(u8, &Table)> = after
        .tables
        .iter()
        .filter(|new| before.table(&new.name).is_none())
        .map(|new| (similarity::tables(table, new), new))
        .collect();
    candidates.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    let mut answers: Vec<Answer> = candidates
        .into_iter()
        .map(|(percent, new)| Answer {
            decision: Decision::RenameTable { from: table.name.clone(), to: new.name.clone() }.to_string(),
            effect: "its rows stay".to_owned(),
            similarity: Some(percent),
        })
        .collect();
    answers.push(Answer {
        decision: Decision::DropTable(table.name.clone()).to_string(),
        effect: "its rows are lost".to_owned(),
        similarity: None,
    });
    Question { about: show_qualified(&table.name), found: "no model has this table any more".to_owned(), answers }
}
