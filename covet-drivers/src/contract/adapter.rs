//! The way in: from a URL to a backend, from a backend to connections.

use std::fmt;
use std::sync::Arc;

use crate::contract::{Admin, BoxFuture, ConnectUrl, Connection, Ddl, Introspect, Notifications, Probe};
use crate::error::Result;
use crate::lint::Lint;
use crate::render::Dialect;

/// A kind of database, found by the scheme of a URL.
pub trait Adapter: fmt::Debug + Send + Sync {
    /// The URL schemes that it answers to, lower case.
    fn schemes(&self) -> &'static [&'static str];

    /// How it writes SQL, for whoever writes files for it without connecting.
    fn dialect(&self) -> &'static dyn Dialect;

    /// How it writes changes of a schema, for whoever writes files for it without connecting.
    fn ddl(&self) -> &'static dyn Ddl;

    /// How its databases are created, removed and talked to by people, where a tool can do that.
    fn admin(&self) -> Option<&'static dyn Admin> {
        None
    }

    /// What to look for in migrations for it, before they run.
    fn lint(&self) -> &'static dyn Lint;

    /// A backend for this URL. Reads and checks every parameter; performs no I/O but reading
    /// certificate files.
    ///
    /// # Errors
    /// `Config` for a parameter that is unknown (naming the nearest known one) or malformed.
    fn open(&self, url: &ConnectUrl) -> Result<Arc<dyn Backend>>;
}

/// One database: how to connect to it and how to talk to it.
pub trait Backend: fmt::Debug + Send + Sync {
    /// How it writes SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// How it writes changes of a schema.
    fn ddl(&self) -> &'static dyn Ddl;

    /// How to read its schema.
    fn introspect(&self) -> &'static dyn Introspect;

    /// The most connections that make sense (1 for a database in memory); `None` for no such limit.
    fn max_connections(&self) -> Option<usize>;

    /// Whether a network or another process lies between, so that an idle session can end without a word: the
    /// pool then looks at the clock, and asks a session that was idle for long whether it still lives.
    fn is_remote(&self) -> bool {
        true
    }

    /// How it carries notifications between sessions, where it does.
    fn notifications(&self) -> Option<&dyn Notifications> {
        None
    }

    /// How to ask it how it is, where it tells.
    fn probe(&self) -> Option<&dyn Probe> {
        None
    }

    /// What it connects to, for messages: never a password.
    fn target(&self) -> String;

    /// Opens a session and sets it up: time zone UTC, strict modes, and whatever else the contract
    /// promises. Checks the minimum version of the server.
    ///
    /// # Errors
    /// `Unreachable`, `Authentication`, `UnknownDatabase`, `TooManyConnections`, `Tls`, `ServerVersion`.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>>>;
}
