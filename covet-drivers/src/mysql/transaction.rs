//! Transactions and savepoints, by plain text.

use crate::contract::TransactionOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::connection::{MySqlConnection, Standing};
use crate::mysql::server::Product;

impl MySqlConnection {
    /// As [`Connection::begin`](crate::contract::Connection::begin).
    ///
    /// # Errors
    /// As there.
    pub async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        self.open(options, if options.read_only { "START TRANSACTION READ ONLY" } else { "START TRANSACTION" }).await
    }

    /// Begins a transaction by these words.
    pub(super) async fn open(&mut self, options: &TransactionOptions, start: &str) -> Result<()> {
        self.check()?;
        if self.standing() != Standing::Idle {
            // The server would commit the open one without a word.
            return Err(Error::new(ErrorKind::TransactionClosed, "a transaction is open already"));
        }
        options.check()?;
        self.lift_limits().await?;
        if options.deferrable {
            return Err(Error::unsupported("deferrable transactions", self.server.name()));
        }
        if let Some(limits) = self.limits(options)? {
            // From here on until they are taken back nobody else may get the session.
            self.limited = true;
            self.say(&limits).await?;
        }
        let mut sql = String::new();
        if let Some(isolation) = options.isolation {
            sql.push_str(&format!("SET TRANSACTION ISOLATION LEVEL {}; ", isolation.sql()));
        }
        sql.push_str(start);
        let begun = self.say(&sql).await;
        // The isolation level waits for the next transaction, whose it is not.
        self.dirty |= begun.is_err() && options.isolation.is_some();
        begun?;
        // A server behind a proxy may not say so; we know.
        self.set_standing(Standing::Open);
        Ok(())
    }

    /// As [`Connection::commit`](crate::contract::Connection::commit).
    ///
    /// # Errors
    /// As there.
    pub async fn commit(&mut self) -> Result<()> {
        self.check()?;
        match self.standing() {
            Standing::Idle => {
                return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open")
                    .with_help("an error rolled it back, or a statement such as DDL committed it on the way"));
            }
            Standing::Failed => {
                self.rollback().await?;
                return Err(Error::new(
                    ErrorKind::TransactionClosed,
                    "the transaction was rolled back, because an earlier statement of it failed",
                ));
            }
            Standing::Open | Standing::Prepared if self.branch.is_some() => {
                return Err(Error::new(ErrorKind::InvalidInput, "a branch is prepared first, and committed then"));
            }
            Standing::Open | Standing::Prepared => {}
        }
        // Its timeouts are taken back later: a commit that is known must not wait for that.
        match self.say_with("COMMIT", false).await {
            Ok(()) => Ok(()),
            Err(error) if self.check().is_err() => {
                Err(Error::new(ErrorKind::CommitUnknown, "the answer to the commit was lost").with_source(error))
            }
            Err(error) => {
                if self.standing() != Standing::Idle {
                    self.rollback().await?;
                }
                Err(if error.kind() == ErrorKind::CommitUnknown { error } else { error.with_transaction_lost() })
            }
        }
    }

    /// As [`Connection::rollback`](crate::contract::Connection::rollback).
    ///
    /// # Errors
    /// As there.
    pub async fn rollback(&mut self) -> Result<()> {
        self.check()?;
        match (self.standing(), self.branch.clone()) {
            (Standing::Idle, _) => {}
            (Standing::Prepared, _) => {
                return Err(Error::new(
                    ErrorKind::TransactionClosed,
                    "the branch is prepared: only its coordinator ends it",
                ));
            }
            (_, Some(branch)) => self.rollback_branch(&branch).await?,
            (_, None) => self.say("ROLLBACK").await?,
        }
        Ok(())
    }

    /// The statement that sets a transaction's timeouts, if it has some.
    fn limits(&self, options: &TransactionOptions) -> Result<Option<String>> {
        let mut settings = Vec::new();
        if let Some(limit) = options.statement_timeout {
            if self.server.product == Product::MySql {
                return Err(Error::unsupported("a timeout for statements of a transaction", self.server.name())
                    .with_help("it ends reads only: say statement_timeout in the connection URL for those"));
            }
            settings.push(format!("SESSION max_statement_time = {}.{:03}", limit.as_secs(), limit.subsec_millis()));
        }
        if let Some(limit) = options.lock_timeout {
            let seconds = limit.as_millis().div_ceil(1000);
            settings
                .push(format!("SESSION innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds}"));
        }
        Ok((!settings.is_empty()).then(|| format!("SET {}", settings.join(", "))))
    }

    /// Takes back the timeouts of a transaction that has ended, before anything else runs; until then the session is
    /// dirty, and is reset or closed before anybody else gets it.
    pub(super) async fn lift_limits(&mut self) -> Result<()> {
        if self.limited {
            let set_up = self.settings.limits.clone();
            self.say(&set_up).await?;
            self.limited = false;
        }
        Ok(())
    }

    /// Refuses to run a statement where it must not run, and sees to it that it runs without the timeouts of another
    /// transaction.
    pub(super) async fn get_ready(&mut self) -> Result<()> {
        self.check_runs()?;
        if self.limited && self.standing() == Standing::Idle { Box::pin(self.lift_limits()).await } else { Ok(()) }
    }

    /// As [`Connection::savepoint`](crate::contract::Connection::savepoint).
    ///
    /// # Errors
    /// As there.
    pub async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.check_runs()?;
        self.check_open()?;
        self.say(&format!("SAVEPOINT covet_{depth}")).await
    }

    /// As [`Connection::release`](crate::contract::Connection::release).
    ///
    /// # Errors
    /// As there.
    pub async fn release(&mut self, depth: u32) -> Result<()> {
        self.check_runs()?;
        self.check_open()?;
        self.say(&format!("RELEASE SAVEPOINT covet_{depth}")).await
    }

    /// As [`Connection::rollback_to`](crate::contract::Connection::rollback_to).
    ///
    /// # Errors
    /// As there.
    pub async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        self.check()?;
        self.check_open()?;
        self.say(&format!("ROLLBACK TO SAVEPOINT covet_{depth}; RELEASE SAVEPOINT covet_{depth}")).await?;
        // What a lock timeout had left half done is undone.
        self.set_standing(Standing::Open);
        Ok(())
    }

    /// Outside a transaction the server would take a savepoint and keep nothing.
    fn check_open(&self) -> Result<()> {
        if matches!(self.standing(), Standing::Idle | Standing::Prepared) {
            return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open"));
        }
        Ok(())
    }
}
