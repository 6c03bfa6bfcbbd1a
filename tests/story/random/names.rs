//! Names for what is made by chance: plain ones, and all kinds that need quotes or are long.

use std::collections::BTreeSet;

use covet_orm::drivers::catalog::{Index, Schema, Table, constraint_name};
use covet_tests::Kind;

use crate::place::quote;

pub(crate) const TABLES: &[&str] = &[
    "users",
    "posts",
    "tags",
    "order",
    "two words",
    "Größe",
    "it's",
    "say \"x\"",
    "UPPER",
    "b`q",
    "a_table_whose_name_is_about_as_long_as_a_name_can_be_anywhere",
];

pub(crate) const COLUMNS: &[&str] = &[
    "name",
    "email",
    "age",
    "n",
    "a",
    "b",
    "select",
    "group",
    "two words",
    "état",
    "Mixed",
    "qu\"ote",
    "back`tick",
    "ap'os",
    "value",
    "a_column_whose_name_is_about_as_long_as_a_name_can_be_anywhere",
];

pub(crate) const ENUMS: &[&str] = &["mood", "Role", "my kind"];

pub(crate) const LABELS: &[&str] = &["a", "b", "it's", "two words", "Ünï", "x\"y", "A"];

/// Names that are no words of SQL and need no quotes.
const BARE: &[&str] = &["name", "email", "age", "n", "a", "b", "id", "n1", "n2", "n3"];

/// A name in an expression.
pub(crate) fn said(kind: Kind, name: &str, bare: bool) -> String {
    if bare && BARE.contains(&name) { name.to_owned() } else { quote(kind.name(), name) }
}

/// Whether a table or an index has the name, or one like it.
pub(crate) fn is_taken(schema: &Schema, name: &str) -> bool {
    schema.tables.iter().any(|table| {
        let mut names = std::iter::once(&table.name).chain(table.indexes.iter().map(|index| &index.name));
        names.any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Whether models could say this: what each of them is held to before a database is asked.
pub(crate) fn sound(schema: &Schema) -> bool {
    let (mut names, mut constraints) = (BTreeSet::new(), BTreeSet::new());
    schema.tables.iter().all(|table| {
        let mut columns = BTreeSet::new();
        let indexes = table.indexes.iter().map(|index| &index.name);
        let checks = table.checks.iter().map(|check| &check.name);
        let keys = table.foreign_keys.iter().map(|key| &key.name);
        let lists = std::iter::once(table.primary_key.clone())
            .chain(table.indexes.iter().map(Index::column_names))
            .chain(table.foreign_keys.iter().map(|key| key.columns.clone()));
        let is_there = |list: Vec<String>| list.iter().all(|name| table.column(name).is_some());
        let targets = table.foreign_keys.iter().all(|key| {
            let target = schema.table(&key.target);
            target.is_some_and(|target| key.target_columns.iter().all(|name| target.column(name).is_some()))
        });
        !table.columns.is_empty()
            && targets
            && lists.into_iter().all(is_there)
            && std::iter::once(&table.name).chain(indexes).all(|name| names.insert(name.to_lowercase()))
            && table.columns.iter().all(|column| columns.insert(column.name.to_lowercase()))
            && checks.chain(keys).all(|name| constraints.insert(name.to_lowercase()))
            && table
                .primary_key
                .iter()
                .all(|name| table.column(name).is_some_and(|column| !column.nullable && column.generated.is_none()))
            && table.columns.iter().all(|column| !column.auto || table.primary_key == [column.name.clone()])
    })
}

/// Which names of a table's parts were derived from it, so that they follow when it or a column gets another name.
pub(crate) struct Derived {
    indexes: Vec<bool>,
    keys: Vec<bool>,
    checks: Vec<Option<String>>,
}

impl Derived {
    pub(crate) fn of(table: &Table) -> Self {
        let words = || table.columns.iter().map(|column| column.name.as_str()).chain(["c1", "c2", "fits well", "C3"]);
        let word = |name: &str| {
            let numbered = (1..9).map(|number| format!("n{number}"));
            let mut all = words().map(str::to_owned).chain(numbered);
            all.find(|word| constraint_name(&table.name, &[word], "ck") == name)
        };
        Derived {
            indexes: table.indexes.iter().map(|index| index.name == index_name(table, index)).collect(),
            keys: table.foreign_keys.iter().map(|key| key.name == key_name(table, &key.columns)).collect(),
            checks: table.checks.iter().map(|check| word(&check.name)).collect(),
        }
    }

    /// Gives the names anew; a column may have another one now.
    pub(crate) fn renew(&self, table: &mut Table, column: Option<(&str, &str)>) {
        let known = table.clone();
        for (index, _) in table.indexes.iter_mut().zip(&self.indexes).filter(|(_, derived)| **derived) {
            index.name = index_name(&known, index);
        }
        for (key, _) in table.foreign_keys.iter_mut().zip(&self.keys).filter(|(_, derived)| **derived) {
            key.name = key_name(&known, &key.columns);
        }
        for (check, word) in table.checks.iter_mut().zip(&self.checks) {
            if let Some(word) = word {
                let word = column.filter(|(from, _)| from == word).map_or(word.as_str(), |(_, to)| to);
                check.name = constraint_name(&known.name, &[word], "ck");
            }
        }
    }
}

fn index_name(table: &Table, index: &Index) -> String {
    let names: Vec<&str> = index.terms.iter().map(|term| term.as_column().unwrap_or("expr")).collect();
    constraint_name(&table.name, &names, if index.unique { "key" } else { "idx" })
}

fn key_name(table: &Table, columns: &[String]) -> String {
    constraint_name(&table.name, &columns.iter().map(String::as_str).collect::<Vec<_>>(), "fkey")
}
