//! One table on its way through the changes of a plan.

use crate::catalog::{Check, Column, ColumnDefault, ForeignKey, Table};
use crate::error::{Error, ErrorKind, Result};

/// A table on its way through the changes.
#[derive(Debug)]
pub(super) struct Line {
    /// As it is to be at this point.
    pub(super) table: Table,
    /// Where the values of its columns come from, in their order.
    pub(super) sources: Vec<Source>,
    /// Columns that go with the rebuild, under the names they have until then.
    pub(super) leaving: Vec<String>,
    /// Foreign keys that rows have not been checked for yet.
    pub(super) new_foreign_keys: Vec<ForeignKey>,
    /// Whether rows have not been checked for the primary key yet.
    pub(super) new_key: bool,
    /// Checks that rows have not been checked for yet.
    pub(super) new_checks: Vec<Check>,
    /// Indexes that exist only after the rebuild.
    pub(super) new_indexes: Vec<String>,
    /// As it was when the changes began, with its columns and what its foreign keys point at under their present names.
    pub(super) old: Table,
    /// Whether it is new.
    pub(super) created: bool,
    /// Whether it has gone.
    pub(super) dropped: bool,
    /// The number of its last change.
    pub(super) last: usize,
    /// Whether its rows are changed as it is at that point, so that a rebuild cannot wait for later changes.
    pub(super) is_used: bool,
}

/// Where the values of a column come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The column as it is stored, under the name it has until the rebuild; `None` when it is new.
    pub(super) old: Option<Column>,
    /// What takes the place of NULL, or is the value of a new column.
    pub(super) backfill: Option<ColumnDefault>,
    /// Labels of an enum that go, each with the one that takes its place.
    pub(super) map: Vec<(String, String)>,
}

impl Line {
    /// A table before the first change, or as it is created.
    pub(super) fn new(table: &Table, created: bool) -> Self {
        let sources =
            table.columns.iter().map(|column| Source { old: Some(column.clone()), ..Source::default() }).collect();
        Line {
            table: table.clone(),
            sources,
            leaving: Vec::new(),
            new_foreign_keys: Vec::new(),
            new_key: false,
            new_checks: Vec::new(),
            new_indexes: Vec::new(),
            old: table.clone(),
            created,
            dropped: false,
            last: 0,
            is_used: false,
        }
    }

    /// Its foreign keys, as they were and as they are to be.
    pub(super) fn keys(&mut self) -> impl Iterator<Item = &mut ForeignKey> {
        self.table.foreign_keys.iter_mut().chain(&mut self.old.foreign_keys).chain(&mut self.new_foreign_keys)
    }

    /// A column of it has another name, and so what stands on the column.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for table in [&mut self.table, &mut self.old] {
            table.rename_column(from, to);
        }
        for check in &mut self.new_checks {
            check.expression = check.expression.renamed(from, to);
        }
        for column in self.new_foreign_keys.iter_mut().flat_map(|key| &mut key.columns).filter(|column| *column == from)
        {
            to.clone_into(column);
        }
    }

    /// Where the column of this name stands.
    pub(super) fn position(&self, name: &str) -> Result<usize> {
        self.table.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let table = &self.table.name;
            Error::new(
                ErrorKind::Migration,
                format!("a change of column {table}.{name}, which does not exist at this point"),
            )
            .with_table(table)
            .with_column(name)
        })
    }
}
