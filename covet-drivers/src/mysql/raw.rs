//! A connection of the driver that is closed at once when nobody has it any more.
//!
//! The driver would read the rest of a result in the background first, however long it is, and over a network that has
//! fallen silent for ever.

use futures_util::FutureExt as _;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, Row};

use crate::mysql::caught::caught;

/// Closes the socket, whatever is under way on it: a command begun and dropped makes the driver do so.
pub(super) fn break_off(mut wire: Conn) {
    if !wire.is_disconnected() {
        let _ = caught(wire.ping()).now_or_never();
    }
}

/// A connection that is no session of Covet's: one that is still set up, or that kills another.
pub(super) struct Raw(Option<Conn>);

impl Raw {
    /// Opens one.
    pub(super) async fn open(opts: Opts) -> Result<Self, mysql_async::Error> {
        caught(Conn::new(opts)).await.map(|wire| Raw(Some(wire)))
    }

    /// The first row of an answer.
    pub(super) async fn first(&mut self, sql: &str) -> Result<Option<Row>, mysql_async::Error> {
        match &mut self.0 {
            Some(wire) => caught(wire.query_first(sql)).await,
            None => Ok(None),
        }
    }

    /// Runs statements that give no rows.
    pub(super) async fn say(&mut self, sql: &str) -> Result<(), mysql_async::Error> {
        match &mut self.0 {
            Some(wire) => caught(wire.query_drop(sql)).await,
            None => Ok(()),
        }
    }

    /// Takes leave of the server.
    pub(super) async fn close(mut self) -> Result<(), mysql_async::Error> {
        match self.0.take() {
            Some(wire) => wire.disconnect().await,
            None => Ok(()),
        }
    }

    /// The connection, to be kept.
    pub(super) fn keep(mut self) -> Option<Conn> {
        self.0.take()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(wire) = self.0.take() {
            break_off(wire);
        }
    }
}
