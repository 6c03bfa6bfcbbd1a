//! What a pool counts. Nothing here is touched while a connection is lent that lies ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::pool::histogram::Histogram;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident, $text:literal;)+) => {
        /// Why a connection was closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum CloseReason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl CloseReason {
            /// All of them.
            pub const ALL: &'static [CloseReason] = &[$(CloseReason::$name,)+];

            /// The reason in words, lower case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(CloseReason::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// Its borrower left it broken or in doubt: the server ended the session, or a statement was dropped half-way.
    Broken, "broken";
    /// What its borrower left behind could not be undone in time.
    Unclean, "unclean";
    /// It did not answer when it was tested.
    Dead, "dead";
    /// Nobody had borrowed it for `idle_timeout`.
    Idle, "idle";
    /// It had reached `max_lifetime`.
    Lifetime, "lifetime";
    /// The pool was made smaller.
    Resized, "resized";
    /// Its borrower discarded it.
    Discarded, "discarded";
    /// The pool went over to another database.
    Switched, "switched";
    /// The pool was closed.
    PoolClosed, "pool closed";
    /// It went with the pool, the runtime or a borrower who gave up while it was tested.
    Dropped, "dropped";
}

/// How many there are of what, and how often what happened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    opened: AtomicU64,
    closed: [AtomicU64; CloseReason::ALL.len()],
    pub(super) failed: AtomicU64,
    pub(super) timeouts: AtomicU64,
    pub(super) leaks: AtomicU64,
    pub(super) tests: AtomicU64,
    /// Borrowers for whom a connection is tested or opened.
    pub(super) finding: AtomicUsize,
    /// Attempts to connect that are under way.
    pub(super) opening: AtomicUsize,
    /// Connections that are tested or made ready.
    pub(super) testing: AtomicUsize,
    /// Connections that are cleaned of what their borrower left behind.
    pub(super) returning: AtomicUsize,
    pub(super) waits: Histogram,
}

impl Counters {
    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(super) fn closed(&self, reason: CloseReason) {
        self.closed[reason as usize].fetch_add(1, Relaxed);
    }

    /// Connections that were opened so far.
    pub(super) fn all_opened(&self) -> u64 {
        self.opened.load(Relaxed)
    }

    /// Connections that were closed so far for this reason.
    pub(super) fn all_closed(&self, reason: CloseReason) -> u64 {
        self.closed[reason as usize].load(Relaxed)
    }

    /// Connections that are open, wherever they are.
    pub(super) fn open(&self) -> usize {
        // Closings first: what is opened meanwhile is counted, and never less than nothing comes out.
        let closed: u64 = self.closed.iter().map(|count| count.load(Relaxed)).sum();
        usize::try_from(self.all_opened().saturating_sub(closed)).unwrap_or(usize::MAX)
    }
}

/// One more of something, for as long as it lives.
#[derive(Debug)]
pub(super) struct Gauge {
    counters: Arc<Counters>,
    which: fn(&Counters) -> &AtomicUsize,
}

impl Gauge {
    pub(super) fn up(counters: &Arc<Counters>, which: fn(&Counters) -> &AtomicUsize) -> Self {
        which(counters).fetch_add(1, Relaxed);
        Gauge { counters: Arc::clone(counters), which }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        (self.which)(&self.counters).fetch_sub(1, Relaxed);
    }
}
