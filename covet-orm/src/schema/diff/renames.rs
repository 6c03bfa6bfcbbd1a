//! Renames: which were decided, and in which order they can run.

use std::collections::BTreeMap;

use covet_drivers::catalog::{Change, Qualified, Schema, Table, shorten};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::apply;
use crate::schema::diff::Decision;
use crate::schema::diff::judge::Judge;

/// Makes the decided renames on the schema and gives them as changes.
pub(super) fn rename(schema: &mut Schema, after: &Schema, judge: &mut Judge<'_>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut pairs = Pairs::default();
    for decision in judge.decisions() {
        if let Decision::RenameTable { from, to } = decision {
            let (there, wanted) = (schema.table(from).is_some(), after.table(to).is_some());
            pairs.add(decision, from, to, there && wanted)?;
            judge.used(decision);
        }
    }
    pairs.check(|name| schema.table(name).is_some())?;
    for (from, to) in pairs.in_order() {
        changes.push(Change::RenameTable { from, to });
    }
    changes.iter().try_for_each(|change| apply(schema, change))?;

    let mut by_table: BTreeMap<&str, Pairs<'_>> = BTreeMap::new();
    for decision in judge.decisions() {
        if let Decision::RenameColumn { table, from, to } = decision {
            let has =
                |schema: &Schema, column: &str| schema.table(table).and_then(|t: &Table| t.column(column)).is_some();
            let fits = has(schema, from) && has(after, to);
            by_table.entry(table).or_default().add(decision, from, to, fits)?;
            judge.used(decision);
        }
    }
    for (table, pairs) in by_table {
        pairs.check(|name| schema.table(table).and_then(|t: &Table| t.column(name)).is_some())?;
        for (from, to) in pairs.in_order() {
            let change = Change::RenameColumn { table: table.to_owned(), from, to };
            apply(schema, &change)?;
            changes.push(change);
        }
    }
    Ok(changes)
}

/// The renames among the decisions, of labels too.
pub(super) fn among(decisions: &[Decision]) -> Vec<Decision> {
    let is_rename = |decision: &&Decision| {
        matches!(decision, Decision::RenameTable { .. } | Decision::RenameColumn { .. } | Decision::MapLabel { .. })
    };
    decisions.iter().filter(is_rename).cloned().collect()
}

/// Renames within one space of names.
#[derive(Default)]
struct Pairs<'d>(Vec<(&'d Decision, &'d str, &'d str)>);

impl<'d> Pairs<'d> {
    fn add(&mut self, decision: &'d Decision, from: &'d str, to: &'d str, fits: bool) -> Result<()> {
        if !fits || from == to {
            return Err(Error::new(ErrorKind::Migration, format!("the decision `{decision}` does not fit"))
                .with_help("the first name must be in the last migration, the second in the models"));
        }
        if let Some((other, ..)) =
            self.0.iter().find(|(_, other_from, other_to)| *other_from == from || *other_to == to)
        {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the decisions `{other}` and `{decision}` contradict each other"),
            ));
        }
        self.0.push((decision, from, to));
        Ok(())
    }

    /// A new name must be free, or become free by another rename.
    fn check(&self, taken: impl Fn(&str) -> bool) -> Result<()> {
        for (decision, _, to) in &self.0 {
            if taken(to) && !self.0.iter().any(|(_, from, _)| from == to) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the decision `{decision}` does not fit: {to} exists already"),
                )
                .with_help(format!("drop or rename {to} in a migration before this one")));
            }
        }
        Ok(())
    }

    /// Each new name is free when its turn comes; a circle begins with a name for the while.
    fn in_order(&self) -> Vec<(String, String)> {
        let mut left: Vec<(String, String)> =
            self.0.iter().map(|(_, from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        left.sort();
        let mut order = Vec::new();
        while !left.is_empty() {
            let free = left.iter().position(|(_, to)| !left.iter().any(|(from, _)| from == to));
            if let Some(index) = free {
                order.push(left.remove(index));
            } else if let Some((from, _)) = left.first_mut() {
                let of = Qualified::of(from);
                let while_away = of.beside(&shorten(format!("covet_away_{}", of.name)));
                order.push((std::mem::replace(from, while_away.clone()), while_away));
            }
        }
        order
    }
}
