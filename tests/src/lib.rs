//! What the tests share: the harness that gives each case a database of its own, the models, a
//! proxy that breaks connections on purpose, and servers that may be stopped.

pub mod chance;
mod harness;
pub mod models;
pub mod program;
pub mod proxy;
pub mod server;
pub mod session;

pub use harness::{Kind, Outcome, TestDb, Url, create, create_all, run, servers, torture};
