//! The adapters by URL scheme: those that ship, and those that a program registers.

use std::sync::{PoisonError, RwLock};

use crate::contract::{Adapter, nearest};
use crate::error::{Error, ErrorKind, Result};

static PLUGINS: RwLock<Vec<&'static dyn Adapter>> = RwLock::new(Vec::new());

/// Makes an adapter known under its URL schemes.
///
/// # Errors
/// `Config` when one of its schemes is taken.
pub fn register(adapter: &'static dyn Adapter) -> Result<()> {
    let mut plugins = PLUGINS.write().unwrap_or_else(PoisonError::into_inner);
    for scheme in adapter.schemes() {
        if shipped().iter().chain(plugins.iter()).any(|known| known.schemes().contains(scheme)) {
            return Err(Error::new(ErrorKind::Config, format!("the URL scheme `{scheme}` is taken")));
        }
    }
    plugins.push(adapter);
    Ok(())
}

/// Every adapter: those that ship and are built in, then those that were registered.
#[must_use]
pub fn adapters() -> Vec<&'static dyn Adapter> {
    let plugins = PLUGINS.read().unwrap_or_else(PoisonError::into_inner);
    shipped().iter().chain(plugins.iter()).copied().collect()
}

/// The adapter for a URL scheme.
///
/// # Errors
/// `Config` when there is none, saying which there are and which cargo feature is off.
pub fn adapter_for(scheme: &str) -> Result<&'static dyn Adapter> {
    let all = adapters();
    if let Some(adapter) = all.iter().find(|adapter| adapter.schemes().contains(&scheme)) {
        return Ok(*adapter);
    }
    if let Some(feature) = feature_for(scheme) {
        return Err(Error::new(ErrorKind::Config, format!("no adapter for `{scheme}:` is built in"))
            .with_help(format!("switch the cargo feature `{feature}` on")));
    }
    let schemes: Vec<&str> = all.iter().flat_map(|adapter| adapter.schemes().iter().copied()).collect();
    let error = Error::new(ErrorKind::Config, format!("`{scheme}:` is no database that is known here"));
    Err(match nearest(scheme, schemes.iter().copied()) {
        Some(meant) => error.with_help(format!("did you mean `{meant}:`?")),
        None => error.with_help(format!("known are {}", schemes.join(", "))),
    })
}

/// The cargo feature that brings the adapter for a URL scheme, where it ships and is not built in.
#[must_use]
pub fn feature_for(scheme: &str) -> Option<&'static str> {
    OFF.iter().find(|(known, _)| *known == scheme).map(|(_, feature)| *feature)
}

/// Schemes of adapters that ship but are not built in, with the feature that brings them.
const OFF: &[(&str, &str)] = &[
    #[cfg(not(feature = "postgres"))]
    ("postgres", "postgres"),
    #[cfg(not(feature = "postgres"))]
    ("postgresql", "postgres"),
    #[cfg(not(feature = "mysql"))]
    ("mysql", "mysql"),
    #[cfg(not(feature = "mysql"))]
    ("mariadb", "mysql"),
    #[cfg(not(feature = "sqlite"))]
    ("sqlite", "sqlite"),
];

fn shipped() -> &'static [&'static dyn Adapter] {
    &[
        #[cfg(feature = "postgres")]
        &crate::postgres::Postgres,
        #[cfg(feature = "mysql")]
        &crate::mysql::MySql,
        #[cfg(feature = "sqlite")]
        &crate::sqlite::Sqlite,
    ]
}
