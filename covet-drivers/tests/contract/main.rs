//! The contract, for each database against the real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod private;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod secrets;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(feature = "sqlite", feature = "conformance"))]
mod sqlite_suite;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod two_phase;
