//! Chooses what to run: compares the files with the history, and refuses what does not fit.

use std::collections::{BTreeMap, BTreeSet};

use covet_drivers::render::Dialect;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::Migration;
use crate::migrate::files::{Folder, PLAN, Script, Sums, Way, named, step_hash};
use crate::migrate::history::{Entry, State};
use crate::migrate::runner::{Goal, in_migration};

/// A migration to apply, and what an earlier run did of it.
#[derive(Debug)]
pub(in crate::migrate) struct Work<'f> {
    pub(in crate::migrate) migration: &'f Migration,
    pub(in crate::migrate) sums: Sums,
    pub(in crate::migrate) up: Script,
    pub(in crate::migrate) up_sql: String,
    pub(in crate::migrate) down_sql: String,
    pub(in crate::migrate) begun: Option<Entry>,
    /// The database has it already, by the migrations that it replaces.
    pub(in crate::migrate) is_there: bool,
}

impl Work<'_> {
    pub(in crate::migrate) fn id(&self) -> &str {
        self.migration.id()
    }

    /// Statements that are done already.
    pub(in crate::migrate) fn done(&self) -> usize {
        self.begun.as_ref().map_or(0, |entry| entry.steps_done)
    }
}

/// What is to be applied.
pub(in crate::migrate) struct Choice<'f> {
    pub(in crate::migrate) folder: &'f Folder,
    pub(in crate::migrate) dialect: &'static dyn Dialect,
    /// Whether the database may have migrations that are not here.
    pub(in crate::migrate) allow_newer: bool,
}

impl<'f> Choice<'f> {
    /// Everything up to the goal.
    pub(super) fn up(&self, entries: &[Entry], goal: Goal<'_>) -> Result<Vec<Work<'f>>> {
        let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        self.all_here(entries)?;
        let (mut pending, mut applied) = (Vec::new(), Vec::new());
        for migration in self.folder.migrations() {
            let entry = by_id.get(migration.id()).copied();
            match entry.map(|entry| entry.state) {
                Some(State::Applied | State::Baseline) => {
                    applied.push(migration.id());
                    if let Some(file) = entry.map(|entry| edited(migration, entry, self.dialect)).transpose()?.flatten()
                    {
                        return Err(refused(migration, &format!("{file} was edited after it was applied")));
                    }
                }
                // Not held to its files: of one that was never here nothing else is known.
                Some(State::Replaced) => applied.push(migration.id()),
                Some(State::Reverting) => {
                    return Err(Error::new(
                        ErrorKind::Migration,
                        format!("the migration {} ({}) is undone half-way", migration.id(), migration.name()),
                    )
                    .with_help("finish the way back first: `cargo covet migrate down`"));
                }
                Some(State::Running | State::Failed) => pending.push((migration, entry, false)),
                Some(State::Reverted) | None => pending.push((migration, None, self.is_there(migration, &by_id)?)),
            }
        }
        let there = pending.iter().filter(|(.., is_there)| *is_there).map(|(migration, ..)| migration.id());
        let there: Vec<&str> = there.chain(applied.iter().copied()).collect();
        let lacking: Vec<&Migration> =
            pending.iter().filter(|(.., is_there)| !is_there).map(|(migration, ..)| *migration).collect();
        self.in_order(&lacking, &there)?;
        let ids = pending.iter().map(|(migration, ..)| migration.id());
        let most = self.most(&ids.collect::<Vec<_>>(), &applied, goal)?;
        // Only what runs is read as a script: a file that is wrong stops the run before anything has changed.
        pending
            .into_iter()
            .take(most)
            .map(|(migration, begun, is_there)| self.load(migration, begun, is_there))
            .collect()
    }

    /// A migration with its scripts, as if nothing were known of it.
    pub(in crate::migrate) fn work(&self, migration: &'f Migration) -> Result<Work<'f>> {
        self.load(migration, None, false)
    }

    fn load(&self, migration: &'f Migration, begun: Option<&Entry>, is_there: bool) -> Result<Work<'f>> {
        let placed = |error: Error| in_migration(migration.id(), migration.name(), error);
        let (sums, up_sql, down_sql) = migration.load(self.dialect.name())?;
        let up = migration.parse(&up_sql, self.dialect, Way::Up).map_err(placed)?;
        up.check_steering(self.dialect).map_err(placed)?;
        // A way back that cannot be gone is found now, not when it is needed.
        let down = migration.parse(&down_sql, self.dialect, Way::Down).map_err(placed)?;
        down.check_steering(self.dialect).map_err(|error| placed(on_the_way_back(&error)))?;
        Ok(Work { migration, sums, up, up_sql, down_sql, begun: begun.cloned(), is_there })
    }

    /// What the database has is here, under its own name or under that of what replaced it.
    fn all_here(&self, entries: &[Entry]) -> Result<()> {
        if self.allow_newer {
            return Ok(());
        }
        let here = self.folder.migrations().iter();
        let here: BTreeSet<&str> = here
            .flat_map(|migration| migration.replaces().iter().map(String::as_str).chain([migration.id()]))
            .collect();
        let counts = |entry: &Entry| !matches!(entry.state, State::Reverted | State::Replaced);
        match entries.iter().find(|entry| counts(entry) && !here.contains(entry.id.as_str())) {
            None => Ok(()),
            Some(entry) => Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "the migration {} ({}) is {} on the database, but its files are not here",
                    entry.id, entry.name, entry.state
                ),
            )
            .with_help("the database is newer than these files, or the folder was removed: bring the files back")),
        }
    }

