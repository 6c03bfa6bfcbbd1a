//! Runs migrations: forth, back, or only to see.

mod apply;
mod choose;
mod repair;
mod session;
mod status;
mod step;
mod undo;

use std::path::Path;
use std::time::Duration;

use covet_drivers::contract::ConnectionState;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate::files::{Folder, Script, Way, checksum};
use crate::migrate::history::History;
use crate::migrate::{Migration, Target};

pub(super) use session::Session;
pub use status::{Standing, Status};

/// The name of the lock that runners hold.
const LOCK: &str = "covet_migrations";

/// Runs the migrations of a folder.
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
    lock_wait: Duration,
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

/// A migration with its scripts for the database at hand.
#[derive(Clone, Debug)]
struct Loaded<'f> {
    migration: &'f Migration,
    checksum: String,
    up: Script,
    up_sql: String,
    down_sql: String,
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
        Ok(Migrator { folder: Folder::read(path)?, lock_wait: Duration::from_secs(60) })
    }

    /// How long to wait while another runner works. Default: 60 s.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
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
        let loaded = self.load(db)?;
        let mut session = Session::open(db).await?;
        let dialect = db.backend().dialect();
        let entries = History::new(session.connection(), dialect).read().await?;
        let mut report = Report::default();
        // Whoever finds nothing to do waits for nobody.
        let wanted: Vec<&str> = choose::up(&loaded, &entries, goal)?.iter().map(|work| work.id()).collect();
        if !wanted.is_empty() {
            session.connection().lock(LOCK, self.lock_wait).await?;
            let target = Target::of(&*db.backend());
            let result = self.apply_all(&mut session, target, &loaded, &wanted, &mut report).await;
            end(&mut session, result).await?;
        }
        session.close().await?;
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
        let mut session = Session::open(db).await?;
        let dialect = db.backend().dialect();
        let entries = History::new(session.connection(), dialect).read().await?;
        let mut report = Report::default();
        let wanted: Vec<String> = choose::down(&entries, goal)?.iter().map(|entry| entry.id.clone()).collect();
        if !wanted.is_empty() {
            session.connection().lock(LOCK, self.lock_wait).await?;
            let result = self.undo_all(&mut session, Target::of(&*db.backend()), &wanted, &mut report).await;
            end(&mut session, result).await?;
        }
        session.close().await?;
        Ok(report)
    }

    /// What [`up_to`](Migrator::up_to) would run. Changes nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn plan_up(&self, db: &Db, goal: Goal<'_>) -> Result<Vec<Planned>> {
        let loaded = self.load(db)?;
        let entries = self.entries(db).await?;
        Ok(choose::up(&loaded, &entries, goal)?
            .into_iter()
            .map(|work| Planned {
                id: work.id().to_owned(),
                name: work.loaded.migration.name().to_owned(),
                sql: work.loaded.up_sql.clone(),
                done: work.done(),
            })
            .collect())
    }

    /// What [`down`](Migrator::down) would run. Changes nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn plan_down(&self, db: &Db, goal: Goal<'_>) -> Result<Vec<Planned>> {
        let entries = self.entries(db).await?;
        Ok(choose::down(&entries, goal)?
            .into_iter()
            .map(|entry| Planned {
                id: entry.id.clone(),
                name: entry.name.clone(),
                sql: entry.down_sql.clone(),
                done: choose::undone(entry),
            })
            .collect())
    }

    /// Where every migration stands on this database. Changes nothing, and needs no right to.
    ///
    /// # Errors
    /// Those of the connection, and `Migration` for a history that is not understood.
    pub async fn status(&self, db: &Db) -> Result<Vec<Status>> {
        let entries = self.entries(db).await?;
        status::status(&self.folder, db.backend().dialect().name(), &entries)
    }

    async fn entries(&self, db: &Db) -> Result<Vec<crate::migrate::history::Entry>> {
        let mut session = Session::open(db).await?;
        let entries = History::new(session.connection(), db.backend().dialect()).read().await?;
        session.close().await?;
        Ok(entries)
    }

    /// Reads the scripts for this kind of database, so that a file that is wrong stops the run
    /// before anything has changed.
    fn load(&self, db: &Db) -> Result<Vec<Loaded<'_>>> {
        let dialect = db.backend().dialect();
        self.folder
            .migrations()
            .iter()
            .map(|migration| {
                let up_sql = migration.sql(dialect.name(), Way::Up)?;
                let down_sql = migration.sql(dialect.name(), Way::Down)?;
                let placed = |error: Error| in_migration(migration.id(), migration.name(), error);
                let up = Script::parse(&up_sql, dialect).map_err(placed)?;
                // A way back that cannot be read is found now, not when it is needed.
                Script::parse(&down_sql, dialect).map_err(placed)?;
                Ok(Loaded { migration, checksum: checksum(&up_sql), up, up_sql, down_sql })
            })
            .collect()
    }
}

/// Gives the lock back, whatever happened, and tells the first error.
async fn end(session: &mut Session, result: Result<()>) -> Result<()> {
    if session.connection().state() == ConnectionState::Broken {
        // The lock goes with the connection.
        return result;
    }
    let unlocked = session.connection().unlock(LOCK).await;
    result.and(unlocked)
}

/// The error, with the migration that it is about.
fn in_migration(id: &str, name: &str, error: Error) -> Error {
    let mut placed = Error::new(error.kind(), format!("migration {id} ({name}): {}", error.message()));
    if let Some(help) = error.help() {
        placed = placed.with_help(help.to_owned());
    }
    if let Some(code) = error.code() {
        placed = placed.with_code(code.to_owned());
    }
    placed.with_source(error)
}
