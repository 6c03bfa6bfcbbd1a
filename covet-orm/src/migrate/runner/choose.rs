//! Chooses what to run: compares the files with the history, and refuses what does not fit.

use std::collections::BTreeMap;

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::step_hash;
use crate::migrate::history::{Entry, State};
use crate::migrate::runner::{Goal, Loaded};

/// A migration to apply, and what an earlier run did of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work<'w> {
    pub(super) loaded: &'w Loaded<'w>,
    pub(super) begun: Option<&'w Entry>,
}

impl<'w> Work<'w> {
    pub(super) fn id(&self) -> &'w str {
        self.loaded.migration.id()
    }

    /// Statements that are done already.
    pub(super) fn done(&self) -> usize {
        self.begun.map_or(0, |entry| entry.steps_done)
    }
}

/// What is to be applied.
pub(super) fn up<'w>(loaded: &'w [Loaded<'w>], entries: &'w [Entry], goal: Goal<'_>) -> Result<Vec<Work<'w>>> {
    let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    for entry in entries {
        if entry.state != State::Reverted && !loaded.iter().any(|loaded| loaded.migration.id() == entry.id) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "the migration {} ({}) is {} on the database, but its files are not here",
                    entry.id, entry.name, entry.state
                ),
            )
            .with_help("the database is newer than these files, or the folder was removed: bring the files back"));
        }
    }
    let mut pending: Vec<Work<'_>> = Vec::new();
    for loaded in loaded {
        let id = loaded.migration.id();
        let entry = by_id.get(id).copied();
        match entry.map(|entry| (entry, entry.state)) {
            Some((entry, State::Applied)) => {
                if entry.up_checksum != loaded.checksum {
                    return Err(edited(loaded, "its SQL was edited after it was applied"));
                }
                if let Some(before) = pending.first() {
                    return Err(Error::new(
                        ErrorKind::Migration,
                        format!("the migration {id} is applied, but {}, which it follows, is not", before.id()),
                    ));
                }
            }
            Some((_, State::Reverting)) => {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the migration {id} ({}) is undone half-way", loaded.migration.name()),
                )
                .with_help("finish the way back first: `cargo covet migrate down`"));
            }
            Some((entry, State::Running | State::Failed)) => {
                resumable(loaded, entry)?;
                pending.push(Work { loaded, begun: Some(entry) });
            }
            Some((_, State::Reverted)) | None => pending.push(Work { loaded, begun: None }),
        }
    }
    limit(pending, loaded, entries, goal)
}

/// An unfinished migration goes on only when what it has done is what stands in the file.
fn resumable(loaded: &Loaded<'_>, entry: &Entry) -> Result<()> {
    let mut now = loaded.up.steps.iter().map(step_hash);
    let changed = entry.step_hashes.iter().take(entry.steps_done).position(|then| now.next().as_ref() != Some(then));
    if let Some(index) = changed {
        return Err(edited(loaded, &format!("statement {} was edited after it was done", index + 1)));
    }
    Ok(())
}

fn edited(loaded: &Loaded<'_>, what: &str) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!("the migration {} ({}): {what}", loaded.migration.id(), loaded.migration.name()),
    )
    .with_help("restore the file, and make a new migration for what shall change")
}

fn limit<'w>(
    mut pending: Vec<Work<'w>>,
    loaded: &[Loaded<'_>],
    entries: &[Entry],
    goal: Goal<'_>,
) -> Result<Vec<Work<'w>>> {
    match goal {
        Goal::All => {}
        Goal::Count(most) => pending.truncate(most),
        Goal::To(name) => {
            let names = loaded.iter().map(|loaded| (loaded.migration.id(), loaded.migration.name()));
            let id = named(names, name)?;
            match pending.iter().position(|work| work.id() == id) {
                Some(index) => pending.truncate(index + 1),
                None if entries.iter().any(|entry| entry.id == id && entry.state == State::Applied) => pending.clear(),
                None => {}
            }
        }
    }
    Ok(pending)
}

/// What is to be undone, the last applied first.
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
    let mut applied: Vec<&Entry> =
        entries.iter().filter(|entry| matches!(entry.state, State::Applied | State::Reverting)).collect();
    applied.sort_by_key(|entry| std::cmp::Reverse(entry.position));
    match goal {
        Goal::All => {}
        Goal::Count(most) => applied.truncate(most),
        Goal::To(name) => {
            let id = named(applied.iter().map(|entry| (entry.id.as_str(), entry.name.as_str())), name)?;
            let keep = applied.iter().position(|entry| entry.id == id).unwrap_or(applied.len());
            applied.truncate(keep);
        }
    }
    Ok(applied)
}

/// Statements of the way back that are done already.
pub(super) fn undone(entry: &Entry) -> usize {
    if entry.state == State::Reverting { entry.steps_done } else { 0 }
}

/// The id of the migration that is meant: by its id, its name where only one has it, or both.
fn named<'n>(known: impl Iterator<Item = (&'n str, &'n str)>, wanted: &str) -> Result<&'n str> {
    let found: Vec<&str> = known
        .filter(|(id, name)| *id == wanted || *name == wanted || format!("{id}_{name}") == wanted)
        .map(|(id, _)| id)
        .collect();
    match &found[..] {
        [id] => Ok(id),
        [] => Err(Error::new(ErrorKind::Migration, format!("there is no migration `{wanted}` to go to"))
            .with_help("`cargo covet migrate status` lists them")),
        [first, second, ..] => Err(Error::new(
            ErrorKind::Migration,
            format!("more than one migration is called `{wanted}`: {first} and {second}"),
        )
        .with_help("name it by its id")),
    }
}
