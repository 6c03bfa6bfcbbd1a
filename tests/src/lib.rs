//! What the tests share: the harness that gives each case a database of its own, the models, and a
//! proxy that breaks connections on purpose.

mod harness;
pub mod models;
pub mod program;
pub mod proxy;

pub use harness::{Kind, Outcome, TestDb, Url, run, servers};
