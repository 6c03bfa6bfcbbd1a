//! What lies between two schemas: the changes in a safe order, or the decisions that are missing.
//!
//! Nothing that destroys or guesses is ever chosen: a table that is gone may be a rename, a column
//! that no longer allows NULL may meet NULLs. Such a difference is a [`Question`] with the exact
//! texts that answer it, and without an answer there are no changes at all.

mod back;
mod compare;
mod decision;
mod ground;
mod judge;
mod literal;
mod names;
mod question;
mod renames;
mod retype;
mod similarity;
mod table;

#[cfg(test)]
mod tests;

pub use decision::Decision;
pub use question::{Answer, MissingDecisions, Question};
pub(crate) use retype::narrows;

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::{Error, ErrorKind, Result};

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
/// The order: renames; foreign keys and indexes that go; enums, tables and columns that come;
/// columns that change; indexes and foreign keys that come; columns, tables and enums that go.
///
/// # Errors
/// `Migration` for a decision that fits nothing, for what cannot be migrated yet (another primary
/// key, an enum that loses labels), and when no model is left at all.
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
    let questions = judge.finish()?;
    Ok(if questions.is_empty() { Diff::Changes(changes) } else { Diff::Missing(questions) })
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
    Ok(back::turn_round(&forth, after))
}
