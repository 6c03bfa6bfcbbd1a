//! The lock of migration runners. A write transaction keeps others out only as long as it lasts, and some statements
//! run outside of every transaction; so the lock is one of the operating system on a file beside the database. It
//! ends with the process that holds it, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::catalog::shorten;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connection::SqliteConnection;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct RunnerLock {
    name: String,
    path: PathBuf,
    /// Locked; closing it unlocks it.
    _file: File,
}

impl Drop for RunnerLock {
    fn drop(&mut self) {
        // While it is locked nobody else can take the file for the lock, so it can go. Where a file that is open
        // cannot, it stays and does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl SqliteConnection {
    /// See [`lock`](crate::contract::Connection::lock).
    pub(super) async fn lock_runners(&mut self, name: &str, wait: Duration) -> Result<()> {
        // A database in memory has this one connection.
        let Some(database) = self.options.file() else { return Ok(()) };
        let until = Instant::now().checked_add(wait);
        let path = path(Path::new(database), name);
        loop {
            if let Some(file) = attempt(&path)? {
                self.locks.push(RunnerLock { name: name.to_owned(), path, _file: file });
                return Ok(());
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Error::new(ErrorKind::LockTimeout, format!("another runner holds the lock `{name}`")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// See [`unlock`](crate::contract::Connection::unlock).
    pub(super) fn unlock_runners(&mut self, name: &str) -> Result<()> {
        if self.options.is_memory() {
            return Ok(());
        }
        match self.locks.iter().position(|lock| lock.name == name) {
            Some(held) => {
                self.locks.swap_remove(held);
                Ok(())
            }
            None => Err(Error::new(ErrorKind::InvalidInput, format!("the lock `{name}` is not held"))),
        }
    }
}

/// One file a database and lock, whatever way leads to the database.
fn path(database: &Path, name: &str) -> PathBuf {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut path = database.into_os_string();
    path.push(format!("-{}.lock", shorten(word)));
    PathBuf::from(path)
}

/// The locked file; `None` while somebody else holds it.
fn attempt(path: &Path) -> Result<Option<File>> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("the lock of the migrations, {}, cannot be had: {error}", path.display()))
            .with_help("migrations need to write in the folder of the database")
            .with_source(error)
    };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        // The one before may have taken the file away between the opening and the lock.
        Ok(()) if is_there(&file, path) => Ok(Some(file)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(unix)]
fn is_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(held), Ok(found)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (held.dev(), held.ino()) == (found.dev(), found.ino())
}

/// A file that is open cannot be taken away there.
#[cfg(not(unix))]
fn is_there(_: &File, _: &Path) -> bool {
    true
}
