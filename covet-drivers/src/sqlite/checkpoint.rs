//! Checkpoints of the write-ahead log: on the thread of a connection that has just written, never
//! inside a commit.
//!
//! The connection keeps its turn to write meanwhile. Without that pause the log would never be copied
//! as a whole, and so never begin anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::session::Session;
use crate::sqlite::turns::Turn;

/// So many pages of the log after a checkpoint comes the next one.
const PAGES: u32 = 1000;

/// The write-ahead log of one database, as all its connections of this process see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<AtomicU32>);

impl Log {
    /// Whether a log of so many pages wants a checkpoint.
    fn is_due(&self, pages: u32) -> bool {
        let mut last = self.0.load(Relaxed);
        if pages < last {
            // It has begun anew.
            last = 0;
            self.0.store(0, Relaxed);
        }
        pages >= last.saturating_add(PAGES)
    }

    /// A checkpoint found so many pages. What it could not copy the next one will.
    fn checkpointed(&self, pages: u32) {
        self.0.store(pages, Relaxed);
    }
}

impl SqliteConnection {
    /// Sends a checkpoint to the thread when the last commit has made it due. Nobody waits for it but
    /// the next statement of this connection, and writers who want the turn.
    pub(super) fn checkpoint(&mut self, turn: Option<Turn>) {
        let pages = self.watch.take_pages();
        if pages == 0 || !self.watch.autocommit() || !self.log.is_due(pages) {
            return;
        }
        let log = self.log.clone();
        let work = move |session: &mut Session, _| match session.checkpoint() {
            Ok(pages) => log.checkpointed(pages),
            // The commit stands, and the one after the next 1000 pages tries again.
            Err(error) => {
                log.checkpointed(pages);
                tracing::warn!(%error, pages, "the write-ahead log could not be checkpointed");
            }
        };
        if let Err(error) = self.send(turn, work, |(), _| ()) {
            tracing::warn!(%error, pages, "the write-ahead log could not be checkpointed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn every_1000_pages_and_again_from_the_start() {
        let log = Log::default();
        assert!(!log.is_due(999));
        assert!(log.is_due(1000));
        log.checkpointed(1004);
        assert!(!log.is_due(1004) && !log.is_due(2003));
        assert!(log.is_due(2004));
        assert!(!log.is_due(1), "the log has begun anew");
        assert!(log.is_due(1000));
    }
}
