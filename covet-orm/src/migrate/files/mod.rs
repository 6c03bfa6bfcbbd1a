//! The folder of migrations: what is in it, and whether it is whole.

mod plan;
mod read;
mod script;
mod text;
mod write;

use std::path::{Path, PathBuf};

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::{Error, ErrorKind, Result};

pub(super) use plan::Plan;
pub(crate) use script::{Place, placed};
pub(super) use script::{Script, hash as step_hash, irreversible, render};
pub(super) use text::checksum;
pub(super) use write::write;

use crate::schema::{from_toml, hash};

/// The file that says what a migration is for.
pub(super) const PLAN: &str = "plan.toml";

/// The file with the schema after a migration.
pub(super) const SNAPSHOT: &str = "schema.toml";

/// The migrations of a folder, in the order in which they run.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    migrations: Vec<Migration>,
}

/// A migration, as its files describe it.
#[derive(Clone, Debug)]
pub struct Migration {
    path: PathBuf,
    plan: Plan,
}

/// Forth or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the schema of the migration.
    Up,
    /// Back to the schema before it.
    Down,
}

impl Way {
    /// The name of the file for this kind of database.
    #[must_use]
    pub fn file(self, dialect: &str) -> String {
        match self {
            Way::Up => format!("up.{dialect}.sql"),
            Way::Down => format!("down.{dialect}.sql"),
        }
    }
}

impl Folder {
    /// The migrations in this folder; none when there is no such folder.
    ///
    /// # Errors
    /// `Io` for what cannot be read; `Migration`, naming the files, for a migration that is not
    /// whole, two of one id, one whose parent is missing, and two that follow the same one.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        read::read(path.as_ref())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The migrations, in the order in which they run.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The schema after the last migration.
    ///
    /// # Errors
    /// As [`Migration::schema`].
    pub fn schema(&self) -> Result<Schema> {
        self.migrations.last().map_or_else(|| Ok(Schema::default()), Migration::schema)
    }
}

impl Migration {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.plan.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The ids of the migrations that it follows; none for the first.
    #[must_use]
    pub fn parents(&self) -> &[String] {
        &self.plan.parents
    }

    /// The decisions with which it was made, as they were given.
    #[must_use]
    pub fn decisions(&self) -> &[String] {
        &self.plan.decisions
    }

    /// The changes that it was made for.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.plan.changes
    }

    /// Where its files are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The schema after it.
    ///
    /// # Errors
    /// `Migration` when the snapshot is missing, malformed, or is not the one that was written.
    pub fn schema(&self) -> Result<Schema> {
        let path = self.path.join(SNAPSHOT);
        let schema = from_toml(&text::read(&path)?).map_err(|error| at(&path, &error))?;
        if hash(&schema)? != self.plan.schema {
            let error = Error::new(ErrorKind::Migration, "the snapshot was edited: its hash is not that of plan.toml");
            return Err(at(&path, &error.with_help("restore both files as they were made")));
        }
        Ok(schema)
    }

    /// Whether it was made for this kind of database.
    #[must_use]
    pub fn is_for(&self, dialect: &str) -> bool {
        self.path.join(Way::Up.file(dialect)).is_file()
    }

    /// What runs on this kind of database.
    ///
    /// # Errors
    /// `Migration` when the migration was not made for it.
    pub fn sql(&self, dialect: &str, way: Way) -> Result<String> {
        let path = self.path.join(way.file(dialect));
        if !path.is_file() {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the migration {} was not made for {dialect}: {} is missing", self.plan.id, path.display()),
            )
            .with_help("name the database in covet.toml before the first migration is made"));
        }
        text::read(&path)
    }
}

/// The error, with the file that it is about.
fn at(path: &Path, error: &Error) -> Error {
    let placed = Error::new(error.kind(), format!("{}: {}", path.display(), error.message()));
    match error.help() {
        Some(help) => placed.with_help(help.to_owned()),
        None => placed,
    }
}
