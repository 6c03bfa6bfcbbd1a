//! The guard of a session: `default_transaction_read_only`, which lets the server refuse a write whose BEGIN failed.
//!
//! It is set by a BEGIN that is waited for anyway, and counts only once the server has confirmed it. A write
//! without a transaction lifts it, in the same flight. Setting and lifting are messages, 15 microseconds of work
//! each; a flight saves 3 microseconds of work on one machine, and a round trip of any length over a network. So the
//! guard is set only where transactions follow each other, the later the less the last one was worth.

use std::time::Duration;

/// How many transactions that begin with a write have to follow each other before the guard is set for the first time.
const FIRST: u32 = 2;
/// The most it can come to take.
const LATE: u32 = 64;
/// A server that answers BEGIN sooner than this is near, and waiting for it costs next to nothing.
const FAR: Duration = Duration::from_micros(100);
/// How many flights make up for setting and lifting the guard, when the server is near.
const WORTH: u32 = 10;

/// A change of the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// Sets it.
    Set,
    /// Lifts it, outside a transaction.
    Lift,
    /// Lifts it for what follows in an open transaction, and for the session if that commits.
    LiftWithin,
}

impl Switch {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Switch::Set => "SET default_transaction_read_only = on",
            Switch::Lift | Switch::LiftWithin => "RESET default_transaction_read_only",
        }
    }
}

/// The guard as far as it is known.
#[derive(Debug)]
pub(super) struct Guard {
    /// Never on a server or for a role whose own default is read only, on a standby, and behind a pooler.
    allowed: bool,
    standing: Standing,
    /// Transactions that began with a write, since the last write without one.
    row: u32,
    /// How many of them it takes.
    due: u32,
    /// Round trips that were saved since it was set.
    saved: u32,
    /// The shortest time that a BEGIN has been waited for.
    nearest: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Off,
    /// The server has confirmed it.
    On,
    Unsure,
    /// Off if the open transaction commits, on if not.
    Lifted,
}

impl Guard {
    pub(super) fn new(allowed: bool) -> Self {
        Guard { allowed, standing: Standing::Off, row: 0, due: FIRST, saved: 0, nearest: None }
    }

    /// Whether it is known to stand.
    pub(super) fn stands(&self) -> bool {
        self.standing == Standing::On
    }

    /// Whether it may stand.
    pub(super) fn may_stand(&self) -> bool {
        matches!(self.standing, Standing::On | Standing::Unsure)
    }

    /// Counts a transaction that begins with a write, and says whether the guard shall be set with it.
    pub(super) fn is_due(&mut self) -> bool {
        self.row = self.row.saturating_add(1);
        self.allowed && !self.stands() && self.row >= self.due
    }

    /// Counts a round trip saved.
    pub(super) fn served(&mut self) {
        self.saved = self.saved.saturating_add(1);
    }

    /// So long was a BEGIN waited for.
    pub(super) fn waited(&mut self, time: Duration) {
        self.nearest = Some(self.nearest.map_or(time, |nearest| nearest.min(time)));
    }

    /// A write without a transaction comes.
    pub(super) fn interrupted(&mut self) {
        self.row = 0;
    }

    /// Takes in what the server answered to a change.
    pub(super) fn switched(&mut self, switch: Switch, done: bool) {
        self.standing = match (switch, done) {
            (Switch::Set, true) => {
                self.saved = 0;
                Standing::On
            }
            (Switch::Lift, true) => {
                let worth = if self.nearest.is_some_and(|nearest| nearest >= FAR) { 1 } else { WORTH };
                self.due = if self.saved >= worth { self.due.div_ceil(2) } else { (self.due * 2).min(LATE) };
                Standing::Off
            }
            (Switch::LiftWithin, true) => Standing::Lifted,
            (Switch::Set | Switch::Lift, false) => Standing::Unsure,
            (Switch::LiftWithin, false) => self.standing,
        };
    }

    /// The transaction has committed.
    pub(super) fn committed(&mut self) {
        if self.standing == Standing::Lifted {
            self.standing = Standing::Off;
        }
    }

    /// The transaction has ended in another way, or a part of it was undone.
    pub(super) fn undone(&mut self) {
        if self.standing == Standing::Lifted {
            self.standing = Standing::Unsure;
        }
    }

    /// The session is as good as new.
    pub(super) fn forget(&mut self) {
        self.standing = Standing::Off;
        self.row = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Guard, Switch};

    /// So many transactions, and then a write without one: how many of them saved a round trip.
    fn saved(guard: &mut Guard, transactions: u32) -> u32 {
        let mut saved = 0;
        for _ in 0..transactions {
            if guard.stands() {
                guard.served();
                saved += 1;
            } else if guard.is_due() {
                guard.switched(Switch::Set, true);
            }
        }
        guard.interrupted();
        if guard.may_stand() {
            guard.switched(Switch::Lift, true);
        }
        saved
    }

    #[test]
    fn near_a_server_it_is_set_for_long_rows_of_transactions() {
        let mut guard = Guard::new(true);
        guard.waited(Duration::from_micros(20));
        guard.waited(Duration::from_millis(20));
        assert_eq!([1, 3, 3, 3, 5, 30, 30, 30].map(|row| saved(&mut guard, row)), [0, 1, 0, 0, 1, 22, 26, 28]);
        assert_eq!(saved(&mut Guard::new(false), 100), 0);
    }

    #[test]
    fn far_from_a_server_it_is_set_wherever_it_saves_a_round_trip() {
        let mut guard = Guard::new(true);
        guard.waited(Duration::from_micros(300));
        assert_eq!([1, 1, 3, 3, 3, 1, 1, 3, 3].map(|row| saved(&mut guard, row)), [0, 0, 1, 2, 2, 0, 0, 1, 2]);
    }

    #[test]
    fn what_is_not_confirmed_is_not_relied_on() {
        let mut guard = Guard::new(true);
        guard.switched(Switch::Set, false);
        assert!(!guard.stands() && guard.may_stand());
        guard.switched(Switch::Set, true);
        guard.switched(Switch::LiftWithin, true);
        assert!(!guard.may_stand());
        guard.undone();
        assert!(!guard.stands() && guard.may_stand());
        guard.switched(Switch::LiftWithin, true);
        guard.committed();
        assert!(!guard.may_stand());
    }
}
