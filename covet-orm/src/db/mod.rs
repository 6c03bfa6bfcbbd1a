//! Runs: the handle to a database, transactions, and the one place that every statement passes.

#[cfg(feature = "buggify")]
mod buggify;
mod commit_token;
mod connect;
mod deadline;
mod executor;
mod health;
mod listen;
mod maintain;
mod open;
mod own_table;
mod pause;
mod session;
mod switch;
mod tally;
mod transaction;
mod two_phase;
mod tx_options;

#[cfg(feature = "buggify")]
pub use buggify::Buggify;
pub use commit_token::{CommitOutcome, CommitToken};
pub use connect::{Db, DbOptions};
pub use executor::Executor;
pub use health::Health;
pub use listen::{Listen, ListenEvent};
pub use maintain::Backup;
pub(crate) use session::{Session, told};
pub use switch::{SwitchOptions, Switched};
pub use tally::TxStatus;
pub use transaction::{Again, Tx};
pub use two_phase::{Branch, Committed, Coordinator, Mixed, PendingBranch, Recovered};
pub use tx_options::TxOptions;
