//! How a pool behaves.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// Sizes and deadlines of a pool. Every wait has an end by default.
///
/// ```
/// use std::time::Duration;
/// use covet_drivers::pool::PoolOptions;
/// let options = PoolOptions { max_size: 20, min_size: 2, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() };
/// assert!(options.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// The most connections. Default: 10; a database in memory has one.
    pub max_size: usize,
    /// As many connections are kept open, in use or idle: opened by [`warm_up`](PoolOptions::warm_up) or by the
    /// monitor, and never closed for being idle. Default: 0.
    pub min_size: usize,
    /// Whether `min_size` connections are opened before the database handle is given out. Default: no.
    pub warm_up: bool,
    /// How long a borrower waits for a connection in all: for its turn, for idle connections to be tested and for a new
    /// one to be opened. Default: 30 s.
    pub acquire_timeout: Duration,
    /// How long opening a connection may take, set-up included. It goes on when the borrower that it was begun for has
    /// given up. Default: 30 s.
    pub connect_timeout: Duration,
    /// How long making a connection ready for the next borrower may take (rollback, reset); it is closed after that.
    /// Default: 5 s.
    pub recycle_timeout: Duration,
    /// A connection that was idle for longer is asked whether it lives before it is lent; the monitor asks too.
    /// Default: 30 s.
    pub ping_after: Duration,
    /// How long the answer may take; the connection is closed after that. Never longer than `recycle_timeout`.
    /// Default: 500 ms.
    pub ping_timeout: Duration,
    /// A connection that was idle for so long is closed while there are more than `min_size`. Each connection has a
    /// limit of its own, up to a fifth shorter, so that they do not all go at once. `None` for never. Default: 10 min.
    pub idle_timeout: Option<Duration>,
    /// A connection that is so old is closed instead of lent. Each connection has a limit of its own, up to a fifth
    /// shorter. `None` for never. Default: 30 min.
    pub max_lifetime: Option<Duration>,
    /// A connection that is lent for longer is reported, once, with who holds it: as a warning of `tracing` and to the
    /// observer. `None` for never. Default: never.
    pub leak_after: Option<Duration>,
    /// While the server refuses, the longest pause between two attempts to connect; the first pause is a few
    /// milliseconds. Each pause is up to a quarter shorter. Default: 150 ms.
    pub max_backoff: Duration,
    /// How often the monitor looks after idle connections, `min_size` and leaks. Default: 1 s.
    pub monitor_interval: Duration,
}

/// More than any server lends; a larger number is a mistake.
const MOST: usize = 100_000;

/// Nobody waits for longer on purpose.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            max_size: 10,
            min_size: 0,
            warm_up: false,
            acquire_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(30),
            recycle_timeout: Duration::from_secs(5),
            ping_after: Duration::from_secs(30),
            ping_timeout: Duration::from_millis(500),
            idle_timeout: Some(Duration::from_secs(10 * 60)),
            max_lifetime: Some(Duration::from_secs(30 * 60)),
            leak_after: None,
            max_backoff: Duration::from_millis(150),
            monitor_interval: Duration::from_secs(1),
        }
    }
}

impl PoolOptions {
    /// Whether the options make sense together.
    ///
    /// # Errors
    /// `Config`, saying what to change.
    pub fn check(&self) -> Result<()> {
        check_size("max_size", self.max_size)?;
        if self.min_size > self.max_size {
            return Err(wrong(format!(
                "`min_size` of the pool is {}, and `max_size` is {}",
                self.min_size, self.max_size
            ))
            .with_help("lower `min_size` or raise `max_size`"));
        }
        for (name, duration) in [
            ("acquire_timeout", Some(self.acquire_timeout)),
            ("connect_timeout", Some(self.connect_timeout)),
            ("recycle_timeout", Some(self.recycle_timeout)),
            ("ping_timeout", Some(self.ping_timeout)),
            ("max_backoff", Some(self.max_backoff)),
            ("monitor_interval", Some(self.monitor_interval)),
            ("idle_timeout", self.idle_timeout),
            ("max_lifetime", self.max_lifetime),
            ("leak_after", self.leak_after),
        ] {
            check_duration(name, duration)?;
        }
        match (self.idle_timeout, self.max_lifetime) {
            (Some(idle), Some(lifetime)) if idle > lifetime => Err(wrong(format!(
                "`idle_timeout` of the pool is {idle:?}, and no connection lives longer than its `max_lifetime` of \
                 {lifetime:?}"
            ))
            .with_help("make `idle_timeout` shorter than `max_lifetime`, or `None`")),
            _ => Ok(()),
        }
    }
}

