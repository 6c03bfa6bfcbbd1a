//! The jobs, and what does them.

use std::str::FromStr;

use crate::model::{Person, Written};
use crate::{Result, TASKS};

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
    /// The same by 64 tasks on eight connections; each lets the others run while it has one.
    PoolContended,
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
            "pool-contended" => Case::PoolContended,
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
    /// Opens all connections of the pool.
    async fn fill(&mut self) -> Result<()>;
    /// So many times out of the pool and back, by all tasks together.
    async fn contend(&mut self, times: usize) -> Result<()>;
}

/// Runs the work in each task, for its part of the times.
pub(crate) async fn in_tasks<F>(times: usize, work: impl Fn(usize) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(work(times / TASKS))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
