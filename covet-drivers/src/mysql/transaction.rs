//! Transactions and savepoints, by plain text.

use crate::contract::TransactionOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::connection::{MySqlConnection, Standing};

impl MySqlConnection {
    /// As [`Connection::begin`](crate::contract::Connection::begin).
    ///
    /// # Errors
    /// As there.
    pub async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        self.check()?;
        if self.standing() != Standing::Idle {
            // The server would commit the open one without a word.
            return Err(Error::new(ErrorKind::TransactionClosed, "a transaction is open already"));
        }
        let mut sql = String::new();
        if let Some(isolation) = options.isolation {
            sql.push_str(&format!("SET TRANSACTION ISOLATION LEVEL {}; ", isolation.sql()));
        }
        sql.push_str(if options.read_only { "START TRANSACTION READ ONLY" } else { "START TRANSACTION" });
        self.say(&sql).await?;
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
            Standing::Open => {}
        }
        match self.say("COMMIT").await {
            Ok(()) => Ok(()),
            Err(error) if error.is_connection_lost() => {
                Err(Error::new(ErrorKind::CommitUnknown, "the answer to the commit was lost").with_source(error))
            }
            Err(error) => {
                if self.standing() != Standing::Idle {
                    self.rollback().await?;
                }
                Err(error.with_transaction_lost())
            }
        }
    }

    /// As [`Connection::rollback`](crate::contract::Connection::rollback).
    ///
    /// # Errors
    /// As there.
    pub async fn rollback(&mut self) -> Result<()> {
        self.check()?;
        if self.standing() == Standing::Idle {
            return Ok(());
        }
        self.say("ROLLBACK").await
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
        if self.standing() == Standing::Idle {
            return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open"));
        }
        Ok(())
    }
}
