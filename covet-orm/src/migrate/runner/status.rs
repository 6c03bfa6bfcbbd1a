//! Where every migration stands on a database.

use std::collections::BTreeMap;

use covet_drivers::Result;
use covet_drivers::value::datetime_text;
use serde::Serialize;

use crate::migrate::files::{Folder, Way, checksum};
use crate::migrate::history::{Entry, State};

/// A migration on a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// When it was applied or undone: `YYYY-MM-DD HH:MM:SS` in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// The error that stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not applied.
    Pending,
    /// Applied.
    Applied,
    /// Applied, and its SQL was edited since.
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

pub(super) fn status(folder: &Folder, dialect: &str, entries: &[Entry]) -> Result<Vec<Status>> {
    let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let mut all = Vec::new();
    for migration in folder.migrations() {
        let entry = by_id.get(migration.id()).copied();
        let standing = match entry.map(|entry| (entry, entry.state)) {
            None | Some((_, State::Reverted)) => Standing::Pending,
            Some((entry, State::Applied)) => {
                let same = checksum(&migration.sql(dialect, Way::Up)?) == entry.up_checksum;
                if same { Standing::Applied } else { Standing::Edited }
            }
            Some((entry, State::Running | State::Failed)) => {
                Standing::Unfinished { done: entry.steps_done, total: entry.steps_total }
            }
            Some((entry, State::Reverting)) => Standing::Reverting { done: entry.steps_done },
        };
        all.push(one(migration.id(), migration.name(), standing, entry));
    }
    for entry in entries {
        let known = folder.migrations().iter().any(|migration| migration.id() == entry.id);
        if !known && entry.state != State::Reverted {
            all.push(one(&entry.id, &entry.name, Standing::Missing, Some(entry)));
        }
    }
    Ok(all)
}

fn one(id: &str, name: &str, standing: Standing, entry: Option<&Entry>) -> Status {
    Status {
        id: id.to_owned(),
        name: name.to_owned(),
        standing,
        finished_at: entry
            .and_then(|entry| entry.finished_at)
            .and_then(datetime_text)
            .map(|text| text.chars().take("YYYY-MM-DD HH:MM:SS".len()).collect()),
        error: entry.and_then(|entry| entry.error.clone()),
    }
}
