//! What steps aside while a column gets another name: MySQL does not rename a column from which another is generated, or
//! gets its default. (MariaDB does; but both run the same script.)

use std::collections::BTreeSet;

use crate::catalog::{Change, Column, Table, Value};
use crate::error::Result;
use crate::mysql::ddl::Plan;

/// What goes before the name changes, and comes again after it.
#[derive(Default)]
pub(crate) struct Aside {
    go: Vec<Change>,
    come: Vec<Change>,
    /// Columns that come again, each with its value.
    values: Vec<(String, Value)>,
}

impl Plan<'_> {
    /// Takes away what reads the column, and what stands on that.
    pub(crate) fn step_aside(&mut self, table: &str, from: &str, to: &str, later: &[Change]) -> Result<Aside> {
        let mut aside = Aside::default();
        let known = self.table(table)?.clone();
        let gone = readers(&known, from);
        let goes = |columns: &[String]| columns.iter().any(|name| gone.iter().any(|gone| gone.name == *name));
        let name = || table.to_owned();
        for owner in self.now.tables.iter().filter(|_| !gone.is_empty()) {
            for key in &owner.foreign_keys {
                if (owner.name == table && goes(&key.columns)) || (key.target == table && goes(&key.target_columns)) {
                    let change = |foreign_key| Change::DropForeignKey { table: owner.name.clone(), foreign_key };
                    aside.go.push(change(key.clone()));
                    let (table, foreign_key) = (owner.name.clone(), key.clone());
                    aside.come.push(Change::AddForeignKey { table, foreign_key });
                }
            }
        }
        for index in known.indexes.iter().filter(|index| goes(&index.column_names())) {
            aside.go.push(Change::DropIndex { table: name(), index: index.clone() });
            aside.come.push(Change::AddIndex { table: name(), index: index.clone() });
        }
        let is_parked = |name: &str| self.parked_checks.iter().any(|(owner, parked)| owner == table && parked == name);
        for check in known.checks.iter().filter(|check| !is_parked(&check.name)) {
            if gone.iter().any(|column| check.expression.mentions(&column.name)) {
                aside.go.push(Change::DropCheck { table: name(), check: check.clone() });
                aside.come.push(Change::AddCheck { table: name(), check: check.clone() });
            }
        }
        for column in gone.iter().rev() {
            aside.go.push(Change::DropColumn { table: name(), column: column.clone() });
            aside.come.push(Change::AddColumn { table: name(), column: column.clone(), backfill: None });
        }
        for column in known.columns.iter().filter(|column| column.generated.is_none() && column.reads(from)) {
            let bare = Column { default: None, ..column.clone() };
            let change = |before: &Column, after: &Column| {
                let (before, after) = (before.clone(), after.clone());
                Change::AlterColumn { table: name(), before, after, backfill: None }
            };
            aside.go.push(change(column, &bare));
            aside.come.push(change(&bare, column));
        }
        for column in &gone {
            aside.values.extend(self.origins.take(table, &column.name).map(|value| (column.name.clone(), value)));
        }
        for change in std::mem::take(&mut aside.go) {
            self.make(&change, later)?;
        }
        // What went last comes first.
        aside.come.reverse();
        aside.come.iter_mut().for_each(|change| renamed(change, table, from, to));
        Ok(aside)
    }

    /// Brings it back, under the new name. The rows are known to fit.
    pub(crate) fn step_back(&mut self, table: &str, aside: Aside, later: &[Change]) -> Result<()> {
        let (first, asked) = (self.steps.len(), self.first.len());
        for change in aside.come {
            self.make(&change, later)?;
        }
        self.first.truncate(asked);
        for (column, value) in aside.values {
            self.origins.restore(table, &column, value);
        }
        let again = self.steps.split_off(first);
        self.steps.extend(again.into_iter().filter(|step| !step.guard));
        Ok(())
    }
}

/// The generated columns that read this one, and those that read them, each behind what it reads.
fn readers(table: &Table, column: &str) -> Vec<Column> {
    let mut found: Vec<Column> = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::from([column.to_owned()]);
    loop {
        let next = table.columns.iter().find(|column| {
            column.generated.is_some() && !names.contains(&column.name) && names.iter().any(|name| column.reads(name))
        });
        let Some(next) = next else { return found };
        names.insert(next.name.clone());
        found.push(next.clone());
    }
}

/// The change, behind the new name of the column.
fn renamed(change: &mut Change, table: &str, from: &str, to: &str) {
    let swap = |names: &mut Vec<String>| {
        for name in names.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
    };
    match change {
        Change::AddForeignKey { table: owner, foreign_key } => {
            if owner == table {
                swap(&mut foreign_key.columns);
            }
            if foreign_key.target == table {
                swap(&mut foreign_key.target_columns);
            }
        }
        Change::AddIndex { index, .. } => index.rename(from, to),
        _ => {}
    }
    change.expressions(&mut |expression| {
        let follows = expression.renamed(from, to);
        *expression = super::quotes::expression(&follows, [to]);
    });
}
