//! What a script of migrations needs that another program runs, where Covet is not there to see to it.

/// How a database is told by a script what a runner of migrations sees to otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Offline {
    /// How the database's own program runs such a script, so that it stops at the first error.
    pub program: &'static str,
    /// Lines for the head of the script: what such a script cannot do here, and what to do about it.
    pub head: &'static [&'static str],
    /// Statements before all others, which set the session as Covet does.
    pub session: fn() -> Vec<String>,
    /// Statements that begin a transaction in which a schema can change; none where the database has no such thing.
    pub begin: &'static [&'static str],
    /// Statements that end it.
    pub commit: &'static [&'static str],
    /// A text as a literal.
    pub literal: fn(&str) -> String,
    /// A `SELECT` that ends with an error when this one, which counts rows, gives more than 0.
    pub guard: fn(&str) -> String,
    /// A statement with what ends it, in the form that the program does not take for more than one.
    pub statement: fn(&str) -> String,
}

impl Offline {
    /// The statement and a semicolon, for programs that know where a statement ends.
    #[must_use]
    pub fn with_semicolon(sql: &str) -> String {
        format!("{sql};")
    }
}
