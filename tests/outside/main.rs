//! A database that Covet does not ship, by an adapter that is written here: it passes the suite that
//! the shipped ones pass, and runs the same program.
//!
//! The database is "tin": SQLite underneath, with a scheme, a dialect, a storage and a catalogue of
//! its own. Nothing of Covet's own SQLite adapter is used.

#![allow(clippy::unwrap_used)] // a test that panics has failed, which is what it is for

mod codec;
mod connection;
mod ddl;
mod dialect;
mod errors;
mod program;
mod tin;

use std::sync::Once;

use covet_drivers::conformance::Setup;
use covet_drivers::contract::register;
use covet_drivers::{Error, ErrorKind, Result};

use crate::tin::Tin;

/// The URL of a new database, and the folder that goes with it.
fn place() -> Result<(String, tempfile::TempDir)> {
    static KNOWN: Once = Once::new();
    KNOWN.call_once(|| register(&Tin).unwrap());
    let folder = tempfile::tempdir().map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
    Ok((format!("tin:{}", folder.path().join("test.tin").display()), folder))
}

async fn fresh() -> Result<Option<Setup>> {
    let (url, folder) = place()?;
    Ok(Some(Setup::new(url).with_cleanup(async move { drop(folder) })))
}

covet_drivers::conformance!(fresh);
