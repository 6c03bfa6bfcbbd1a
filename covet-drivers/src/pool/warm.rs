//! The connection that came back last, kept where the next borrower finds it without asking the pool.
//!
//! It saves most of what lending costs when nobody waits, which is most of the time. To the pool underneath it is
//! lent, and its seat is taken; so it must never lie here while somebody waits. Whoever is about to wait says so first
//! and looks here then, under the lock; whoever puts a connection here looks under the same lock whether somebody has
//! said so. One of them sees the other. The same word keeps this way closed while the pool is paused, shrinks or is
//! closed.
//!
//! Who holds a connection is written down under the same lock, which is taken anyway.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use deadpool::managed::Object;

use crate::pool::holders::{Holders, Place};
use crate::pool::member::{Limits, Source};

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
    pub(super) kept: Option<Object<Source>>,
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

    fn is_fresh(&self, object: &Object<Source>, now: Instant) -> bool {
        let doubted = self.limits.believed.is_some_and(|lives| now.saturating_duration_since(object.proven) > lives);
        !doubted && !object.is_expired(now) && object.is_clean()
    }

    /// Keeps a clean connection that came back; or gives one back that the pool underneath must take: this one or the
    /// one that was here.
    pub(super) fn put(&self, mut object: Object<Source>, number: usize) -> Option<Object<Source>> {
        if self.need_clock {
            let now = Instant::now();
            object.used = now;
            object.proven = now;
            if object.is_expired(now) {
                self.desk().holders.remove(number);
                return Some(object);
            }
        }
        let mut desk = self.desk();
        desk.holders.remove(number);
        if self.waiting.load(SeqCst) > 0 {
            return Some(object);
        }
        desk.kept.replace(object)
    }

    /// From now on and until the value is dropped, connections go to the pool underneath.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.bar(Bar::Waiting);
        Waiting(self)
    }

    /// Closes this way; each reason is lifted as often as it was given.
    pub(super) fn bar(&self, why: Bar) {
        self.waiting.fetch_add(why as u64, SeqCst);
    }

    /// Takes a reason back.
    pub(super) fn unbar(&self, why: Bar) {
        self.waiting.fetch_sub(why as u64, SeqCst);
    }

    /// The connection, whoever asks.
    pub(super) fn clear(&self) -> Option<Object<Source>> {
        self.desk().kept.take()
    }

    /// Borrowers that may wait.
    pub(super) fn waiting(&self) -> usize {
        usize::try_from(self.waiting.load(SeqCst) & 0xffff_ffff).unwrap_or(usize::MAX)
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
