//! One statement on its way to the database, and what came of it.

use crate::value::Value;

/// A statement to run.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The text, with this database's placeholders.
    pub sql: &'a str,
    /// The values to bind, in order.
    pub args: &'a [&'a Value],
    /// Whether the text will come again.
    pub reuse: Reuse,
}

/// Whether a statement is worth keeping prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Keep it prepared on the connection.
    Keep,
    /// Prepare, run and forget: raw text, texts with many rows.
    Once,
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows inserted, updated (also where nothing differed) or deleted.
    pub affected: u64,
    /// The number that the database gave to the first row inserted, where the protocol tells.
    pub last_insert_id: Option<u64>,
}
