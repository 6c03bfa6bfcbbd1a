//! TLS: one table of modes, one configuration, for every adapter that speaks over a network.

mod mode;

pub use mode::{SslMode, choose};
