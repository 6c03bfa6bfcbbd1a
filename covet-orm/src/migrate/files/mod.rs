//! The folder of migrations: what is in it, and whether it is whole.

mod batches;
mod footprint;
mod graph;
mod index;
mod marks;
mod plan;
mod read;
mod script;
mod steering;
mod text;
mod write;

use std::path::{Path, PathBuf};

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::render::Dialect;
use covet_drivers::{Error, ErrorKind, Result};

pub use plan::Part;
pub(super) use plan::Plan;
pub(crate) use script::{Place, placed};
pub(super) use script::{Script, hash as step_hash, irreversible, render};
pub(super) use text::checksum;
pub(super) use write::{remove, write};

use footprint::Footprint;
use graph::Graph;

use crate::schema::{apply, from_toml, hash};

/// The file that says what a migration is for.
pub(super) const PLAN: &str = "plan.toml";

/// The file with the schema after a migration.
pub(super) const SNAPSHOT: &str = "schema.toml";

/// The names and texts of a migration's files, built into a program.
pub type Files = &'static [(&'static str, &'static str)];

/// The migrations of a folder, each behind those that it follows.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    graph: Graph,
}

/// A migration, as its files describe it.
#[derive(Clone, Debug)]
pub struct Migration {
    path: PathBuf,
    plan: Plan,
    plan_sum: String,
    texts: Texts,
}

/// Two migrations that were made side by side and touch the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The ids of the two, in the order in which they would run.
    pub migrations: [String; 2],
    /// Their folders.
    pub folders: [PathBuf; 2],
    /// What both touch, in words: a table, a column …
    pub parts: Vec<String>,
}

impl Conflict {
    /// The error that says so.
    #[must_use]
    pub fn error(&self) -> Error {
        let [first, second] = &self.folders;
        Error::new(
            ErrorKind::Migration,
            format!(
                "the migrations {} and {} were made side by side, and both touch {}",
                first.display(),
                second.display(),
                self.parts.join("; ")
            ),
        )
        .with_help(
            "make the one that is applied nowhere yet again on top of the other: `cargo covet migrate rebase ID`",
        )
    }
}

/// The checksums of a migration's files for one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) up: String,
    pub(super) down: Option<String>,
    pub(super) plan: Option<String>,
}

/// Where the texts of a migration are.
#[derive(Clone, Copy, Debug)]
enum Texts {
    /// In its folder.
    Folder,
    /// In the program.
    Embedded(Files),
}

