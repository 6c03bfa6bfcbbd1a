//! The handle to a database.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use covet_drivers::contract::{Backend, ConnectUrl, ServerInfo, adapter_for};
use covet_drivers::pool::{Drained, Lease, Pool, PoolOptions, PoolStatus};
use covet_drivers::render::Dialect;
use covet_drivers::{Capabilities, Observer, Result};

use crate::db::Executor;
#[cfg(feature = "buggify")]
use crate::db::buggify::{Buggify, Faults};
use crate::db::tally::Tally;

/// A database: a pool of connections, and everything that can be asked of it. Cloning shares it.
///
/// Whatever runs a statement takes `&db`; the same code takes `tx` inside a transaction.
///
/// ```no_run
/// # async fn f() -> covet_orm::Result<()> {
/// use covet_orm::prelude::*;
/// let db = Db::connect("sqlite::memory:").await?; // or postgres://…, mysql://…
/// # Ok(()) }
/// ```
pub struct Db {
    executor: Executor,
}

/// What all handles to one database share.
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) capabilities: Capabilities,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tally: Tally,
    #[cfg(feature = "buggify")]
    pub(crate) faults: Option<Faults>,
    server: RwLock<ServerInfo>,
    assume: Option<fn(&mut Capabilities)>,
}

impl Shared {
    /// What a server can do, or is taken for being able to.
    pub(crate) fn assumed(&self, capabilities: Capabilities) -> Capabilities {
        assumed(self.assume, capabilities)
    }

    pub(crate) fn set_server(&self, server: ServerInfo) {
        *self.server.write().unwrap_or_else(PoisonError::into_inner) = server;
    }
}

fn assumed(change: Option<fn(&mut Capabilities)>, mut capabilities: Capabilities) -> Capabilities {
    if let Some(change) = change {
        change(&mut capabilities);
    }
    capabilities
}

/// How a [`Db`] connects and what it tells.
///
/// ```
/// use covet_orm::DbOptions;
/// let options = DbOptions::new().max_connections(4).observe(|event: &covet_orm::Event<'_>| println!("{}", event.sql));
/// ```
#[derive(Clone, Default)]
pub struct DbOptions {
    pool: PoolOptions,
    observer: Option<Arc<dyn Observer>>,
    assume: Option<fn(&mut Capabilities)>,
    #[cfg(feature = "buggify")]
    faults: Option<Buggify>,
}

impl DbOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        DbOptions::default()
    }

    /// Sizes and deadlines of the pool.
    #[must_use]
    pub fn pool(mut self, pool: PoolOptions) -> Self {
        self.pool = pool;
        self
    }

    /// The most connections; 10 if not said, and always 1 for a database in memory.
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.pool.max_size = most;
        self
    }

    /// As many connections are kept open, and are opened before [`Db::connect_with`] returns; 0 if not said.
    #[must_use]
    pub fn min_connections(mut self, least: usize) -> Self {
        self.pool.min_size = least;
        self.pool.warm_up = true;
        self
    }

    /// How long a statement or transaction waits for a connection in all; 30 s if not said.
    #[must_use]
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.pool.acquire_timeout = limit;
        self
    }

    /// Tells every statement that has ended to an observer, and connections that are held for too long. Without one,
    /// nothing is measured, unless `tracing` listens to `covet::query` at the level debug.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes faults, for the tests of an application: retryable, unknown, slow and lost outcomes.
    #[cfg(feature = "buggify")]
    #[must_use]
    pub fn buggify(mut self, faults: Buggify) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Lets Covet take the server for one that can do less: to test what it does there.
    #[doc(hidden)]
    #[must_use]
    pub fn assume(mut self, change: fn(&mut Capabilities)) -> Self {
        self.assume = Some(change);
        self
    }
}

impl fmt::Debug for DbOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbOptions").field("pool", &self.pool).field("observed", &self.observer.is_some()).finish()
    }
}

