//! How a database is: whether it answers, how fast, its part in replication, and how the pool does.

use std::fmt;
use std::time::{Duration, Instant};

use covet_drivers::contract::{ServerInfo, Vitals};
use covet_drivers::pool::{Lease, PoolStatus};
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;

/// The longest that is waited for an answer, when the pool's own deadline is longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a database is. [`Db::health`] gives it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// How long one round trip took that does nothing; `None` when there was no answer.
    pub latency: Option<Duration>,
    /// Why there was no answer, or why the server did not tell how it is.
    pub error: Option<Error>,
    /// Product and version of the server that answered, or that did last.
    pub server: ServerInfo,
    /// Its part in replication, whether it takes writes, how far it is behind, what is free on its disk: as far as it
    /// tells.
    pub vitals: Vitals,
    /// The pool, just before it was asked for a connection.
    pub pool: PoolStatus,
}

impl Health {
    /// Whether the database answered and told how it is.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.error.is_none()
    }
}

impl Db {
    /// Asks the database how it is: one round trip that does nothing, whose time is the latency, and one or more that
    /// ask for its part in replication. Takes a connection of the pool, and at most five seconds. It never fails: what
    /// is wrong is part of the answer.
    ///
    /// ```no_run
    /// # async fn f(db: &covet_orm::Db) {
    /// let health = db.health().await;
    /// println!("{health}"); // PostgreSQL 15.20: 0.2 ms, primary; 1 of 10 connections (1 idle, 0 in use), 0 waiting
    /// if health.vitals.lag.is_some_and(|lag| lag.as_secs() > 30) { /* read elsewhere */ }
    /// # }
    /// ```
    ///
    /// SQL: none, and on PostgreSQL `SELECT pg_is_in_recovery(), …`, on MariaDB `SHOW ALL SLAVES STATUS` (the user needs
    /// `SLAVE MONITOR`, or the role is unknown), on MySQL `SHOW REPLICA STATUS`.
    pub async fn health(&self) -> Health {
        let pool = self.pool_status();
        let mut health = Health { latency: None, error: None, server: self.server(), vitals: Vitals::default(), pool };
        let examined = tokio::time::timeout(PATIENCE, self.examine(&mut health)).await;
        health.error = match examined {
            Ok(result) => result.err(),
            Err(_) => Some(Error::new(ErrorKind::Deadline, format!("there was no answer within {PATIENCE:?}"))),
        };
        health
    }

    async fn examine(&self, health: &mut Health) -> Result<()> {
        let mut lease = self.acquire().await?;
        lease.set_name("health");
        self.ask(&mut lease, health).await.inspect_err(|error| lease.report(error))
    }

    async fn ask(&self, lease: &mut Lease, health: &mut Health) -> Result<()> {
        let start = Instant::now();
        lease.ping().await?;
        health.latency = Some(start.elapsed());
        health.server = lease.server().clone();
        if let Some(probe) = self.backend().probe() {
            health.vitals = probe.vitals(&mut **lease).await?;
        }
        Ok(())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.server.product, self.server.version)?;
        match self.latency {
            Some(latency) => write!(f, "{:.1} ms, {}", latency.as_secs_f64() * 1000.0, self.vitals.role)?,
            None => f.write_str("no answer")?,
        }
        if let Some(lag) = self.vitals.lag {
            write!(f, ", {:.1} s behind", lag.as_secs_f64())?;
        }
        if let Some(error) = &self.error {
            write!(f, " ({error})")?;
        }
        write!(f, "; {}", self.pool)
    }
}
