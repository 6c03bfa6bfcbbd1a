//! The upkeep of a database that is a file: copies of it while it is in use, its log, its soundness.

use std::path::Path;
use std::time::Duration;

use crate::contract::BoxFuture;
use crate::error::Result;

/// The upkeep that a database leaves to the program, because there is no server that sees to it.
pub trait Maintenance: Send {
    /// Copies the whole database into a new file, as it stands at one moment, while others read and write. The file
    /// appears under its name when the copy is complete and on the disk; dropped half-way, nothing is left.
    ///
    /// # Errors
    /// `Io` when the file is there already or cannot be written; those of the database.
    fn backup<'a>(
        &'a mut self,
        to: &'a Path,
        pace: BackupPace,
        progress: &'a mut (dyn FnMut(BackupProgress) + Send),
    ) -> BoxFuture<'a, Result<()>>;

    /// Copies what has been committed from the write-ahead log into the database.
    ///
    /// # Errors
    /// `Unsupported` for a database without such a log; `LockTimeout` when a writer does not end in time; those of
    /// the database.
    fn checkpoint(&mut self, mode: CheckpointMode) -> BoxFuture<'_, Result<Checkpoint>>;

    /// Reads the whole database and gives what is wrong with it, in the database's words; nothing when it is sound.
    ///
    /// # Errors
    /// Those of the database, except that it is damaged: that is what is asked.
    fn integrity_check(&mut self) -> BoxFuture<'_, Result<Vec<String>>>;
}

/// How fast a copy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupPace {
    /// So many pages are copied at once, at least 1.
    pub pages: u32,
    /// So long is waited before the next ones.
    pub pause: Duration,
}

impl Default for BackupPace {
    /// 256 pages (a MiB, where a page has its usual 4 KiB), and no pause.
    fn default() -> Self {
        BackupPace { pages: 256, pause: Duration::ZERO }
    }
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupProgress {
    /// Pages that are copied.
    pub copied: u32,
    /// Pages that the database has.
    pub total: u32,
}

/// How much a checkpoint insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointMode {
    /// Copies what it can without waiting for anybody.
    Passive,
    /// Waits for writers, and for readers of an older state; then copies everything.
    Full,
    /// As full, and waits for all readers of the log, so that the next writer begins it anew.
    Restart,
    /// As restart, and makes the log's file empty.
    Truncate,
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whether somebody was in the way until time was up, so that less was done than the mode promises.
    pub busy: bool,
    /// Pages in the log.
    pub log: u32,
    /// Those of them that are in the database now.
    pub copied: u32,
}
