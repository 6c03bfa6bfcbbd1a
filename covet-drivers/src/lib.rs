//! What a database is to Covet, and the three that ship.
//!
//! This is the only crate of Covet that knows that databases come in kinds. It can be used
//! without the rest by whoever writes an adapter for another database: see [`contract`].
//!
//! | feature | brings |
//! |---|---|
//! | `postgres` | PostgreSQL 13 and later, by tokio-postgres |
//! | `mysql` | MariaDB 10.6 and later, MySQL 8.0 and later, by mysql_async |
//! | `sqlite` | SQLite, bundled, by rusqlite |
//! | `chrono`, `uuid`, `rust_decimal`, `json` | the column types of these crates |
//! | `conformance` | the tests that every adapter must pass |

mod capability;
pub mod catalog;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod contract;
mod error;
pub mod lint;
mod observe;
pub mod pool;
pub mod render;
pub mod sql;
#[cfg(feature = "tls")]
pub mod tls;
pub mod value;

#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use capability::Capabilities;
pub use error::{Error, ErrorKind, Result};
pub use observe::{Event, Leak, Observer};