impl Texts {
    /// The text of a file, if there is one.
    fn read(self, path: &Path, file: &str) -> Result<Option<String>> {
        match self {
            Texts::Folder => {
                let path = path.join(file);
                if path.is_file() { text::read(&path).map(Some) } else { Ok(None) }
            }
            Texts::Embedded(files) => {
                Ok(files.iter().find(|(name, _)| *name == file).map(|(_, content)| text::plain(content)))
            }
        }
    }
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
    /// whole, two of one id, one whose parent is missing, and a circle of parents.
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
        &self.graph.order
    }

    /// The migrations that are built into the program.
    pub(super) fn embedded(migrations: &'static [(&'static str, Files)]) -> Result<Self> {
        read::embedded(migrations)
    }

    /// The migrations that no other follows: one, or more where branches came together.
    #[must_use]
    pub fn heads(&self) -> Vec<&Migration> {
        self.graph.heads().into_iter().filter_map(|index| self.graph.order.get(index)).collect()
    }

    /// The migration that is meant: by its id, its name where only one has it, or both.
    ///
    /// # Errors
    /// `Migration` when there is none, or more than one.
    pub fn migration(&self, name: &str) -> Result<&Migration> {
        let id = named(self.migrations().iter().map(|migration| (migration.id(), migration.name())), name)?;
        self.migrations().iter().find(|migration| migration.id() == id).ok_or_else(|| unknown(name))
    }

    /// Whether one migration comes before another, by any way.
    pub(super) fn is_before(&self, earlier: &str, later: &str) -> bool {
        let place = |id: &str| self.graph.places.get(id).copied();
        matches!((place(earlier), place(later)), (Some(earlier), Some(later)) if self.graph.is_before(earlier, later))
    }

    /// The migrations that were made side by side and touch the same: which of two ran first would matter. Those of
    /// which `settled` says that nothing can be done about them any more are left out.
    ///
    /// # Errors
    /// Those of reading the files.
    pub fn conflicts(&self, settled: impl Fn(&str, &str) -> bool) -> Result<Vec<Conflict>> {
        let order = &self.graph.order;
        let mut footprints: Vec<Option<Footprint>> = vec![None; order.len()];
        let mut found = Vec::new();
        for (earlier, later) in self.graph.side_by_side() {
            let (Some(one), Some(two)) = (order.get(earlier), order.get(later)) else { continue };
            if settled(one.id(), two.id()) {
                continue;
            }
            for (place, migration) in [(earlier, one), (later, two)] {
                if let Some(known @ None) = footprints.get_mut(place) {
                    *known = Some(migration.footprint()?);
                }
            }
            let (Some(Some(first)), Some(Some(second))) = (footprints.get(earlier), footprints.get(later)) else {
                continue;
            };
            let parts = first.conflicts(second);
            if !parts.is_empty() {
                found.push(Conflict {
                    migrations: [one.id().to_owned(), two.id().to_owned()],
                    folders: [one.path.clone(), two.path.clone()],
                    parts,
                });
            }
        }
        Ok(found)
    }

    /// The schema after all migrations. Where branches came together it is the one of the first head with the changes
    /// of the others made to it.
    ///
    /// # Errors
    /// As [`Migration::schema`]; `Migration` for branches that touch the same.
    pub fn schema(&self) -> Result<Schema> {
        let heads = self.graph.heads();
        let Some(first) = heads.first().copied() else { return Ok(Schema::default()) };
        let order = &self.graph.order;
        let mut schema = order.get(first).map_or_else(|| Ok(Schema::default()), Migration::schema)?;
        if heads.len() > 1 {
            if let Some(conflict) = self.conflicts(|_, _| false)?.first() {
                return Err(conflict.error());
            }
            for (index, migration) in order.iter().enumerate() {
                if index != first && !self.graph.is_before(index, first) {
                    for change in &migration.plan.changes {
                        apply(&mut schema, change).map_err(|error| at(&migration.path, &error))?;
                    }
                }
            }
        }
        Ok(schema)
    }

    /// The schema on which a migration stands: that after all that it follows.
    ///
    /// # Errors
    /// As [`schema`](Folder::schema).
    pub(crate) fn schema_before(&self, migration: &Migration) -> Result<Schema> {
        let order = &self.graph.order;
        let this = order.iter().position(|other| other.id() == migration.id()).unwrap_or(order.len());
        match self.graph.parents(this) {
            [] => Ok(Schema::default()),
            [parent] => order.get(*parent).map_or_else(|| Ok(Schema::default()), Migration::schema),
            _ => {
                let before = order.iter().enumerate().filter(|(index, _)| self.graph.is_before(*index, this));
                let by_id = before.map(|(_, other)| (other.id().to_owned(), other.clone())).collect();
                Folder { path: self.path.clone(), graph: Graph::new(by_id)? }.schema()
            }
        }
    }

    /// The folder without this migration, which must be a head.
    ///
    /// # Errors
    /// `Migration` when there is none of this id, or others follow it.
    pub(super) fn without(&self, id: &str) -> Result<Self> {
        if !self.heads().iter().any(|head| head.id() == id) {
            let message = if self.migrations().iter().any(|migration| migration.id() == id) {
                format!("other migrations follow {id}")
            } else {
                format!("there is no migration {id}")
            };
            return Err(Error::new(ErrorKind::Migration, message));
        }
        let rest = self.migrations().iter().filter(|migration| migration.id() != id);
        let by_id = rest.map(|migration| (migration.id().to_owned(), migration.clone())).collect();
        Ok(Folder { path: self.path.clone(), graph: Graph::new(by_id)? })
    }
}

/// The id of the migration that is meant: by its id, its name where only one has it, or both.
pub(super) fn named<'n>(known: impl Iterator<Item = (&'n str, &'n str)>, wanted: &str) -> Result<&'n str> {
    let found: Vec<&str> = known
        .filter(|(id, name)| *id == wanted || *name == wanted || format!("{id}_{name}") == wanted)
        .map(|(id, _)| id)
        .collect();
    match &found[..] {
        [id] => Ok(id),
        [] => Err(unknown(wanted)),
        [first, second, ..] => Err(Error::new(
            ErrorKind::Migration,
            format!("more than one migration is called `{wanted}`: {first} and {second}"),
        )
        .with_help("name it by its id")),
    }
}

