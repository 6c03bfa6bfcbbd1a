//! The one connection of a transaction, and who has it.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use covet_drivers::{Error, ErrorKind, Result};
use futures_util::future::{Either, select};
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::db::CommitToken;
use crate::db::transaction::State;

/// The one connection of a transaction, used by one statement at a time.
pub(crate) struct Open {
    pub(crate) state: Mutex<State>,
    /// A stream holds the state for as long as it lives: whoever waits for it might be the one who polls it.
    streaming: AtomicBool,
    /// Tells those who wait for the state that a stream has it now.
    streamed: Notify,
    /// What is written with the commit, so that its outcome can be asked for.
    pub(crate) token: Option<CommitToken>,
}

impl Open {
    pub(crate) fn new(state: State, token: Option<CommitToken>) -> Self {
        let (streaming, streamed) = (AtomicBool::new(false), Notify::new());
        Open { state: Mutex::new(state), streaming, streamed, token }
    }

    /// The state, for a statement.
    ///
    /// # Errors
    /// `InvalidInput` when a stream has it, or gets it first.
    pub(crate) async fn lock(&self) -> Result<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Ok(state),
            // Boxed: it is rare, and every statement would carry its room.
            Err(_) => Box::pin(self.wait()).await,
        }
    }

    /// Waits for the state until somebody streams: a stream keeps it, and may be polled no more before this one has run.
    async fn wait(&self) -> Result<MutexGuard<'_, State>> {
        let mut streamed = pin!(self.streamed.notified());
        // From here on it hears of a stream that begins, and below it sees one that has begun.
        streamed.as_mut().enable();
        if self.streaming.load(Ordering::Acquire) {
            return Err(streaming());
        }
        match select(pin!(self.state.lock()), streamed).await {
            Either::Left((state, _)) => Ok(state),
            Either::Right(_) => Err(streaming()),
        }
    }

    /// Says that a stream has the state, or has it no more.
    pub(crate) fn streams(&self, streams: bool) {
        self.streaming.store(streams, Ordering::Release);
        if streams {
            self.streamed.notify_waiters();
        }
    }
}

#[cold]
fn streaming() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "a stream of this transaction is open, and its connection does one thing at a time",
    )
    .with_help("collect the rows first, or end or drop the stream")
}
