//! Runs: the handle to a database, transactions, and the one place that every statement passes.

mod commit_token;
mod connect;
mod executor;
mod listen;
mod maintain;
mod session;
mod transaction;
mod tx_options;

pub use commit_token::{CommitOutcome, CommitToken};
pub use connect::{Db, DbOptions};
pub use executor::Executor;
pub use listen::{Listen, ListenEvent};
pub use maintain::Backup;
pub(crate) use session::{Session, told};
pub use transaction::{Again, Tx};
pub use tx_options::TxOptions;
