//! How many may hold a connection. Whoever holds one, opens one or tests one holds a seat.
//!
//! Fewer seats than are held is no contradiction: whoever holds one keeps it, and nobody gets another until enough have
//! come back. Resizing, pausing and a server that has no more connections come to that.

use std::sync::Arc;

use crate::pool::shared::Shared;

/// The seats of a pool.
#[derive(Debug)]
pub(super) struct Seats {
    /// The most that there may be.
    pub(super) most: usize,
    /// Set aside for a while, because the server has no connection for them.
    pub(super) parked: usize,
    pub(super) paused: bool,
    /// Nobody gets one until the pool goes on, be it with another database.
    pub(super) stopped: bool,
    held: usize,
}

/// The right to hold one connection. It is free again when this is dropped.
pub(super) struct Seat {
    pub(super) pool: Arc<Shared>,
    /// Not when it was passed on with its connection.
    held: bool,
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Seats { most, parked: 0, paused: false, stopped: false, held: 0 }
    }

    /// How many there are.
    fn there(&self) -> usize {
        if self.is_halted() { 0 } else { self.most - self.parked }
    }

    /// Whether nobody is to get a connection now, with a seat or without.
    pub(super) fn is_halted(&self) -> bool {
        self.paused || self.stopped
    }

    /// Takes one that is free.
    pub(super) fn take(&mut self) -> bool {
        let is_free = self.held < self.there();
        if is_free {
            self.held += 1;
        }
        is_free
    }

    /// One comes back.
    pub(super) fn give(&mut self) {
        self.held -= 1;
    }

    /// Whether one that is held may go to somebody else as it is.
    pub(super) fn may_pass(&self) -> bool {
        self.held <= self.there()
    }

    /// Whether nobody holds one.
    pub(super) fn are_free(&self) -> bool {
        self.held == 0
    }

    /// Sets one aside until [`unpark`](Seats::unpark); the last one stays.
    pub(super) fn park(&mut self) {
        if self.most - self.parked > 1 {
            self.parked += 1;
        }
    }

    /// Puts back what was set aside.
    pub(super) fn unpark(&mut self) {
        self.parked = 0;
    }

    /// From now on there are at most so many.
    pub(super) fn resize(&mut self, most: usize) {
        self.most = most;
        self.parked = 0;
    }
}

impl Seat {
    /// One that was taken from the desk.
    pub(super) fn held(pool: &Arc<Shared>) -> Self {
        Seat { pool: Arc::clone(pool), held: true }
    }

    /// The seat comes back with its connection.
    pub(super) fn pass_on(&mut self) {
        self.held = false;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.held {
            self.pool.seat_back();
        }
    }
}
