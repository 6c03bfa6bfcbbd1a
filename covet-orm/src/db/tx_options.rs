//! How a transaction runs.

use std::time::{Duration, Instant};

use covet_drivers::contract::{Isolation, TransactionOptions};
use covet_drivers::{Error, ErrorKind, Result};

/// How often a transaction is tried in all, unless it is said.
const ATTEMPTS: u32 = 5;

/// How a transaction runs: `db.transaction_with(TxOptions::new().read_only(), async |tx| …)`. The default is the
/// database's own isolation, read and write, five attempts, no deadline.
///
/// ```
/// use std::time::Duration;
/// use covet_orm::{Isolation, TxOptions};
/// let options = TxOptions::new().isolation(Isolation::Serializable).deadline(Duration::from_secs(2)).attempts(10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing by themselves"]
pub struct TxOptions {
    pub(crate) begin: TransactionOptions,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) token: bool,
}

impl Default for TxOptions {
    fn default() -> Self {
        TxOptions { begin: TransactionOptions::DEFAULT, deadline: None, attempts: ATTEMPTS, token: false }
    }
}

impl TxOptions {
    /// The defaults.
    pub fn new() -> Self {
        TxOptions::default()
    }

    /// The isolation level. A level that the database lacks is `Unsupported`.
    pub fn isolation(mut self, level: Isolation) -> Self {
        self.begin.isolation = Some(level);
        self
    }

    /// Refuses writing.
    pub fn read_only(mut self) -> Self {
        self.begin.read_only = true;
        self
    }

    /// Lets a serializable transaction that only reads wait in the beginning until it can neither fail nor make others
    /// fail. Only PostgreSQL has this.
    pub fn deferrable(mut self) -> Self {
        self.begin.deferrable = true;
        self
    }

    /// How long each statement may take; whole milliseconds. On MySQL (not MariaDB) `Unsupported`: it could only end
    /// reads.
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.begin.statement_timeout = Some(limit);
        self
    }

    /// How long each statement may wait for a lock; whole milliseconds, on MySQL and MariaDB rounded up to seconds.
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.begin.lock_timeout = Some(limit);
        self
    }

    /// How long everything may take together: borrowing a connection, the closure, its repetitions and the pauses
    /// between them, and the commit. What is not done then is rolled back (`Deadline`); a commit that was sent and not
    /// answered by then is `CommitUnknown`. A rollback is waited for until
    /// then, or for a quarter of a second; afterwards the pool sees to it. A transaction held as a guard is looked at when
    /// it is committed or rolled back.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// How often the closure is run at most when the database says "try again"; 1 for never again.
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most;
        self
    }

    /// Writes a token with the transaction, by which its outcome can be asked for when the answer to its commit is
    /// lost: one more statement. The closure form asks by itself. [`Db::prepare_commit_tokens`] must have made the table.
    ///
    /// [`Db::prepare_commit_tokens`]: crate::Db::prepare_commit_tokens
    pub fn token(mut self) -> Self {
        self.token = true;
        self
    }

    /// When the deadline is, counted from now; never, when it lies further ahead than time can be told.
    pub(crate) fn ends(&self) -> Option<Instant> {
        self.deadline.and_then(|limit| Instant::now().checked_add(limit))
    }

    /// Refuses what makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong =
            |text: &'static str, help: &'static str| Err(Error::new(ErrorKind::InvalidInput, text).with_help(help));
        if self.attempts == 0 {
            return wrong("a transaction of 0 attempts never runs", "1 runs it once and never again");
        }
        if self.deadline == Some(Duration::ZERO) {
            return wrong("a deadline of zero is over before the transaction begins", "leave it away for none");
        }
        if self.token && self.begin.read_only {
            return wrong(
                "a transaction that only reads cannot write a token",
                "its commit changes nothing: it needs none",
            );
        }
        self.begin.check()
    }
}
