//! What lies between two schemas: the changes in a safe order, or the decisions that are missing.
//!
//! Nothing that destroys or guesses is ever chosen: a table that is gone may be a rename, a column
//! that no longer allows NULL may meet NULLs. Such a difference is a [`Question`] with the exact
//! texts that answer it, and without an answer there are no changes at all.

mod aside;
mod back;
mod compare;
mod decision;
mod ground;
mod judge;
mod literal;
mod moved;
mod names;
mod objects;
mod parts;
mod question;
mod renames;
mod retype;
mod schemas;
mod similarity;
mod table;

#[cfg(test)]
mod tests;

pub use decision::Decision;
pub use question::{Answer, MissingDecisions, Question};
pub(crate) use retype::narrows;

use covet_drivers::catalog::{Change, Object, Schema};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::apply;
use judge::Judge;

/// What a comparison of two schemas gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diff {
    /// The changes, in the order in which they are to be made; none when the schemas are equal.
    Changes(Vec<Change>),
    /// What must be decided first.
    Missing(Vec<Question>),
}

/// The changes from one schema to another.
///
/// The order: schemas that come; views, triggers and functions that go or step aside; renames; foreign keys, checks and indexes that go;
/// generated columns that go; enums, tables and columns that come; columns that change; generated columns that come;
/// primary keys; checks, indexes and foreign keys that come; columns, tables and enums that go; comments; functions,
/// views and triggers that come; schemas that go.
///
/// # Errors
/// `Migration` for a decision that fits nothing, for a column that goes while something that stays reads it, and when
/// no model is left at all.
pub fn diff(before: &Schema, after: &Schema, decisions: &[Decision]) -> Result<Diff> {
    if after.tables.is_empty() && !before.tables.is_empty() {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("there is no model at all, so all {} tables would be dropped", before.tables.len()),
        )
        .with_help("see to it that the modules of the models are linked into the program"));
    }
    let mut judge = Judge::new(decisions);
    let changes = compare::compare(before, after, &mut judge)?;
    let going = schemas::going(before, after, &mut judge);
    let questions = judge.finish()?;
    if !questions.is_empty() {
        return Ok(Diff::Missing(questions));
    }
    let changes = schemas::around(objects::around(changes, before, after)?, before, after, going);
    lead_to(before, after, &changes)?;
    Ok(Diff::Changes(changes))
}

/// The changes lead from one schema to the other, whatever their order of columns: a difference that no change is about
/// would be lost in silence.
fn lead_to(before: &Schema, after: &Schema, changes: &[Change]) -> Result<()> {
    let mut reached = before.clone();
    changes.iter().try_for_each(|change| apply(&mut reached, change))?;
    let one_spelling = |schema: &mut Schema| {
        schema.sort();
        schema.expressions(&mut |expression| *expression = expression.plain());
        schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
    };
    let mut wanted = after.clone();
    one_spelling(&mut reached);
    one_spelling(&mut wanted);
    let lacks = |there: &Schema, object: &Object| !there.objects.iter().any(|other| other.means(object));
    let odd = wanted.objects.iter().find(|object| lacks(&reached, object));
    if let Some(object) = odd.or_else(|| reached.objects.iter().find(|object| lacks(&wanted, object))) {
        return Err(fault(&format!("the {} {}", object.kind.word(), object.name)));
    }
    let differs = wanted.tables.iter().find(|table| reached.table(&table.name) != Some(table));
    match differs.or_else(|| reached.tables.iter().find(|table| wanted.table(&table.name).is_none())) {
        None => Ok(()),
        Some(table) => Err(fault(&format!("the table {}", table.name))),
    }
}

#[cold]
fn fault(what: &str) -> Error {
    let text = format!("the changes that were found do not lead to {what} as it is wanted");
    Error::new(ErrorKind::Migration, text).with_help("this is a fault in Covet: please report it with both schemas")
}

/// The changes that lead back from `after` to `before`, of a migration that was made with these decisions.
///
/// Renames are turned round. Tables and columns come back without their rows and values; what rows
/// that exist cannot take (NULL in a column that allows none) stops the way back when it is run.
///
/// # Errors
/// As [`diff`].
pub fn way_back(before: &Schema, after: &Schema, decisions: &[Decision]) -> Result<Vec<Change>> {
    let renames = renames::among(decisions);
    let forth = compare::compare(before, after, &mut Judge::consenting(&renames))?;
    let back = objects::around(back::turn_round(&forth, after), after, before)?;
    let back = schemas::around(back, after, before, schemas::way_back(before, after));
    lead_to(after, before, &back)?;
    Ok(back)
}
