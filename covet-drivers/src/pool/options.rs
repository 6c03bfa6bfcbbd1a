//! How a pool behaves.

use std::time::Duration;

/// Sizes and deadlines of a pool. Every wait has an end by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// The most connections. Default: 10; a database in memory has one.
    pub max_size: usize,
    /// How long a borrower waits for a connection in all, opening one included. Default: 30 s.
    pub acquire_timeout: Duration,
    /// How long opening a connection may take, set-up included. Default: 30 s.
    pub connect_timeout: Duration,
    /// How long making a connection ready for the next borrower may take; it is closed after that. Default: 5 s.
    pub recycle_timeout: Duration,
    /// A connection that was idle for longer is asked whether it lives before it is lent. Default: 30 s.
    pub ping_after: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            max_size: 10,
            acquire_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(30),
            recycle_timeout: Duration::from_secs(5),
            ping_after: Duration::from_secs(30),
        }
    }
}
