//! Makes a migration again on top of others that came from another branch.

use std::path::PathBuf;

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, Way, remove, write};
use crate::migrate::{Draft, Project};
use crate::schema::{Decision, diff};

/// A migration that is to take the place of another.
#[derive(Clone, Debug)]
pub struct Rebased {
    folder: PathBuf,
    old: PathBuf,
    draft: Option<Draft>,
    dropped: Vec<Decision>,
}

impl Project {
    /// Makes a migration again on top of all others, with the decisions with which it was made and these: its folder
    /// goes, and another comes. It must be applied nowhere, and no other may follow it. Writes nothing yet.
    ///
    /// `after` is what the models are now, with both branches in them.
    ///
    /// # Errors
    /// `Migration` when there is no such migration, others follow it, or its scripts were edited by hand, which would be
    /// lost; else as [`make`](Project::make).
    pub fn rebase(&self, after: &Schema, id: &str, more: &[Decision]) -> Result<Rebased> {
        let folder = Folder::read(&self.folder)?;
        let migration = folder.migration(id)?;
        let edited = migration.edited()?;
        if !edited.is_empty() {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "the migration {} was edited by hand ({}), which would be lost",
                    migration.id(),
                    edited.join(", ")
                ),
            )
            .with_help("keep a copy, remove the folder, make the migration anew, and edit it again"));
        }
        if migration.part().is_some() {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the migration {} was made with --online, and is not made again by itself", migration.id()),
            )
            .with_help("remove the folders of its parts, which must be applied nowhere, and make them anew"));
        }
        let rest = folder.without(migration.id())?;
        let mut decisions = migration.decisions().iter().map(|text| text.parse()).collect::<Result<Vec<Decision>>>()?;
        decisions
            .extend(more.iter().filter(|decision| !migration.decisions().contains(&decision.to_string())).cloned());
        let dropped = self.settled(&rest, after, &mut decisions, more)?;
        let draft = self.draft_on(&rest, after, Some(migration.name()), &decisions)?;
        Ok(Rebased { folder: self.folder.clone(), old: migration.path().to_owned(), draft, dropped })
    }

    /// Takes the old decisions out that fit nothing any more, because the other branch has done the same.
    fn settled(
        &self,
        rest: &Folder,
        after: &Schema,
        decisions: &mut Vec<Decision>,
        more: &[Decision],
    ) -> Result<Vec<Decision>> {
        let before = rest.schema()?;
        let mut dropped = Vec::new();
        loop {
            let Err(error) = diff(&before, after, decisions) else { return Ok(dropped) };
            let named = |decision: &Decision| error.message().contains(&format!("`{decision}`"));
            let Some(place) = decisions.iter().position(|decision| !more.contains(decision) && named(decision)) else {
                return Err(error);
            };
            dropped.push(decisions.remove(place));
        }
    }
}

impl Rebased {
    /// What takes its place; `None` when the others do all of it already.
    #[must_use]
    pub fn draft(&self) -> Option<&Draft> {
        self.draft.as_ref()
    }

    /// Decisions of the old migration that fit nothing any more.
    #[must_use]
    pub fn dropped(&self) -> &[Decision] {
        &self.dropped
    }

    /// Writes the new folder and removes the old one.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&self) -> Result<Option<PathBuf>> {
        let written = match &self.draft {
            Some(draft) => Some(write(&draft.folder, &draft.plan, &draft.files)?),
            None => None,
        };
        remove(&self.folder, std::slice::from_ref(&self.old))?;
        Ok(written)
    }
}

impl Way {
    /// Both ways.
    pub(super) const BOTH: [Way; 2] = [Way::Up, Way::Down];
}
