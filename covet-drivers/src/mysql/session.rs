//! What is done with a session as a whole: scripts, resets, pings, locks.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;

use crate::catalog::{ColumnType, shorten};
use crate::contract::{Command, Flow, Reuse, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::caught::caught;
use crate::mysql::connection::{Failure, MySqlConnection, Standing};
use crate::mysql::dialect::QUOTING;
use crate::sql::split;
use crate::value::Value;

impl MySqlConnection {
    /// As [`Connection::script`](crate::contract::Connection::script).
    ///
    /// # Errors
    /// As there.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        self.get_ready().await?;
        self.dirty = true;
        for statement in split(sql, QUOTING)? {
            self.check_runs()?;
            self.fits(statement.len())?;
            self.say(statement).await?;
        }
        Ok(())
    }

    /// As [`Connection::reset`](crate::contract::Connection::reset).
    ///
    /// # Errors
    /// As there.
    pub async fn reset(&mut self) -> Result<()> {
        if self.standing() != Standing::Idle {
            self.rollback().await?;
        }
        if !self.dirty {
            self.check()?;
            return self.lift_limits().await;
        }
        self.cache.clear();
        let wire = self.depart()?;
        let result = caught(wire.reset()).await.map_err(Failure::from);
        if !self.settle(result).await? {
            return Err(Error::unsupported("resetting a session", self.server.name()));
        }
        if self.settings.database.is_none() {
            // A session that named no database cannot be made to forget one.
            let mut other = false;
            let command = Command { sql: "SELECT DATABASE() IS NOT NULL", args: &[], reuse: Reuse::Once };
            let mut sink = |row: &mut Row<'_>| {
                other = row.get(0, &ColumnType::Bool)?;
                Ok(Flow::Continue)
            };
            self.run(command, &mut sink).await?;
            if other {
                return Err(Error::new(
                    ErrorKind::ConnectionLost,
                    "the session has chosen a database and cannot forget it",
                ));
            }
        }
        let set_up = self.settings.set_up.clone();
        self.say(&set_up).await?;
        self.limited = false;
        self.dirty = false;
        Ok(())
    }

    /// As [`Connection::ping`](crate::contract::Connection::ping).
    ///
    /// # Errors
    /// As there.
    pub async fn ping(&mut self) -> Result<()> {
        let wire = self.depart()?;
        let result = caught(wire.ping()).await.map_err(Failure::from);
        self.settle(result).await
    }

    /// As [`Connection::limit_locks`](crate::contract::Connection::limit_locks): the server counts in seconds.
    ///
    /// # Errors
    /// As there.
    pub async fn limit_locks(&mut self, limit: Option<Duration>) -> Result<()> {
        // For tables a year is the most, and for rows more than thirty.
        let seconds = limit.map_or(31_536_000, |limit| limit.as_millis().div_ceil(1000).max(1));
        let sql = format!("SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}");
        self.script(&sql).await
    }

    /// As [`Connection::lock`](crate::contract::Connection::lock).
    ///
    /// # Errors
    /// As there.
    pub async fn lock(&mut self, name: &str, wait: Duration) -> Result<()> {
        let until = Instant::now().checked_add(wait);
        let full = Value::Text(self.lock_name(name));
        loop {
            match self.ask_lock("SELECT GET_LOCK(?, 0)", &full).await? {
                Some(1) => return Ok(()),
                Some(_) if until.is_none_or(|until| Instant::now() < until) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Some(_) => {
                    return Err(Error::new(ErrorKind::LockTimeout, format!("another runner holds the lock `{name}`")));
                }
                None => {
                    return Err(Error::new(
                        ErrorKind::Database,
                        format!("the server could not take the lock `{name}`"),
                    ));
                }
            }
        }
    }

    /// As [`Connection::unlock`](crate::contract::Connection::unlock).
    ///
    /// # Errors
    /// As there, and when the lock was not held.
    pub async fn unlock(&mut self, name: &str) -> Result<()> {
        let full = Value::Text(self.lock_name(name));
        match self.ask_lock("SELECT RELEASE_LOCK(?)", &full).await? {
            Some(1) => Ok(()),
            _ => Err(Error::new(ErrorKind::Database, format!("the lock `{name}` was not held by this session"))),
        }
    }

    /// Lock names hold for the whole server, so the database is part of the name.
    fn lock_name(&self, name: &str) -> String {
        shorten(format!("covet:{}:{name}", self.settings.database.as_deref().unwrap_or_default()))
    }

    async fn ask_lock(&mut self, sql: &str, name: &Value) -> Result<Option<i64>> {
        let mut answer = None;
        let mut sink = |row: &mut Row<'_>| {
            answer = row.get(0, &ColumnType::I64)?;
            Ok(Flow::Continue)
        };
        self.run(Command { sql, args: &[name], reuse: Reuse::Keep }, &mut sink).await?;
        Ok(answer)
    }
}
