//! A line on a terminal that says how far a statement is that goes in batches.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::migrate::Batch;

/// How often it is written anew at most.
const EVERY: Duration = Duration::from_millis(100);

/// How wide the bar is.
const WIDTH: u64 = 30;

/// The line.
#[derive(Debug, Default)]
pub(super) struct Bar {
    /// When it was written, and when it began with how many rows.
    state: Mutex<Option<(Instant, Instant, u64)>>,
}

impl Bar {
    pub(super) fn show(&self, batch: &Batch<'_>) {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (written, begun, first) = state.unwrap_or((now.checked_sub(EVERY).unwrap_or(now), now, batch.rows));
        if batch.is_done {
            *state = None;
            // Whoever closes the standard error does not want to hear of it.
            let _ = write!(io::stderr(), "\r\x1b[2K");
            return;
        }
        if now.duration_since(written) < EVERY {
            return;
        }
        *state = Some((now, begun, first));
        let left = left(batch, first, now.duration_since(begun));
        let _ = write!(io::stderr(), "\r\x1b[2K{}{left}", line(batch));
    }
}

/// Bar, part and rows.
fn line(batch: &Batch<'_>) -> String {
    let total = batch.total.max(1);
    let full = usize::try_from(batch.rows.saturating_mul(WIDTH) / total).unwrap_or_default();
    let rest = usize::try_from(WIDTH).unwrap_or_default().saturating_sub(full);
    let percent = batch.rows.saturating_mul(100) / total;
    format!(
        "[{}{}] {percent} % of {}: {} of {} rows",
        "#".repeat(full),
        " ".repeat(rest),
        batch.table,
        batch.rows,
        batch.total
    )
}

/// How long it will take, as far as that can be told.
fn left(batch: &Batch<'_>, first: u64, took: Duration) -> String {
    let done = batch.rows.saturating_sub(first);
    if done == 0 {
        return String::new();
    }
    let millis = took.as_millis() * u128::from(batch.total.saturating_sub(batch.rows)) / u128::from(done);
    let seconds = millis / 1000;
    if seconds < 90 { format!(", {seconds} s left") } else { format!(", {} min left", seconds / 60) }
}

#[cfg(test)]
mod tests {
    use super::{left, line};
    use crate::migrate::Batch;

    #[test]
    fn says_how_far_it_is() {
        let batch = Batch { id: "1", statement: 1, table: "\"t\"", rows: 500, total: 2000, is_done: false };
        assert_eq!(line(&batch), "[#######                       ] 25 % of \"t\": 500 of 2000 rows");
        let took = std::time::Duration::from_secs(10);
        assert_eq!((left(&batch, 0, took), left(&batch, 500, took)), (", 30 s left".into(), String::new()));
        let empty = Batch { rows: 0, total: 0, ..batch };
        assert!(line(&empty).contains("0 % of"));
    }
}
