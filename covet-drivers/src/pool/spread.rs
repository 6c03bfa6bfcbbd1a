//! Chance, so that what began together does not end together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// The duration, shorter by a random part: at most one of so many.
pub(super) fn shortened(duration: Duration, of: u32) -> Duration {
    // The standard library's own randomness: its keys differ with each call.
    let random = RandomState::new().build_hasher().finish() % 1024;
    let most = duration / of;
    duration - most.mul_f64(random as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spread_over_a_fifth_and_never_longer() {
        let second = Duration::from_secs(1);
        let all: Vec<Duration> = (0..1000).map(|_| shortened(second, 5)).collect();
        let (least, most) =
            all.iter().fold((second, Duration::ZERO), |(least, most), one| (least.min(*one), most.max(*one)));
        assert!(least >= Duration::from_millis(800) && most <= second, "{least:?} to {most:?}");
        assert!(most - least > Duration::from_millis(150), "{least:?} to {most:?}");
    }
}