    /// Whether everything that the migration replaces is applied.
    fn is_there(&self, migration: &Migration, by_id: &BTreeMap<&str, &Entry>) -> Result<bool> {
        let is = |id: &String| by_id.get(id.as_str()).is_some_and(|entry| entry.state != State::Reverted);
        let applied = |id: &String| by_id.get(id.as_str()).is_some_and(|entry| entry.state.is_applied());
        let replaced = migration.replaces();
        let lacking: Vec<&str> = migration.originals().filter(|id| !applied(id)).map(String::as_str).collect();
        if lacking.is_empty() {
            return Ok(!replaced.is_empty());
        }
        if !replaced.iter().any(is) {
            return Ok(false);
        }
        Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the migration {} stands for {} others, of which this database has only a part: it lacks {}",
                migration.id(),
                replaced.len(),
                lacking.join(", ")
            ),
        )
        .with_help("apply them with the files from before they were squashed"))
    }

    /// What is pending may come now, although others may have been applied since it was made.
    fn in_order(&self, pending: &[&Migration], applied: &[&str]) -> Result<()> {
        for id in applied {
            if let Some(before) = pending.iter().find(|before| self.folder.is_before(before.id(), id)) {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the migration {id} is applied, but {}, which it follows, is not", before.id()),
                ));
            }
        }
        let applied: BTreeSet<&str> = applied.iter().copied().collect();
        // Where both are applied nothing can be done about it any more.
        let conflicts = self.folder.conflicts(|one, two| applied.contains(one) && applied.contains(two))?;
        conflicts.first().map_or(Ok(()), |conflict| Err(conflict.error()))
    }

    /// How many of the pending ones lead to the goal.
    fn most(&self, pending: &[&str], applied: &[&str], goal: Goal<'_>) -> Result<usize> {
        Ok(match goal {
            Goal::All => pending.len(),
            Goal::Count(most) => most,
            Goal::To(name) => {
                let id = self.folder.migration(name)?.id();
                match pending.iter().position(|other| *other == id) {
                    Some(index) => index + 1,
                    None if applied.contains(&id) => 0,
                    None => pending.len(),
                }
            }
        })
    }
}

/// The file of an applied migration that was edited since.
pub(super) fn edited(migration: &Migration, entry: &Entry, dialect: &dyn Dialect) -> Result<Option<String>> {
    let (sums, ..) = migration.load(dialect.name())?;
    let other = |now: &Option<String>, then: &Option<String>| then.is_some() && now != then;
    Ok(if sums.up != entry.sums.up {
        Some(Way::Up.file(dialect.name()))
    } else if other(&sums.down, &entry.sums.down) {
        Some(Way::Down.file(dialect.name()))
    } else if other(&sums.plan, &entry.sums.plan) {
        Some(PLAN.to_owned())
    } else {
        None
    })
}

/// An unfinished migration goes on only when what it has done is what stands in the file.
pub(super) fn resumable(work: &Work<'_>, entry: &Entry) -> Result<()> {
    if entry.step_hashes.len() < entry.steps_done {
        return Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the history says that {} statements of {} ({}) are done, and knows only {}",
                entry.steps_done,
                work.id(),
                work.migration.name(),
                entry.step_hashes.len()
            ),
        )
        .with_help("the row was changed by other hands: look at the database, and put `steps_done` right"));
    }
    let mut now = work.up.steps.iter().map(step_hash);
    let changed = entry.step_hashes.iter().take(entry.steps_done).position(|then| now.next().as_ref() != Some(then));
    match changed {
        Some(index) => Err(refused(work.migration, &format!("statement {} was edited after it was done", index + 1))),
        None => Ok(()),
    }
}

fn on_the_way_back(error: &Error) -> Error {
    let placed = Error::new(error.kind(), format!("on the way back {}", error.message()));
    placed.with_help(error.help().unwrap_or_default().to_owned())
}

#[cold]
fn refused(migration: &Migration, what: &str) -> Error {
    Error::new(ErrorKind::Migration, format!("the migration {} ({}): {what}", migration.id(), migration.name()))
        .with_help(
            "restore the file, and make a new migration for what shall change; if the edit changes nothing that \
             matters, say so: `cargo covet migrate repair --accept ID`",
        )
}

/// What is to be undone, the last applied first. What was there before Covet was is never undone.
pub(super) fn down<'w>(entries: &'w [Entry], goal: Goal<'_>) -> Result<Vec<&'w Entry>> {
    if let Some(entry) = entries.iter().find(|entry| matches!(entry.state, State::Running | State::Failed)) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the migration {} ({}) is applied half-way, {} of {} statements",
                entry.id, entry.name, entry.steps_done, entry.steps_total
            ),
        )
        .with_help("finish it first: `cargo covet migrate up`"));
    }
    let here = |entry: &&Entry| matches!(entry.state, State::Applied | State::Baseline | State::Reverting);
    let mut applied: Vec<&Entry> = entries.iter().filter(here).collect();
    applied.sort_by_key(|entry| std::cmp::Reverse(entry.position));
    match goal {
        Goal::All => applied.retain(|entry| entry.state != State::Baseline),
        Goal::Count(most) => applied.truncate(most),
        Goal::To(name) => {
            let id = named(applied.iter().map(|entry| (entry.id.as_str(), entry.name.as_str())), name)?;
            let keep = applied.iter().position(|entry| entry.id == id).unwrap_or(applied.len());
            applied.truncate(keep);
        }
    }
    if let Some(entry) = applied.iter().find(|entry| entry.state == State::Baseline) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the migration {} ({}) was recorded as a baseline: what it makes was there before, and is not undone",
                entry.id, entry.name
            ),
        )
        .with_help("to forget it without touching the database: `cargo covet migrate mark --reverted ID`"));
    }
    Ok(applied)
}

/// Statements of the way back that are done already.
pub(super) fn undone(entry: &Entry) -> usize {
    if entry.state == State::Reverting { entry.steps_done } else { 0 }
}
