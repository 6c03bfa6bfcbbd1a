//! Upkeep of a database that is a file: backups, checkpoints, the search for damage.

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::time::Duration;

use covet_drivers::contract::{BackupPace, BackupProgress, BoxFuture, Checkpoint, CheckpointMode, Maintenance};
use covet_drivers::pool::Lease;
use covet_drivers::{Error, Result};

use crate::db::Db;

/// A backup that begins when it is awaited. [`Db::backup_to`] gives it.
#[must_use = "nothing is copied before it is awaited"]
pub struct Backup<'a> {
    db: &'a Db,
    path: PathBuf,
    pace: BackupPace,
    progress: Option<Box<dyn FnMut(BackupProgress) + Send + 'a>>,
}

impl Db {
    /// Copies the whole database into a new file, as it stands at one moment, while others read and write:
    /// `db.backup_to("copy.db").await?`. The file appears under its name when the copy is complete and on the disk;
    /// dropped half-way, nothing is left. It takes a connection of the pool, which does its work on its own thread.
    ///
    /// # Errors
    /// `Unsupported` where a server keeps the database; `Io` when the file is there already or cannot be written;
    /// those of the database.
    pub fn backup_to(&self, path: impl Into<PathBuf>) -> Backup<'_> {
        Backup { db: self, path: path.into(), pace: BackupPace::default(), progress: None }
    }

    /// Copies what has been committed from the write-ahead log into the database, and says how much there was. It
    /// is done by itself too, every 1000 pages; call it before the file is copied by other means.
    ///
    /// # Errors
    /// `Unsupported` where a server keeps the database, or there is no such log; `LockTimeout` when a writer does not
    /// end in time; those of the database. Readers that are in the way are no error: the answer says `busy`.
    pub async fn checkpoint(&self, mode: CheckpointMode) -> Result<Checkpoint> {
        let mut lease = self.acquire().await?;
        maintenance(&mut lease, "a checkpoint")?.checkpoint(mode).await
    }

    /// Reads the whole database and gives what is wrong with it, in the database's words, at most 1000 of them;
    /// nothing when it is sound. Foreign keys are not looked at.
    ///
    /// # Errors
    /// `Unsupported` where a server keeps the database; those of the database, except that it is damaged.
    pub async fn integrity_check(&self) -> Result<Vec<String>> {
        let mut lease = self.acquire().await?;
        maintenance(&mut lease, "an integrity check")?.integrity_check().await
    }
}

fn maintenance<'a>(lease: &'a mut Lease, what: &str) -> Result<&'a mut dyn Maintenance> {
    let product = lease.server().product;
    lease.maintenance().ok_or_else(|| {
        Error::unsupported(what, product).with_help("the server has tools of its own for the upkeep of its databases")
    })
}

impl<'a> Backup<'a> {
    /// So many pages are copied at once; 256 unless said.
    pub fn pages_per_step(mut self, pages: u32) -> Self {
        self.pace.pages = pages;
        self
    }

    /// So long is waited before the next pages, for the sake of whoever else uses the disk; not at all unless said.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pace.pause = pause;
        self
    }

    /// Is told how far the copy has come: at the end, and before that as often as there is time for.
    pub fn progress(mut self, tell: impl FnMut(BackupProgress) + Send + 'a) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }
}

impl<'a> IntoFuture for Backup<'a> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'a, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        let Backup { db, path, pace, progress } = self;
        let mut progress = progress.unwrap_or_else(|| Box::new(|_| {}));
        Box::pin(async move {
            let mut lease = db.acquire().await?;
            maintenance(&mut lease, "a backup into a file")?.backup(&path, pace, &mut progress).await
        })
    }
}

impl fmt::Debug for Backup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("path", &self.path).field("pace", &self.pace).finish_non_exhaustive()
    }
}
