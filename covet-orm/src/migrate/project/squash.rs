//! Puts one migration in the place of several that follow each other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use covet_drivers::catalog::{Change, Schema};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, Plan, Way, irreversible, remove, render, write};
use crate::migrate::{Draft, Migration, Project, Target, stamp};
use crate::schema::{Diff, diff, hash, way_back};

/// A migration that stands for several.
#[derive(Clone, Debug)]
pub struct Squashed {
    folder: PathBuf,
    replaced: Vec<PathBuf>,
    draft: Draft,
}

impl Project {
    /// Puts one migration in the place of all from the first of these to the last, which must follow each other in a
    /// line. A database that has none of them runs the new one; one that has all of them takes it for applied, and one
    /// that has a part is told to apply the rest first. Writes nothing yet.
    ///
    /// Where the range begins with the very first migration and no script of it was edited by hand, the new one makes
    /// the schema at once; else its scripts are those of the range, one after the other.
    ///
    /// # Errors
    /// `Migration` for a range that is none, or has less than two; those of the files.
    pub fn squash(&self, first: &str, last: &str, name: Option<&str>) -> Result<Squashed> {
        let folder = Folder::read(&self.folder)?;
        self.made_for_all(&folder)?;
        let range = range(&folder, first, last)?;
        let (Some(one), Some(end)) = (range.first(), range.last()) else { return Err(no_range(first, last)) };
        let after = end.schema()?;
        let edited = range.iter().map(|migration| migration.edited()).collect::<Result<Vec<_>>>()?;
        let untouched = edited.iter().all(Vec::is_empty) && range.iter().all(|migration| migration.is_generated());
        let plan = Plan {
            id: stamp::new_id()?,
            name: stamp::name(name.unwrap_or(if one.parents().is_empty() { "initial" } else { end.name() }))?,
            parents: one.parents().to_vec(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            schema: hash(&after)?,
            decisions: Vec::new(),
            changes: Vec::new(),
            replaces: range
                .iter()
                .flat_map(|one| one.replaces().iter().cloned().chain([one.id().to_owned()]))
                .collect(),
            squashes: range
                .iter()
                .flat_map(|one| {
                    let itself = (!one.replaces().is_empty()).then(|| one.id().to_owned());
                    one.plan().squashes.iter().cloned().chain(itself)
                })
                .collect(),
            online: None,
            rebuilds: Vec::new(),
            scripts: BTreeMap::new(),
        };
        let mut draft = Draft::new(&self.folder, plan, &folder.schema_before(one)?, &after);
        if one.parents().is_empty() && untouched {
            self.anew(&mut draft, &after)?;
        } else {
            draft.plan.changes = range.iter().flat_map(|migration| migration.changes().iter().cloned()).collect();
            draft.plan.rebuilds =
                range.iter().flat_map(|migration| migration.plan().rebuilds.iter().cloned()).collect();
            for target in &self.targets {
                together(&mut draft, target, &range)?;
            }
        }
        draft.finish()?;
        let replaced = range.iter().map(|migration| migration.path().to_owned()).collect();
        Ok(Squashed { folder: self.folder.clone(), replaced, draft })
    }

    /// The schema made at once, from nothing.
    fn anew(&self, draft: &mut Draft, after: &Schema) -> Result<()> {
        let before = Schema::default();
        let Diff::Changes(changes) = diff(&before, after, &[])? else {
            return Err(Error::new(ErrorKind::Migration, "a new database asks for a decision"));
        };
        let back: Vec<Change> = way_back(&before, after, &[])?;
        draft.plan.changes = changes;
        for target in &self.targets {
            draft.scripts(target, &back, &before, after)?;
        }
        Ok(())
    }
}

/// The migrations from one to another, each of which follows the one before it and only that.
fn range<'f>(folder: &'f Folder, first: &str, last: &str) -> Result<Vec<&'f Migration>> {
    let (first, last) = (folder.migration(first)?, folder.migration(last)?);
    let mut found = vec![last];
    while let Some(migration) = found.last().copied()
        && migration.id() != first.id()
    {
        let [parent] = migration.parents() else { return Err(no_range(first.id(), last.id())) };
        let parent = folder.migrations().iter().find(|known| known.id() == parent || known.replaces().contains(parent));
        found.push(parent.ok_or_else(|| no_range(first.id(), last.id()))?);
    }
    found.reverse();
    // One that follows from the middle would follow what is there only afterwards.
    let is_inner = |id: &String| {
        found.iter().rev().skip(1).any(|migration| migration.id() == id || migration.replaces().contains(id))
    };
    let beside = folder.migrations().iter().filter(|other| !found.iter().any(|migration| migration.id() == other.id()));
    if let Some(other) = beside.into_iter().find(|other| other.parents().iter().any(is_inner)) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("the migration {} follows one in the middle of the range", other.id()),
        ));
    }
    if found.len() < 2 { Err(no_range(first.id(), last.id())) } else { Ok(found) }
}

#[cold]
fn no_range(first: &str, last: &str) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!("from {first} to {last} there are not two migrations or more that follow each other in a line"),
    )
    .with_help("`cargo covet migrate status` lists them in order")
}

/// The scripts of the range, one after the other; the way back in the other order.
fn together(draft: &mut Draft, target: &Target, range: &[&Migration]) -> Result<()> {
    for way in Way::BOTH {
        let mut scripts = Vec::new();
        for migration in range {
            scripts.push(migration.parse(&migration.sql(target.name(), way)?, target.dialect, way)?);
        }
        if way == Way::Down {
            scripts.reverse();
        }
        let text = match scripts.iter().find_map(|script| script.irreversible.clone()) {
            Some(why) => {
                draft.irreversible.push(why.clone());
                irreversible(&draft.heading(way), &why)
            }
            None => {
                let steps: Vec<_> = scripts.into_iter().flat_map(|script| script.steps).collect();
                render(&draft.heading(way), &steps, target.dialect)?
            }
        };
        draft.files.push((way.file(target.name()), text));
    }
    Ok(())
}

impl Squashed {
    /// What takes their place.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The folders that go.
    #[must_use]
    pub fn replaced(&self) -> &[PathBuf] {
        &self.replaced
    }

    /// Writes the new folder and removes the old ones.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&self) -> Result<PathBuf> {
        let written = write(&self.draft.folder, &self.draft.plan, &self.draft.files)?;
        remove(&self.folder, &self.replaced)?;
        Ok(written)
    }
}
