//! Branches of distributed transactions, by `PREPARE TRANSACTION`.

use tokio_postgres::SimpleQueryMessage;

use crate::contract::{
    BRANCH_TABLE, BoxFuture, BranchId, ConnectionState, Ended, Prepared, TransactionOptions, TwoPhase,
};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::connection::{doomed, gone};
use crate::postgres::errors;

/// There is no such prepared transaction.
const ABSENT: &str = "42704";

/// Somebody else is ending it just now.
const BUSY: &str = "55000";

/// As many are prepared as may be.
const FULL: &str = "53400";

impl TwoPhase for PostgresConnection {
    fn check_two_phase(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.durable().await?;
            match self.setting("max_prepared_transactions").await?.as_deref() {
                Some("0") => Err(Error::new(ErrorKind::Config, "PostgreSQL may not prepare any transaction")
                    .with_help(
                        "set max_prepared_transactions to at least the number of transactions at a time, and restart it",
                    )),
                _ => Ok(()),
            }
        })
    }

    fn begin_branch<'a>(&'a mut self, _: &'a BranchId, options: &'a TransactionOptions) -> BoxFuture<'a, Result<()>> {
        // The name is needed at its end only.
        Box::pin(PostgresConnection::begin(self, options))
    }

    fn prepare<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.prepare_as(branch))
    }

    fn commit_prepared<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<Ended>> {
        Box::pin(self.end_prepared("COMMIT", branch))
    }

    fn rollback_prepared<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<Ended>> {
        Box::pin(self.end_prepared("ROLLBACK", branch))
    }

    fn prepared(&mut self) -> BoxFuture<'_, Result<Prepared>> {
        Box::pin(async move {
            // A prepared transaction can be ended in its own database only.
            let names = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()";
            let mut prepared = Prepared::default();
            for name in self.column(names).await? {
                match name.parse() {
                    Ok(branch) => prepared.branches.push(branch),
                    Err(_) => prepared.others += 1,
                }
            }
            Ok(prepared)
        })
    }
}

impl PostgresConnection {
    async fn prepare_as(&mut self, branch: &BranchId) -> Result<bool> {
        match self.state() {
            ConnectionState::InTransaction if self.held.take().is_some() => {
                self.state = ConnectionState::Idle;
                return Ok(false);
            }
            ConnectionState::InTransaction => {}
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Idle => return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open")),
            ConnectionState::Failed => {
                self.rollback().await?;
                return Err(doomed());
            }
        }
        // `PREPARE TRANSACTION` alone answers a failed transaction with a rollback and no error. The statement before
        // it, in the same message, fails there.
        let sql = format!("INSERT INTO \"{BRANCH_TABLE}\" (gid) VALUES ('{branch}'); PREPARE TRANSACTION '{branch}'");
        self.under_way = true;
        let Err(error) = self.client.batch_execute(&sql).await else {
            self.state = ConnectionState::Idle;
            self.guard.committed();
            self.under_way = false;
            return Ok(true);
        };
        let lost = errors::ends_session(&error);
        let error = self.settle(error);
        self.under_way = false;
        if !lost {
            self.rollback().await?;
        }
        Err(match error.code() {
            Some(FULL) => error.with_help("raise max_prepared_transactions"),
            _ => error,
        })
    }

    async fn end_prepared(&mut self, word: &str, branch: &BranchId) -> Result<Ended> {
        match self.state() {
            ConnectionState::Idle => {}
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::InTransaction | ConnectionState::Failed => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "a transaction is open: a branch is ended outside of one",
                ));
            }
        }
        match self.simple(&format!("{word} PREPARED '{branch}'")).await {
            Ok(()) => Ok(Ended::Now),
            Err(error) if error.code() == Some(ABSENT) => Ok(Ended::Absent),
            Err(error) if error.code() == Some(BUSY) => {
                Err(Error::new(ErrorKind::LockTimeout, "another session is ending the branch").with_source(error))
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Connection::check_durable`](crate::contract::Connection::check_durable).
    pub(super) async fn durable(&mut self) -> Result<()> {
        match self.setting("synchronous_commit").await?.as_deref() {
            Some("off") => Err(Error::new(
                ErrorKind::Config,
                "PostgreSQL confirms commits that a crash can undo: synchronous_commit is off",
            )
            .with_help("set synchronous_commit to on for this database, or for its user")),
            _ => Ok(()),
        }
    }

    async fn setting(&mut self, name: &str) -> Result<Option<String>> {
        self.column(&format!("SHOW {name}")).await.map(|mut rows| rows.pop())
    }

    /// The first column of what a text of Covet's own gives, without NULLs.
    async fn column(&mut self, sql: &str) -> Result<Vec<String>> {
        if self.state() == ConnectionState::Broken {
            return Err(gone());
        }
        self.under_way = true;
        let answer = self.client.simple_query(sql).await.map_err(|error| self.settle(error));
        self.under_way = false;
        let cell = |message| match message {
            SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten().map(str::to_owned),
            _ => None,
        };
        Ok(answer?.into_iter().filter_map(cell).collect())
    }
}
