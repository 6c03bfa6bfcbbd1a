//! Who may hold a connection: as many seats as the pool may have connections, given out in the order of asking.
//!
//! Whoever holds a connection, opens one or tests one holds a seat. The pool underneath has slots of its own, but it
//! cannot take away one that it has not filled yet; here that is what resizing, pausing and a server that has no more
//! connections come to. A seat that is to vanish while somebody holds it is *owed*: it vanishes when it comes back.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use crate::pool::shared::Shared;

/// The seats of a pool.
pub(super) struct Seats {
    free: Semaphore,
    plan: Mutex<Plan>,
    /// A copy of what the plan says, to look at without the lock.
    owed: AtomicUsize,
    /// Nobody holds a seat, and there is none.
    emptied: Notify,
}

struct Plan {
    /// The most that there may be.
    most: usize,
    /// Set aside for a while, because the server has no connection for them.
    parked: usize,
    paused: bool,
    /// Nobody gets one until the pool goes on, be it with another database.
    stopped: bool,
    /// Those that there are, free and held, the owed ones included.
    there: usize,
}

/// Takes away a free seat that is owed.
struct Settles<'a>(&'a Seats);

impl Drop for Settles<'_> {
    fn drop(&mut self) {
        if self.0.owed.load(SeqCst) > 0 {
            self.0.settle(&mut self.0.plan());
        }
    }
}

/// The right to hold one connection. It is free again when this is dropped.
pub(super) struct Seat {
    pub(super) pool: Arc<Shared>,
    /// Not when the seat was passed on with its connection, or is no more.
    held: bool,
}

/// The pool is closed.
pub(super) struct Closed;

impl Plan {
    fn wanted(&self) -> usize {
        if self.is_halted() { 0 } else { self.most - self.parked }
    }

    fn is_halted(&self) -> bool {
        self.paused || self.stopped
    }
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        let plan = Plan { most, parked: 0, paused: false, stopped: false, there: most };
        Seats { free: Semaphore::new(most), plan: Mutex::new(plan), owed: AtomicUsize::new(0), emptied: Notify::new() }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn.
    pub(super) async fn take(pool: &Arc<Shared>) -> Result<Seat, Closed> {
        // Dropped after the wait: a seat that has been given to it already goes back without anybody else hearing of it.
        let _settles = Settles(&pool.seats);
        match pool.seats.free.acquire().await {
            Ok(permit) => {
                permit.forget();
                Ok(Seat::held(pool))
            }
            Err(_) => Err(Closed),
        }
    }

    /// A seat that is free now.
    pub(super) fn try_take(pool: &Arc<Shared>) -> Option<Seat> {
        let permit = pool.seats.free.try_acquire().ok()?;
        permit.forget();
        Some(Seat::held(pool))
    }

    /// A seat comes back.
    pub(super) fn give(&self) {
        if self.owed.load(SeqCst) > 0 && self.pay() {
            return;
        }
        self.free.add_permits(1);
        // Whoever took seats away just now may have come too late for this one.
        if self.owed.load(SeqCst) > 0 {
            self.settle(&mut self.plan());
        }
    }

    fn pay(&self) -> bool {
        let mut plan = self.plan();
        let owes = plan.there > plan.wanted();
        if owes {
            plan.there -= 1;
        }
        self.tell(&plan);
        owes
    }

    /// Makes as many as are wanted, as far as that goes now.
    fn settle(&self, plan: &mut Plan) {
        let wanted = plan.wanted();
        if wanted > plan.there {
            self.free.add_permits(wanted - plan.there);
            plan.there = wanted;
        } else if wanted < plan.there {
            // Said first, so that a seat that comes back meanwhile is not missed.
            self.tell(plan);
            plan.there -= self.free.forget_permits(plan.there - wanted);
        }
        self.tell(plan);
    }

    fn tell(&self, plan: &Plan) {
        self.owed.store(plan.there.saturating_sub(plan.wanted()), SeqCst);
        if plan.there == 0 {
            self.emptied.notify_waiters();
        }
    }

    /// From now on there are at most so many.
    pub(super) fn resize(&self, most: usize) {
        let mut plan = self.plan();
        plan.most = most;
        plan.parked = 0;
        self.settle(&mut plan);
    }

    /// From now on nobody gets one, or everybody in turn. Whether that is news.
    pub(super) fn pause(&self, paused: bool) -> bool {
        let mut plan = self.plan();
        let changes = plan.paused != paused;
        plan.paused = paused;
        self.settle(&mut plan);
        changes
    }

    /// From now on nobody gets one, or everybody in turn.
    pub(super) fn stop(&self, stopped: bool) {
        let mut plan = self.plan();
        plan.stopped = stopped;
        self.settle(&mut plan);
    }

    /// Waits until nobody holds a seat, while nobody gets one.
    pub(super) async fn all_back(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.plan().there == 0 {
                return;
            }
            emptied.await;
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.plan().paused
    }

    /// Whether nobody is to get a connection now, with a seat or without.
    pub(super) fn is_halted(&self) -> bool {
        self.plan().is_halted()
    }

    /// The most that there may be.
    pub(super) fn most(&self) -> usize {
        self.plan().most
    }

    /// Sets a seat aside until [`unpark`](Seats::unpark); the last one stays.
    pub(super) fn park(&self, mut seat: Seat) {
        let mut plan = self.plan();
        if plan.most - plan.parked > 1 {
            plan.parked += 1;
            plan.there -= 1;
            seat.held = false;
            self.tell(&plan);
        }
        // The seat may be given back when it is dropped, which takes the lock.
        drop(plan);
        drop(seat);
    }

    /// Puts back what was set aside.
    pub(super) fn unpark(&self) {
        let mut plan = self.plan();
        plan.parked = 0;
        self.settle(&mut plan);
    }

    /// Whoever waits is told that the pool is closed.
    pub(super) fn close(&self) {
        self.free.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.free.is_closed()
    }
}

impl Seat {
    /// The seat of a connection that was taken together with it.
    pub(super) fn held(pool: &Arc<Shared>) -> Self {
        Seat { pool: Arc::clone(pool), held: true }
    }

    /// The seat goes with its connection, and comes back with it.
    pub(super) fn pass_on(&mut self) {
        self.held = false;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.held {
            self.pool.seats.give();
        }
    }
}
