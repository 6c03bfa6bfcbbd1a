//! A pause between two attempts.

use std::time::Duration;

/// A pause that grows and is never the same, so that rivals do not meet again.
pub(crate) async fn pause(attempt: u32) {
    let most = 5_u64 << attempt.min(6);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    tokio::time::sleep(Duration::from_millis(1 + u64::from(nanos / 1_000) % most)).await;
}
