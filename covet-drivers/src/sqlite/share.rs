//! A thread's time, shared with the other tasks that it polls.
//!
//! A statement on its caller's thread ends without a wait, and a loop of them would be one long poll, although
//! none of them is long. So each thread counts what such statements have taken, and whoever comes when a share
//! is used up lets the other tasks run first: before the next statement and not after the last one, so that
//! whoever is dropped there has lost nothing.
//!
//! Tokio's own budget would do, but it is paid in units, one call for each 4 µs.

use std::cell::Cell;
use std::time::Duration;

use crate::sqlite::pace::nanos;

thread_local! {
    /// In nanoseconds.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// A statement held this thread for so many nanoseconds.
pub(super) fn took(time: u64) {
    TAKEN.set(TAKEN.get().saturating_add(time));
}

/// Lets other tasks run, if statements have held the thread for as long as they may.
pub(super) async fn pause(share: Duration) {
    if TAKEN.get() > nanos(share) {
        TAKEN.set(0);
        tokio::task::yield_now().await;
    }
}
