//! Chance that can be had again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Numbers that are the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// The seed that `COVET_SEED` says, or one of the clock.
    #[must_use]
    pub fn seed() -> u64 {
        let said = std::env::var("COVET_SEED").ok().and_then(|seed| seed.parse().ok());
        said.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ now.as_secs()
        })
    }

    /// A number below a bound.
    ///
    /// # Panics
    /// When the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).expect("a bound fits");
        usize::try_from((mixed ^ (mixed >> 31)) % bound).expect("it is below the bound")
    }

    /// A time between two, in milliseconds.
    pub fn millis(&mut self, least: usize, most: usize) -> Duration {
        let millis = least + self.below(most - least);
        Duration::from_millis(u64::try_from(millis).expect("a time fits"))
    }

    /// One of several things.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// What happens so many times in a hundred.
    pub fn percent(&mut self, times: usize) -> bool {
        self.below(100) < times
    }
}
