//! The lock of migration runners. A write transaction keeps others out only as long as it lasts, and some statements
//! run outside of every transaction; so the lock is one of the operating system on a file beside the database. It
//! ends with the process that holds it, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::catalog::shorten;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::seat::Seat;
use crate::sqlite::thread::lost;

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
        let Some(path) = self.options.file().map(|database| path(Path::new(database), name)) else { return Ok(()) };
        self.settle().await?;
        let until = Instant::now().checked_add(wait);
        loop {
            if let Some(file) = attempt(&path)? {
                let Seat::Here(session) = &mut self.seat else { return Err(lost()) };
                session.locks.push(RunnerLock { name: name.to_owned(), path, _file: file });
                return Ok(());
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Error::new(ErrorKind::LockTimeout, format!("another runner holds the lock `{name}`")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// See [`unlock`](crate::contract::Connection::unlock).
    pub(super) async fn unlock_runners(&mut self, name: &str) -> Result<()> {
        if self.options.is_memory() {
            return Ok(());
        }
        // The thread may still have the session in hand, although it has answered.
        self.settle().await?;
        let Seat::Here(session) = &mut self.seat else { return Err(lost()) };
        match session.locks.iter().position(|lock| lock.name == name) {
            Some(held) => {
                session.locks.swap_remove(held);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use crate::contract::{ConnectUrl, adapter_for};

    /// A statement outside of a transaction goes on when its future is dropped, and so does the lock.
    #[tokio::test]
    async fn it_is_held_until_the_last_statement_has_ended() {
        let dir = std::env::temp_dir().join(format!("covet_runner_lock_{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let url: ConnectUrl = format!("sqlite:{}", dir.join("a.db").display()).parse().unwrap();
        let backend = adapter_for("sqlite").unwrap().open(&url).unwrap();
        let mut first = backend.connect().await.unwrap();
        let mut second = backend.connect().await.unwrap();
        first.lock("runners", Duration::ZERO).await.unwrap();
        let long = "CREATE TABLE spent AS WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) \
            SELECT max(i) AS i FROM n";
        let waited = tokio::time::timeout(Duration::from_millis(50), first.script(long)).await;
        assert!(waited.is_err(), "it takes longer");
        drop(first);
        assert!(second.lock("runners", Duration::ZERO).await.is_err());
        second.lock("runners", Duration::from_secs(60)).await.unwrap();
        // Nothing is at work any more: whether it took effect does not change.
        let there = "SELECT i FROM spent";
        let before = second.script(there).await.is_ok();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(second.script(there).await.is_ok(), before);
        second.close().await.unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
