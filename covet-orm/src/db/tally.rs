//! What transactions and statements have met, counted, and deadlocks logged.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use covet_drivers::contract::{Connection, ConnectionState};
use covet_drivers::{Error, ErrorKind};

use crate::db::Db;
use crate::db::connect::Shared;

/// What the statements and transactions of a [`Db`] have met so far. [`Db::tx_status`] gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TxStatus {
    /// Deadlocks whose victim was a statement of this program.
    pub deadlocks: u64,
    /// Transactions that could not be put in an order with others.
    pub serialization_failures: u64,
    /// Locks that were not had in time.
    pub lock_timeouts: u64,
    /// Closures that were run again.
    pub repetitions: u64,
    /// Commits of which it was not known whether they took effect, also those that a token resolved.
    pub commits_unknown: u64,
}

/// As [`TxStatus`], while it is counted. Touched only by what goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    deadlocks: AtomicU64,
    serialization_failures: AtomicU64,
    lock_timeouts: AtomicU64,
    repetitions: AtomicU64,
    commits_unknown: AtomicU64,
}

impl Tally {
    /// Counts an error, when it is first seen.
    #[cold]
    pub(crate) fn saw(&self, error: &Error) {
        let count = match error.kind() {
            ErrorKind::Deadlock => &self.deadlocks,
            ErrorKind::Serialization => &self.serialization_failures,
            ErrorKind::LockTimeout => &self.lock_timeouts,
            ErrorKind::CommitUnknown => &self.commits_unknown,
            _ => return,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(crate) fn repeats(&self) {
        self.repetitions.fetch_add(1, Relaxed);
    }
}

impl Db {
    /// What statements and transactions have met so far, on all clones together.
    #[must_use]
    pub fn tx_status(&self) -> TxStatus {
        let tally = &self.shared().tally;
        TxStatus {
            deadlocks: tally.deadlocks.load(Relaxed),
            serialization_failures: tally.serialization_failures.load(Relaxed),
            lock_timeouts: tally.lock_timeouts.load(Relaxed),
            repetitions: tally.repetitions.load(Relaxed),
            commits_unknown: tally.commits_unknown.load(Relaxed),
        }
    }
}

/// A deadlock whose victim was one of our statements, until the server can be asked about the others. It is logged in
/// the end, whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Deadlock {
    sql: String,
    /// The other statements.
    others: Vec<String>,
    blocker: Option<i64>,
}

impl Deadlock {
    /// The deadlock that an error tells of, if it does and somebody reads the log.
    pub(crate) fn of(error: &Error, sql: &str) -> Option<Self> {
        let told = error.kind() == ErrorKind::Deadlock
            && tracing::event_enabled!(target: "covet::deadlock", tracing::Level::WARN);
        told.then(|| Deadlock { sql: sql.to_owned(), others: Vec::new(), blocker: error.blocker() })
    }

    /// Logs it, with what the server tells of the others: the connection can be asked once its transaction is over.
    pub(crate) async fn log(mut self, connection: &mut dyn Connection, shared: &Shared) {
        if connection.state() == ConnectionState::Idle
            && let Some(probe) = shared.pool.backend().probe()
        {
            match probe.deadlock(self.blocker, connection).await {
                Ok(told) => self.others = told,
                Err(error) => {
                    tracing::debug!(target: "covet::deadlock", %error, "the server does not tell of the deadlock")
                }
            }
        }
    }
}

impl Drop for Deadlock {
    fn drop(&mut self) {
        // Where all that took part are told, one of them is the own one.
        let own = self.others.iter().position(|sql| *sql == self.sql).filter(|_| self.blocker.is_none());
        if let Some(own) = own {
            self.others.remove(own);
        }
        let others = self.others.join("; ");
        tracing::warn!(target: "covet::deadlock", sql = self.sql, others, "a deadlock ended a transaction");
    }
}
