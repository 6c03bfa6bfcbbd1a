//! Whose turn it is to write: one writer of this process at a time, in the order in which they came.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, ErrorKind, Result};

/// The turns of one database. Cloning gives another handle to the same turns.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<Semaphore>);

/// The right to write; it ends with the value.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    /// Nobody writes yet.
    pub(super) fn new() -> Self {
        Turns(Arc::new(Semaphore::new(1)))
    }

    /// A turn, if it can be had at once.
    pub(super) fn try_take(&self) -> Option<Turn> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(|permit| Turn { _permit: permit })
    }

    /// Waits for a turn, at most until the deadline. Dropping the future gives the place up.
    pub(super) async fn take(&self, deadline: Instant) -> Result<Turn> {
        if let Some(turn) = self.try_take() {
            return Ok(turn);
        }
        let permit = tokio::time::timeout_at(deadline.into(), Arc::clone(&self.0).acquire_owned())
            .await
            .map_err(|_| {
                Error::new(ErrorKind::LockTimeout, "another writer of this process held the database for too long")
                    .with_help("make write transactions shorter, or raise `busy_timeout` in the connection URL")
            })?
            .map_err(|_| Error::new(ErrorKind::ConnectionLost, "the database is closed"))?;
        Ok(Turn { _permit: permit })
    }
}
