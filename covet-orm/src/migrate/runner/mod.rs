//! Runs migrations: forth, back, or only to see.

mod all;
mod batches;
mod choose;
mod execute;
mod patience;
mod repair;
mod session;
mod single;
mod status;
mod step;

use std::path::Path;
use std::time::Duration;

use covet_drivers::contract::ConnectionState;
use covet_drivers::render::Dialect;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate::data::{DataStep, DataSteps};
use crate::migrate::embedded::Embedded;
use crate::migrate::files::Folder;
#[cfg(feature = "cli")]
use crate::migrate::files::Way;
use crate::migrate::history::Entry;

pub use batches::Batch;
use batches::Watch;
pub(super) use choose::{Choice, Work};
use patience::Limits;

pub(super) use all::entry;
pub(super) use session::Session;
pub use status::{Standing, Status};

/// The name of the lock that runners hold.
const LOCK: &str = "covet_migrations";

/// Runs the migrations of a folder, or those that are built into the program.
///
/// One runner at a time works on a database; others wait, and find the work done. Nothing is
/// locked when there is nothing to do. On a database with transactional DDL each migration is one
/// transaction; elsewhere every statement is noted before the next one begins, and a run that broke
/// off goes on at that statement.
///
/// Dropping a future of the runner stops it: the connection is closed, and with it the transaction
/// and the lock end.
#[derive(Clone, Debug)]
pub struct Migrator {
    folder: Folder,
    limits: Limits,
    watch: Watch,
    data: DataSteps,
    allow_newer: bool,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal<'a> {
    /// To the end.
    All,
    /// So many migrations.
    Count(usize),
    /// Until this migration is the last that is applied, named by its id, its name or both.
    To(&'a str),
}

/// What a runner did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The migrations that were run, in order.
    pub done: Vec<Done>,
}

/// A migration that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The statements that were run, guards included.
    pub statements: usize,
    /// How long they took.
    pub took: Duration,
}

/// A migration that would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The SQL that would run, as it stands in the file or the history.
    pub sql: String,
    /// Statements that an earlier run has done already.
    pub done: usize,
}

