//! What a connection has learned about the statements that it runs: where to start them.
//!
//! It is only about time. Whatever a text was taken for wrongly, it gives the same rows; a statement
//! that is short by mistake stops at the end of its budget, one that is long by mistake takes a detour.

use std::time::Duration;

use crate::contract::{Command, Reuse};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connect::Options;
use crate::sqlite::kind::{Kind, Reach, kind, reach};
use crate::value::Value;

/// Where a statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On the thread that polls the future.
    Here,
    /// On the connection's own thread.
    Thread,
}

/// The most rows that a statement on its caller's thread may have.
pub(super) const MANY: usize = 256;
/// How many texts a connection remembers. Two that meet in a place push each other out.
const PLACES: usize = 256;

/// Every so many times the clock is looked at around a read: two looks cost as much as a fiftieth of a read by key.
const SEEN: u8 = 8;

/// How long something takes, by experience. Waiting for a lock does not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Nanoseconds; 0 before the first time.
    average: u64,
    /// How often it ran lately without a look at the clock.
    unseen: u8,
    /// Whether it gave more rows than may be kept, the last time.
    many: bool,
}

impl Pace {
    /// It took so long, which is given back in nanoseconds, and gave so many rows.
    pub(super) fn learn(&mut self, took: Duration, rows: usize) -> u64 {
        let took = nanos(took).clamp(1, 1 << 40);
        self.average = if self.average == 0 { took } else { self.average - self.average / 4 + took / 4 };
        self.many = rows > MANY;
        took
    }

    /// It did not end within the budget, which is given back in nanoseconds.
    pub(super) fn overran(&mut self, budget: Duration) -> u64 {
        self.average = self.average.max(2 * long(budget));
        nanos(budget)
    }

    /// Whether the clock is to be looked at when it runs now: at first, and every few times.
    pub(super) fn is_due(&mut self) -> bool {
        self.unseen = (self.unseen + 1) % SEEN;
        self.unseen == 0 || self.average == 0
    }

    /// How long it takes, in nanoseconds; 0 before the first time.
    pub(super) fn average(self) -> u64 {
        self.average
    }

    /// Whether it ever ended.
    pub(super) fn is_known(self) -> bool {
        self.average != 0
    }

    /// Whether it is too long for the caller's thread.
    pub(super) fn is_long(self, budget: Duration) -> bool {
        self.average > long(budget) || self.many || budget.is_zero()
    }
}

/// In nanoseconds, by instructions of 64 bits alone; as many as fit.
pub(super) fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos().into())
}

/// The moving average above which a statement starts on the connection's thread, in nanoseconds: some way below the
/// budget, at which it would begin anew.
fn long(budget: Duration) -> u64 {
    nanos(budget) / 5 * 3
}

/// What is copied and written in one step of SQLite's machine, which nothing stops.
const LARGE: usize = 64 << 10;

/// Whether a statement has a value that takes long to store.
pub(super) fn is_large(command: &Command<'_>) -> bool {
    command.args.iter().any(|value| match value {
        Value::Text(text) | Value::Json(text) => text.len() > LARGE,
        Value::Bytes(bytes) => bytes.len() > LARGE,
        _ => false,
    })
}

/// What is known of a text.
#[derive(Debug)]
pub(super) struct Profile {
    sql: Box<str>,
    pub(super) kind: Kind,
    reach: Reach,
    /// Whether it, as a write, does no more than a handful of steps; `None` before SQLite was asked.
    pub(super) few_steps: Option<bool>,
    alone: Pace,
    /// As a write that is part of a transaction: it does not commit.
    inside: Pace,
}

impl Profile {
    fn new(sql: &str) -> Self {
        let (alone, inside) = (Pace::default(), Pace::default());
        Profile { sql: sql.into(), kind: kind(sql), reach: reach(sql), few_steps: None, alone, inside }
    }

    /// Its pace, in or outside of a transaction.
    pub(super) fn pace(&mut self, inside: bool) -> &mut Pace {
        if inside && self.kind == Kind::Write { &mut self.inside } else { &mut self.alone }
    }

    /// Where to start it.
    pub(super) fn place(&mut self, command: &Command<'_>, inside: bool, options: &Options) -> Place {
        let pace = *self.pace(inside);
        let here = command.reuse == Reuse::Keep
            && self.reach == Reach::Rows
            && !pace.is_long(options.inline_budget)
            && !is_large(command)
            && match self.kind {
                Kind::Read => true,
                // It cannot be interrupted there: that would end the transaction.
                Kind::Write if inside => self.few_steps == Some(true),
                Kind::Write => pace.is_known() || !options.syncs(),
                Kind::Other => false,
            };
        if here { Place::Here } else { Place::Thread }
    }
}

/// What is known of the texts that came lately.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    places: Vec<Option<Profile>>,
    /// Where the text is that came last.
    last: usize,
}

impl Profiles {
    /// The profile of a text.
    ///
    /// # Errors
    /// As [`slot`](Profiles::slot).
    pub(super) fn of(&mut self, sql: &str) -> Result<&mut Profile> {
        let slot = self.slot(sql)?;
        Ok(self.at(slot))
    }

