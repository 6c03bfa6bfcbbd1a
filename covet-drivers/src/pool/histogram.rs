//! How long it took, as a few numbers: counts of durations in classes that grow by a fifth.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Classes in each doubling.
const PARTS: u32 = 4;
/// Doublings of a microsecond: the last one ends at half an hour.
const DOUBLINGS: u32 = 31;
const CLASSES: usize = (PARTS * DOUBLINGS) as usize;

/// Counts of durations.
pub(super) struct Histogram([AtomicU64; CLASSES]);

/// How long borrowers waited that had to wait, until a connection was theirs: the rest found one ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitTimes {
    /// How many had to wait.
    pub count: u64,
    /// Half of them waited at most for so long; a fifth too much at most.
    pub p50: Duration,
    /// 95 of a hundred.
    pub p95: Duration,
    /// 99 of a hundred.
    pub p99: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The class of a duration: its doubling by the highest bit, and the part by the two bits below.
fn class(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1);
    let doubling = micros.ilog2();
    let below = micros - (1 << doubling);
    let part = (u128::from(below) * u128::from(PARTS)) >> doubling;
    let class = doubling * PARTS + u32::try_from(part).unwrap_or(PARTS - 1);
    usize::try_from(class).unwrap_or(CLASSES).min(CLASSES - 1)
}

/// Where a class ends.
fn end(class: usize) -> Duration {
    let class = u32::try_from(class).unwrap_or(u32::MAX);
    let (doubling, part) = (class / PARTS, class % PARTS);
    let start = 1_u64 << doubling.min(40);
    Duration::from_micros(start + (start * u64::from(part + 1)).div_ceil(u64::from(PARTS)))
}

impl Histogram {
    pub(super) fn add(&self, duration: Duration) {
        self.0[class(duration)].fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> WaitTimes {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let quantile = |percent: u64| {
            if count == 0 {
                return Duration::ZERO;
            }
            let wanted = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let found = counts.iter().position(|here| {
                seen += here;
                seen >= wanted
            });
            end(found.unwrap_or(CLASSES - 1))
        };
        WaitTimes { count, p50: quantile(50), p95: quantile(95), p99: quantile(99) }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_in_a_class_that_ends_a_little_later() {
        for micros in (1..2000).chain([10_000, 123_456, 30_000_000, 1_000_000_000]) {
            let duration = Duration::from_micros(micros);
            let end = end(class(duration));
            assert!(end >= duration, "{duration:?}: {end:?}");
            assert!(end.as_micros() as f64 <= micros as f64 * 1.26 + 1.0, "{duration:?}: {end:?}");
        }
        assert_eq!(class(Duration::ZERO), 0);
        assert_eq!(class(Duration::MAX), CLASSES - 1);
    }

    #[test]
    fn quantiles() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read(), WaitTimes::default());
        for millis in 1..=100 {
            histogram.add(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!(read.count, 100);
        for (quantile, millis) in [(read.p50, 50.0), (read.p95, 95.0), (read.p99, 99.0)] {
            let found = quantile.as_secs_f64() * 1000.0;
            assert!((millis..=millis * 1.26).contains(&found), "{millis}: {found}");
        }
    }
}