impl Migrator {
    /// The migrations of this folder.
    ///
    /// # Errors
    /// As [`Folder::read`]; and `Io` when there is no such folder.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.is_dir() {
            return Err(Error::new(ErrorKind::Io, format!("there is no folder {}", path.display()))
                .with_help("make the first migration with `cargo covet migrate make`"));
        }
        Ok(Migrator {
            folder: Folder::read(path)?,
            limits: Limits::default(),
            watch: Watch::default(),
            data: DataSteps::registered(),
            allow_newer: false,
        })
    }

    /// The migrations that are built into the program by [`embed_migrations!`](crate::embed_migrations).
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn embedded(migrations: &Embedded) -> Result<Self> {
        Ok(Migrator {
            folder: migrations.folder()?,
            limits: Limits::default(),
            watch: Watch::default(),
            data: DataSteps::registered(),
            allow_newer: false,
        })
    }

    /// Runs on a database that has migrations which are not here, as a newer version of the program leaves it. Default:
    /// it is refused.
    #[must_use]
    pub fn allow_newer(mut self) -> Self {
        self.allow_newer = true;
        self
    }

    /// How long to wait while another runner works. Default: 60 s.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.limits.runner = wait;
        self
    }

    /// How long a statement may wait for a lock that somebody else holds, and how often it is tried, or its transaction
    /// where it is part of one. Between two attempts the others may pass. Default: 3 s, 10 times. SQLite waits as long
    /// as `busy_timeout` in its URL says.
    #[must_use]
    pub fn lock_timeout(mut self, limit: Duration, attempts: u32) -> Self {
        (self.limits.lock, self.limits.attempts) = (limit, attempts);
        self
    }

    /// Rows of a batch, for statements that go in batches, and how long to wait between two. Default: what the file
    /// says; where it says nothing of a pause, as long as the batch took, so that half of the time is the others'.
    #[must_use]
    pub fn batches(mut self, size: Option<u32>, pause: Option<Duration>) -> Self {
        (self.limits.batch, self.limits.pause) = (size.map(|size| size.max(1)), pause);
        self
    }

    /// Knows this step in Rust, beside those that [`data_step!`](crate::data_step) made known: for a program whose linker
    /// leaves unused parts away.
    #[must_use]
    pub fn step(mut self, step: DataStep) -> Self {
        self.data.add(step);
        self
    }

    /// Is told after each batch how far its statement is.
    #[must_use]
    pub fn watch(mut self, watch: impl Fn(&Batch<'_>) + Send + Sync + 'static) -> Self {
        self.watch = Watch::new(watch);
        self
    }

    /// Applies everything that is not applied yet.
    ///
    /// # Errors
    /// `Migration` when a guard found rows that do not fit, when an applied migration was edited or
    /// its files are gone, and when the files are not whole; `LockTimeout` while another runner
    /// works; and whatever error a statement met, naming migration and statement.
    pub async fn up(&self, db: &Db) -> Result<Report> {
        self.up_to(db, Goal::All).await
    }

    /// Applies migrations up to a goal.
    ///
    /// # Errors
    /// As [`up`](Migrator::up), and `Migration` for a goal that is not known.
    pub async fn up_to(&self, db: &Db, goal: Goal<'_>) -> Result<Report> {
        let entries = self.entries(db).await?;
        let mut report = Report::default();
        // Whoever finds nothing to do waits for nobody.
        let works = self.choice(db.backend().dialect()).up(&entries, goal)?;
        self.known(&works)?;
        let wanted: Vec<String> = works.iter().map(|work| work.id().to_owned()).collect();
        if !wanted.is_empty() {
            let mut session = self.locked(db).await?;
            let result = self.apply_all(&mut session, &wanted, &mut report).await;
            end(session, result).await?;
        }
        Ok(report)
    }

    /// Undoes migrations, the last applied first. `Goal::To` keeps the named one.
    ///
    /// What runs is the way back that was kept when the migration was applied.
    ///
    /// # Errors
    /// `Migration` for a migration without a way back and for a goal that is not known; else as
    /// [`up`](Migrator::up).
    pub async fn down(&self, db: &Db, goal: Goal<'_>) -> Result<Report> {
        let entries = self.entries(db).await?;
        let mut report = Report::default();
        let wanted: Vec<String> = choose::down(&entries, goal)?.iter().map(|entry| entry.id.clone()).collect();
        if !wanted.is_empty() {
            let mut session = self.locked(db).await?;
            let result = self.undo_all(&mut session, &wanted, &mut report).await;
            end(session, result).await?;
        }
        Ok(report)
    }

    /// What [`up_to`](Migrator::up_to) would run. Changes nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn plan_up(&self, db: &Db, goal: Goal<'_>) -> Result<Vec<Planned>> {
        let entries = self.entries(db).await?;
        let works = self.choice(db.backend().dialect()).up(&entries, goal)?;
        let runs = works.into_iter().filter(|work| !work.is_there);
        Ok(runs
            .map(|work| Planned {
                id: work.id().to_owned(),
                name: work.migration.name().to_owned(),
                done: work.done(),
                sql: work.up_sql,
            })
            .collect())
    }

    /// What [`down`](Migrator::down) would run. Changes nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn plan_down(&self, db: &Db, goal: Goal<'_>) -> Result<Vec<Planned>> {
        let mut session = Session::open(db).await?;
        let mut history = session.history();
        let entries = history.read().await?;
        let mut planned = Vec::new();
        for entry in choose::down(&entries, goal)? {
            let sql = history.way_back(&entry.id).await?;
            planned.push(Planned { id: entry.id.clone(), name: entry.name.clone(), sql, done: choose::undone(entry) });
        }
        session.close().await?;
        Ok(planned)
    }

    /// Where every migration stands on this database. Changes nothing, and needs no right to.
    ///
    /// # Errors
    /// Those of the connection, and `Migration` for a history that is not understood.
    pub async fn status(&self, db: &Db) -> Result<Vec<Status>> {
        let entries = self.entries(db).await?;
        status::status(&self.folder, db.backend().dialect(), &entries)
    }

    /// The migrations.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A step in Rust of any migration that this program does not know, for a kind of database.
    ///
    /// # Errors
    /// Those of reading the files.
    #[cfg(feature = "cli")]
    pub(crate) fn unknown_step(&self, dialect: &'static dyn Dialect) -> Result<Option<String>> {
        for migration in self.folder.migrations() {
            for way in [Way::Up, Way::Down] {
                let script = migration.parse(&migration.sql(dialect.name(), way)?, dialect, way)?;
                if let Some(name) = self.data.unknown(&script) {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    async fn entries(&self, db: &Db) -> Result<Vec<Entry>> {
        let mut session = Session::open(db).await?;
        let entries = session.history().read().await?;
        session.close().await?;
        Ok(entries)
    }

    fn choice(&self, dialect: &'static dyn Dialect) -> Choice<'_> {
        Choice { folder: &self.folder, dialect, allow_newer: self.allow_newer }
    }

    /// A session while which no other runner is at work.
    async fn locked(&self, db: &Db) -> Result<Session> {
        let mut session = Session::open(db).await?;
        session.connection().lock(LOCK, self.limits.runner).await?;
        Ok(session)
    }
}

/// Gives the lock back, whatever happened, and tells the first error.
async fn end(mut session: Session, result: Result<()>) -> Result<()> {
    if session.connection().state() == ConnectionState::Broken {
        // The lock goes with the connection.
        return result;
    }
    let unlocked = session.connection().unlock(LOCK).await;
    result.and(unlocked)?;
    session.close().await
}

/// The error, with the migration that it is about.
fn in_migration(id: &str, name: &str, error: Error) -> Error {
    let message = format!("migration {id} ({name}): {}", error.message());
    told(error, message)
}

/// The error in other words: of the same kind, with its help and its code.
pub(in crate::migrate) fn told(error: Error, message: String) -> Error {
    let mut told = Error::new(error.kind(), message);
    if let Some(help) = error.help() {
        told = told.with_help(help.to_owned());
    }
    if let Some(code) = error.code() {
        told = told.with_code(code.to_owned());
    }
    told.with_source(error)
}
