//! What a database must do to be one of Covet's: the adapter contract, in traits and in words.
//!
//! An outside crate implements [`Adapter`], [`Backend`], [`Connection`], [`Dialect`](crate::render::Dialect),
//! [`Ddl`] and [`Introspect`], and [`register`]s the adapter under its URL schemes.
//!
//! # Duties that hold for every method
//! * **Dropped futures.** Any future may be dropped at any await. A connection that was dropped
//!   while bytes were under way must say [`ConnectionState::Broken`] from then on, unless it can
//!   prove that the session is in step. It is then closed and never lent again.
//! * **Errors** carry an [`ErrorKind`](crate::ErrorKind), the database's own code, and constraint,
//!   table and column where the database tells. They never carry bound values or passwords.
//! * **After an error** [`Connection::state`] tells the truth of the database about the transaction,
//!   not a hope: a database that rolled the transaction back says so.
//! * **No panic** on anything that a server or a user can send.

mod adapter;
mod admin;
mod bulk;
mod command;
mod connection;
mod copy;
mod direct;
mod maintain;
mod notify;
mod offline;
mod probe;
mod registry;
mod row;
mod schema;
mod suggest;
mod two_phase;
mod url;

pub use crate::value::RowSource;
pub use adapter::{Adapter, Backend};
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use admin::scratch_name;
pub use admin::{Admin, Answer, Facts, Finding, Others, Shell, TableFacts, bytes_as_text};
#[cfg(feature = "postgres")]
pub(crate) use bulk::heap;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) use bulk::of_rows;
pub use bulk::{BULK_SAVEPOINT, Bulk, Part, RowSupply, in_row, insert_by_values, pull, whole_row};
pub use command::{Command, Outcome, Reuse};
pub use connection::{BoxFuture, Connection, ConnectionState, Isolation, ServerInfo, TransactionOptions};
pub use copy::{Copied, FromFile, ToFile};
pub use direct::Direct;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use direct::Of;
pub use maintain::{BackupPace, BackupProgress, Checkpoint, CheckpointMode, Maintenance};
pub use notify::{Listener, Notification, Notifications};
pub use offline::Offline;
pub use probe::{Position, Probe, Role, Vitals};
pub use registry::{adapter_for, adapters, feature_for, register};
pub use row::{Detached, Flow, Row, RowSink, Shared, breathe};
pub use schema::{Batches, Ddl, Effect, Introspect, Leaves, Leftover, OWN_TABLES, RANGE, Step, Unmodelled};
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) use schema::{refuse_schemas, written};
pub use suggest::nearest;
pub use two_phase::{BRANCH_TABLE, BranchId, Ended, Prepared, TwoPhase};
pub use url::{ConnectUrl, Parameters, Password};
