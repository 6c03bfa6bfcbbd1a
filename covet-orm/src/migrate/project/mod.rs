//! Makes migrations: compares the models with the last snapshot and writes what lies between.

mod online;
mod rebase;
mod split;
mod squash;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covet_drivers::catalog::{Change, Column, Schema};
use covet_drivers::contract::Step;
use covet_drivers::sql::{Word, words};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, PLAN, Part, Plan, SNAPSHOT, Way, checksum, irreversible, remove, render, write};
use crate::migrate::{Target, stamp};
use crate::schema::{
    Decision, Diff, Hints, MissingDecisions, Models, describe, diff, hash, hints_of, loses_data, schema_of, to_toml,
    way_back,
};

pub use rebase::Rebased;
pub use squash::Squashed;

/// A folder of migrations and the databases that they are made for.
#[derive(Clone, Debug)]
pub struct Project {
    folder: PathBuf,
    targets: Vec<Target>,
    online: bool,
    hints: Hints,
}

/// A migration that is not written yet.
#[derive(Clone, Debug)]
pub struct Draft {
    folder: PathBuf,
    plan: Plan,
    before: Schema,
    after: Schema,
    files: Vec<(String, String)>,
    irreversible: Vec<String>,
}

/// What a migration is made of.
struct Making<'m> {
    name: &'m str,
    parents: Vec<String>,
    part: Option<Part>,
    before: &'m Schema,
    after: &'m Schema,
    changes: Vec<Change>,
    back: Vec<Change>,
    decisions: &'m [Decision],
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
        Ok(Project { folder: folder.into(), targets, online: false, hints: Hints::default() })
    }

    /// Makes the migration that leads from the last one to these models and writes it; `None` when nothing changed; of
    /// the parts of a change that is made [`online`](Project::online), the last. What the models say about their own past
    /// is decided. The name is made up when there is none. Where two branches came together it follows both, unless they
    /// touch the same, which is an error.
    ///
    /// # Errors
    /// `Decision` with [`MissingDecisions`] as its source; `Migration` for models that do not fit
    /// together, and decisions and folders that do not fit; `Unsupported`, naming table, column and
    /// database, for what one of the databases cannot do; `Io`.
    pub fn make(&self, models: &Models, name: Option<&str>, decisions: &[Decision]) -> Result<Option<PathBuf>> {
        let maker = self.clone().hints(hints_of(models)?);
        let drafts = maker.drafts(&schema_of(models)?, name, decisions)?;
        Ok(Draft::write_all(&drafts)?.pop())
    }

    /// Makes what others can read and write beside while it runs, in up to three migrations: see
    /// [`drafts`](Project::drafts).
    #[must_use]
    pub fn online(mut self, online: bool) -> Self {
        self.online = online;
        self
    }

    /// What the models say about their own past, for what is made of their schema. It is decided by that, as if it had
    /// been given; what is given otherwise as well is an error.
    #[must_use]
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }

    /// The kinds of database on which nothing can be made online, so that it is made as elsewhere.
    pub fn offline(&self) -> impl Iterator<Item = &'static str> {
        self.targets.iter().filter(|target| !target.ddl.has_online()).map(Target::name)
    }

    /// As [`draft`](Project::draft); [`online`](Project::online) it is more than one migration where a change has parts
    /// that programs of the last release do not bear: what they do not notice, what fills rows, and what waits until
    /// none of them runs. None when nothing changed.
    ///
    /// # Errors
    /// As there; and `Unsupported`, naming table and column, for what cannot be made while others write.
    pub fn drafts(&self, after: &Schema, name: Option<&str>, decisions: &[Decision]) -> Result<Vec<Draft>> {
        let folder = Folder::read(&self.folder)?;
        if self.online {
            return self.drafts_online(&folder, after, name, decisions);
        }
        Ok(self.draft_on(&folder, after, name, decisions)?.into_iter().collect())
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
        let before = &folder.schema()?;
        let decisions = &self.decided(before, after, decisions)?;
        let changes = self.changes(folder, before, after, decisions)?;
        if changes.is_empty() {
            return Ok(None);
        }
        let back = way_back(before, after, decisions)?;
        let name = name.map_or_else(|| self.name_for(folder, &changes), str::to_owned);
        let parents = folder.heads().into_iter().map(|head| head.id().to_owned()).collect();
        let making = Making { name: &name, parents, part: None, before, after, changes, back, decisions };
        self.assemble(making).map(Some)
    }

    /// The decisions with what the models say of what would be asked.
    fn decided(&self, before: &Schema, after: &Schema, given: &[Decision]) -> Result<Vec<Decision>> {
        if self.hints.is_empty() {
            return Ok(given.to_vec());
        }
        let mut decisions = self.hints.with(given, before, after)?;
        while let Diff::Missing(questions) = diff(before, after, &decisions)? {
            let mut more = self.hints.answers(&questions);
            more.retain(|decision| !decisions.contains(decision));
            if more.is_empty() {
                break;
            }
            decisions.extend(more);
        }
        Ok(decisions)
    }

    /// What lies between the schemas, all of which is decided.
    fn changes(&self, folder: &Folder, before: &Schema, after: &Schema, decisions: &[Decision]) -> Result<Vec<Change>> {
        self.made_for_all(folder)?;
        for target in &self.targets {
            target.ddl.check(after)?;
        }
        match diff(before, after, decisions)? {
            Diff::Changes(changes) => Ok(changes),
            Diff::Missing(missing) => Err(MissingDecisions { missing }.into_error()),
        }
    }

    fn assemble(&self, making: Making<'_>) -> Result<Draft> {
        let Making { name, parents, part, before, after, changes, back, decisions } = making;
        let plan = Plan {
            id: stamp::new_id()?,
            name: stamp::name(name)?,
            parents,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            schema: hash(after)?,
            decisions: decisions.iter().map(Decision::to_string).collect(),
            changes,
            replaces: Vec::new(),
            squashes: Vec::new(),
            online: part,
            rebuilds: Vec::new(),
            scripts: BTreeMap::new(),
        };
        let mut draft = Draft::new(&self.folder, plan, before, after);
        for target in &self.targets {
            draft.scripts(target, &back, before, after)?;
        }
        draft.finish()?;
        Ok(draft)
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
    fn new(folder: &Path, plan: Plan, before: &Schema, after: &Schema) -> Self {
        let (before, after) = (before.clone(), after.clone());
        Draft { folder: folder.to_owned(), plan, before, after, files: Vec::new(), irreversible: Vec::new() }
    }

    /// Adds the plan and the snapshot, now that the scripts are there.
    fn finish(&mut self) -> Result<()> {
        self.plan.scripts = self.files.iter().map(|(name, text)| (name.clone(), checksum(text))).collect();
        self.plan.rebuilds.sort();
        self.plan.rebuilds.dedup();
        self.files.insert(0, (PLAN.to_owned(), self.plan.to_toml()?));
        self.files.insert(1, (SNAPSHOT.to_owned(), to_toml(&self.after)?));
        Ok(())
    }

    /// Writes the parts of a change, all of them or none, and gives their folders.
    ///
    /// # Errors
    /// As [`write`](Draft::write).
    pub fn write_all(drafts: &[Draft]) -> Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for draft in drafts {
            match draft.write() {
                Ok(path) => written.push(path),
                Err(error) => {
                    // A part of the change alone would be taken for all of it. The first error is the one to tell.
                    let _ = remove(&draft.folder, &written);
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.plan.id
    }

    /// What it will be called: id and name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}_{}", self.plan.id, self.plan.name)
    }

    /// Which part of a change it is that is made while others write; none where they may have to wait.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.plan.online
    }

    /// The schema before it.
    #[must_use]
    pub fn before(&self) -> &Schema {
        &self.before
    }

    /// The schema after it.
    #[must_use]
    pub fn after(&self) -> &Schema {
        &self.after
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
        let online = self.plan.online.is_some();
        let steps = if online {
            target.ddl.plan_online(&self.plan.changes, before, after)?
        } else {
            target.ddl.plan(&self.plan.changes, before, after)?
        };
        self.states_columns_anew(target, &steps, before)?;
        self.script(target, Way::Up, &steps)?;
        let planned = match target.ddl.plan_online(back, after, before) {
            Ok(steps) if online => Ok(steps),
            // What cannot go back beside others goes back without them.
            _ => target.ddl.plan(back, after, before),
        };
        match planned {
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
