//! What all handles to one pool share, and the way of a connection: out of the pool underneath and back.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{self, Arc};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Object, Timeouts};
use futures_util::FutureExt as _;
use tokio::sync::{Mutex, Notify, watch};

use crate::contract::Backend;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Observer;
use crate::pool::counters::{CloseReason, Counters};
use crate::pool::gate::Gate;
use crate::pool::holders::Place;
use crate::pool::lease::Lease;
use crate::pool::member::{Limits, Member, Source};
use crate::pool::options::PoolOptions;
use crate::pool::seats::{Seat, Seats};
use crate::pool::warm::{Bar, Put, Warm};

/// Takes what the pool underneath has, or nothing.
const AT_ONCE: Timeouts = Timeouts { wait: Some(Duration::ZERO), create: None, recycle: None };

/// The database of a pool.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) backend: Arc<dyn Backend>,
    /// Counts up with each other database; connections of an earlier one are not lent any more.
    pub(super) number: u64,
}

/// One pool.
pub(super) struct Shared {
    /// Keeps idle connections, the one used last on top: its statements are prepared and its caches warm, and the
    /// others may grow old.
    pub(super) store: managed::Pool<Source>,
    /// Where connections are opened, and how often that has changed.
    pub(super) home: watch::Sender<Home>,
    pub(super) options: PoolOptions,
    pub(super) limits: Limits,
    /// The database goes with its one connection, so that is never closed.
    pub(super) only: bool,
    pub(super) warm: Warm,
    pub(super) seats: Seats,
    pub(super) gate: Arc<Gate>,
    pub(super) counters: Arc<Counters>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// A connection was closed, or came back to a pool that is closed.
    pub(super) came_back: Notify,
    /// There are more connections than there may be.
    pub(super) shrinking: AtomicBool,
    /// Seats are set aside, and somebody waits to put them back.
    pub(super) parked: AtomicBool,
    /// Microseconds after `began` at which a server was seen to be gone: connections that were last known to live
    /// before that are tested before they are lent.
    doubted: AtomicU64,
    began: Instant,
    /// Held by whoever opens connections up to `min_size`: two would open too many.
    pub(super) filling: Arc<Mutex<()>>,
    /// Held by whoever has stopped the pool.
    pub(super) switching: Arc<Mutex<()>>,
    /// One at a time: the seats, and the pool underneath.
    pub(super) resizing: sync::Mutex<()>,
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
        let store = managed::Pool::builder(Source::default())
            .max_size(options.max_size)
            .queue_mode(managed::QueueMode::Lifo)
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "the pool cannot be built").with_source(error))?;
        let only = most == Some(1);
        let limits = Limits::new(&options, only, backend.is_remote());
        Ok(Arc::new(Shared {
            store,
            limits,
            only,
            warm: Warm::new(limits),
            seats: Seats::new(options.max_size),
            gate: Arc::new(Gate::new(options.max_backoff, backend.target())),
            counters: Arc::default(),
            observer,
            came_back: Notify::new(),
            shrinking: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            doubted: AtomicU64::new(0),
            began: Instant::now(),
            filling: Arc::default(),
            switching: Arc::default(),
            resizing: sync::Mutex::default(),
            monitored: AtomicBool::new(false),
            ended: watch::Sender::new(false),
            home: watch::Sender::new(Home { backend, number: 0 }),
            options,
        }))
    }

    pub(super) fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.home.borrow().backend)
    }

    /// What it connects to, for messages.
    pub(super) fn target(&self) -> String {
        self.home.borrow().backend.target()
    }

    /// The connection that lies ready, if there is one.
    #[inline]
    pub(super) fn take_warm(self: &Arc<Self>, place: Place) -> Option<Lease> {
        let reject = |object| {
            self.put_by(object);
            self.seats.give();
        };
        let (object, number) = self.warm.take(place, reject)?;
        Some(Lease::new(object, Seat::held(self), number))
    }

    /// An idle connection, of those that the pool underneath keeps. The caller has a seat.
    pub(super) fn take_idle(&self) -> Option<Object<Source>> {
        // It never waits: there are at least as many slots as seats, and nothing is opened there. To wait for a slot
        // would be pending even so, once the task has used up its share of tokio's time.
        self.store.timeout_get(&AT_ONCE).now_or_never()?.ok()
    }

    /// An idle connection goes to the pool underneath, or is closed if there is a reason to. Its seat is still held: it is
    /// free only when the connection is there.
    pub(super) fn put_by(&self, object: Object<Source>) {
        let home = object.home;
        match self.reason_to_close(&object) {
            Some(reason) => self.close(object, reason),
            None => drop(object),
        }
        self.lies_there(home);
    }

    fn reason_to_close(&self, member: &Member) -> Option<CloseReason> {
        if self.seats.is_closed() {
            return Some(CloseReason::PoolClosed);
        }
        if self.only {
            return None;
        }
        if member.home != self.home.borrow().number {
            return Some(CloseReason::Switched);
        }
        if member.is_expired(Instant::now()) {
            return Some(CloseReason::Lifetime);
        }
        self.has_surplus().then_some(CloseReason::Resized)
    }

    /// Whether there are more connections than there may be, because the pool was made smaller or one was opened that
    /// is too many. From then on none passes from hand to hand, until [`has_surplus`](Shared::has_surplus) finds that there
    /// are no longer: a connection that is too many might lie idle for ever behind those.
    pub(super) fn looks_for_surplus(&self) -> bool {
        if self.counters.open() <= self.seats.most() {
            return false;
        }
        if !self.shrinking.swap(true, SeqCst) {
            self.warm.bar(Bar::Shrinking);
        }
        true
    }

    /// Whether there still are more connections than there may be. Finds out when there are no longer.
    pub(super) fn has_surplus(&self) -> bool {
        if !self.shrinking.load(SeqCst) {
            return false;
        }
        let surplus = self.counters.open() > self.seats.most();
        if !surplus && self.shrinking.swap(false, SeqCst) {
            self.warm.unbar(Bar::Shrinking);
            // Somebody may have made the pool smaller meanwhile, and have found that it was being looked at.
            return self.looks_for_surplus();
        }
        surplus
    }

    /// Closes a connection that is out of the pool underneath.
    pub(super) fn close(&self, object: Object<Source>, reason: CloseReason) {
        Object::take(object).close(reason);
        self.came_back.notify_waiters();
    }

    /// A connection that was opened becomes idle, unless there are enough by now: it may have been asked for when there
    /// were to be more, or when an idle one was on its way from one place to another.
    pub(super) fn shelve_new(&self, member: Box<Member>) {
        self.looks_for_surplus();
        self.shelve(member);
    }

    /// A connection that was opened or tested becomes idle.
    pub(super) fn shelve(&self, member: Box<Member>) {
        let home = member.home;
        match self.reason_to_close(&member) {
            Some(reason) => member.close(reason),
            None => self.store.manager().shelf().push_back(member),
        }
        self.lies_there(home);
    }

    /// The pool may have been closed, or gone over to another database, before a connection came to lie there.
    fn lies_there(&self, home: u64) {
        if self.seats.is_closed() {
            self.empty();
        } else if home != self.home.borrow().number {
            self.close_strangers();
        }
    }

    /// Closes idle connections to another database than the present one.
    pub(super) fn close_strangers(&self) {
        let home = self.home.borrow().number;
        let strangers = {
            let mut shelf = self.store.manager().shelf();
            let (kept, strangers) = shelf.drain(..).partition::<VecDeque<_>, _>(|member| member.home == home);
            *shelf = kept;
            strangers
        };
        let stored = self.store.retain(|member, _| member.home == home).removed;
        for member in strangers.into_iter().chain(stored) {
            member.close(CloseReason::Switched);
        }
    }

    /// Closes all idle connections of a closed pool.
    pub(super) fn empty(&self) {
        let (kept, passed) = self.warm.clear();
        for object in kept.into_iter().chain(passed) {
            self.close(object, CloseReason::PoolClosed);
        }
        let shelved: Vec<_> = self.store.manager().shelf().drain(..).collect();
        let stored = self.store.retain(|_, _| false).removed;
        for member in shelved.into_iter().chain(stored) {
            member.close(CloseReason::PoolClosed);
        }
    }

    /// From now on connections that were last known to live before now are tested before they are lent.
    pub(super) fn doubt(&self) {
        if self.limits.believed.is_none() {
            return;
        }
        self.doubted.store(self.micros(Instant::now()), SeqCst);
        self.clear_warm();
    }

    /// Whatever lies ready goes to the pool underneath, where it is looked at before it is lent.
    pub(super) fn clear_warm(&self) {
        self.put_below(self.warm.clear());
    }

    /// Connections go to the pool underneath: one with its seat, and others.
    pub(super) fn put_below(&self, (kept, others): (Option<Object<Source>>, Vec<Object<Source>>)) {
        for object in others {
            self.put_by(object);
        }
        if let Some(object) = kept {
            self.put_by(object);
            self.seats.give();
        }
    }

    /// Whether it is not certain that the connection lives.
    pub(super) fn is_doubtful(&self, member: &Member, now: Instant) -> bool {
        let Some(believed) = self.limits.believed else { return false };
        now.saturating_duration_since(member.proven) > believed
            || self.micros(member.proven) < self.doubted.load(SeqCst)
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }

    /// How long a connection may take to answer a test.
    pub(super) fn ping_timeout(&self) -> Duration {
        self.options.ping_timeout.min(self.options.recycle_timeout)
    }
}

/// A borrower gives its connection back, clean.
#[inline]
pub(super) fn come_back(object: Object<Source>, mut seat: Seat, number: usize) {
    match seat.pool.warm.put(object, number) {
        Put::Kept => seat.pass_on(),
        Put::Passed => {}
        // Either this one, or the one that lay there, whose seat is free instead of this one's.
        Put::Below(object) => seat.pool.put_by(object),
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("target", &self.target()).field("status", &self.status()).finish()
    }
}
