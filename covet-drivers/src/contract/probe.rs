//! How a server is: its part in replication, how far it has come, how much room it has.

use std::fmt;
use std::time::Duration;

use crate::contract::{BoxFuture, Connection};
use crate::error::Result;

/// How to ask a server how it is.
pub trait Probe: fmt::Debug + Send + Sync {
    /// What the server tells of itself. What it does not tell, or not to this user, is left out.
    ///
    /// # Errors
    /// Those of the connection.
    fn vitals<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vitals>>;

    /// How far the server has written by now; `None` where it keeps no account that others could be compared with.
    ///
    /// # Errors
    /// Those of the connection.
    fn position<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Option<Position>>>;

    /// Whether this server has everything that the other one had at a position; `None` where it cannot tell, because
    /// it is no copy of the other one.
    ///
    /// # Errors
    /// Those of the connection.
    fn has_reached<'a>(
        &'a self,
        position: &'a Position,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Option<bool>>>;

    /// Whether this server, which follows others, has something that the other one, which follows nobody, has not by
    /// now: then it has never followed that one to its end, and [`has_reached`](Probe::has_reached) compared what cannot
    /// be compared.
    ///
    /// # Errors
    /// Those of the connections.
    fn has_other<'a>(
        &'a self,
        position: &'a Position,
        connection: &'a mut dyn Connection,
        other: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<bool>> {
        let _ = (position, connection, other);
        Box::pin(std::future::ready(Ok(false)))
    }

    /// The statements of the last deadlock, without values, as far as the server tells: of the one that `blocker` names,
    /// or of all that took part.
    ///
    /// # Errors
    /// Those of the connection.
    fn deadlock<'a>(
        &'a self,
        blocker: Option<i64>,
        connection: &'a mut dyn Connection,
    ) -> BoxFuture<'a, Result<Vec<String>>>;
}

/// What a server tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Its part in replication.
    pub role: Role,
    /// Whether it takes writes; `None` where it does not tell.
    pub writable: Option<bool>,
    /// How far a replica is behind: the age of what it has applied last, or nothing when it has applied all that it
    /// received. `None` for a primary, and where it is not told.
    pub lag: Option<Duration>,
    /// Bytes that are free on the disk that holds the data. PostgreSQL does not tell; MariaDB does with its plugin
    /// `DISKS`, to users who may use it.
    pub free_bytes: Option<u64>,
}

/// The part of a server in replication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It follows no other server.
    Primary,
    /// It applies what another server has written.
    Replica,
    /// There is no server.
    Embedded,
    /// It is not told, or not to this user.
    #[default]
    Unknown,
}

impl Role {
    /// The part in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Replica => "replica",
            Role::Embedded => "embedded",
            Role::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a server has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whose account it is, in the adapter's words.
    pub origin: String,
    /// The place in it, in the adapter's words.
    pub at: String,
}
