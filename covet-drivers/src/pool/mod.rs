//! Lends connections: deadpool underneath, and around it the rule that a connection comes back
//! clean or not at all.
//!
//! * A connection that is broken or in doubt is closed when its [`Lease`] ends.
//! * One with an open transaction is rolled back at once, on a task of its own, so that it holds no
//!   lock while it waits for the next borrower; without a runtime to do so it is closed.
//! * One that a borrower left dirty is reset before it is lent again.
//! * One that was idle for long is asked whether it still lives.
//!
//! A clean connection costs no round trip, neither on the way out nor on the way back.

mod lease;
mod options;

use std::fmt;
use std::sync::Arc;

use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult, TimeoutType};

use crate::contract::{Backend, Connection, ConnectionState};
use crate::error::{Error, ErrorKind, Result};

pub use lease::Lease;
pub use options::PoolOptions;

/// A pool of connections to one database. Cloning shares it.
#[derive(Clone)]
pub struct Pool {
    inner: managed::Pool<Source>,
    backend: Arc<dyn Backend>,
    options: PoolOptions,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// The most there may be.
    pub max_size: usize,
    /// All there are.
    pub size: usize,
    /// Those that nobody has borrowed.
    pub idle: usize,
    /// Borrowers that wait.
    pub waiting: usize,
}

impl Pool {
    /// A pool that opens connections when they are wanted.
    ///
    /// # Errors
    /// `Config` when the options make no sense.
    pub fn new(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
        let max_size = backend.max_connections().map_or(options.max_size, |most| most.min(options.max_size));
        if max_size == 0 {
            return Err(Error::new(ErrorKind::Config, "a pool must allow at least one connection"));
        }
        let source = Source { backend: Arc::clone(&backend), ping_after: options.ping_after };
        let inner = managed::Pool::builder(source)
            .max_size(max_size)
            .wait_timeout(Some(options.acquire_timeout))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(options.recycle_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "the pool cannot be built").with_source(error))?;
        Ok(Pool { inner, backend, options })
    }

    /// Borrows a connection, opening one when none is idle and there may be more.
    ///
    /// # Errors
    /// `PoolTimeout` when none came free in time, `PoolClosed`, and those of connecting.
    pub async fn acquire(&self) -> Result<Lease> {
        // One deadline over everything: waiting for a turn, finding idle connections dead, opening a new one.
        let Ok(got) = tokio::time::timeout(self.options.acquire_timeout, self.inner.get()).await else {
            return Err(self.exhausted());
        };
        match got {
            Ok(object) => {
                let only = self.backend.max_connections() == Some(1);
                Ok(Lease::new(object, self.options.recycle_timeout, only))
            }
            // Which of a program's databases it is must be said by whoever knows the URL.
            Err(PoolError::Backend(error)) => Err(error.about(&self.backend.target())),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(self.exhausted()),
            Err(PoolError::Timeout(_)) => Err(Error::new(
                ErrorKind::Unreachable,
                format!("no connection to {} within {:?}", self.backend.target(), self.options.connect_timeout),
            )),
            Err(PoolError::Closed) => Err(Error::new(ErrorKind::PoolClosed, "the pool is closed")),
            Err(error) => Err(Error::new(ErrorKind::Config, "the pool cannot lend a connection").with_source(error)),
        }
    }

    /// What it connects to.
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// How many connections there are now.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let status = self.inner.status();
        PoolStatus { max_size: status.max_size, size: status.size, idle: status.available, waiting: status.waiting }
    }

    /// Closes the pool: idle connections end now, lent ones when they come back, and nobody gets another.
    pub fn close(&self) {
        self.inner.close();
    }

    #[cold]
    fn exhausted(&self) -> Error {
        let status = self.status();
        if status.idle > 0 || status.size < status.max_size {
            return Error::new(
                ErrorKind::PoolTimeout,
                format!(
                    "no connection to {} could be had within {:?}",
                    self.backend.target(),
                    self.options.acquire_timeout
                ),
            )
            .with_help("see whether the server answers; idle connections were found dead, or a new one took too long");
        }
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "no connection came free within {:?}: all {} are in use",
                self.options.acquire_timeout, status.size
            ),
        )
        .with_help("end transactions sooner, do not use `db` inside a transaction, or allow more connections")
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("target", &self.backend.target()).field("status", &self.status()).finish()
    }
}

/// Where deadpool gets its connections from.
#[derive(Debug)]
pub(crate) struct Source {
    backend: Arc<dyn Backend>,
    ping_after: std::time::Duration,
}

impl managed::Manager for Source {
    type Type = Box<dyn Connection>;
    type Error = Error;

    async fn create(&self) -> Result<Self::Type> {
        self.backend.connect().await
    }

    async fn recycle(&self, connection: &mut Self::Type, metrics: &Metrics) -> RecycleResult<Error> {
        match connection.state() {
            ConnectionState::Broken => return Err(RecycleError::message("the connection is broken")),
            ConnectionState::InTransaction | ConnectionState::Failed => connection.rollback().await?,
            ConnectionState::Idle => {}
        }
        if connection.is_dirty() {
            connection.reset().await?;
        } else if metrics.last_used() > self.ping_after {
            connection.ping().await?;
        }
        Ok(())
    }
}