impl Db {
    /// Connects to the database that the URL names, and makes sure that it answers.
    ///
    /// The URLs and their parameters are listed in `docs/urls.md`.
    ///
    /// # Errors
    /// `Config` for a URL that is wrong, `Unreachable`, `Authentication`, `UnknownDatabase`, `Tls`,
    /// `ServerVersion`.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, DbOptions::new()).await
    }

    /// As [`connect`](Db::connect), with options.
    ///
    /// # Errors
    /// As there.
    pub async fn connect_with(url: &str, options: DbOptions) -> Result<Self> {
        let url: ConnectUrl = url.parse()?;
        Self::open(adapter_for(url.scheme())?.open(&url)?, options).await
    }

    /// A database by a backend that is at hand.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn open(backend: Arc<dyn Backend>, options: DbOptions) -> Result<Self> {
        #[cfg(feature = "buggify")]
        if let Some(faults) = &options.faults {
            faults.check()?;
            tracing::warn!(target: "covet::buggify", seed = faults.seed(), "faults are made on request");
        }
        let dialect = backend.dialect();
        let warm_up = options.pool.warm_up;
        let pool = Pool::with_observer(backend, options.pool, options.observer.clone())?;
        let first = pool.acquire().await?;
        let capabilities = assumed(options.assume, *first.capabilities());
        let shared = Shared {
            dialect,
            capabilities,
            server: RwLock::new(first.server().clone()),
            assume: options.assume,
            tally: Tally::default(),
            #[cfg(feature = "buggify")]
            faults: options.faults.map(Faults::new),
            observer: options.observer,
            pool: pool.clone(),
        };
        drop(first);
        if warm_up {
            pool.warm_up().await?;
        }
        Ok(Db { executor: Executor::pool(Arc::new(shared)) })
    }

    /// The same database by connections of its own, at most so many, which are waited for no longer than this; told to
    /// the same observer. For what must not wait for a connection that its own caller holds.
    pub(crate) async fn beside(&self, most: usize, wait: Duration) -> Result<Self> {
        let pool = PoolOptions { max_size: most, acquire_timeout: wait, ..PoolOptions::default() };
        let options = DbOptions { pool, observer: self.shared().observer.clone(), ..DbOptions::default() };
        Self::open(self.backend(), options).await
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.executor.shared()
    }

    /// Borrows a connection for what Covet has no words for. The place of the call is what errors name that tell who
    /// holds connections.
    ///
    /// # Errors
    /// `PoolTimeout`, `PoolClosed`, and those of connecting.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Lease>> + Send + use<'_> {
        self.shared().pool.acquire()
    }

    /// The pool itself: who holds connections, and what else it can do.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.shared().pool
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Arc<dyn Backend> {
        self.shared().pool.backend()
    }

    /// Product and version of the server.
    #[must_use]
    pub fn server(&self) -> ServerInfo {
        self.shared().server.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What this server can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.shared().capabilities
    }

    /// How many connections there are now, and what has happened in the pool so far.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        self.shared().pool.status()
    }

    /// One round trip that does nothing.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn ping(&self) -> Result<()> {
        self.acquire().await?.ping().await
    }

    /// Allows another number of connections from now on. Idle ones that are too many are closed now, those in use when
    /// they come back.
    ///
    /// # Errors
    /// `Config` for 0, for less than the pool's `min_size`, and for more than one connection to a database in memory.
    pub fn resize(&self, max_connections: usize) -> Result<()> {
        self.shared().pool.resize(max_connections)
    }

    /// Lends no connection until [`resume`](Db::resume): statements and transactions that begin wait, in their order and
    /// within their deadlines; those under way are not touched.
    pub fn pause(&self) {
        self.shared().pool.pause();
    }

    /// Lends connections again.
    pub fn resume(&self) {
        self.shared().pool.resume();
    }

    /// Closes the database: idle connections end now, lent ones when they come back.
    pub fn close(&self) {
        self.shared().pool.close();
    }

    /// Closes the database and waits until what is under way has ended, or for so long. Whatever begins meanwhile, or
    /// waits for a connection, is told that the pool is closed.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.shared().pool.drain(deadline).await
    }
}

impl Clone for Db {
    fn clone(&self) -> Self {
        Db { executor: Executor::pool(Arc::clone(self.executor.shared_arc())) }
    }
}

impl Deref for Db {
    type Target = Executor;

    fn deref(&self) -> &Executor {
        &self.executor
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("server", &self.server()).field("pool", &self.shared().pool).finish()
    }
}
