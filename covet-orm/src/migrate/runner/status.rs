//! Where every migration stands.

use std::collections::{BTreeMap, BTreeSet};

use covet_drivers::Result;
use covet_drivers::render::Dialect;
use covet_drivers::value::datetime_text;
use serde::Serialize;

use crate::migrate::files::Folder;
use crate::migrate::history::{Doubt, Entry, State};
use crate::migrate::runner::{choose, step};

/// A migration on a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// When its last run began: `YYYY-MM-DD HH:MM:SS` in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it was applied or undone: `YYYY-MM-DD HH:MM:SS` in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// The error that stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The beginning of the statement at which it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What else is to be known: which file was edited, what it is at odds with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not applied.
    Pending,
    /// Not applied, and not to be: a migration that was made side by side with it touches the same.
    Conflicting,
    /// Applied.
    Applied,
    /// There before Covet was, and never run.
    Baseline,
    /// Applied, and one of its files was edited since.
    Edited,
    /// On the database, but its files are not here.
    Missing,
    /// Begun and not ended.
    Unfinished {
        /// Statements that are done.
        done: usize,
        /// All statements.
        total: usize,
    },
    /// The way back was begun and not ended.
    Reverting {
        /// Statements of the way back that are done.
        done: usize,
    },
}

pub(super) fn status(folder: &Folder, dialect: &dyn Dialect, entries: &[Entry]) -> Result<Vec<Status>> {
    let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let is_applied = |id: &str| by_id.get(id).is_some_and(|entry| entry.state.is_applied());
    let mut here: BTreeSet<&str> = BTreeSet::new();
    let mut all = Vec::new();
    for migration in folder.migrations() {
        here.insert(migration.id());
        let entry = by_id.get(migration.id()).copied();
        let mut detail = None;
        let standing = match entry.map(|entry| (entry, entry.state)) {
            None | Some((_, State::Reverted)) => {
                let replaced = migration.replaces();
                if !replaced.is_empty() && migration.originals().all(|id| is_applied(id)) {
                    detail = Some(format!("by the {} migrations that it replaces", migration.originals().count()));
                    here.extend(replaced.iter().map(String::as_str));
                    Standing::Applied
                } else {
                    Standing::Pending
                }
            }
            Some((entry, State::Applied | State::Baseline)) => match choose::edited(migration, entry, dialect)? {
                Some(file) => {
                    detail = Some(format!("{file} was edited after it was applied"));
                    Standing::Edited
                }
                None if entry.state == State::Baseline => Standing::Baseline,
                None => Standing::Applied,
            },
            Some((entry, State::Replaced)) => {
                detail = entry.replaced_by.as_ref().map(|whole| format!("by {whole}, which stands in its place"));
                Standing::Applied
            }
            Some((entry, State::Running | State::Failed)) => {
                Standing::Unfinished { done: entry.steps_done, total: entry.steps_total }
            }
            Some((entry, State::Reverting)) => Standing::Reverting { done: entry.steps_done },
        };
        if entry.is_some_and(|entry| entry.doubt == Some(Doubt::Unknown)) {
            detail = Some("it is not known whether the statement took effect".to_owned());
        }
        all.push(one(migration.id(), migration.name(), standing, entry, detail));
    }
    for conflict in folder.conflicts(|one, two| is_applied(one) && is_applied(two))? {
        for status in all.iter_mut().filter(|status| conflict.migrations.contains(&status.id)) {
            if status.standing == Standing::Pending {
                status.standing = Standing::Conflicting;
                status.detail = Some(conflict.error().message().to_owned());
            }
        }
    }
    for entry in entries {
        let counts = !matches!(entry.state, State::Reverted | State::Replaced);
        if counts && !here.contains(entry.id.as_str()) {
            all.push(one(&entry.id, &entry.name, Standing::Missing, Some(entry), None));
        }
    }
    Ok(all)
}

fn one(id: &str, name: &str, standing: Standing, entry: Option<&Entry>, detail: Option<String>) -> Status {
    Status {
        id: id.to_owned(),
        name: name.to_owned(),
        standing,
        started_at: entry.and_then(|entry| entry.started_at).and_then(second),
        finished_at: entry.and_then(|entry| entry.finished_at).and_then(second),
        error: entry.and_then(|entry| entry.error.clone()),
        statement: entry.and_then(|entry| entry.statement.as_deref()).map(step::short),
        detail,
    }
}

fn second(micros: i64) -> Option<String> {
    datetime_text(micros).map(|text| text.chars().take("YYYY-MM-DD HH:MM:SS".len()).collect())
}
