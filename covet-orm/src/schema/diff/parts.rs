//! What stands on the columns of a table that both schemas have: keys, checks, indexes.

use covet_drivers::catalog::{Change, Check, ForeignKey, Index, Table};

use crate::schema::diff::compare::{Between, Places};
use crate::schema::diff::ground;
use crate::schema::diff::moved::Moved;

pub(super) fn compare(old: &Table, new: &Table, between: &Between<'_>, places: &mut Places) {
    let moved = between.moving.of(&new.name);
    primary_key(old, new, moved, places);
    checks(old, new, between, places);
    indexes(old, new, between, places);
    foreign_keys(old, new, between, places);
}

fn primary_key(old: &Table, new: &Table, moved: Option<&Moved>, places: &mut Places) {
    let taken = moved.is_some_and(|moved| moved.takes(&old.primary_key));
    if old.primary_key == new.primary_key && !taken {
        return;
    }
    let change = |before: &[String], after: &[String]| Change::AlterPrimaryKey {
        table: new.name.clone(),
        before: before.to_vec(),
        after: after.to_vec(),
    };
    // No column of a key allows NULL; and a column that is numbered becomes the key as it comes.
    let freed = old.primary_key.iter().any(|name| new.column(name).is_some_and(|column| column.nullable));
    let numbered = new.columns.iter().any(|column| column.auto && old.column(&column.name).is_none());
    if !old.primary_key.is_empty() && (freed || numbered || taken || new.primary_key.is_empty()) {
        places.drop_keys.push(change(&old.primary_key, &[]));
        if !new.primary_key.is_empty() {
            places.keys.push(change(&[], &new.primary_key));
        }
    } else {
        places.keys.push(change(&old.primary_key, &new.primary_key));
    }
}

fn checks(old: &Table, new: &Table, between: &Between<'_>, places: &mut Places) {
    let (table, moved) = (&new.name, between.moving.of(&new.name));
    let aside = |check: &Check| moved.is_some_and(|moved| moved.moves_check(check));
    let same = |a: &Check, b: &Check| a.name == b.name && a.expression.means(&b.expression);
    let gone: Vec<&Check> =
        old.checks.iter().filter(|check| aside(check) || !new.checks.iter().any(|other| same(other, check))).collect();
    let come: Vec<&Check> =
        new.checks.iter().filter(|check| aside(check) || !old.checks.iter().any(|other| same(other, check))).collect();
    let is_renamed = |a: &Check, b: &Check| between.is_free(&b.name) && !aside(a) && a.expression.means(&b.expression);
    let names = Names::between(gone, come, is_renamed);
    places.rename.extend(names.renamed.iter().map(|(from, to)| Change::RenameConstraint {
        table: table.clone(),
        from: from.name.clone(),
        to: to.name.clone(),
    }));
    let drop = |check: &Check| Change::DropCheck { table: table.clone(), check: check.clone() };
    places.drop_checks.extend(names.gone.into_iter().map(drop));
    let add = |check: &Check| Change::AddCheck { table: table.clone(), check: check.clone() };
    places.add_checks.extend(names.come.into_iter().map(add));
}

fn indexes(old: &Table, new: &Table, between: &Between<'_>, places: &mut Places) {
    let (table, moved) = (&new.name, between.moving.of(&new.name));
    let aside = |index: &Index| moved.is_some_and(|moved| moved.moves_index(index));
    let gone: Vec<&Index> =
        old.indexes.iter().filter(|index| aside(index) || !new.indexes.iter().any(|new| new.means(index))).collect();
    let come: Vec<&Index> =
        new.indexes.iter().filter(|index| aside(index) || !old.indexes.iter().any(|old| old.means(index))).collect();
    let names = Names::between(gone, come, |a, b| between.is_free(&b.name) && !aside(a) && is_renamed(a, b));
    places.rename.extend(names.renamed.iter().map(|(from, to)| Change::RenameIndex {
        table: table.clone(),
        from: from.name.clone(),
        to: to.name.clone(),
    }));
    let drop = |index: &Index| Change::DropIndex { table: table.clone(), index: index.clone() };
    places.drop_indexes.extend(names.gone.into_iter().map(drop));
    let add = |index: &Index| Change::AddIndex { table: table.clone(), index: index.clone() };
    places.add_indexes.extend(names.come.into_iter().map(add));
}

/// Whether an index is another but for its name.
pub(super) fn is_renamed(old: &Index, new: &Index) -> bool {
    old.name != new.name && new.means(&Index { name: new.name.clone(), ..old.clone() })
}

fn foreign_keys(old: &Table, new: &Table, between: &Between<'_>, places: &mut Places) {
    let table = &new.name;
    let aside = |key: &ForeignKey| {
        between.moving.moves_foreign_key(table, key)
            || ground::loses_its_ground(key, between.before, between.after, &between.moving)
    };
    let gone: Vec<&ForeignKey> =
        old.foreign_keys.iter().filter(|key| !new.foreign_keys.contains(key) || aside(key)).collect();
    let come: Vec<&ForeignKey> = new
        .foreign_keys
        .iter()
        .filter(|key| !old.foreign_keys.contains(key) || gone.iter().any(|gone| gone == key))
        .collect();
    let names = Names::between(gone, come, |a, b| {
        between.is_free(&b.name) && !aside(a) && *b == ForeignKey { name: b.name.clone(), ..a.clone() }
    });
    places.rename.extend(names.renamed.iter().map(|(from, to)| Change::RenameConstraint {
        table: table.clone(),
        from: from.name.clone(),
        to: to.name.clone(),
    }));
    let drop = |key: &ForeignKey| Change::DropForeignKey { table: table.clone(), foreign_key: key.clone() };
    places.drop_foreign_keys.extend(names.gone.into_iter().map(drop));
    let add = |key: &ForeignKey| Change::AddForeignKey { table: table.clone(), foreign_key: key.clone() };
    places.add_foreign_keys.extend(names.come.into_iter().map(add));
}

/// What goes and what comes, without what only gets another name.
struct Names<'s, T> {
    renamed: Vec<(&'s T, &'s T)>,
    gone: Vec<&'s T>,
    come: Vec<&'s T>,
}

impl<'s, T> Names<'s, T> {
    fn between(gone: Vec<&'s T>, mut come: Vec<&'s T>, is_renamed: impl Fn(&T, &T) -> bool) -> Self {
        let mut names = Names { renamed: Vec::new(), gone: Vec::new(), come: Vec::new() };
        for old in gone {
            match come.iter().position(|new| is_renamed(old, new)) {
                Some(at) => names.renamed.push((old, come.remove(at))),
                None => names.gone.push(old),
            }
        }
        names.come = come;
        names
    }
}
