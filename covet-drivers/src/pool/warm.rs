//! The connection that came back last, kept where the next borrower finds it without asking the pool.
//!
//! It saves most of what lending costs when nobody waits, which is most of the time. To the pool underneath it is
//! lent, and its seat is taken; so it must never lie here while somebody waits. Whoever is about to wait says so first
//! and looks here then, under the lock; whoever puts a connection here looks under the same lock whether somebody has
//! said so. One of them sees the other. The same word keeps this way closed while the pool is paused, shrinks or is
//! closed.
//!
//! While somebody waits, connections that come back lie beside it without a seat, for whoever gets the seat: that spares
//! them the way through the pool underneath, where they go when the monitor looks, or anybody else who wants to see
//! every idle connection.
//!
//! Who holds a connection is written down under the same lock, which is taken anyway.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use deadpool::managed::Object;

use crate::pool::holders::{Holders, Place};
use crate::pool::member::{Limits, Member, Source};

/// Room for one idle and clean connection, and the list of those that are lent.
pub(super) struct Warm {
    desk: Mutex<Desk>,
    limits: Limits,
    need_clock: bool,
    /// Borrowers that may wait, and others who keep this way closed.
    waiting: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Desk {
    /// With its seat.
    kept: Option<Object<Source>>,
    /// Without seats, the one used last on top.
    passed: Vec<Object<Source>>,
    pub(super) holders: Holders,
}

/// Why connections do not pass here.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Bar {
    /// Somebody may wait.
    Waiting = 1,
    /// The pool is paused.
    Paused = 1 << 32,
    /// There are more connections than there may be.
    Shrinking = 1 << 40,
    /// The pool is closed.
    Closed = 1 << 48,
}

/// The part of the count that is borrowers.
const WAITING: u64 = Bar::Paused as u64 - 1;

/// Where a connection went that came back.
pub(super) enum Put {
    /// It lies ready, and its seat with it.
    Kept,
    /// It is for whoever gets its seat.
    Passed,
    /// It, or the one that lay ready before, must go to the pool underneath.
    Below(Object<Source>),
}

/// Says that its borrower may wait.
pub(super) struct Waiting<'a>(&'a Warm);

impl Warm {
    pub(super) fn new(limits: Limits) -> Self {
        Warm { desk: Mutex::default(), limits, need_clock: limits.need_clock(), waiting: AtomicU64::new(0) }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the connection, if one is here that can be lent as it is; with the number of its holder. One that cannot is
    /// given to the pool underneath, to be looked after there.
    #[inline]
    pub(super) fn take(&self, place: Place, reject: impl FnOnce(Object<Source>)) -> Option<(Object<Source>, usize)> {
        let mut desk = self.desk();
        let object = desk.kept.take()?;
        let now = Instant::now();
        if !self.is_fresh(&object, now) {
            drop(desk);
            reject(object);
            return None;
        }
        let number = desk.holders.add(place, now);
        Some((object, number))
    }

    /// Lends a connection that was passed on to somebody who has a seat.
    pub(super) fn take_passed(&self, place: Place, now: Instant) -> Option<(Object<Source>, usize)> {
        let mut desk = self.desk();
        if !desk.passed.last().is_some_and(|object| self.is_fresh(object, now)) {
            return None;
        }
        let object = desk.passed.pop()?;
        let number = desk.holders.add(place, now);
        Some((object, number))
    }

    #[inline]
    fn is_fresh(&self, object: &Object<Source>, now: Instant) -> bool {
        let doubted = self.limits.believed.is_some_and(|lives| now.saturating_duration_since(object.proven) > lives);
        !doubted && !object.is_expired(now) && object.is_clean()
    }

    /// Takes a clean connection back.
    #[inline]
    pub(super) fn put(&self, mut object: Object<Source>, number: usize) -> Put {
        let mut is_expired = false;
        if self.need_clock {
            let now = Instant::now();
            object.used = now;
            object.proven = now;
            is_expired = object.is_expired(now);
        }
        let mut desk = self.desk();
        desk.holders.remove(number);
        let waiting = self.waiting.load(SeqCst);
        if waiting == 0 && !is_expired {
            return desk.kept.replace(object).map_or(Put::Kept, Put::Below);
        }
        if waiting < Bar::Paused as u64 && !is_expired {
            desk.passed.push(object);
            return Put::Passed;
        }
        Put::Below(object)
    }

    /// From now on and until the value is dropped, connections are left to those who wait. Also says whether nobody else
    /// waits: then one may have been put here before that was said, and must be looked for.
    pub(super) fn wait(&self) -> (Waiting<'_>, bool) {
        let before = self.waiting.fetch_add(Bar::Waiting as u64, SeqCst);
        (Waiting(self), before & WAITING == 0)
    }

    /// Whether connections do not pass here now.
    #[inline]
    pub(super) fn is_barred(&self) -> bool {
        self.waiting.load(SeqCst) > 0
    }

    /// Closes this way; each reason is lifted as often as it was given.
    pub(super) fn bar(&self, why: Bar) {
        self.waiting.fetch_add(why as u64, SeqCst);
    }

    /// Takes a reason back.
    pub(super) fn unbar(&self, why: Bar) {
        self.waiting.fetch_sub(why as u64, SeqCst);
    }

    /// All connections that are here: the one with its seat, and the others.
    pub(super) fn clear(&self) -> (Option<Object<Source>>, Vec<Object<Source>>) {
        let mut desk = self.desk();
        (desk.kept.take(), std::mem::take(&mut desk.passed))
    }

    /// All connections that are here without a seat.
    pub(super) fn clear_passed(&self) -> Vec<Object<Source>> {
        std::mem::take(&mut self.desk().passed)
    }

    /// As [`clear`](Warm::clear), but the one with its seat only if it is old.
    pub(super) fn clear_old(
        &self,
        is_old: impl FnOnce(&Member) -> bool,
    ) -> (Option<Object<Source>>, Vec<Object<Source>>) {
        let mut desk = self.desk();
        let old = desk.kept.take_if(|kept| is_old(kept));
        (old, std::mem::take(&mut desk.passed))
    }

    /// Borrowers that may wait.
    pub(super) fn waiting(&self) -> usize {
        usize::try_from(self.waiting.load(SeqCst) & WAITING).unwrap_or(usize::MAX)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.unbar(Bar::Waiting);
    }
}

impl fmt::Debug for Warm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm").field("desk", &self.desk()).field("waiting", &self.waiting()).finish()
    }
}
