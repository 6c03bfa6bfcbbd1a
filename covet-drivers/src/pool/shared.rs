//! What all handles to one pool share.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::contract::{Backend, ConnectionState};
use crate::error::Result;
use crate::observe::Observer;
use crate::pool::counters::{CloseReason, Counters};
use crate::pool::desk::{Calls, Desk};
use crate::pool::gate::Gate;
use crate::pool::member::{Limits, Member};
use crate::pool::options::PoolOptions;
use crate::pool::seats::Seat;

/// The database of a pool.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) backend: Arc<dyn Backend>,
    /// Counts up with each other database; connections of an earlier one are not lent any more.
    pub(super) number: u64,
}

/// One pool.
pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// Where connections are opened, and how often that has changed.
    pub(super) home: watch::Sender<Home>,
    pub(super) options: PoolOptions,
    pub(super) limits: Limits,
    /// The database goes with its one connection, so that is never closed.
    pub(super) only: bool,
    pub(super) gate: Arc<Gate>,
    pub(super) counters: Arc<Counters>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// A connection was closed.
    pub(super) came_back: Notify,
    /// The pool is stopped, and nobody holds a seat.
    pub(super) emptied: Notify,
    /// Seats are set aside, and somebody waits to put them back.
    pub(super) parked: AtomicBool,
    /// Held by whoever opens connections up to `min_size`: two would open too many.
    pub(super) filling: Arc<tokio::sync::Mutex<()>>,
    /// Held by whoever has stopped the pool.
    pub(super) switching: Arc<tokio::sync::Mutex<()>>,
    pub(super) monitored: AtomicBool,
    /// The monitor ends when this says so, or is gone.
    pub(super) ended: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        mut options: PoolOptions,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Arc<Self>> {
        options.check()?;
        let most = backend.max_connections();
        if let Some(most) = most {
            options.max_size = options.max_size.min(most.max(1));
            options.min_size = options.min_size.min(options.max_size);
        }
        let only = most == Some(1);
        let limits = Limits::new(&options, only, backend.is_remote());
        let counters = Arc::<Counters>::default();
        Ok(Arc::new(Shared {
            desk: Mutex::new(Desk::new(options.max_size, limits, only, Arc::clone(&counters))),
            limits,
            only,
            gate: Arc::new(Gate::new(options.max_backoff, backend.target())),
            counters,
            observer,
            came_back: Notify::new(),
            emptied: Notify::new(),
            parked: AtomicBool::new(false),
            filling: Arc::default(),
            switching: Arc::default(),
            monitored: AtomicBool::new(false),
            ended: watch::Sender::new(false),
            home: watch::Sender::new(Home { backend, number: 0 }),
            options,
        }))
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.home.borrow().backend)
    }

    /// What it connects to, for messages.
    pub(super) fn target(&self) -> String {
        self.home.borrow().backend.target()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.desk().is_closed()
    }

    /// Tells whoever is to be told of what was done at the desk.
    #[inline]
    pub(super) fn call(&self, calls: Calls) {
        if let Some(waker) = calls.wake {
            waker.wake();
        }
        if calls.emptied {
            self.emptied.notify_waiters();
        }
    }

    /// A seat that is free now.
    pub(super) fn try_seat(self: &Arc<Self>) -> Option<Seat> {
        let taken = {
            let mut desk = self.desk();
            desk.lends() && desk.seats.take()
        };
        taken.then(|| Seat::held(self))
    }

    /// A seat comes back.
    pub(super) fn seat_back(&self) {
        let calls = self.desk().seat_back();
        self.call(calls);
    }

    /// Changes how many seats there are, and gives those that are free now to whoever waits.
    pub(super) fn reseat<T>(&self, change: impl FnOnce(&mut Desk) -> T) -> T {
        let (changed, served) = {
            let mut desk = self.desk();
            let changed = change(&mut desk);
            let served: Vec<Waker> = std::iter::from_fn(|| desk.serve()).collect();
            (changed, served)
        };
        served.into_iter().for_each(Waker::wake);
        changed
    }

    /// A borrower gives its connection back, clean.
    #[inline]
    pub(super) fn come_back(mut member: Box<Member>, mut seat: Seat, number: usize) {
        let pool = &seat.pool;
        let now = pool.limits.need_clock().then(Instant::now);
        if let Some(now) = now {
            member.touch(now);
        }
        let back = pool.desk().come_back(member, number, now);
        match back {
            Ok(calls) => {
                // First: it is not this one's any more, whatever a waker does.
                seat.pass_on();
                seat.pool.call(calls);
            }
            Err(member) => pool.closed(member),
        }
    }

    /// A connection becomes idle, or is closed if there is a reason to. Its seat is still held, or it needs none.
    pub(super) fn put(&self, member: Box<Member>) {
        let put = self.desk().put(member);
        if let Err(member) = put {
            self.closed(member);
        }
    }

    /// A connection that was opened becomes idle, unless there are enough by now: it may have been asked for when there
    /// were to be more.
    pub(super) fn put_new(&self, member: Box<Member>) {
        let put = {
            let mut desk = self.desk();
            desk.look_for_surplus();
            desk.put(member)
        };
        if let Err(member) = put {
            self.closed(member);
        }
    }

    /// Closes a connection that is not among the idle ones.
    pub(super) fn close(&self, mut member: Box<Member>, reason: CloseReason) {
        member.ends_for(reason);
        self.closed(member);
    }

    /// Closes a connection of which nobody knows what was left behind; or if there is no other the next borrower begins
    /// with the cleaning.
    pub(super) fn give_up(&self, member: Box<Member>, reason: CloseReason) {
        if self.keeps(&member) {
            self.put(member);
        } else {
            self.close(member, reason);
        }
    }

    /// Whether it is kept in whatever state it is, because the database would go with it.
    pub(super) fn keeps(&self, member: &Member) -> bool {
        self.only && member.connection.state() != ConnectionState::Broken
    }

    /// Closes a connection that has its reason, and tells whoever waits for that.
    fn closed(&self, member: Box<Member>) {
        drop(member);
        self.came_back.notify_waiters();
    }

    /// From now on connections that were last known to live before now are tested before they are lent.
    pub(super) fn doubt(&self) {
        self.desk().doubt();
    }

    /// How long a connection may take to answer a test.
    pub(super) fn ping_timeout(&self) -> Duration {
        self.options.ping_timeout.min(self.options.recycle_timeout)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("target", &self.target()).field("status", &self.status()).finish()
    }
}
