//! TLS: one table of modes, one configuration, for every adapter that speaks over a network.

mod mode;
mod provider;
mod trust;
mod verify;

pub use mode::{Insecure, SslMode, is_local, is_socket};
pub use provider::provider;
pub use trust::{Asked, Trust};
pub use verify::client_config;