    /// Where the profile of a text is until the next text is looked up.
    ///
    /// # Errors
    /// `Syntax` for a text with a NUL, behind which SQLite would read nothing.
    pub(super) fn slot(&mut self, sql: &str) -> Result<usize> {
        // Mostly a text comes again, and to compare it is less work than to find its place.
        if let Some(Some(profile)) = self.places.get(self.last)
            && *profile.sql == *sql
        {
            return Ok(self.last);
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let number = hash(sql) % PLACES;
        let Some(slot) = self.places.get_mut(number) else { unreachable!("a remainder is below its divisor") };
        match slot {
            Some(profile) if *profile.sql == *sql => {}
            _ if sql.contains('\0') => return Err(Error::new(ErrorKind::Syntax, "a statement with a NUL in it")),
            _ => *slot = Some(Profile::new(sql)),
        }
        self.last = number;
        Ok(number)
    }

    /// The profile that [`slot`](Profiles::slot) has found.
    pub(super) fn at(&mut self, slot: usize) -> &mut Profile {
        match self.places.get_mut(slot) {
            Some(Some(profile)) => profile,
            _ => unreachable!("a slot that was looked up is taken"),
        }
    }
}

/// Cheap, and nothing hangs on it: the texts themselves are compared.
fn hash(sql: &str) -> usize {
    let (words, rest) = sql.as_bytes().as_chunks::<8>();
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let sum = words.iter().fold(0, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)));
    usize::try_from(sum >> 48).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::{MANY, PLACES, Pace, Place, Profiles};
    use crate::contract::{Command, ConnectUrl, Reuse};
    use crate::sqlite::connect::Options;
    use crate::value::Value;

    fn options(syncs: bool) -> Options {
        let url: ConnectUrl = if syncs { "sqlite:x.db" } else { "sqlite:x.db?synchronous=off" }.parse().unwrap();
        Options::read(&url).unwrap()
    }

    fn place(profiles: &mut Profiles, sql: &str, inside: bool, syncs: bool) -> Place {
        let command = Command { sql, args: &[], reuse: Reuse::Keep };
        profiles.of(sql).unwrap().place(&command, inside, &options(syncs))
    }

    #[test]
    fn where_statements_start() {
        use Place::{Here, Thread};
        let mut profiles = Profiles::default();
        for (sql, alone, synced, inside) in [
            ("SELECT a FROM t", Here, Here, Here),
            ("WITH x AS (SELECT 1) SELECT * FROM x", Here, Here, Here),
            ("INSERT INTO t VALUES (1)", Here, Thread, Thread),
            ("DELETE FROM t WHERE a = 1", Here, Thread, Thread),
            ("DELETE FROM t", Thread, Thread, Thread),
            ("SELECT count(*) FROM t", Thread, Thread, Thread),
            ("SELECT count() FROM t", Thread, Thread, Thread),
            ("CREATE TABLE t (a)", Thread, Thread, Thread),
            ("PRAGMA optimize", Thread, Thread, Thread),
            ("VACUUM", Thread, Thread, Thread),
            ("ATTACH 'x' AS y", Thread, Thread, Thread),
            ("BEGIN", Thread, Thread, Thread),
        ] {
            assert_eq!(place(&mut profiles, sql, false, false), alone, "{sql}");
            assert_eq!(place(&mut profiles, sql, false, true), synced, "{sql}, synced");
            assert_eq!(place(&mut profiles, sql, true, false), inside, "{sql}, inside");
        }
        let sql = "SELECT a FROM t";
        let once = Command { sql, args: &[], reuse: Reuse::Once };
        assert_eq!(profiles.of(sql).unwrap().place(&once, false, &options(false)), Thread);
        let large = Value::Bytes(vec![0; 100_000]);
        let large = Command { sql, args: &[&large], reuse: Reuse::Keep };
        assert_eq!(profiles.of(sql).unwrap().place(&large, false, &options(false)), Thread);
        // What SQLite said, and what was learned.
        let sql = "INSERT INTO t VALUES (1)";
        profiles.of(sql).unwrap().few_steps = Some(true);
        assert_eq!(place(&mut profiles, sql, true, true), Here);
        profiles.of(sql).unwrap().pace(false).learn(Duration::from_micros(200), 0);
        assert_eq!(place(&mut profiles, sql, false, true), Here);
        profiles.of(sql).unwrap().pace(false).learn(Duration::from_millis(2), 0);
        assert_eq!(place(&mut profiles, sql, false, true), Thread);
        assert_eq!(place(&mut profiles, sql, true, true), Here, "the commit is no part of it there");
    }

    #[test]
    fn what_is_slow_once_gets_another_chance() {
        let mut pace = Pace::default();
        let budget = Duration::from_micros(500);
        pace.overran(budget);
        assert!(pace.is_long(budget));
        for _ in 0..10 {
            pace.learn(Duration::from_micros(20), 1);
        }
        assert!(!pace.is_long(budget));
        pace.learn(Duration::from_micros(20), MANY + 1);
        assert!(pace.is_long(budget));
        pace.learn(Duration::from_micros(20), MANY);
        assert!(!pace.is_long(budget));
        assert!(pace.is_long(Duration::from_micros(10)));
        assert!(Pace::default().is_long(Duration::ZERO));
    }

    #[test]
    fn any_number_of_texts_and_none_with_a_nul() {
        let mut profiles = Profiles::default();
        for number in 0..10 * PLACES {
            let sql = format!("DELETE FROM t{number}");
            assert_eq!(place(&mut profiles, &sql, false, false), Place::Thread);
            let sql = format!("SELECT {number}");
            assert_eq!(place(&mut profiles, &sql, false, false), Place::Here);
        }
        assert!(profiles.of("SELECT 1\0").is_err());
    }
}
