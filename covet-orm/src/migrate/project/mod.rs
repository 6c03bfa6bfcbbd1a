//! Makes migrations: compares the models with the last snapshot and writes what lies between.

mod rebase;
mod squash;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covet_drivers::catalog::{Change, Column, Schema};
use covet_drivers::contract::Step;
use covet_drivers::sql::{Word, words};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, PLAN, Plan, SNAPSHOT, Way, checksum, irreversible, render, write};
use crate::migrate::{Target, stamp};
use crate::schema::{
    Decision, Diff, MissingDecisions, Models, describe, diff, hash, loses_data, schema_of, to_toml, way_back,
};

pub use rebase::Rebased;
pub use squash::Squashed;

/// A folder of migrations and the databases that they are made for.
#[derive(Clone, Debug)]
pub struct Project {
    folder: PathBuf,
    targets: Vec<Target>,
}

/// A migration that is not written yet.
#[derive(Clone, Debug)]
pub struct Draft {
    folder: PathBuf,
    plan: Plan,
    files: Vec<(String, String)>,
    irreversible: Vec<String>,
}

impl Project {
    /// Migrations in this folder, for these kinds of database (`postgres`, `mysql`, `sqlite`).
    ///
    /// # Errors
    /// `Config` for a kind that is not known or not built in, and when none is named.
    pub fn new<S: AsRef<str>>(folder: impl Into<PathBuf>, databases: &[S]) -> Result<Self> {
        let mut targets = databases.iter().map(|name| Target::named(name.as_ref())).collect::<Result<Vec<_>>>()?;
        targets.sort_by_key(Target::name);
        targets.dedup_by_key(|target| target.name());
        if targets.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "migrations are made for at least one database, and none is named",
            ));
        }
        Ok(Project { folder: folder.into(), targets })
    }

    /// Makes the migration that leads from the last one to these models and writes it; `None` when
    /// nothing changed. The name is made up when there is none. Where two branches came together it follows both, unless
    /// they touch the same, which is an error.
    ///
    /// # Errors
    /// `Decision` with [`MissingDecisions`] as its source; `Migration` for models that do not fit
    /// together, and decisions and folders that do not fit; `Unsupported`, naming table, column and
    /// database, for what one of the databases cannot do; `Io`.
    pub fn make(&self, models: &Models, name: Option<&str>, decisions: &[Decision]) -> Result<Option<PathBuf>> {
        self.draft(&schema_of(models)?, name, decisions)?.map(|draft| draft.write()).transpose()
    }

    /// As [`make`](Project::make), for a schema, and without writing anything.
    ///
    /// # Errors
    /// As there.
    pub fn draft(&self, after: &Schema, name: Option<&str>, decisions: &[Decision]) -> Result<Option<Draft>> {
        self.draft_on(&Folder::read(&self.folder)?, after, name, decisions)
    }

    /// As [`draft`](Project::draft), on top of these migrations.
    fn draft_on(
        &self,
        folder: &Folder,
        after: &Schema,
        name: Option<&str>,
        decisions: &[Decision],
    ) -> Result<Option<Draft>> {
        let mut sorted = after.clone();
        sorted.sort();
        let after = &sorted;
        self.made_for_all(folder)?;
        let before = &folder.schema()?;
        for target in &self.targets {
            target.ddl.check(after)?;
        }
        let changes = match diff(before, after, decisions)? {
            Diff::Changes(changes) => changes,
            Diff::Missing(missing) => return Err(MissingDecisions { missing }.into_error()),
        };
        if changes.is_empty() {
            return Ok(None);
        }
        let back = way_back(before, after, decisions)?;
        let name = stamp::name(&name.map_or_else(|| self.name_for(folder, &changes), str::to_owned))?;
        let plan = Plan {
            id: stamp::new_id()?,
            name,
            parents: folder.heads().into_iter().map(|head| head.id().to_owned()).collect(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            schema: hash(after)?,
            decisions: decisions.iter().map(Decision::to_string).collect(),
            changes,
            replaces: Vec::new(),
            squashes: Vec::new(),
            rebuilds: Vec::new(),
            scripts: BTreeMap::new(),
        };
        let mut draft = Draft::new(&self.folder, plan);
        for target in &self.targets {
            draft.scripts(target, &back, before, after)?;
        }
        draft.finish(after)?;
        Ok(Some(draft))
    }

    /// A database that is named later than the first migration has no files in the ones before.
    fn made_for_all(&self, folder: &Folder) -> Result<()> {
        for migration in folder.migrations() {
            for target in &self.targets {
                if !migration.is_for(target.name()) {
                    return Err(Error::new(
                        ErrorKind::Migration,
                        format!("the migration {} was not made for {}", migration.id(), target.name()),
                    )
                    .with_help("a database cannot join later yet: take it out of `databases`, or begin a new folder"));
                }
            }
        }
        Ok(())
    }

    fn name_for(&self, folder: &Folder, changes: &[Change]) -> String {
        let first = changes.first().map(describe).unwrap_or_default();
        if folder.migrations().is_empty() { "initial".to_owned() } else { first }
    }
}

