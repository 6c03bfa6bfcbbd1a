//! A copy of the database into a new file, some pages at a time.
//!
//! With a write-ahead log the copy reads one snapshot from beginning to end: writers go on, and none of what they
//! write is in it. Without one (another `journal_mode`) a lock that lasted as long as the copy would keep them out; so it is
//! given up between the steps, and SQLite begins the copy again after a write of another connection.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use tokio::sync::watch::Sender;

use crate::contract::{BackupPace, BackupProgress};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::errors;
use crate::sqlite::session::{Session, unwanted};

/// How long to wait before asking again for a lock that somebody holds.
const BUSY: Duration = Duration::from_millis(2);

/// A file that is no backup yet. It is removed unless the copy was completed.
struct Partial(PathBuf);

impl Partial {
    /// Beside the file that it is to become, so that it can be given its name in one step.
    fn beside(to: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{}-{}.partial", std::process::id(), NUMBER.fetch_add(1, Relaxed)));
        Partial(name.into())
    }

    /// Gives the file its name, if that is free, and writes that to the disk too.
    fn complete(self, to: &Path) -> Result<()> {
        let failed = |error| unwritable(to, error);
        match fs::hard_link(&self.0, to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(taken(to)),
            // Not every file system can.
            Err(_) if !to.exists() => fs::rename(&self.0, to).map_err(failed)?,
            Err(_) => return Err(taken(to)),
        }
        drop(self);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for end in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(end);
            // Most of them are not there.
            let _ = fs::remove_file(name);
        }
    }
}

/// Copies the database; tells how far it is after each step.
pub(super) fn copy(
    session: &Session,
    job: u64,
    to: &Path,
    pace: BackupPace,
    tell: &Sender<BackupProgress>,
) -> Result<BackupProgress> {
    if to.exists() {
        return Err(taken(to));
    }
    let partial = Partial::beside(to);
    let mut target = rusqlite::Connection::open(&partial.0).map_err(|error| unwritable(to, error))?;
    // What fails is thrown away as a whole, so there is nothing to go back to.
    target.execute_batch("PRAGMA journal_mode = OFF").map_err(|error| unwritable(to, error))?;
    let snapshot = session.options.is_wal();
    if snapshot {
        session.pragma("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1").map_err(errors::plain)?;
    }
    let copied = steps(session, job, &mut target, pace, tell);
    let ended = if snapshot { session.pragma("ROLLBACK").map_err(errors::plain) } else { Ok(()) };
    let copied = copied?;
    ended?;
    target.close().map_err(|(_, error)| unwritable(to, error))?;
    partial.complete(to)?;
    Ok(copied)
}

fn steps(
    session: &Session,
    job: u64,
    target: &mut rusqlite::Connection,
    pace: BackupPace,
    tell: &Sender<BackupProgress>,
) -> Result<BackupProgress> {
    let backup = Backup::new(&session.db, target).map_err(errors::plain)?;
    let pages = i32::try_from(pace.pages.max(1)).unwrap_or(i32::MAX);
    let mut waited: Option<Instant> = None;
    loop {
        if session.watch.is_unwanted(job) {
            return Err(unwanted());
        }
        let step = backup.step(pages).map_err(errors::plain)?;
        let progress = backup.progress();
        let number = |pages: i32| u32::try_from(pages).unwrap_or(0);
        let progress = BackupProgress {
            copied: number(progress.pagecount - progress.remaining),
            total: number(progress.pagecount),
        };
        match step {
            StepResult::Done => return Ok(progress),
            StepResult::More => {
                waited = None;
                // Whoever waited may have gone.
                let _ = tell.send(progress);
                if !pace.pause.is_zero() {
                    std::thread::sleep(pace.pause);
                }
            }
            _ if waited.get_or_insert_with(Instant::now).elapsed() < session.options.busy_timeout => {
                std::thread::sleep(BUSY);
            }
            _ => return Err(Error::new(ErrorKind::LockTimeout, "the database was locked for too long to be copied")),
        }
    }
}

fn taken(to: &Path) -> Error {
    Error::new(ErrorKind::Io, format!("{} is there already, and a backup overwrites nothing", to.display()))
}

fn unwritable(to: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Io, format!("the backup {} cannot be written", to.display())).with_source(error)
}
