//! The connection that came back last, kept where the next borrower finds it without asking the pool.
//!
//! It saves most of what lending costs when nobody waits, which is most of the time. To the pool underneath it is
//! lent; so it must never lie here while somebody waits there. Whoever is about to wait says so first and looks here
//! then; whoever puts a connection here looks afterwards whether somebody has said so. One of them sees the other.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::Object;

use crate::contract::ConnectionState;
use crate::pool::Source;

/// Room for one idle and clean connection.
pub(super) struct Warm {
    /// And since when it is here, where that matters.
    kept: Mutex<Option<(Object<Source>, Option<Instant>)>>,
    /// For how long an idle connection is believed to live; `None` for ever.
    lives: Option<Duration>,
    /// Borrowers that the pool underneath may let wait, and one more for ever once it is closed.
    waiting: AtomicUsize,
}

/// Says that its borrower may wait.
pub(super) struct Waiting<'a>(&'a Warm);

impl Warm {
    pub(super) fn new(lives: Option<Duration>) -> Self {
        Warm { kept: Mutex::default(), lives, waiting: AtomicUsize::new(0) }
    }

    fn kept(&self) -> MutexGuard<'_, Option<(Object<Source>, Option<Instant>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, unless it was idle for too long; then the pool looks after it.
    pub(super) fn take(&self) -> Option<Object<Source>> {
        let (object, since) = self.kept().take()?;
        let old = match (since, self.lives) {
            (Some(since), Some(lives)) => since.elapsed() > lives,
            _ => false,
        };
        let usable = !old && object.state() == ConnectionState::Idle && !object.is_dirty();
        usable.then_some(object)
    }

    /// Keeps a clean connection, or gives it back to the pool underneath.
    pub(super) fn put(&self, object: Object<Source>) {
        if self.waiting.load(SeqCst) > 0 {
            return;
        }
        let before = self.kept().replace((object, self.lives.map(|_| Instant::now())));
        drop(before);
        if self.waiting.load(SeqCst) > 0 {
            let again = self.kept().take();
            drop(again);
        }
    }

    /// From now on and until the value is dropped, connections go back to the pool underneath.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, SeqCst);
        Waiting(self)
    }

    /// Keeps nothing any more.
    pub(super) fn close(&self) {
        self.waiting.fetch_add(1, SeqCst);
        let kept = self.kept().take();
        drop(kept);
    }

    /// Whether a connection is here.
    pub(super) fn is_kept(&self) -> bool {
        self.kept().is_some()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

impl fmt::Debug for Warm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm").field("kept", &self.is_kept()).field("waiting", &self.waiting).finish()
    }
}
