//! A kind of database that migrations are made for.

use covet_drivers::Result;
use covet_drivers::contract::{Backend, Ddl, adapter_for};
use covet_drivers::render::Dialect;

/// A kind of database: its words, and how it writes changes. Making files needs no more.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) ddl: &'static dyn Ddl,
}

impl Target {
    /// The kind of database of this name, which is any scheme of its URLs.
    ///
    /// # Errors
    /// `Config` when there is none, naming the nearest, or the cargo feature that is off.
    pub fn named(name: &str) -> Result<Self> {
        let adapter = adapter_for(name)?;
        Ok(Target { dialect: adapter.dialect(), ddl: adapter.ddl() })
    }

    /// The kind of this database.
    #[must_use]
    pub fn of(backend: &dyn Backend) -> Self {
        Target { dialect: backend.dialect(), ddl: backend.ddl() }
    }

    /// The name, as in the files of a migration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.dialect.name()
    }
}
