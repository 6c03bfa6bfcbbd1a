//! Faults on request, for the tests of an application: what a network and a server do once a year, it meets in each run.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use covet_drivers::{Error, ErrorKind, Result};

/// The code of an error that was made here.
const CODE: &str = "buggify";

/// How often which fault happens to a statement or commit of a [`Db`](crate::Db): give it to
/// [`DbOptions::buggify`](crate::DbOptions::buggify). The errors are of the kinds that the real faults have, their code is
/// `buggify`, and what they say is true: a transaction whose commit is said not to have taken effect has not.
///
/// The faults are drawn from a seed: a program that asks the same questions in the same order meets the same ones.
///
/// ```
/// use covet_orm::{Buggify, DbOptions};
/// let faults = Buggify::from_env();
/// println!("faults of the seed {}; COVET_SEED={0} runs them again", faults.seed());
/// let options = DbOptions::new().buggify(faults);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Buggify {
    seed: u64,
    retryable: f64,
    lost: f64,
    unknown: f64,
    slow: f64,
    slowest: Duration,
}

impl Buggify {
    /// Faults of a seed: of a hundred statements five are slow (up to 20 ms), two fail so that running the transaction
    /// again may succeed, and one loses its connection; of a hundred commits ten have an unknown outcome.
    pub fn new(seed: u64) -> Self {
        Buggify { seed, retryable: 0.02, lost: 0.01, unknown: 0.1, slow: 0.05, slowest: Duration::from_millis(20) }
    }

    /// As [`new`](Buggify::new), with the seed of the variable `COVET_SEED`, or another one each time where it is not set
    /// to a number.
    pub fn from_env() -> Self {
        let asked = std::env::var("COVET_SEED").ok().and_then(|text| text.trim().parse().ok());
        Buggify::new(asked.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// No fault but those that are asked for.
    pub fn quiet(seed: u64) -> Self {
        Buggify { seed, retryable: 0.0, lost: 0.0, unknown: 0.0, slow: 0.0, slowest: Duration::ZERO }
    }

    /// The part of the statements and commits, 0 to 1, that fail as a serialization failure does: the transaction is rolled
    /// back, and can be run again.
    pub fn retryable(mut self, part: f64) -> Self {
        self.retryable = part;
        self
    }

    /// The part of the statements, 0 to 1, that lose their connection, half of them before they have run and half of them
    /// behind it.
    pub fn lost(mut self, part: f64) -> Self {
        self.lost = part;
        self
    }

    /// The part of the commits, 0 to 1, whose answer is lost: half of them have taken effect.
    pub fn unknown(mut self, part: f64) -> Self {
        self.unknown = part;
        self
    }

    /// The part of the statements, 0 to 1, that take longer, and how much longer at most.
    pub fn slow(mut self, part: f64, at_most: Duration) -> Self {
        (self.slow, self.slowest) = (part, at_most);
        self
    }

    /// The seed, to run the same faults again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// # Errors
    /// `Config` for a part that is none.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, part) in
            [("retryable", self.retryable), ("lost", self.lost), ("unknown", self.unknown), ("slow", self.slow)]
        {
            if !(0.0..=1.0).contains(&part) {
                let text = format!("the part of faults that are {name} is {part}, and not between 0 and 1");
                return Err(Error::new(ErrorKind::Config, text));
            }
        }
        Ok(())
    }
}

/// Draws the faults.
pub(crate) struct Faults {
    plan: Buggify,
    drawn: AtomicU64,
}

/// What happens to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementFault {
    /// It is not run, and running the transaction again may succeed.
    Retryable,
    /// The connection is lost before it is run.
    Lost,
    /// The connection is lost behind it.
    Unanswered,
}

/// What happens to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It does not take effect, and running the transaction again may succeed.
    Retryable,
    /// The answer is lost, and it has not taken effect.
    Lost,
    /// The answer is lost, and it has.
    Unanswered,
}

impl Faults {
    pub(crate) fn new(plan: Buggify) -> Self {
        Faults { plan, drawn: AtomicU64::new(0) }
    }

    /// The next number of the seed (SplitMix64), from 0 to 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits
    fn draw(&self) -> f64 {
        let number = self.drawn.fetch_add(1, Relaxed).wrapping_add(1);
        let mut bits = self.plan.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Takes some time, sometimes.
    pub(crate) async fn dawdle(&self) {
        if self.plan.slow > 0.0 && self.draw() < self.plan.slow {
            tokio::time::sleep(self.plan.slowest.mul_f64(self.draw())).await;
        }
    }

    pub(crate) fn of_statement(&self) -> Option<StatementFault> {
        let (retryable, lost) = (self.plan.retryable, self.plan.lost);
        match self.draw() {
            drawn if drawn < retryable => Some(StatementFault::Retryable),
            drawn if drawn < retryable + lost / 2.0 => Some(StatementFault::Lost),
            drawn if drawn < retryable + lost => Some(StatementFault::Unanswered),
            _ => None,
        }
    }

    pub(crate) fn of_commit(&self) -> Option<CommitFault> {
        let (retryable, unknown) = (self.plan.retryable, self.plan.unknown);
        match self.draw() {
            drawn if drawn < unknown / 2.0 => Some(CommitFault::Lost),
            drawn if drawn < unknown => Some(CommitFault::Unanswered),
            drawn if drawn < unknown + retryable => Some(CommitFault::Retryable),
            _ => None,
        }
    }
}

pub(crate) fn retryable() -> Error {
    Error::new(ErrorKind::Serialization, "the transaction could not be put in an order with others").with_code(CODE)
}

pub(crate) fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the connection broke").with_code(CODE)
}

pub(crate) fn unknown() -> Error {
    let text = "the connection broke while COMMIT was under way, and whether it took effect is not known";
    Error::new(ErrorKind::CommitUnknown, text).with_code(CODE)
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Buggify, Faults, StatementFault};

    #[test]
    fn a_seed_gives_the_same_faults_and_as_many_as_were_asked_for() {
        let plan = Buggify::quiet(7).retryable(0.2).lost(0.1);
        let draw = || {
            let faults = Faults::new(plan);
            (0..10_000).map(|_| faults.of_statement()).collect::<Vec<_>>()
        };
        let (one, two) = (draw(), draw());
        assert_eq!(one, two);
        let count = |which| one.iter().filter(|fault| **fault == which).count();
        assert!((1_800..2_200).contains(&count(Some(StatementFault::Retryable))));
        assert!((400..600).contains(&count(Some(StatementFault::Lost))));
        assert!((400..600).contains(&count(Some(StatementFault::Unanswered))));
        assert_ne!(one, (0..10_000).map(|_| Faults::new(Buggify::new(8)).of_statement()).collect::<Vec<_>>());
    }

    #[test]
    fn a_part_that_is_none_is_refused() {
        assert!(Buggify::new(1).lost(1.5).check().is_err());
        assert!(Buggify::new(1).unknown(f64::NAN).check().is_err());
        assert!(Buggify::new(1).check().is_ok());
    }
}
