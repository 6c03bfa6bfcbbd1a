//! Going over to another database: first everything that is lent comes back and nothing is lent, then nothing of the
//! database before is lent ever again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, watch};

use crate::contract::{Backend, Connection};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pool;
use crate::pool::counters::CloseReason;
use crate::pool::holders::in_words;
use crate::pool::lend::closed;
use crate::pool::member::Member;
use crate::pool::shared::{Home, Shared};

/// A pool that lends nothing and of which nothing is lent. It goes on when this is dropped, with the same database
/// unless it was [switched](Stopped::switch): whoever asked for a connection meanwhile has waited.
#[must_use = "the pool goes on when this is dropped"]
pub struct Stopped {
    pool: Arc<Shared>,
    /// One at a time.
    _one: OwnedMutexGuard<()>,
}

impl Pool {
    /// Lends nothing any more, and waits until everything that is lent has come back, or for so long.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holders, when something is lent still: the pool then goes on. `PoolClosed`;
    /// `Unsupported` for a database that goes with its connection.
    pub async fn stop(&self, deadline: Duration) -> Result<Stopped> {
        let shared = &self.shared;
        if shared.only {
            let target = shared.target();
            return Err(Error::unsupported("stopping the pool of a database that goes with its connection", &target));
        }
        let all_back = async {
            let one = Arc::clone(&shared.switching).lock_owned().await;
            let stopped = Stopped::begin(Arc::clone(shared), one);
            shared.all_back().await;
            stopped
        };
        let Ok(stopped) = tokio::time::timeout(deadline, all_back).await else {
            let holders = shared.holders();
            let held = if holders.is_empty() { "it is being opened".to_owned() } else { in_words(&holders) };
            let text = format!("connections were still in use after {deadline:?}: {held}");
            return Err(
                Error::new(ErrorKind::PoolTimeout, text).with_help("wait for longer, or end transactions sooner")
            );
        };
        if shared.is_closed() {
            return Err(closed());
        }
        Ok(stopped)
    }

    /// Tells when the pool has gone over to another database.
    #[must_use]
    pub fn switches(&self) -> Switches {
        Switches(self.shared.home.subscribe())
    }
}

impl Shared {
    /// Waits until nobody holds a seat, while nobody gets one.
    async fn all_back(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.desk().seats.are_free() {
                return;
            }
            emptied.await;
        }
    }
}

impl Stopped {
    fn begin(pool: Arc<Shared>, one: OwnedMutexGuard<()>) -> Self {
        pool.desk().seats.stopped = true;
        Stopped { pool, _one: one }
    }

    /// A connection to the database as it is so far, that was idle and answers now. It may be to another server than one
    /// that is opened now under the same name. It is closed when this is dropped.
    pub async fn idle(&self) -> Option<Idle> {
        // Whether it answers is asked as before it is lent.
        self.pool.doubt();
        let member = self.pool.take_ready().await.ok()??;
        Some(Idle { member: Some(member), pool: Arc::clone(&self.pool) })
    }

    /// The pool goes on with another database, to which one connection is open already. Connections to the database
    /// before are closed.
    ///
    /// # Errors
    /// `PoolClosed`, and nothing has changed.
    pub fn switch(self, backend: Arc<dyn Backend>, first: Box<dyn Connection>) -> Result<()> {
        let pool = &self.pool;
        if pool.is_closed() {
            return Err(closed());
        }
        let number = pool.home.borrow().number + 1;
        pool.gate.switch(backend.target());
        pool.home.send_replace(Home { backend, number });
        let strangers = {
            let mut desk = pool.desk();
            desk.seats.unpark();
            desk.switch(number)
        };
        drop(strangers);
        pool.put(Member::new(first, number, &pool.limits, Arc::clone(&pool.counters)));
        Ok(())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.pool.reseat(|desk| desk.seats.stopped = false);
    }
}

/// A connection that was taken out of a stopped pool.
pub struct Idle {
    member: Option<Box<Member>>,
    pool: Arc<Shared>,
}

impl Deref for Idle {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        match &self.member {
            Some(member) => &*member.connection,
            None => unreachable!("it is empty only while it is dropped"),
        }
    }
}

impl DerefMut for Idle {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.member {
            Some(member) => &mut *member.connection,
            None => unreachable!("it is empty only while it is dropped"),
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            // Whoever drains the pool is told.
            self.pool.close(member, CloseReason::Discarded);
        }
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Idle").field(&self.member).finish()
    }
}

/// Waits for a pool to go over to another database.
#[derive(Clone)]
pub struct Switches(watch::Receiver<Home>);

impl Switches {
    /// What the pool connects to.
    #[must_use]
    pub fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.0.borrow().backend)
    }

    /// Waits until the pool connects to something else than when this was asked last; for ever, when the pool is gone.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Switches").field(&self.backend().target()).finish()
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopped").field("pool", &self.pool).finish_non_exhaustive()
    }
}
