//! A connection of the pool, with what the pool knows of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::contract::{Connection, ConnectionState};
use crate::pool::counters::{CloseReason, Counters};
use crate::pool::options::PoolOptions;
use crate::pool::spread::shortened;

/// A connection of the pool. It is counted as closed when that is decided, and else when it is dropped.
pub(super) struct Member {
    pub(super) connection: Box<dyn Connection>,
    /// The number of the database that it was opened to.
    pub(super) home: u64,
    /// When its last borrower gave it back.
    pub(super) used: Instant,
    /// When it was last known to live.
    pub(super) proven: Instant,
    /// From then on it is not lent any more.
    expires: Option<Instant>,
    /// For how long it may be idle.
    idle: Option<Duration>,
    /// It was counted as closed.
    ends: bool,
    counters: Arc<Counters>,
}

impl Member {
    /// A connection that was opened just now.
    pub(super) fn new(
        connection: Box<dyn Connection>,
        home: u64,
        limits: &Limits,
        counters: Arc<Counters>,
    ) -> Box<Self> {
        let now = Instant::now();
        counters.opened();
        Box::new(Member {
            connection,
            home,
            used: now,
            proven: now,
            expires: limits.lifetime.and_then(|lifetime| now.checked_add(shortened(lifetime, 5))),
            idle: limits.idle.map(|idle| shortened(idle, 5)),
            ends: false,
            counters,
        })
    }

    /// Whether it is too old to be lent.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// Whether nobody has borrowed it for so long that there are connections enough.
    pub(super) fn is_idle_for_long(&self, now: Instant) -> bool {
        self.idle.is_some_and(|idle| now.saturating_duration_since(self.used) >= idle)
    }

    /// Whether the next borrower would find nothing of the last one.
    pub(super) fn is_clean(&self) -> bool {
        self.connection.state() == ConnectionState::Idle && !self.connection.is_dirty()
    }

    /// It came back from a borrower just now.
    pub(super) fn touch(&mut self, now: Instant) {
        (self.used, self.proven) = (now, now);
    }

    /// It is not one of the pool's any more, for this reason, and is closed when it is dropped.
    pub(super) fn ends_for(&mut self, reason: CloseReason) {
        if !self.ends {
            self.ends = true;
            self.counters.closed(reason);
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.ends_for(CloseReason::Dropped);
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

/// How old connections may grow, on this database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) idle: Option<Duration>,
    pub(super) lifetime: Option<Duration>,
    /// For how long an idle connection is believed to live; `None` for ever.
    pub(super) believed: Option<Duration>,
}

impl Limits {
    /// A connection that the database goes with has none.
    pub(super) fn new(options: &PoolOptions, only: bool, is_remote: bool) -> Self {
        Limits {
            idle: options.idle_timeout.filter(|_| !only),
            lifetime: options.max_lifetime.filter(|_| !only),
            believed: is_remote.then_some(options.ping_after),
        }
    }

    /// Whether it matters when a connection came back.
    pub(super) fn need_clock(&self) -> bool {
        self.idle.is_some() || self.lifetime.is_some() || self.believed.is_some()
    }
}
