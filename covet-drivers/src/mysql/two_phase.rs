//! Branches of distributed transactions, by XA.
//!
//! Unlike a prepared transaction of PostgreSQL, a branch has its name from its beginning on, and it is bound to its
//! session: as long as that lives nobody else can end the branch, and the session can do nothing else.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;

use crate::contract::{BRANCH_TABLE, BoxFuture, BranchId, Ended, Prepared, TransactionOptions, TwoPhase};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::caught::caught;
use crate::mysql::connection::{Failure, MySqlConnection, Standing};
use crate::mysql::introspect::rows;
use crate::mysql::leaving;
use crate::mysql::numbered::{Numbered, UPTIME};

/// Marks Covet's names among those of others.
const FORMAT: i64 = 0x636f_7674;

/// There is no such branch, or another session holds it.
const UNKNOWN: &str = "1397";

/// A lock is not to be had at once: on MariaDB, and on MySQL.
const LOCKED: [&str; 2] = ["1205", "3572"];

/// There is no such table.
const NO_TABLE: &str = "1146";

/// How long a session that was closed may take to end.
const LEAVING: Duration = Duration::from_secs(1);

impl TwoPhase for MySqlConnection {
    fn check_two_phase(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.durable().await?;
            if self.variable("wsrep_on").await?.as_deref() == Some("ON") {
                return Err(Error::unsupported("distributed transactions in a Galera cluster", self.server.name()));
            }
            self.prepared_branches().await.map(drop).map_err(|error| match error.kind() {
                ErrorKind::Permission => error.with_help("grant XA_RECOVER_ADMIN to the user of the connection"),
                _ => error,
            })
        })
    }

    fn begin_branch<'a>(
        &'a mut self,
        branch: &'a BranchId,
        options: &'a TransactionOptions,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.begin_as(branch, options))
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
        Box::pin(self.prepared_branches())
    }
}

impl MySqlConnection {
    async fn begin_as(&mut self, branch: &BranchId, options: &TransactionOptions) -> Result<()> {
        let read_only = if options.read_only { "SET TRANSACTION READ ONLY; " } else { "" };
        let begun = self.open(options, &format!("{read_only}XA START {}", xid(branch))).await;
        match &begun {
            Ok(()) => self.branch = Some(branch.clone()),
            // What was set for the next transaction waits for it still.
            Err(_) => self.dirty = true,
        }
        begun
    }

    async fn prepare_as(&mut self, branch: &BranchId) -> Result<bool> {
        self.check()?;
        if self.branch.as_ref() != Some(branch) {
            return Err(Error::new(ErrorKind::TransactionClosed, "the branch is not open in this session"));
        }
        match self.standing() {
            Standing::Open => {}
            Standing::Prepared => return Ok(true),
            Standing::Failed | Standing::Idle => {
                self.rollback().await?;
                return Err(Error::new(
                    ErrorKind::TransactionClosed,
                    "the transaction was rolled back, because an earlier statement of it failed",
                ));
            }
        }
        let xid = xid(branch);
        let sql = format!("INSERT INTO `{BRANCH_TABLE}` (gid) VALUES ('{branch}'); XA END {xid}; XA PREPARE {xid}");
        match self.say(&sql).await {
            Ok(()) => {
                self.set_standing(Standing::Prepared);
                Ok(true)
            }
            Err(error) if self.check().is_err() => Err(error),
            Err(error) => {
                self.rollback().await?;
                Err(error.with_transaction_lost())
            }
        }
    }

    /// Rolls back the branch that is open in this session, wherever it stands before it is prepared.
    pub(super) async fn rollback_branch(&mut self, branch: &BranchId) -> Result<()> {
        let xid = xid(branch);
        // It may have ended already, and one that the server has doomed says so here: it is rolled back all the same.
        if let Err(error) = self.say(&format!("XA END {xid}")).await
            && self.check().is_err()
        {
            return Err(error);
        }
        match self.say(&format!("XA ROLLBACK {xid}")).await {
            Ok(()) => {}
            Err(error) if error.code() == Some(UNKNOWN) => {}
            Err(error) => {
                self.break_off();
                return Err(error);
            }
        }
        self.forget_branch();
        Ok(())
    }

    fn forget_branch(&mut self) {
        self.branch = None;
        self.set_standing(Standing::Idle);
    }

