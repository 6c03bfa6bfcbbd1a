//! What a transaction may take of time.

use std::future::Future;
use std::time::{Duration, Instant};

use covet_drivers::{Error, ErrorKind, Result};

/// However late it is: so long a rollback is waited for, and a branch is told of its end.
const AT_LEAST: Duration = Duration::from_millis(250);

/// The moment, or a later one that leaves a server that is well its time.
pub(crate) fn at_least(ends: Instant) -> Instant {
    ends.max(Instant::now() + AT_LEAST)
}

/// Waits for something until the deadline; what is dropped then leaves nothing behind.
pub(crate) async fn in_time<T>(ends: Option<Instant>, future: impl Future<Output = T>) -> Result<T> {
    match ends {
        None => Ok(future.await),
        // Boxed: few have a deadline, and everybody would carry its room.
        Some(ends) => tokio::time::timeout_at(ends.into(), Box::pin(future)).await.map_err(|_| late()),
    }
}

#[cold]
pub(crate) fn late() -> Error {
    Error::new(ErrorKind::Deadline, "the transaction was not done within its deadline, and is rolled back")
}
