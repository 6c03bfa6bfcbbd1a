//! What happens, told to whoever wants to know.

use std::fmt;
use std::time::Duration;

use crate::error::ErrorKind;

/// A statement that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The text, with placeholders: never a value. A command of a transaction is told by its standard
    /// word (`BEGIN`, `COMMIT`, `SAVEPOINT` …), whatever the database was sent and when: where the adapter holds BEGIN
    /// back until the first statement, `BEGIN` has ended at once, and the time that it takes and the error that it may
    /// meet are those of that statement. `COMMIT` and `ROLLBACK` of a transaction without a statement then send nothing.
    /// A bulk insert is told by the insert of one of its rows.
    pub sql: &'a str,
    /// How long it took, from sending to the last row, waiting for a connection not counted.
    pub duration: Duration,
    /// Rows that came or were changed.
    pub rows: u64,
    /// The kind of error, if it failed.
    pub error: Option<ErrorKind>,
}

/// A connection that has been lent for longer than the pool's `leak_after`. It is told once.
#[derive(Clone, Copy, Debug)]
pub struct Leak<'a> {
    /// The database, without a password.
    pub database: &'a str,
    /// Who holds the connection: the place in the program that borrowed it, and its name if it has one.
    pub holder: &'a str,
    /// For how long.
    pub held: Duration,
}

/// Takes events. Called on the task that runs the statement, so it must be quick.
///
/// A closure is an observer:
/// ```
/// use covet_drivers::{Event, Observer};
/// let observer = |event: &Event<'_>| println!("{:?} {}", event.duration, event.sql);
/// fn takes(_: impl Observer) {}
/// takes(observer);
/// ```
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn statement(&self, event: &Event<'_>);

    /// Takes word of a connection that is held for too long. Called by the pool's monitor.
    fn leak(&self, leak: &Leak<'_>) {
        let _ = leak;
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn statement(&self, event: &Event<'_>) {
        self(event);
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
