//! The way to an adapter of this crate that allocates nothing.
//!
//! A method of a trait object can only give a future in a box. An adapter of this crate is known by its
//! type as well, so that the future of its own method becomes a part of the caller's.

use crate::contract::{Command, Connection, Outcome, RowSink, TransactionOptions};
use crate::error::Result;
#[cfg(feature = "mysql")]
use crate::mysql::MySqlConnection;
#[cfg(feature = "postgres")]
use crate::postgres::PostgresConnection;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteConnection;

/// A connection of an adapter of this crate.
#[derive(Debug)]
pub struct Direct<'a>(pub(crate) Of<'a>);

/// Which it is.
#[derive(Debug)]
pub(crate) enum Of<'a> {
    #[cfg(feature = "postgres")]
    Postgres(&'a mut PostgresConnection),
    #[cfg(feature = "mysql")]
    MySql(&'a mut MySqlConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut SqliteConnection),
    /// Without an adapter there is none.
    #[allow(dead_code)] // made by nobody: it keeps the lifetime in use
    Never(std::convert::Infallible, &'a ()),
}

/// Calls the method of the type where it is known, and that of the trait where not.
macro_rules! direct {
    ($connection:expr, $method:ident($($argument:expr),*)) => {
        match $connection.direct() {
            #[cfg(feature = "postgres")]
            Some(Direct(Of::Postgres(connection))) => connection.$method($($argument),*).await,
            #[cfg(feature = "mysql")]
            Some(Direct(Of::MySql(connection))) => connection.$method($($argument),*).await,
            #[cfg(feature = "sqlite")]
            Some(Direct(Of::Sqlite(connection))) => connection.$method($($argument),*).await,
            Some(Direct(Of::Never(never, _))) => match never {},
            None => Connection::$method($connection, $($argument),*).await,
        }
    };
}

impl dyn Connection + '_ {
    /// As [`run`](Connection::run), without a box for the adapters of this crate.
    ///
    /// # Errors
    /// As there.
    pub async fn run_direct(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        direct!(self, run(command, rows))
    }

    /// As [`begin`](Connection::begin), without a box for the adapters of this crate.
    ///
    /// # Errors
    /// As there.
    pub async fn begin_direct(&mut self, options: &TransactionOptions) -> Result<()> {
        direct!(self, begin(options))
    }

    /// As [`commit`](Connection::commit), without a box for the adapters of this crate.
    ///
    /// # Errors
    /// As there.
    pub async fn commit_direct(&mut self) -> Result<()> {
        direct!(self, commit())
    }
}
