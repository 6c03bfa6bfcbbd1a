//! A row of the history, and how it is read.

use std::fmt;
use std::str::FromStr;

use covet_drivers::contract::Row;
use covet_drivers::value::ValueRef;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::Sums;
use crate::migrate::history::progress::Progress;
use crate::migrate::history::table::{Field, TABLE};

/// How far a migration is on a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It began and did not end: it runs now, or its runner was lost.
    Running,
    /// It is applied.
    Applied,
    /// A statement failed; what was done before it stays, and the next run goes on there.
    Failed,
    /// The way back began and did not end.
    Reverting,
    /// It was applied and undone.
    Reverted,
    /// What it makes was there before Covet was; it was never run.
    Baseline,
    /// Another stands in its place, and is applied: whoever knows only this one has nothing to run.
    Replaced,
}

const STATES: &[(State, &str)] = &[
    (State::Running, "running"),
    (State::Applied, "applied"),
    (State::Failed, "failed"),
    (State::Reverting, "reverting"),
    (State::Reverted, "reverted"),
    (State::Baseline, "baseline"),
    (State::Replaced, "replaced"),
];

impl State {
    /// The state in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether the database has what the migration makes.
    #[must_use]
    pub fn is_applied(self) -> bool {
        matches!(self, State::Applied | State::Baseline | State::Replaced)
    }

    /// Whether it began and did not end, on either way.
    #[must_use]
    pub fn is_unfinished(self) -> bool {
        matches!(self, State::Running | State::Failed | State::Reverting)
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        STATES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state).ok_or_else(|| {
            Error::new(ErrorKind::Migration, format!("the history {TABLE} has a state `{text}`, which is not known"))
                .with_help("a newer version of Covet wrote it: use that version")
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of a statement that was begun outside of a transaction, should the run be lost in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum Doubt {
    /// It does no harm a second time.
    Again,
    /// The database knows whether it took effect; before it began, it had not.
    Probe,
    /// Only a person can tell.
    Unknown,
}

const DOUBTS: &[(Doubt, &str)] = &[(Doubt::Again, "again"), (Doubt::Probe, "probe"), (Doubt::Unknown, "unknown")];

impl Doubt {
    pub(super) fn name(self) -> &'static str {
        DOUBTS.iter().find(|(doubt, _)| *doubt == self).map_or("", |(_, name)| name)
    }

    /// What is not known is left to a person.
    fn read(text: &str) -> Self {
        DOUBTS.iter().find(|(_, name)| *name == text).map_or(Doubt::Unknown, |(doubt, _)| *doubt)
    }
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct Entry {
    pub(in crate::migrate) id: String,
    /// Counts up in the order in which migrations were applied.
    pub(in crate::migrate) position: i32,
    pub(in crate::migrate) name: String,
    /// The migrations that it follows.
    pub(in crate::migrate) parents: Vec<String>,
    /// The checksums of its files, as far as the version of the history knew them.
    pub(in crate::migrate) sums: Sums,
    /// The way back, so that a program without the files can go it; not in a list.
    pub(in crate::migrate) down_sql: String,
    pub(in crate::migrate) state: State,
    /// Statements that are done, of the way that is under way.
    pub(in crate::migrate) steps_done: usize,
    pub(in crate::migrate) steps_total: usize,
    /// A short hash of each statement as it was when the run began; not in a list.
    pub(in crate::migrate) step_hashes: Vec<String>,
    pub(in crate::migrate) error: Option<String>,
    /// The statement that failed, or that was begun outside of a transaction.
    pub(in crate::migrate) statement: Option<String>,
    /// There is doubt whether that statement took effect.
    pub(in crate::migrate) doubt: Option<Doubt>,
    /// The migration that stands in its place.
    pub(in crate::migrate) replaced_by: Option<String>,
    /// How far a statement came that goes in batches.
    pub(in crate::migrate) progress: Option<Progress>,
    /// Microseconds since 1970 in UTC.
    pub(in crate::migrate) started_at: Option<i64>,
    pub(in crate::migrate) finished_at: Option<i64>,
}

impl Entry {
    /// That of a migration of which nothing is known but its id.
    pub(in crate::migrate) fn unknown(id: &str, position: i32) -> Self {
        Entry {
            id: id.to_owned(),
            position,
            name: String::new(),
            parents: Vec::new(),
            sums: Sums::default(),
            down_sql: String::new(),
            state: State::Reverted,
            steps_done: 0,
            steps_total: 0,
            step_hashes: Vec::new(),
            error: None,
            statement: None,
            doubt: None,
            replaced_by: None,
            progress: None,
            started_at: None,
            finished_at: None,
        }
    }
}

/// The cells of a row that has these fields.
pub(super) struct Cells<'r, 'a> {
    row: &'r Row<'a>,
    fields: &'r [&'static Field],
}

impl<'r, 'a> Cells<'r, 'a> {
    pub(super) fn new(row: &'r Row<'a>, fields: &'r [&'static Field]) -> Self {
        Cells { row, fields }
    }

    /// NULL for a field that the row does not have.
    fn value(&self, name: &str) -> Result<ValueRef<'_>> {
        match self.fields.iter().enumerate().find(|(_, field)| field.name == name) {
            Some((index, field)) => self.row.value(index, &field.ty),
            None => Ok(ValueRef::Null),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        match self.value(name)? {
            ValueRef::Text(text) => Ok(Some(text.to_owned())),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(name)),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<usize> {
        match self.value(name)? {
            ValueRef::Int(number) => usize::try_from(number).map_err(|_| wrong(name)),
            ValueRef::UInt(number) => usize::try_from(number).map_err(|_| wrong(name)),
            _ => Err(wrong(name)),
        }
    }

    fn time(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            ValueRef::Timestamp(micros) => Ok(Some(micros)),
            ValueRef::Null => Ok(None),
            _ => Err(wrong(name)),
        }
    }

    fn lines(&self, name: &str) -> Result<Vec<String>> {
        Ok(self.text(name)?.unwrap_or_default().lines().map(str::to_owned).collect())
    }

    pub(super) fn entry(&self) -> Result<Entry> {
        Ok(Entry {
            id: self.text("id")?.unwrap_or_default(),
            position: i32::try_from(self.number("position")?).unwrap_or(i32::MAX),
            name: self.text("name")?.unwrap_or_default(),
            parents: self.lines("parents")?,
            sums: Sums {
                up: self.text("up_checksum")?.unwrap_or_default(),
                down: self.text("down_checksum")?,
                plan: self.text("plan_checksum")?,
            },
            down_sql: self.text("down_sql")?.unwrap_or_default(),
            state: self.text("state")?.unwrap_or_default().parse()?,
            steps_done: self.number("steps_done")?,
            steps_total: self.number("steps_total")?,
            step_hashes: self.lines("step_hashes")?,
            error: self.text("error")?,
            statement: self.text("statement")?,
            doubt: self.text("doubt")?.as_deref().map(Doubt::read),
            replaced_by: self.text("replaced_by")?,
            progress: self.text("progress")?.as_deref().map(Progress::read).transpose()?,
            started_at: self.time("started_at")?,
            finished_at: self.time("finished_at")?,
        })
    }
}

fn wrong(column: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the column {column} of {TABLE} holds what Covet never wrote"))
        .with_table(TABLE)
        .with_column(column)
}
