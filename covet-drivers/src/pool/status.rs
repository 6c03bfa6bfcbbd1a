//! What a pool says of itself.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use crate::pool::counters::CloseReason;
use crate::pool::histogram::WaitTimes;
use crate::pool::holders::Holder;
use crate::pool::shared::Shared;

/// A pool at one moment: how many connections there are of what, and what has happened since the pool was made. The
/// numbers are read one after the other, so under load they may differ by what happens meanwhile.
///
/// A connection is opened, then idle, in use, returning (cleaned of what its borrower left behind, where there is
/// something) or tested, in turn, and is closed in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The most connections that there may be.
    pub max_size: usize,
    /// As many are kept open.
    pub min_size: usize,
    /// Connections that are open, in whatever state.
    pub size: usize,
    /// Those that nobody has borrowed.
    pub idle: usize,
    /// Those that are lent.
    pub in_use: usize,
    /// Those that are tested, or made ready for the next borrower.
    pub testing: usize,
    /// Those that are cleaned of what their borrower left behind.
    pub returning: usize,
    /// Connections that are being opened; `size` does not count them.
    pub opening: usize,
    /// Borrowers that wait.
    pub waiting: usize,
    /// Whether the pool lends nothing for now.
    pub paused: bool,
    /// Whether the pool is closed.
    pub closed: bool,
    /// How often a connection was lent.
    pub lent: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// Attempts to open one that failed.
    pub failed: u64,
    /// Idle connections that were asked whether they live.
    pub tests: u64,
    /// Borrowers whose `acquire_timeout` ended.
    pub timeouts: u64,
    /// Connections that were lent for longer than `leak_after`.
    pub leaks: u64,
    /// How long borrowers waited that had to wait.
    pub waits: WaitTimes,
    closings: [u64; CloseReason::ALL.len()],
}

impl PoolStatus {
    /// Connections that were closed for this reason.
    #[must_use]
    pub fn closed_for(&self, reason: CloseReason) -> u64 {
        self.closings[reason as usize]
    }

    /// Connections that were closed.
    #[must_use]
    pub fn closings(&self) -> u64 {
        self.closings.iter().sum()
    }
}

impl fmt::Display for PoolStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} connections ({} idle, {} in use), {} waiting",
            self.size, self.max_size, self.idle, self.in_use, self.waiting
        )
    }
}

impl Shared {
    pub(super) fn status(&self) -> PoolStatus {
        let counters = &*self.counters;
        let desk = self.desk();
        let (in_use, lent) = (desk.holders.count(), desk.holders.lent());
        let (waiting, closed) = (desk.waiting(), desk.is_closed());
        let (max_size, paused) = (desk.seats.most, desk.seats.paused);
        drop(desk);
        let size = counters.open();
        let (testing, returning) = (counters.testing.load(Relaxed), counters.returning.load(Relaxed));
        PoolStatus {
            max_size,
            min_size: self.options.min_size,
            size,
            idle: size.saturating_sub(in_use + testing + returning),
            in_use,
            testing,
            returning,
            opening: counters.opening.load(Relaxed),
            waiting: waiting + counters.finding.load(Relaxed),
            paused,
            closed,
            lent,
            opened: counters.all_opened(),
            failed: counters.failed.load(Relaxed),
            tests: counters.tests.load(Relaxed),
            timeouts: counters.timeouts.load(Relaxed),
            leaks: counters.leaks.load(Relaxed),
            waits: counters.waits.read(),
            closings: std::array::from_fn(|at| {
                CloseReason::ALL.get(at).map_or(0, |reason| counters.all_closed(*reason))
            }),
        }
    }

    /// Who holds a connection, the longest first.
    pub(super) fn holders(&self) -> Vec<Holder> {
        let mut list = self.desk().holders.list(Instant::now());
        list.sort_by_key(|holder| std::cmp::Reverse(holder.held));
        list
    }
}