/// Whether a pool can have so many connections.
pub(super) fn check_size(name: &str, size: usize) -> Result<()> {
    match size {
        0 => Err(wrong(format!("`{name}` of the pool is 0, and nobody could borrow a connection"))
            .with_help("allow at least one connection; to lend none for a while, pause the pool")),
        1..=MOST => Ok(()),
        _ => Err(wrong(format!("`{name}` of the pool is {size}, and more than {MOST} make no sense"))
            .with_help("a server works best with a few connections for each of its processors")),
    }
}

fn check_duration(name: &str, duration: Option<Duration>) -> Result<()> {
    // Connections may grow old; nothing else takes a day.
    let may_be_long = matches!(name, "idle_timeout" | "max_lifetime" | "leak_after");
    match duration {
        Some(Duration::ZERO) => {
            let error = wrong(format!("`{name}` of the pool is 0"));
            let help = if may_be_long { "give it a duration, or `None` for never" } else { "give it a duration" };
            Err(error.with_help(help))
        }
        Some(long) if long > DAY && !may_be_long => {
            Err(wrong(format!("`{name}` of the pool is {long:?}, which is longer than a day"))
                .with_help("seconds are usual: whoever waits longer is better told"))
        }
        _ => Ok(()),
    }
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_an_error_with_a_way_out() {
        let good = PoolOptions::default;
        let long = Duration::from_secs(100_000);
        for (wrong, name) in [
            (PoolOptions { max_size: 0, ..good() }, "max_size"),
            (PoolOptions { max_size: usize::MAX, ..good() }, "max_size"),
            (PoolOptions { min_size: 11, ..good() }, "min_size"),
            (PoolOptions { acquire_timeout: Duration::ZERO, ..good() }, "acquire_timeout"),
            (PoolOptions { connect_timeout: long, ..good() }, "connect_timeout"),
            (PoolOptions { recycle_timeout: Duration::ZERO, ..good() }, "recycle_timeout"),
            (PoolOptions { ping_timeout: Duration::MAX, ..good() }, "ping_timeout"),
            (PoolOptions { max_backoff: Duration::ZERO, ..good() }, "max_backoff"),
            (PoolOptions { monitor_interval: Duration::ZERO, ..good() }, "monitor_interval"),
            (PoolOptions { idle_timeout: Some(Duration::ZERO), ..good() }, "idle_timeout"),
            (PoolOptions { max_lifetime: Some(Duration::ZERO), ..good() }, "max_lifetime"),
            (PoolOptions { leak_after: Some(Duration::ZERO), ..good() }, "leak_after"),
            (PoolOptions { max_lifetime: Some(Duration::from_secs(60)), ..good() }, "idle_timeout"),
        ] {
            let error = wrong.check().map_err(|error| (error.kind(), error.to_string(), error.help().is_some()));
            let Err((kind, text, true)) = error else { panic!("{name}: {error:?}") };
            assert_eq!(kind, ErrorKind::Config, "{text}");
            assert!(text.contains(&format!("`{name}`")), "{name}: {text}");
        }
    }

    #[test]
    fn what_is_unusual_but_possible_is_taken() {
        let unusual = PoolOptions {
            min_size: 10,
            ping_after: Duration::ZERO,
            idle_timeout: None,
            max_lifetime: None,
            leak_after: Some(Duration::from_secs(1_000_000)),
            ..PoolOptions::default()
        };
        assert!(unusual.check().is_ok());
    }
}
