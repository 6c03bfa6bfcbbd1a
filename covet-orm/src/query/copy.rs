//! The rows of a model's table as a file, in the database's own format.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::Result;
use covet_drivers::contract::Copied;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::db::Executor;
use crate::model::{Model, Record};

/// All rows on their way into a file. [`Model::copy_to`] gives it.
#[must_use = "nothing is written before `exec`"]
pub struct CopyTo<M, W> {
    to: W,
    marker: PhantomData<fn() -> M>,
}

/// The rows of a file on their way into the table. [`Model::copy_from`] gives it.
#[must_use = "nothing is inserted before `exec`"]
pub struct CopyFrom<M, R> {
    from: R,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model, W: AsyncWrite + Send + Unpin> CopyTo<M, W> {
    pub(crate) fn new(to: W) -> Self {
        CopyTo { to, marker: PhantomData }
    }

    /// Writes the rows, flushes, and gives their number. The rows are those of one moment, in no order, and are
    /// handed on as they come. In a transaction they are the rows that it sees.
    ///
    /// SQL: `COPY table (columns) TO STDOUT (FORMAT BINARY)`.
    ///
    /// # Errors
    /// `Unsupported` where the database has no such format; `Io` when the writer fails, which also ends the
    /// connection and dooms a transaction; those of the database. What was written before an error is no whole file,
    /// and [`CopyFrom`] refuses it.
    pub async fn exec(mut self, on: &Executor) -> Result<u64> {
        let result = on.session().await?.copy_out(&copied::<M>(), &mut self.to).await;
        result.map_err(|error| error.with_model(M::NAME))
    }
}

impl<M: Model, R: AsyncRead + Send + Unpin> CopyFrom<M, R> {
    pub(crate) fn new(from: R) -> Self {
        CopyFrom { from, marker: PhantomData }
    }

    /// Inserts the rows of the file, and gives their number: all of them or none. Keys and times are as in the file;
    /// the numbers that the database would give next are not moved.
    ///
    /// SQL: `COPY table (columns) FROM STDIN (FORMAT BINARY)`, in a transaction, or in a savepoint within one.
    ///
    /// # Errors
    /// `Unsupported` where the database has no such format, or the table does not take it (a view, rules, row level
    /// security); `InvalidInput` for a file that [`CopyTo`] did not write, that is not whole, or whose columns have other
    /// names or types than the table's; `Io` when the reader fails; those of an insert.
    pub async fn exec(mut self, on: &Executor) -> Result<u64> {
        let result = on.session().await?.copy_in(&copied::<M>(), &mut self.from).await;
        result.map_err(|error| error.with_model(M::NAME))
    }
}

fn copied<M: Record>() -> Copied {
    // The database makes generated columns itself, on both ends.
    let written = M::COLUMNS.iter().filter(|column| !column.is_generated());
    Copied { table: M::TABLE, columns: written.map(|column| column.column).collect() }
}

impl<M: Model, W> fmt::Debug for CopyTo<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CopyTo({})", M::NAME)
    }
}

impl<M: Model, R> fmt::Debug for CopyFrom<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CopyFrom({})", M::NAME)
    }
}
