//! A session with a database.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::capability::Capabilities;
use crate::contract::{
    Bulk, Command, Copied, Direct, FromFile, Maintenance, Outcome, RowSink, RowSupply, ToFile, TwoPhase,
    insert_by_values,
};
use crate::error::{Error, ErrorKind, Result};

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One session. The pool lends it to one borrower at a time.
///
/// Covet issues every BEGIN, COMMIT and ROLLBACK through the methods below, so the connection
/// always knows whether a transaction is open; text that reaches [`run`](Connection::run) or
/// [`script`](Connection::script) may still contain such words, and where the protocol tells, the
/// adapter believes the server.
pub trait Connection: fmt::Debug + Send {
    /// Runs one statement and hands its rows to the sink as they arrive.
    ///
    /// # Errors
    /// The database's, the sink's, and `InvalidInput` or `OutOfRange` for a value that this
    /// database cannot hold, before anything is sent.
    fn run<'a>(&'a mut self, command: Command<'a>, rows: &'a mut dyn RowSink) -> BoxFuture<'a, Result<Outcome>>;

    /// Inserts many rows, and gives their number: all of them or none, whatever the number of statements
    /// that it takes. Rows are pulled while they are sent, and never collected as a whole.
    ///
    /// Within a transaction it is undone by itself where it takes more than one statement; one statement
    /// that fails does to the transaction what it does by [`run`](Connection::run). An adapter whose
    /// database has nothing better than `VALUES` keeps the method as it is.
    ///
    /// # Errors
    /// Those of [`run`](Connection::run), and the supply's. What the adapter finds before it sends names
    /// the row, counted from 1, and the column.
    fn insert_many<'a>(&'a mut self, bulk: Bulk, rows: &'a mut dyn RowSupply) -> BoxFuture<'a, Result<u64>> {
        Box::pin(insert_by_values(self, bulk, rows))
    }

    /// Writes all rows of a table into a file, in the database's own format with the columns at its head, and gives
    /// their number.
    ///
    /// # Errors
    /// `Unsupported` where the database has no such format; `Io` when the file cannot be written, upon which the
    /// connection may be broken; those of [`run`](Connection::run).
    fn copy_out<'a>(&'a mut self, _: &'a Copied, _: ToFile<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(std::future::ready(Err(no_copy(self.server().product))))
    }

    /// Inserts all rows of a file that [`copy_out`](Connection::copy_out) wrote, and gives their number: all of them
    /// or none, whatever is wrong with the file.
    ///
    /// # Errors
    /// `Unsupported` where the database has no such format, or the table does not take it; `InvalidInput` for a file
    /// that is none, is not whole, or has other columns; `Io` when it cannot be read; those of an insert.
    fn copy_in<'a>(&'a mut self, _: &'a Copied, _: FromFile<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(std::future::ready(Err(no_copy(self.server().product))))
    }

    /// Runs one or more statements without values and without rows: DDL, session settings.
    ///
    /// # Errors
    /// That of the first statement that fails; later ones are not run.
    fn script<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Begins a transaction. From here on [`state`](Connection::state) says `InTransaction`, and no statement takes
    /// effect outside the transaction.
    ///
    /// The adapter may hold BEGIN back until the first statement, savepoint or script of the transaction and send both
    /// at once. An error of BEGIN is then the error of that statement, which has had no effect and whose sink has seen no
    /// row; the state is `Failed`. A transaction that ends without a statement then sends nothing at all.
    ///
    /// # Errors
    /// `InvalidInput` by [`TransactionOptions::check`]; `Unsupported` for an isolation level, access mode or timeout that
    /// the database lacks; those of BEGIN, if it is sent.
    fn begin<'a>(&'a mut self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<()>>;

    /// Commits. `Ok` only when the database has committed, or was never told of the transaction; a commit that the server answered with a
    /// rollback is an error, and a commit whose answer was lost is `CommitUnknown`.
    ///
    /// # Errors
    /// As said. Afterwards no transaction is open, or the connection is broken.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Rolls back. Afterwards no transaction is open, or the connection is broken. Without an open
    /// transaction it does nothing.
    ///
    /// # Errors
    /// Those of the connection.
    fn rollback(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Sets the savepoint of this depth (1 is the outermost).
    ///
    /// # Errors
    /// The database's.
    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Forgets the savepoint of this depth, keeping what was done since.
    ///
    /// # Errors
    /// The database's.
    fn release(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Undoes everything since the savepoint of this depth, and forgets it.
    ///
    /// # Errors
    /// The database's.
    fn rollback_to(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Where the session stands; no I/O. The pool asks under its lock: this neither blocks nor uses the pool.
    fn state(&self) -> ConnectionState;

    /// Whether a borrower may have left something behind in the session (raw text ran, a setting
    /// was changed); no I/O, and asked as [`state`](Connection::state) is. Such a connection is [`reset`](Connection::reset) before it is lent again.
    fn is_dirty(&self) -> bool;

    /// Makes the session as good as new: no transaction, no setting, temporary table, lock or
    /// subscription of a borrower is left. Prepared statements may stay.
    ///
    /// # Errors
    /// An error means that the connection must be closed.
    fn reset(&mut self) -> BoxFuture<'_, Result<()>>;

    /// One round trip that does nothing.
    ///
    /// # Errors
    /// An error means that the connection must be closed.
    fn ping(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Begins the transaction of a migration: as [`begin`](Connection::begin), in whatever way the
    /// database lets a schema be rebuilt without touching other rows (SQLite: foreign keys off). On a
    /// database without transactional DDL it begins nothing.
    ///
    /// # Errors
    /// The database's.
    fn begin_migration(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Checks what `begin_migration` switched off (SQLite: `foreign_key_check`), commits, and
    /// switches it on again.
    ///
    /// # Errors
    /// The database's; the migration is then rolled back.
    fn commit_migration(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Rolls a migration back where the database can, and undoes what `begin_migration` switched off.
    ///
    /// # Errors
    /// The database's.
    fn rollback_migration(&mut self) -> BoxFuture<'_, Result<()>>;

    /// From here on no statement of the session waits longer for a lock of the database; `None` is for ever. Until
    /// the session is [`reset`](Connection::reset). A database whose statements never wait for long does nothing.
    ///
    /// # Errors
    /// The database's.
    fn limit_locks(&mut self, limit: Option<Duration>) -> BoxFuture<'_, Result<()>>;

    /// Keeps every other migration runner out until [`unlock`](Connection::unlock) or the end of the
    /// session, waiting at most so long by polling. A database whose migrations already exclude each
    /// other (SQLite: `BEGIN IMMEDIATE`) may answer at once: the runner reads the history again
    /// inside each migration's transaction.
    ///
    /// # Errors
    /// `LockTimeout` when another runner holds it for longer.
    fn lock<'a>(&'a mut self, name: &'a str, wait: Duration) -> BoxFuture<'a, Result<()>>;

    /// Lets other migration runners in.
    ///
    /// # Errors
    /// The database's.
    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Who is at the other end.
    fn server(&self) -> &ServerInfo;

    /// What this server can do.
    fn capabilities(&self) -> &Capabilities;

    /// The upkeep of the database, where that is left to the program.
    fn maintenance(&mut self) -> Option<&mut dyn Maintenance> {
        None
    }

    /// The branches of distributed transactions, where the database can prepare them.
    fn two_phase(&mut self) -> Option<&mut dyn TwoPhase> {
        None
    }

    /// Refuses a session whose commits would not outlive a crash, because the settings of the server or of the
    /// connection put speed above that.
    ///
    /// # Errors
    /// `Config`, with what to change; `Unsupported` by an adapter that cannot tell.
    fn check_durable(&mut self) -> BoxFuture<'_, Result<()>> {
        let product = self.server().product;
        Box::pin(std::future::ready(Err(Error::unsupported("telling whether its commits outlive a crash", product))))
    }

    /// The connection itself, where it is one of this crate's; for [`run_direct`](trait.Connection.html#method.run_direct).
    #[doc(hidden)]
    fn direct(&mut self) -> Option<Direct<'_>> {
        None
    }

    /// Ends the session in good order. Dropping a connection ends it too, without waiting.
    ///
    /// # Errors
    /// The connection's; it is gone all the same.
    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>>;
}

fn no_copy(product: &str) -> Error {
    Error::unsupported("COPY of a table as a file", product)
        .with_help("read with `stream`, and write with `insert_many`")
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// No transaction is open.
    Idle,
    /// A transaction is open and healthy, though the server may hear of it only with its first statement.
    InTransaction,
    /// A transaction is open and doomed: only a rollback (or a rollback to a savepoint) helps.
    Failed,
    /// Out of step, closed, or in doubt: it must be closed.
    Broken,
}

/// The other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// `PostgreSQL`, `MariaDB`, `MySQL`, `SQLite` …
    pub product: &'static str,
    /// The version as the server writes it.
    pub version: String,
}

/// How a transaction runs. The default is the database's own isolation, read and write, with the timeouts of the
/// connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    /// The isolation level; `None` for the database's default.
    pub isolation: Option<Isolation>,
    /// Whether writing is refused.
    pub read_only: bool,
    /// Whether a serializable transaction that only reads waits in the beginning until it can neither fail nor make
    /// others fail. Only PostgreSQL has this.
    pub deferrable: bool,
    /// How long each statement may take, instead of what the connection says; whole milliseconds.
    pub statement_timeout: Option<Duration>,
    /// How long each statement may wait for a lock, instead of what the connection says; whole milliseconds, on MySQL
    /// and MariaDB rounded up to seconds.
    pub lock_timeout: Option<Duration>,
}

/// The longest that a timeout can be: what 31 bits of milliseconds hold.
const LONGEST: Duration = Duration::from_millis(2_147_483_647);

impl TransactionOptions {
    /// As [`Default`], for constants.
    pub const DEFAULT: TransactionOptions = TransactionOptions {
        isolation: None,
        read_only: false,
        deferrable: false,
        statement_timeout: None,
        lock_timeout: None,
    };

    /// Refuses what makes no sense on any database. Every adapter asks this before it begins.
    ///
    /// # Errors
    /// `InvalidInput`, with what to change.
    pub fn check(&self) -> Result<()> {
        if self.deferrable && (!self.read_only || self.isolation != Some(Isolation::Serializable)) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a deferrable transaction must be read only and serializable",
            )
            .with_help("ask for both, or leave `deferrable` away: it would do nothing"));
        }
        for (name, limit) in [("statement", self.statement_timeout), ("lock", self.lock_timeout)] {
            if limit.is_some_and(|limit| limit < Duration::from_millis(1) || limit > LONGEST) {
                let text = format!("a {name} timeout lies between 1 ms and 24 days");
                return Err(Error::new(ErrorKind::InvalidInput, text).with_help("`None` is the connection's own"));
            }
        }
        Ok(())
    }
}

/// Isolation levels of the SQL standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the standard's
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// The level in SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Isolation::ReadUncommitted => "READ UNCOMMITTED",
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        }
    }
}
