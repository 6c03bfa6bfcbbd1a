//! Notifications: what a session tells those that listen, outside of any table.

use std::fmt;
use std::task::{Context, Poll};

use crate::contract::BoxFuture;
use crate::error::Result;

/// A message to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The channel that it was sent to.
    pub channel: String,
    /// What it says; may be empty.
    pub payload: String,
    /// The number of the server's process that sent it: to tell one's own from those of others.
    pub pid: i32,
}

impl Notification {
    /// A notification, as an adapter received it.
    #[must_use]
    pub fn new(channel: String, payload: String, pid: i32) -> Self {
        Notification { channel, payload, pid }
    }
}

/// A database that carries notifications between its sessions.
pub trait Notifications: fmt::Debug + Send + Sync {
    /// Looks at the name of a channel before anything is sent.
    ///
    /// # Errors
    /// `InvalidInput` for a name that the database would refuse or cut.
    fn check_channel(&self, channel: &str) -> Result<()>;

    /// Looks at what is to be sent, and gives the statement that sends it: it binds the channel and the payload,
    /// in this order, gives a row that says nothing, and takes effect with its transaction.
    ///
    /// # Errors
    /// `InvalidInput` for a channel or payload that the database would refuse or cut.
    fn notify(&self, channel: &str, payload: &str) -> Result<&'static str>;

    /// Opens a session of its own that listens to these channels, which were checked. What is sent to them from
    /// here on is received.
    ///
    /// # Errors
    /// Those of connecting, and those of listening.
    fn listen<'a>(&'a self, channels: &'a [String]) -> BoxFuture<'a, Result<Box<dyn Listener>>>;
}

/// A session that listens. Dropping it ends the session.
pub trait Listener: fmt::Debug + Send {
    /// The next notification, in the order in which the server sent them. What is not asked for stays with the
    /// server and on the way: the listener keeps none but those that came while the session was being opened.
    ///
    /// # Errors
    /// `ConnectionLost` and its like: the session is over, and what is sent from here on is missed.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Notification>>;
}