impl Draft {
    fn new(folder: &Path, plan: Plan) -> Self {
        Draft { folder: folder.to_owned(), plan, files: Vec::new(), irreversible: Vec::new() }
    }

    /// Adds the plan and the snapshot, now that the scripts are there.
    fn finish(&mut self, after: &Schema) -> Result<()> {
        self.plan.scripts = self.files.iter().map(|(name, text)| (name.clone(), checksum(text))).collect();
        self.plan.rebuilds.sort();
        self.plan.rebuilds.dedup();
        self.files.insert(0, (PLAN.to_owned(), self.plan.to_toml()?));
        self.files.insert(1, (SNAPSHOT.to_owned(), to_toml(after)?));
        Ok(())
    }

    /// What it will be called: id and name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}_{}", self.plan.id, self.plan.name)
    }

    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.plan.changes
    }

    /// The decisions with which it is made, as they were given.
    #[must_use]
    pub fn decisions(&self) -> &[String] {
        &self.plan.decisions
    }

    /// The changes that destroy data, in words.
    pub fn losses(&self) -> impl Iterator<Item = String> {
        self.plan.changes.iter().filter(|change| loses_data(change)).map(describe)
    }

    /// Why there is no way back, for each database that has none.
    #[must_use]
    pub fn irreversible(&self) -> &[String] {
        &self.irreversible
    }

    /// The files: names and contents.
    #[must_use]
    pub fn files(&self) -> &[(String, String)] {
        &self.files
    }

    /// Writes the files, all or none, and gives their folder.
    ///
    /// # Errors
    /// `Io`, and `Migration` when there is such a folder.
    pub fn write(&self) -> Result<PathBuf> {
        write(&self.folder, &self.plan, &self.files)
    }

    fn scripts(&mut self, target: &Target, back: &[Change], before: &Schema, after: &Schema) -> Result<()> {
        let steps = target.ddl.plan(&self.plan.changes, before, after)?;
        self.states_columns_anew(target, &steps, before)?;
        self.script(target, Way::Up, &steps)?;
        match target.ddl.plan(back, after, before) {
            Ok(steps) => self.script(target, Way::Down, &steps),
            // The way forth is what was asked for; that there is none back is said where it matters.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let why = error.message().to_owned();
                self.files.push((Way::Down.file(target.name()), irreversible(&self.heading(Way::Down), &why)));
                self.irreversible.push(why);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn script(&mut self, target: &Target, way: Way, steps: &[Step]) -> Result<()> {
        self.plan.rebuilds.extend(steps.iter().filter_map(|step| step.rebuilds.clone()));
        let text = render(&self.heading(way), steps, target.dialect)?;
        self.files.push((way.file(target.name()), text));
        Ok(())
    }

    /// An enum that changes has columns whose tables no change names; where a script says anew what such a column is,
    /// what another migration makes of the table would be lost.
    fn states_columns_anew(&mut self, target: &Target, steps: &[Step], before: &Schema) -> Result<()> {
        let enums: Vec<&str> = self.plan.changes.iter().filter_map(altered_enum).collect();
        let has = |column: &Column| column.ty.as_enum().is_some_and(|ty| enums.contains(&&*ty.name));
        let tables = before.tables.iter().filter(|table| table.columns.iter().any(has));
        let mut found = Vec::new();
        for table in tables {
            for step in steps {
                let words = words(&step.sql, target.dialect.quoting())?;
                if words.contains(&Word::Name(table.name.clone())) {
                    found.push(table.name.clone());
                }
            }
        }
        self.plan.rebuilds.extend(found);
        Ok(())
    }

    fn heading(&self, way: Way) -> String {
        match way {
            // Without the id, so that the same is written, and has the same checksum, whenever it is made.
            Way::Up => self.plan.name.clone(),
            Way::Down => format!("the way back from {}", self.plan.name),
        }
    }
}

fn altered_enum(change: &Change) -> Option<&str> {
    match change {
        Change::AlterEnum { before, .. } => Some(&before.name),
        _ => None,
    }
}

impl AsRef<Path> for Project {
    fn as_ref(&self) -> &Path {
        &self.folder
    }
}
