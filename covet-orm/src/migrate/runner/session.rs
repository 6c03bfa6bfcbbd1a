//! The connection that migrations run on.

use std::time::Duration;

use covet_drivers::Result;
use covet_drivers::contract::Connection;
use covet_drivers::pool::Lease;

use crate::db::Db;
use crate::migrate::Target;
use crate::migrate::history::{History, home};

/// A connection for migrations, and where their history is.
#[derive(Debug)]
pub(in crate::migrate) struct Session {
    line: Line,
    target: Target,
    home: String,
    /// A script may have left settings behind that the next one shall not meet.
    marked: bool,
}

/// One of its own where the database can have more than one, so that dropping it closes it, with its transaction and
/// its lock.
#[derive(Debug)]
enum Line {
    /// Opened for the migrations.
    Own(Box<dyn Connection>),
    /// The pool's only one.
    Shared(Lease),
}

impl Session {
    pub(in crate::migrate) async fn open(db: &Db) -> Result<Self> {
        let backend = db.backend();
        let line = if backend.max_connections() == Some(1) {
            Line::Shared(db.acquire().await?)
        } else {
            Line::Own(backend.connect().await?)
        };
        let target = Target::of(&*backend);
        let mut session = Session { line, target, home: String::new(), marked: false };
        session.home = home(session.connection(), target).await?;
        Ok(session)
    }

    pub(in crate::migrate) fn connection(&mut self) -> &mut dyn Connection {
        self.parts().0
    }

    /// The connection, and where the history is.
    pub(super) fn parts(&mut self) -> (&mut dyn Connection, &str) {
        let connection = match &mut self.line {
            Line::Own(connection) => &mut **connection,
            Line::Shared(lease) => &mut **lease,
        };
        (connection, &self.home)
    }

    pub(super) fn target(&self) -> Target {
        self.target
    }

    pub(super) fn history(&mut self) -> History<'_> {
        let target = self.target;
        let (connection, home) = self.parts();
        History::new(connection, target, home)
    }

    /// Notes that what runs from here on leaves something behind.
    pub(super) fn mark(&mut self) {
        self.marked = true;
    }

    pub(super) fn is_marked(&self) -> bool {
        self.marked
    }

    /// Makes the session as good as new, which gives its lock back, and takes that again.
    pub(super) async fn renew(&mut self, lock: &str, wait: Duration) -> Result<()> {
        self.connection().reset().await?;
        self.connection().lock(lock, wait).await?;
        self.marked = false;
        Ok(())
    }

    /// Ends in good order; a connection of the pool goes back.
    pub(in crate::migrate) async fn close(self) -> Result<()> {
        match self.line {
            Line::Own(connection) => connection.close().await,
            Line::Shared(lease) => {
                drop(lease);
                Ok(())
            }
        }
    }
}
