//! Schemas: which models there are, what schema they ask for, and what lies between two schemas.
//!
//! Everything here is pure: no file is read and no database asked, except that [`tool`](crate::tool!)
//! answers the command line tool on standard output.

mod apply;
mod describe;
pub mod diff;
mod from_models;
mod hints;
mod managed;
mod objects;
mod registry;
mod sayable;
mod snapshot;
pub mod tool;

pub use apply::apply;
pub use describe::{describe, loses_data};
pub(crate) use diff::narrows;
pub use diff::{Decision, Diff, MissingDecisions, Question, diff, way_back};
pub use from_models::schema_of;
pub use hints::{Hints, hints_of};
#[cfg(feature = "cli")]
pub(crate) use managed::Unmanaged;
pub(crate) use managed::managed;
pub use objects::Declared;
pub(crate) use registry::model_of;
pub use registry::{Models, Registered};
#[cfg(feature = "cli")]
pub(crate) use sayable::{Unsayable, unsayable};
pub(crate) use snapshot::{digest, inline, list};
pub use snapshot::{from_toml, hash, to_toml};
