//! What is done with a database as a whole, which may not exist yet: for tools.

use std::fmt;
use std::path::Path;

use crate::contract::{BoxFuture, ConnectUrl, Connection, Password};
use crate::error::Result;

/// How a database is created, removed, looked at and talked to by people.
///
/// Methods that take a URL open what they need and close it again; it names a database that need not exist.
pub trait Admin: fmt::Debug + Send + Sync {
    /// A URL for a database of this name on this machine, to begin with.
    fn example(&self, name: &str) -> String;

    /// What the URL's database is called, for questions and answers: never a password.
    ///
    /// # Errors
    /// `Config` for a URL that names none, or none that can be created and removed.
    fn name(&self, url: &ConnectUrl) -> Result<String>;

    /// The same database, so that connecting to it never creates it.
    fn existing(&self, url: &ConnectUrl) -> ConnectUrl;

    /// The same database, where the URL was written down in this folder: it may name a file as seen from there.
    fn written_in(&self, url: &ConnectUrl, folder: &Path) -> ConnectUrl;

    /// A database that nobody else uses, for a trial: on the server of this one, or where that needs no server.
    /// `None` where it needs one that is not named. It is created by [`create`](Admin::create) and removed by
    /// [`remove`](Admin::remove), unless none was named: then it is there as long as its connection.
    fn scratch(&self, near: Option<&ConnectUrl>) -> Option<ConnectUrl>;

    /// Creates the database, empty; false when it is there already.
    ///
    /// # Errors
    /// Those of connecting, and `Permission`.
    fn create<'a>(&'a self, url: &'a ConnectUrl) -> BoxFuture<'a, Result<bool>>;

    /// Removes the database with everything in it; false when there is none.
    ///
    /// # Errors
    /// Those of connecting, `Permission`, and an error while others use it, unless their sessions are ended.
    fn remove<'a>(&'a self, url: &'a ConnectUrl, others: Others) -> BoxFuture<'a, Result<bool>>;

    /// How large the database is.
    ///
    /// # Errors
    /// Those of the connection.
    fn facts<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Facts>>;

    /// What stands in the way of migrations: rights that the user lacks, settings that are dangerous. Changes nothing.
    ///
    /// # Errors
    /// Those of the connection.
    fn findings<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<Finding>>>;

    /// Runs statements as a person types them, and gives what comes back as texts: at most so many rows of each.
    /// All statements are run, and all rows read; a statement that fails ends it.
    ///
    /// # Errors
    /// Those of connecting, and the database's.
    fn ask<'a>(&'a self, url: &'a ConnectUrl, sql: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<Answer>>>;

    /// Statements by which the database tells how it would run this one; they do not run it.
    fn explain(&self, statement: &str) -> String;

    /// The programs that people talk to the database with, the likeliest first.
    ///
    /// # Errors
    /// `Config` for a URL that is wrong.
    fn shells(&self, url: &ConnectUrl) -> Result<Vec<Shell>>;
}

/// The name of a database for a trial of this process.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) fn scratch_name(name: &str) -> String {
    let begin: String = name.chars().take(20).collect();
    format!("{begin}_covet_{}", std::process::id())
}

/// What becomes of the sessions of others when a database is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They are left alone, and the database stays.
    Stay,
    /// They are ended, where the database can.
    Go,
}

/// How large a database is, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The bytes of all of it.
    pub bytes: Option<u64>,
    /// Its tables, sorted by name.
    pub tables: Vec<TableFacts>,
}

/// How large a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Its name.
    pub name: String,
    /// Its rows: counted, or as the server guesses.
    pub rows: Option<u64>,
    /// Its bytes, with its indexes.
    pub bytes: Option<u64>,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub what: String,
    /// The way out.
    pub help: String,
}

impl Finding {
    /// A finding.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Finding { what: what.into(), help: help.into() }
    }
}

/// What came back for a statement, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The columns; none for a statement that gives no rows.
    pub columns: Vec<String>,
    /// The rows, as many as were wanted; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows there were in all.
    pub found: u64,
    /// Rows inserted, updated or deleted.
    pub affected: u64,
}

impl Answer {
    /// Takes a row, or only counts it.
    pub fn take(&mut self, most: usize, row: impl FnOnce() -> Vec<Option<String>>) {
        if self.rows.len() < most {
            self.rows.push(row());
        }
        self.found += 1;
    }
}

/// A program to talk to a database with. No argument holds a password: every user of the machine sees arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// The program.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, which may hold a password.
    pub environment: Vec<(&'static str, Password)>,
}

/// Bytes as people read them in a table.
#[must_use]
pub fn bytes_as_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => bytes.iter().fold(String::from("0x"), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, bytes_as_text};

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let mut answer = Answer::default();
        for _ in 0..3 {
            answer.take(2, || vec![None]);
        }
        assert_eq!((answer.rows.len(), answer.found), (2, 3));
    }

    #[test]
    fn bytes_that_are_no_text_are_hexadecimal() {
        assert_eq!(bytes_as_text("ü".as_bytes()), "ü");
        assert_eq!(bytes_as_text(&[0xff, 0]), "0xff00");
        assert_eq!(bytes_as_text(b"a\0"), "0x6100");
    }
}
