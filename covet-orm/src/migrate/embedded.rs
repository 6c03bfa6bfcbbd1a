//! Migrations that are built into the program.

use covet_drivers::Result;

use crate::db::Db;
use crate::migrate::files::{Files, Folder};
use crate::migrate::{Migrator, Report};

/// The migrations of a folder as they were when the program was built; made by
/// [`embed_migrations!`](crate::embed_migrations).
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    migrations: &'static [(&'static str, Files)],
}

impl Embedded {
    /// For the macro: the names of the folders, each with its files.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(migrations: &'static [(&'static str, Files)]) -> Self {
        Embedded { migrations }
    }

    /// The migrations.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn folder(&self) -> Result<Folder> {
        Folder::embedded(self.migrations)
    }
}

impl Db {
    /// Applies what is pending of the migrations that are built into the program: for its start. One of many programs
    /// that start at once works, the others wait for it; when nothing is pending nobody waits and no lock is taken.
    ///
    /// ```ignore
    /// static MIGRATIONS: Embedded = covet_orm::embed_migrations!("migrations");
    /// let db = Db::connect(&url).await?;
    /// db.migrate(&MIGRATIONS).await?;
    /// ```
    ///
    /// # Errors
    /// As [`Migrator::up`]; `Migration` for a database that has migrations of a newer program, unless the
    /// [`Migrator`] is asked itself and [allows](Migrator::allow_newer) them.
    pub async fn migrate(&self, migrations: &Embedded) -> Result<Report> {
        Migrator::embedded(migrations)?.up(self).await
    }
}
