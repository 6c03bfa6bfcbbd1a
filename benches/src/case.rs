//! The jobs, and what does them.

use std::str::FromStr;

use crate::Result;
use crate::model::{Person, Written};

/// A job.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Case {
    /// One row by its primary key.
    Find,
    /// One new row, given back as the database has it.
    Insert,
    /// A thousand new rows.
    InsertMany,
    /// Ten thousand rows of eight columns.
    Scan,
    /// A hundred rows with ten related rows each.
    Eager,
    /// A connection out of the pool and back.
    Pool,
}

impl FromStr for Case {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Self, String> {
        Ok(match word {
            "find" => Case::Find,
            "insert" => Case::Insert,
            "insert-1000" => Case::InsertMany,
            "select-10000" => Case::Scan,
            "eager" => Case::Eager,
            "pool" => Case::Pool,
            other => return Err(format!("no case {other}")),
        })
    }
}

/// Who does the jobs.
pub(crate) trait Side {
    /// Empties the table that is written to.
    async fn clear(&mut self) -> Result<()>;
    async fn find(&mut self, id: i64) -> Result<Person>;
    async fn insert(&mut self, row: &Written) -> Result<Person>;
    async fn insert_many(&mut self, rows: &[Written]) -> Result<()>;
    async fn scan(&mut self) -> Result<Vec<Person>>;
    /// Gives the number of related rows.
    async fn eager(&mut self) -> Result<usize>;
    async fn cycle(&mut self) -> Result<()>;
}