#[cold]
fn unknown(wanted: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("there is no migration `{wanted}`"))
        .with_help("`cargo covet migrate status` lists them")
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

    /// The ids of the migrations in whose place it stands; none, unless it was made by squashing.
    #[must_use]
    pub fn replaces(&self) -> &[String] {
        &self.plan.replaces
    }

    /// Those of them that were no squashes themselves: a database that has all of these has the whole.
    pub(super) fn originals(&self) -> impl Iterator<Item = &String> {
        self.plan.replaces.iter().filter(|id| !self.plan.squashes.contains(id))
    }

    /// Whether one of them is its end: what follows that follows the whole.
    pub(super) fn ends_with(&self, id: &str) -> bool {
        for replaced in self.plan.replaces.iter().rev() {
            if replaced == id {
                return true;
            }
            // The last one that a squash stood for is its end as well.
            if !self.plan.squashes.contains(replaced) {
                return false;
            }
        }
        false
    }

    /// Which part of a change it is that is made while others write; none where they may have to wait.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.plan.online
    }

    /// What lies between the schema before it and the schema after it.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.plan.changes
    }

    /// Where its files are; of one that is built into the program only the name of the folder.
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
        let text = self.texts.read(&self.path, SNAPSHOT)?.ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("{} is missing", path.display())).with_help("restore the file")
        })?;
        let schema = from_toml(&text).map_err(|error| at(&path, &error))?;
        if hash(&schema)? != self.plan.schema {
            let error = Error::new(ErrorKind::Migration, "the snapshot was edited: its hash is not that of plan.toml");
            return Err(at(&path, &error.with_help("restore both files as they were made")));
        }
        Ok(schema)
    }

    /// Whether it was made for this kind of database.
    #[must_use]
    pub fn is_for(&self, dialect: &str) -> bool {
        let file = Way::Up.file(dialect);
        match self.texts {
            Texts::Folder => self.path.join(file).is_file(),
            Texts::Embedded(files) => files.iter().any(|(name, _)| *name == file),
        }
    }

    /// The scripts that are not as they were made.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn edited(&self) -> Result<Vec<String>> {
        let mut edited = Vec::new();
        for (name, made) in &self.plan.scripts {
            let text = self.texts.read(&self.path, name)?;
            if text.is_none_or(|text| checksum(&text) != *made) {
                edited.push(name.clone());
            }
        }
        Ok(edited)
    }

    /// Whether its scripts are known to be those of its changes.
    pub(super) fn is_generated(&self) -> bool {
        !self.plan.scripts.is_empty() && !self.plan.changes.is_empty()
    }

    /// One of its scripts, of this text.
    ///
    /// # Errors
    /// As [`Script::parse`], with the file; `Migration` for a way forth that says there is no way back.
    pub(super) fn parse(&self, text: &str, dialect: &dyn Dialect, way: Way) -> Result<Script> {
        let placed = |error: &Error| at(&self.path.join(way.file(dialect.name())), error);
        let script = Script::parse(text, dialect).map_err(|error| placed(&error))?;
        if way == Way::Up && script.irreversible.is_some() {
            let error = Error::new(ErrorKind::Migration, "nobody would heed `-- covet:irreversible` on the way forth");
            return Err(placed(&error.with_help(format!("write it into {}", Way::Down.file(dialect.name())))));
        }
        Ok(script)
    }

    fn footprint(&self) -> Result<Footprint> {
        let known = !self.plan.scripts.is_empty() && self.edited()?.is_empty();
        Ok(if known { Footprint::of(&self.plan.changes, &self.plan.rebuilds) } else { Footprint::everything() })
    }

    /// The checksums of its files, and its two scripts: up, and down.
    pub(super) fn load(&self, dialect: &str) -> Result<(Sums, String, String)> {
        let (up, down) = (self.sql(dialect, Way::Up)?, self.sql(dialect, Way::Down)?);
        let sums = Sums { up: checksum(&up), down: Some(checksum(&down)), plan: Some(self.plan_sum.clone()) };
        Ok((sums, up, down))
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What runs on this kind of database.
    ///
    /// # Errors
    /// `Migration` when the migration was not made for it.
    pub fn sql(&self, dialect: &str, way: Way) -> Result<String> {
        self.texts.read(&self.path, &way.file(dialect))?.ok_or_else(|| {
            let path = self.path.join(way.file(dialect));
            Error::new(
                ErrorKind::Migration,
                format!("the migration {} was not made for {dialect}: {} is missing", self.plan.id, path.display()),
            )
            .with_help("name the database in covet.toml before the first migration is made")
        })
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
