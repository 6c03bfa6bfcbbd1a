//! A session's transactions, its locks, and how it is made as good as new.

use std::time::Duration;

use tokio::time::Instant;

use crate::contract::{ConnectionState, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::connection::{doomed, gone};
use crate::postgres::errors;

/// `COMMIT` alone answers a failed transaction with a rollback and no error. The statement before it
/// fails there, and for the rest checks early what `COMMIT` would check.
const COMMIT: &str = "SET CONSTRAINTS ALL IMMEDIATE; COMMIT";

/// Whatever a borrower may have left, in one message. `ROLLBACK` first: inside an open transaction the
/// rest would be undone with it.
const RESET: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                     SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; ";

impl PostgresConnection {
    /// As [`Connection::begin`](crate::contract::Connection::begin).
    ///
    /// # Errors
    /// As there.
    pub async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        match self.state() {
            ConnectionState::Idle => {}
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::InTransaction | ConnectionState::Failed => {
                return Err(Error::new(ErrorKind::InvalidInput, "a transaction is open already"));
            }
        }
        options.check()?;
        self.held = Some(*options);
        self.state = ConnectionState::InTransaction;
        Ok(())
    }

    /// As [`Connection::commit`](crate::contract::Connection::commit).
    ///
    /// # Errors
    /// As there.
    pub async fn commit(&mut self) -> Result<()> {
        match self.state() {
            ConnectionState::InTransaction if self.held.take().is_some() => {
                self.state = ConnectionState::Idle;
                return Ok(());
            }
            ConnectionState::InTransaction => {}
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Idle => {
                return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open"));
            }
            ConnectionState::Failed => {
                self.rollback().await?;
                return Err(doomed());
            }
        }
        self.under_way = true;
        let Err(error) = self.client.batch_execute(COMMIT).await else {
            self.state = ConnectionState::Idle;
            self.guard.committed();
            self.under_way = false;
            return Ok(());
        };
        let lost = errors::ends_session(&error);
        let error = self.settle(error);
        self.under_way = false;
        if lost {
            let mut unknown = Error::new(
                ErrorKind::CommitUnknown,
                "the connection broke while COMMIT was under way, and whether it took effect is not known",
            );
            if let Some(code) = error.code() {
                unknown = unknown.with_code(code.to_owned());
            }
            return Err(unknown.with_source(error));
        }
        // The server refused; whether before COMMIT (still open) or in it (over) makes no difference behind this.
        self.rollback().await?;
        Err(error)
    }

    /// As [`Connection::rollback`](crate::contract::Connection::rollback).
    ///
    /// # Errors
    /// As there.
    pub async fn rollback(&mut self) -> Result<()> {
        match self.state() {
            ConnectionState::Idle => return Ok(()),
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::InTransaction | ConnectionState::Failed => {}
        }
        if self.held.take().is_some() {
            self.state = ConnectionState::Idle;
            return Ok(());
        }
        match self.simple("ROLLBACK").await {
            Ok(()) => {
                self.state = ConnectionState::Idle;
                self.guard.undone();
                Ok(())
            }
            Err(error) => {
                self.state = ConnectionState::Broken;
                Err(error)
            }
        }
    }

    /// As [`Connection::savepoint`](crate::contract::Connection::savepoint).
    ///
    /// # Errors
    /// As there.
    pub async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.healthy()?;
        self.within(&format!("SAVEPOINT covet_{depth}")).await
    }

    /// As [`Connection::release`](crate::contract::Connection::release).
    ///
    /// # Errors
    /// As there.
    pub async fn release(&mut self, depth: u32) -> Result<()> {
        self.healthy()?;
        self.within(&format!("RELEASE SAVEPOINT covet_{depth}")).await
    }

    /// As [`Connection::rollback_to`](crate::contract::Connection::rollback_to).
    ///
    /// # Errors
    /// As there.
    pub async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        if self.state() != ConnectionState::Failed {
            self.healthy()?;
        }
        self.within(&format!("ROLLBACK TO SAVEPOINT covet_{depth}; RELEASE SAVEPOINT covet_{depth}")).await?;
        self.state = ConnectionState::InTransaction;
        self.guard.undone();
        Ok(())
    }

    /// As [`Connection::reset`](crate::contract::Connection::reset).
    ///
    /// # Errors
    /// As there.
    pub async fn reset(&mut self) -> Result<()> {
        let sql = format!("{RESET}{}", self.setup);
        self.simple(&sql).await.inspect_err(|_| self.state = ConnectionState::Broken)?;
        self.state = ConnectionState::Idle;
        self.held = None;
        self.guard.forget();
        self.dirty = false;
        self.locks = 0;
        Ok(())
    }

    /// As [`Connection::lock`](crate::contract::Connection::lock).
    ///
    /// # Errors
    /// As there.
    pub async fn lock(&mut self, name: &str, wait: Duration) -> Result<()> {
        if self.pooled {
            return Err(Error::unsupported(
                format_args!(
                    "the lock `{name}` behind a pooler that mixes sessions (`statement_cache_size=0`): it would be \
                     another session's, and keep nobody out"
                ),
                "PostgreSQL",
            )
            .with_help("use a URL that leads to the server itself, without `statement_cache_size=0`"));
        }
        let question = format!("SELECT pg_try_advisory_lock({})", key(name));
        let end = Instant::now().checked_add(wait);
        let mut pause = Duration::from_millis(20);
        loop {
            // Waiting inside the server would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
            if self.ask_alone(&question).await? {
                self.locks += 1;
                return Ok(());
            }
            let rest = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if rest.is_zero() {
                let text = format!("another session has held the lock `{name}` for longer than {wait:?}");
                return Err(Error::new(ErrorKind::LockTimeout, text));
            }
            tokio::time::sleep(pause.min(rest)).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }

    /// As [`Connection::unlock`](crate::contract::Connection::unlock).
    ///
    /// # Errors
    /// As there.
    pub async fn unlock(&mut self, name: &str) -> Result<()> {
        if !self.ask_alone(&format!("SELECT pg_advisory_unlock({})", key(name))).await? {
            return Err(Error::new(ErrorKind::InvalidInput, format!("the lock `{name}` is not held")));
        }
        self.locks = self.locks.saturating_sub(1);
        Ok(())
    }

    async fn ask_alone(&mut self, sql: &str) -> Result<bool> {
        match self.state() {
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Failed => return Err(doomed()),
            ConnectionState::Idle | ConnectionState::InTransaction => {}
        }
        self.under_way = true;
        // A lock is the session's own, so it does not matter whether it is taken before BEGIN or behind it.
        let answer = match self.send_begin(None).await {
            Ok(()) => self.ask(sql).await,
            Err(error) => Err(error),
        };
        self.under_way = false;
        answer
    }

    fn healthy(&self) -> Result<()> {
        match self.state() {
            ConnectionState::InTransaction => Ok(()),
            ConnectionState::Broken => Err(gone()),
            ConnectionState::Failed => Err(doomed()),
            ConnectionState::Idle => Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open")),
        }
    }
}

/// The number of a named lock (FNV-1a): the same in every version of Covet. Locks belong to a database.
#[allow(clippy::cast_possible_wrap)] // any 64 bits do
fn key(name: &str) -> i64 {
    "covet:"
        .bytes()
        .chain(name.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
        as i64
}
