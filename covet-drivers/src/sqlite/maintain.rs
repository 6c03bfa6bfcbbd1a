//! Upkeep: copies of the database while it is in use, checkpoints on demand, the search for damage. All of it runs
//! on the connection's thread.

use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::contract::{BackupPace, BackupProgress, BoxFuture, Checkpoint, CheckpointMode, Maintenance};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::backup;
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::dialect::PRODUCT;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::seat::Needs;
use crate::sqlite::session::Session;

/// The most faults that are told.
const FAULTS: usize = 1000;

impl Maintenance for SqliteConnection {
    fn backup<'a>(
        &'a mut self,
        to: &'a Path,
        pace: BackupPace,
        progress: &'a mut (dyn FnMut(BackupProgress) + Send),
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.copy_to(to.to_owned(), pace, progress))
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> BoxFuture<'_, Result<Checkpoint>> {
        Box::pin(self.checkpoint_by(mode))
    }

    fn integrity_check(&mut self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async {
            self.settle().await?;
            self.call(None, |session, job| session.faults(job)).await?.0
        })
    }
}

impl SqliteConnection {
    async fn copy_to(
        &mut self,
        to: PathBuf,
        pace: BackupPace,
        progress: &mut (dyn FnMut(BackupProgress) + Send),
    ) -> Result<()> {
        self.settle().await?;
        let (tell, mut told) = watch::channel(BackupProgress::default());
        let mut copying = pin!(self.call(None, move |session, job| backup::copy(session, job, &to, pace, &tell)));
        loop {
            let step = match select(&mut copying, pin!(told.changed())).await {
                Either::Left((done, _)) => Some(done),
                Either::Right((Ok(()), _)) => None,
                Either::Right((Err(_), _)) => Some(copying.as_mut().await),
            };
            let Some(done) = step else {
                progress(*told.borrow_and_update());
                continue;
            };
            progress(done?.0?);
            return Ok(());
        }
    }

    async fn checkpoint_by(&mut self, mode: CheckpointMode) -> Result<Checkpoint> {
        self.settle().await?;
        let mut patience = self.patience();
        loop {
            // Writers of this process are kept out while it copies, and let in again while it waits for readers.
            let needs = if mode == CheckpointMode::Passive { Needs::Nothing } else { Needs::Turn };
            let turn = self.turn(needs, None, &patience).await?;
            let (done, turn) = self.call(turn, move |session, _| session.checkpoint_by(mode)).await?;
            drop(turn);
            let done = match done {
                Ok(done) => done,
                Err(Stop::Busy(error)) => {
                    patience.wait(error).await?;
                    continue;
                }
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Turn | Stop::Long) => unreachable!("a checkpoint is no statement of a user"),
            };
            let waits = done.busy && mode != CheckpointMode::Passive;
            if !waits || patience.wait(Error::new(ErrorKind::LockTimeout, "readers")).await.is_err() {
                return Ok(done);
            }
        }
    }
}

impl Session {
    fn checkpoint_by(&self, mode: CheckpointMode) -> Result<Checkpoint, Stop> {
        let sql = match mode {
            CheckpointMode::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            CheckpointMode::Full => "PRAGMA wal_checkpoint(FULL)",
            CheckpointMode::Restart => "PRAGMA wal_checkpoint(RESTART)",
            CheckpointMode::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (busy, log, copied) = self.db.query_row(sql, [], read).map_err(errors::stop)?;
        match (u32::try_from(log), u32::try_from(copied)) {
            (Ok(log), Ok(copied)) => Ok(Checkpoint { busy, log, copied }),
            // -1 for both: there is no log.
            _ => Err(Error::unsupported("a checkpoint of a database without a write-ahead log", PRODUCT)
                .with_help("databases in files have one unless the connection URL says another journal_mode")
                .into()),
        }
    }

    /// What is wrong with the database.
    fn faults(&self, job: u64) -> Result<Vec<String>> {
        self.watch.begin_read(job);
        let mut faults = Vec::new();
        match self.read_faults(&mut faults) {
            Ok(()) => {}
            // Too damaged to go on.
            Err(error) if errors::is_damage(&error) => faults.push(errors::plain(error).message().to_owned()),
            Err(error) => return Err(errors::plain(error)),
        }
        if faults == ["ok"] {
            faults.clear();
        }
        Ok(faults)
    }

    fn read_faults(&self, faults: &mut Vec<String>) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            faults.push(row.get(0)?);
        }
        Ok(())
    }
}
