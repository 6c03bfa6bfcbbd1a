//! Covet: an async, macro-driven, compile-time ORM for PostgreSQL, MySQL/MariaDB and SQLite.
//!
//! Structs are the schema: derive [`Model`] on them, write typed queries, and let the migrations be
//! generated from what changed in the structs. See the README for a first program, `docs/` for the guide.

pub mod db;
pub mod model;
pub mod query;
pub mod relation;

#[cfg(feature = "cli")]
pub mod cli;
pub mod lint;
pub mod migrate;
pub mod schema;

#[doc(hidden)]
pub mod __private;

pub use covet_drivers as drivers;
pub use covet_drivers::contract::{BackupProgress, Checkpoint, CheckpointMode, Isolation, Notification, Role, Vitals};
pub use covet_drivers::pool::{PoolOptions, PoolStatus};
#[cfg(feature = "json")]
pub use covet_drivers::value::Json;
pub use covet_drivers::{Error, ErrorKind, Event, Leak, Observer, Result};
pub use covet_orm_derive::{DbEnum, DbNewtype, Model, embed_migrations};
#[cfg(feature = "buggify")]
pub use db::Buggify;
pub use db::{
    Backup, Branch, CommitOutcome, CommitToken, Committed, Coordinator, Db, DbOptions, Executor, Health, Listen,
    ListenEvent, Mixed, PendingBranch, Recovered, SwitchOptions, Switched, Tx, TxOptions, TxStatus,
};
pub use model::Model;
pub use query::{Column, Expr};
pub use relation::{BelongsTo, HasMany, HasOne, ManyToMany};

/// What most programs need: `use covet_orm::prelude::*;`
pub mod prelude {
    #[cfg(feature = "json")]
    pub use crate::Json;
    pub use crate::{BelongsTo, Db, DbEnum, DbNewtype, Executor, Expr, HasMany, HasOne, ManyToMany, Model, Tx};
}
