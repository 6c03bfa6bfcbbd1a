//! Behind a pooler that gives each transaction another session (`statement_cache_size=0`): what is prepared in one session
//! is not known in the next, so a statement outside of a transaction gets one of its own, which keeps the session for as
//! long as it takes. That costs a round trip more. What cannot stand in a transaction is sent under no name, at once.
//!
//! Names of prepared statements are the driver's, counted in each program. What another program has left under the same
//! name is met before anything has run, and the next name is another one.

use crate::contract::{Bulk, Command, ConnectionState, Outcome, RowSink, RowSupply, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::wording::Wording;

/// How often a statement is tried whose name is taken, or whose session has gone in between.
const TRIES: u32 = 3;

/// The name of a prepared statement is taken, or is not known. Nothing has run.
pub(super) fn is_strange(error: &Error) -> bool {
    matches!(error.code(), Some("42P05" | "26000"))
}

impl PostgresConnection {
    /// Whether only a transaction would keep the session in which a statement was prepared.
    pub(super) fn must_be_kept(&self) -> bool {
        self.pooled && self.state() == ConnectionState::Idle
    }

    /// Runs a statement outside of a transaction, where each message may go to another session.
    pub(super) async fn run_pooled(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let wording = Wording::of(command.sql);
        // Settings, maintenance and the like have no values, and some of them cannot stand in a transaction.
        if command.args.is_empty() && (wording.steers || wording.leaves) {
            return self.run_unnamed(command, rows).await;
        }
        self.run_kept(command, rows).await
    }

    /// Runs a statement in a transaction of its own.
    async fn run_kept(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let mut tries = 1;
        loop {
            self.begin(&TransactionOptions::default()).await?;
            let result = self.run_here(command, rows).await;
            match self.end_kept(result).await {
                Err(error) if is_strange(&error) && tries < TRIES => tries += 1,
                ended => return ended,
            }
        }
    }

    /// Inserts many rows in a transaction of its own.
    pub(super) async fn insert_kept(&mut self, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64> {
        self.begin(&TransactionOptions::default()).await?;
        let result = self.insert_here(bulk, rows).await;
        self.end_kept(result).await
    }

    pub(super) async fn end_kept<T>(&mut self, result: Result<T>) -> Result<T> {
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                if self.state() != ConnectionState::Broken {
                    // The first error is the one to tell; what cannot be undone shows in the state.
                    drop(self.rollback().await);
                }
                return Err(error);
            }
        };
        match self.commit().await {
            Ok(()) => Ok(value),
            // To its user it is one statement, whose answer was lost.
            Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                let text = "the connection to PostgreSQL broke before the statement was answered";
                Err(Error::new(ErrorKind::ConnectionLost, text).with_source(error))
            }
            Err(error) => Err(error),
        }
    }
}
