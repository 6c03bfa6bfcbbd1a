//! The connection that migrations run on.

use covet_drivers::Result;
use covet_drivers::contract::Connection;
use covet_drivers::pool::Lease;

use crate::db::Db;

/// A connection for migrations: one of its own where the database can have more than one, so that
/// dropping it closes it, with its transaction and its lock.
#[derive(Debug)]
pub(in crate::migrate) enum Session {
    /// Opened for the migrations.
    Own(Box<dyn Connection>),
    /// The pool's only one.
    Shared(Lease),
}

impl Session {
    pub(in crate::migrate) async fn open(db: &Db) -> Result<Self> {
        Ok(if db.backend().max_connections() == Some(1) {
            Session::Shared(db.acquire().await?)
        } else {
            Session::Own(db.backend().connect().await?)
        })
    }

    pub(in crate::migrate) fn connection(&mut self) -> &mut dyn Connection {
        match self {
            Session::Own(connection) => &mut **connection,
            Session::Shared(lease) => &mut **lease,
        }
    }

    /// Ends in good order; a connection of the pool goes back.
    pub(in crate::migrate) async fn close(self) -> Result<()> {
        match self {
            Session::Own(connection) => connection.close().await,
            Session::Shared(lease) => {
                drop(lease);
                Ok(())
            }
        }
    }
}
