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
mod warm;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};

use crate::contract::{Backend, Connection, ConnectionState};
use crate::error::{Error, ErrorKind, Result};

pub use lease::Lease;
pub use options::PoolOptions;

use warm::Warm;

/// A pool of connections to one database. Cloning shares it.
#[derive(Clone)]
pub struct Pool {
    inner: managed::Pool<Source>,
    backend: Arc<dyn Backend>,
    options: PoolOptions,
    warm: Arc<Warm>,
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
        let source = Source {
            backend: Arc::clone(&backend),
            ping_after: options.ping_after,
            recycle_timeout: options.recycle_timeout,
        };
        let inner = managed::Pool::builder(source)
            .max_size(max_size)
            // The one used last: its statements are prepared and its caches warm, and the others may grow old.
            .queue_mode(managed::QueueMode::Lifo)
            .create_timeout(Some(options.connect_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "the pool cannot be built").with_source(error))?;
        let warm = Warm::new(backend.is_remote().then_some(options.ping_after));
        Ok(Pool { inner, backend, options, warm: Arc::new(warm) })
    }

    /// Borrows a connection, opening one when none is idle and there may be more.
    ///
    /// # Errors
    /// `PoolTimeout` when none came free in time, `PoolClosed`, and those of connecting.
    pub async fn acquire(&self) -> Result<Lease> {
        let only = self.backend.max_connections() == Some(1);
        let lease = |object| Lease::new(object, Arc::clone(&self.warm), self.options.recycle_timeout, only);
        if let Some(object) = self.warm.take() {
            return Ok(lease(object));
        }
        let waiting = self.warm.wait();
        // Somebody may have put one there before that was said.
        let again = self.warm.take();
        let got = match again {
            Some(object) => Ok(object),
            // Boxed: everybody who acquires would carry its room.
            None => Box::pin(self.get()).await,
        };
        drop(waiting);
        got.map(lease)
    }

    /// A connection of the pool underneath.
    async fn get(&self) -> Result<Object<Source>> {
        let mut get = pin!(self.inner.get());
        let got = match poll_fn(|context| Poll::Ready(get.as_mut().poll(context))).await {
            // Mostly a connection lies ready, and a timer would cost as much as taking it.
            Poll::Ready(got) => got,
            // One deadline over everything: waiting for a turn, finding idle connections dead, opening a new one.
            Poll::Pending => match tokio::time::timeout(self.options.acquire_timeout, get).await {
                Ok(got) => got,
                Err(_) => return Err(self.exhausted()),
            },
        };
        got.map_err(|error| match error {
            // Which of a program's databases it is must be said by whoever knows the URL.
            PoolError::Backend(error) => error.about(&self.backend.target()),
            PoolError::Timeout(_) => Error::new(
                ErrorKind::Unreachable,
                format!("no connection to {} within {:?}", self.backend.target(), self.options.connect_timeout),
            ),
            PoolError::Closed => Error::new(ErrorKind::PoolClosed, "the pool is closed"),
            error => Error::new(ErrorKind::Config, "the pool cannot lend a connection").with_source(error),
        })
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
        let idle = status.available + usize::from(self.warm.is_kept());
        PoolStatus { max_size: status.max_size, size: status.size, idle, waiting: status.waiting }
    }

    /// Closes the pool: idle connections end now, lent ones when they come back, and nobody gets another.
    pub fn close(&self) {
        self.inner.close();
        self.warm.close();
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
    ping_after: Duration,
    recycle_timeout: Duration,
}

impl managed::Manager for Source {
    type Type = Box<dyn Connection>;
    type Error = Error;

    async fn create(&self) -> Result<Self::Type> {
        self.backend.connect().await
    }

    async fn recycle(&self, connection: &mut Self::Type, metrics: &Metrics) -> RecycleResult<Error> {
        let stale = self.backend.is_remote() && metrics.last_used() > self.ping_after;
        if connection.state() == ConnectionState::Idle && !connection.is_dirty() && !stale {
            return Ok(());
        }
        // Boxed: it is rare, and everybody who acquires would carry its room.
        match tokio::time::timeout(self.recycle_timeout, Box::pin(make_ready(connection))).await {
            Ok(ready) => ready,
            Err(_) => Err(RecycleError::message("the connection could not be made ready in time")),
        }
    }
}

/// Makes sure that the next borrower finds nothing of the last one.
async fn make_ready(connection: &mut Box<dyn Connection>) -> RecycleResult<Error> {
    match connection.state() {
        ConnectionState::Broken => return Err(RecycleError::message("the connection is broken")),
        ConnectionState::InTransaction | ConnectionState::Failed => connection.rollback().await?,
        ConnectionState::Idle => {}
    }
    if connection.is_dirty() {
        connection.reset().await?;
    } else {
        connection.ping().await?;
    }
    Ok(())
}