    async fn end_prepared(&mut self, word: &str, branch: &BranchId) -> Result<Ended> {
        self.check()?;
        let own = match (self.standing(), &self.branch) {
            (Standing::Idle, None) => false,
            (Standing::Prepared, Some(own)) if own == branch => true,
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "a transaction is open: a branch is ended outside of one",
                ));
            }
        };
        if !own {
            self.await_leaving(branch).await?;
        }
        match self.say(&format!("XA {word} {}", xid(branch))).await {
            Ok(()) => {
                if own {
                    self.forget_branch();
                } else {
                    self.is_free(branch).await?;
                }
                Ok(Ended::Now)
            }
            Err(error) if error.code() == Some(UNKNOWN) => {
                if own {
                    // It was ended behind the session's back, which the server does not foresee.
                    self.break_off();
                } else if self.prepared_branches().await?.branches.contains(branch) {
                    return Err(held().with_source(error));
                } else {
                    self.is_free(branch).await?;
                }
                Ok(Ended::Absent)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until the session has ended that held the branch, if this process has closed it.
    async fn await_leaving(&mut self, branch: &BranchId) -> Result<()> {
        let Some(leaving) = leaving::session_of(branch) else { return Ok(()) };
        let start = Instant::now();
        let mut asked = None;
        while leaving.session.server == self.settings.identity && self.lists(leaving.session.number).await? {
            // Of a server that was started anew the number may be somebody else's.
            let is_it = match asked {
                Some(is_it) => is_it,
                None => *asked.insert(self.is_of_this_run(&leaving.session).await?),
            };
            match is_it {
                Some(false) => break,
                // That the branch is free is seen afterwards.
                None if leaving.since.elapsed() > LEAVING => break,
                _ if start.elapsed() > LEAVING => return Err(held()),
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
        leaving::forget(branch);
        Ok(())
    }

    /// Whether the server has a session of this number.
    async fn lists(&mut self, number: u32) -> Result<bool> {
        let number = number.to_string();
        let sessions = rows(self, "SHOW PROCESSLIST", 1).await?;
        Ok(sessions.iter().any(|row| row.first().is_some_and(|id| id.as_deref() == Some(&number))))
    }

    /// As [`Numbered::is_of_this_run`].
    async fn is_of_this_run(&mut self, session: &Numbered) -> Result<Option<bool>> {
        let told = rows(self, UPTIME, 2).await?;
        let uptime = told.first().and_then(|row| row.get(1)?.as_deref()?.parse().ok());
        Ok(uptime.and_then(|uptime| session.is_of_this_run(uptime)))
    }

    /// Sees that nobody holds what the branch has written, for the server may have lost sight of it.
    async fn is_free(&mut self, branch: &BranchId) -> Result<()> {
        let sql = format!("SELECT gid FROM `{BRANCH_TABLE}` WHERE gid = '{branch}' FOR UPDATE NOWAIT");
        match self.say(&sql).await {
            Err(error) if error.code().is_some_and(|code| LOCKED.contains(&code)) => {
                let text = "the server says that there is no such branch any more, and something holds its locks still";
                Err(Error::new(ErrorKind::LockTimeout, text)
                    .with_help("if that stays so the server has lost sight of it: started anew, it lists it again")
                    .with_source(error))
            }
            Err(error) if error.code() == Some(NO_TABLE) => Ok(()),
            other => other,
        }
    }

    async fn prepared_branches(&mut self) -> Result<Prepared> {
        let wire = self.depart()?;
        let result = caught(wire.query::<mysql_async::Row, _>("XA RECOVER")).await.map_err(Failure::from);
        let mut prepared = Prepared::default();
        for row in self.settle(result).await? {
            match read(&row) {
                Some(branch) => prepared.branches.push(branch),
                None => prepared.others += 1,
            }
        }
        Ok(prepared)
    }

    /// As [`Connection::check_durable`](crate::contract::Connection::check_durable).
    pub(super) async fn durable(&mut self) -> Result<()> {
        let unsafe_setting = |what: &str, help: &'static str| {
            let text = format!("{} confirms commits that a crash can undo: {what}", self.server.name());
            Error::new(ErrorKind::Config, text).with_help(help)
        };
        let flush = unsafe_setting("innodb_flush_log_at_trx_commit is not 1", "set innodb_flush_log_at_trx_commit = 1");
        let sync = unsafe_setting("the binary log is on and sync_binlog is not 1", "set sync_binlog = 1");
        if self.variable("innodb_flush_log_at_trx_commit").await?.as_deref() != Some("1") {
            return Err(flush);
        }
        let logs = self.variable("log_bin").await?.as_deref() == Some("ON");
        if logs && self.variable("sync_binlog").await?.as_deref() != Some("1") {
            return Err(sync);
        }
        Ok(())
    }

    /// A global setting, where the server knows it.
    async fn variable(&mut self, name: &str) -> Result<Option<String>> {
        let found = rows(self, &format!("SHOW GLOBAL VARIABLES LIKE '{name}'"), 2).await?;
        Ok(found.into_iter().next().and_then(|mut row| row.pop()?))
    }
}

fn held() -> Error {
    Error::new(ErrorKind::LockTimeout, "the branch belongs to a session that has not ended yet")
}

/// A branch's name in XA's three parts. They are short, and their characters need no escape.
fn xid(branch: &BranchId) -> String {
    format!("'{}','{}',{FORMAT}", branch.global(), branch.number())
}

/// Reads a row of `XA RECOVER`; `None` for what is not Covet's.
fn read(row: &mysql_async::Row) -> Option<BranchId> {
    let format: i64 = row.get_opt(0)?.ok()?;
    let length: usize = row.get_opt(1)?.ok()?;
    let data: Vec<u8> = row.get_opt(3)?.ok()?;
    let (global, number) = data.split_at_checked(length)?;
    if format != FORMAT {
        return None;
    }
    format!("{}:{}", std::str::from_utf8(global).ok()?, std::str::from_utf8(number).ok()?).parse().ok()
}
