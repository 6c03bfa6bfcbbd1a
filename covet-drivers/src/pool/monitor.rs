//! Looks after a pool from time to time: closes what is old, tests what was idle for long, keeps `min_size` open, and
//! reports who holds a connection for too long. One task a pool, begun with its first connection; it holds the pool
//! only while it works, and does a bounded amount of it each time.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::watch;

use crate::observe::Leak;
use crate::pool::counters::{CloseReason, Gauge};
use crate::pool::lend::Tested;
use crate::pool::seats::Seat;
use crate::pool::shared::Shared;

/// The most connections that are tested at a time.
const TESTS: usize = 8;
/// The most that are closed because they are old.
const CLOSINGS: usize = 32;
/// The most that are opened.
const OPENINGS: usize = 4;

/// The monitor's own view of its pool.
struct Monitor {
    pool: Weak<Shared>,
    ended: watch::Receiver<bool>,
}

impl Shared {
    /// Begins the monitor, unless it runs, has nothing to do, or there is no runtime for it yet.
    pub(super) fn start_monitor(self: &Arc<Self>) {
        if self.monitored.load(Relaxed) {
            return;
        }
        let limits = self.limits;
        let has_work =
            self.options.leak_after.is_some() || (!self.only && (limits.need_clock() || self.options.min_size > 0));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if has_work && !self.is_closed() && !self.monitored.swap(true, SeqCst) {
            let monitor = Monitor { pool: Arc::downgrade(self), ended: self.ended.subscribe() };
            runtime.spawn(monitor.run(self.options.monitor_interval));
        }
    }

    /// Opens connections until there are `min_size`, on a task of their own, unless somebody is at it.
    fn fill(self: &Arc<Self>) {
        if self.options.min_size == 0 {
            return;
        }
        let Ok(filling) = Arc::clone(&self.filling).try_lock_owned() else { return };
        let wanted = self.options.min_size.min(self.desk().seats.most);
        let missing = wanted.saturating_sub(self.counters.open() + self.counters.opening.load(Relaxed));
        // Where no seat is free, whoever has one opens what is missing.
        let seats: Vec<Seat> = (0..missing.min(OPENINGS)).map_while(|_| self.try_seat()).collect();
        if seats.is_empty() {
            return;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let seen = pool.gate.begun();
            // The gate has logged a failure and kept it for whoever borrows; the next turn tries again.
            drop(futures_util::future::join_all(seats.into_iter().map(|seat| pool.open(seat, seen))).await);
            drop(filling);
        });
    }

    /// Closes what is old, and gives what is to be tested.
    fn sweep(self: &Arc<Self>) -> Vec<(Tested<'_>, Seat)> {
        let now = Instant::now();
        let mut spare = self.counters.open().saturating_sub(self.options.min_size);
        let mut closings = CLOSINGS;
        let mut desk = self.desk();
        let closed = desk.end(|member| {
            let reason = if member.is_expired(now) {
                CloseReason::Lifetime
            } else if spare > 0 && member.is_idle_for_long(now) {
                CloseReason::Idle
            } else {
                return None;
            };
            closings = usize::checked_sub(closings, 1)?;
            spare = spare.saturating_sub(1);
            Some(reason)
        });
        let is_doubtful = desk.doubts(now);
        let tested = desk.take_with_seats(TESTS, is_doubtful);
        drop(desk);
        let tested = tested.into_iter().map(|member| (Tested::new(self, member), Seat::held(self))).collect();
        drop(closed);
        tested
    }

    /// Asks an idle connection whether it lives.
    async fn test(&self, mut tested: Tested<'_>, seat: Seat) {
        let Some(member) = &mut tested.member else { return };
        let _testing = Gauge::up(&self.counters, |counters| &counters.testing);
        self.counters.tests.fetch_add(1, Relaxed);
        let answer = tokio::time::timeout(self.ping_timeout(), member.connection.ping()).await;
        if matches!(answer, Ok(Ok(()))) && member.is_clean() {
            member.proven = Instant::now();
            tested.member.take().into_iter().for_each(|member| self.put(member));
        } else {
            drop(tested.fail(CloseReason::Dead, None));
            self.doubt();
        }
        drop(seat);
    }

    /// Reports each connection that has been lent for too long, once.
    fn report_leaks(&self) {
        let Some(limit) = self.options.leak_after else { return };
        let overdue = self.desk().holders.overdue(Instant::now(), limit);
        for holder in overdue {
            self.counters.leaks.fetch_add(1, Relaxed);
            let (database, who) = (self.target(), holder.place.to_string());
            tracing::warn!(
                target: "covet::pool",
                %database, holder = %who, held = ?holder.held,
                "a connection has been lent for longer than `leak_after`"
            );
            if let Some(observer) = &self.observer {
                observer.leak(&Leak { database: &database, holder: &who, held: holder.held });
            }
        }
    }
}

impl Monitor {
    async fn run(mut self, interval: std::time::Duration) {
        loop {
            let ended = tokio::time::timeout(interval, self.ended.changed()).await;
            let Some(pool) = self.pool.upgrade() else { return };
            if ended.is_ok() || pool.is_closed() {
                return;
            }
            pool.report_leaks();
            if !pool.only {
                let tests = pool.sweep().into_iter().map(|(tested, seat)| pool.test(tested, seat));
                futures_util::future::join_all(tests).await;
                pool.fill();
            }
        }
    }
}

impl Drop for Monitor {
    /// When its runtime ends, another may begin it anew.
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.monitored.store(false, SeqCst);
        }
    }
}
