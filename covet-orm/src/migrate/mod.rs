//! Migrations: made from what changed in the models, kept in files, run on a database.
//!
//! A migration is a folder: `plan.toml` says what it is for, `schema.toml` is the schema after it,
//! and `up.<database>.sql` and `down.<database>.sql` are what runs. The SQL may be edited until it
//! is applied; after that its checksum is kept.
//!
//! * [`Project`] makes migrations, as `cargo covet migrate make` does.
//! * [`Migrator`] runs them, as `cargo covet migrate up`, `down` and `status` do.
//!
//! ```no_run
//! # async fn f() -> covet_orm::Result<()> {
//! use covet_orm::Db;
//! use covet_orm::migrate::Migrator;
//! let db = Db::connect("sqlite:blog.db").await?;
//! Migrator::from_dir("migrations")?.up(&db).await?;
//! # Ok(()) }
//! ```

pub(crate) mod cause;
mod create;
mod data;
pub(crate) mod delegate;
mod embedded;
mod files;
mod history;
mod offline;
mod project;
mod runner;
mod stamp;
mod target;

pub use create::create_tables;
pub use data::{Data, DataFn, DataFuture, DataStep, FromRow, Values};
pub use embedded::Embedded;
pub use files::{Conflict, Files, Folder, Migration, Part, Way};
pub(crate) use files::{Place, placed};
pub use history::State;
pub(crate) use history::heads;
pub use offline::offline_script;
pub use project::{Draft, Project, Rebased, Squashed};
pub use runner::{Batch, Done, Goal, Migrator, Planned, Report, Standing, Status};
pub use target::Target;
