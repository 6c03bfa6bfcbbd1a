//! One job on the connection's thread, which the task feeds while the job runs.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::{ErrorKind, Result};
use crate::sqlite::bulk::batch::Batch;
use crate::sqlite::bulk::{Feed, Message};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::errors::Stop;
use crate::sqlite::execute::{Demand, Handover};
use crate::sqlite::session::{Session, unwanted};
use crate::sqlite::thread::lost;
use crate::sqlite::turns::Turn;
use crate::sqlite::watch::Wanted;

/// What the job did, and whether it has committed.
type Done = Result<(u64, bool), Stop>;

impl SqliteConnection {
    /// Inserts what has been pulled, and then everything else.
    pub(super) async fn insert_on_thread(&mut self, alone: bool, begun: Vec<Message>, feed: Feed<'_>) -> Result<u64> {
        let (done, turn) = self.feed(alone, begun, feed).await?;
        match done {
            Ok((inserted, committed)) => {
                if alone && !committed {
                    // The job's own commit met a reader; this one waits for it.
                    self.commit().await?;
                } else {
                    self.checkpoint(turn);
                }
                Ok(inserted)
            }
            Err(Stop::Error(error) | Stop::Busy(error)) => {
                self.in_doubt |= error.kind() == ErrorKind::CommitUnknown;
                Err(error)
            }
            Err(Stop::Turn | Stop::Long) => unreachable!("the job holds the turn and has no budget"),
        }
    }

    /// Sends the job and feeds it. An error of the supply is that of the insert, and the job has undone
    /// what it did before it is told.
    async fn feed(&mut self, alone: bool, begun: Vec<Message>, mut feed: Feed<'_>) -> Result<(Done, Option<Turn>)> {
        let (answer, wait) = oneshot::channel();
        let (send, messages) = mpsc::channel(2);
        let work = move |session: &mut Session, job| session.insert_all(job, alone, messages);
        let job = self.send(None, work, move |done, turn| {
            // Whoever waited may have gone.
            let _ = answer.send((done, turn));
        })?;
        let watch = Arc::clone(&self.watch);
        let wanted = Wanted::new(&watch, job);
        let fed = feed.send(begun, send).await;
        let answer = wait.await;
        wanted.done();
        self.back();
        fed?;
        answer.map_err(|_| lost())
    }
}

impl Feed<'_> {
    /// Sends everything, as long as the job takes it.
    async fn send(&mut self, begun: Vec<Message>, send: mpsc::Sender<Message>) -> Result<()> {
        for message in begun {
            if send.send(message).await.is_err() {
                return Ok(());
            }
        }
        while let Some(message) = self.next()? {
            if send.send(message).await.is_err() {
                return Ok(());
            }
            // A thread that is faster than the supply would keep the task from ever waiting.
            tokio::task::yield_now().await;
        }
        // The job has failed where it is not there any more, and its answer says why.
        let _ = send.send(Message::End).await;
        Ok(())
    }
}

impl Session {
    /// Inserts what comes, until the end is said. What was done is undone when it fails, and when the
    /// channel is dropped.
    fn insert_all(&mut self, job: u64, alone: bool, mut messages: mpsc::Receiver<Message>) -> Done {
        if !alone {
            self.control(job, "SAVEPOINT covet_bulk")?;
        }
        let result = self.insert_messages(job, &mut messages);
        let inserted = match result {
            Ok(inserted) => inserted,
            Err(stop) => {
                self.undo_bulk(alone);
                return Err(stop);
            }
        };
        if !alone {
            self.control(job, "RELEASE covet_bulk")?;
            return Ok((inserted, false));
        }
        match self.commit(job) {
            Ok(()) => Ok((inserted, true)),
            Err(Stop::Busy(_)) => Ok((inserted, false)),
            Err(stop) => {
                self.undo_bulk(alone);
                Err(stop)
            }
        }
    }

    /// Goes back to where it began, unless SQLite has done so by itself.
    pub(super) fn undo_bulk(&mut self, alone: bool) {
        if self.db.is_autocommit() {
            return;
        }
        let undone = if alone {
            self.rollback().is_ok()
        } else {
            self.pragma("ROLLBACK TO covet_bulk; RELEASE covet_bulk").is_ok()
        };
        if undone {
            self.watch.pardon();
        } else {
            self.watch.doom();
        }
    }

    fn insert_messages(&mut self, job: u64, messages: &mut mpsc::Receiver<Message>) -> Result<u64, Stop> {
        let mut inserted = 0;
        loop {
            match messages.blocking_recv() {
                Some(Message::Rows(batch)) => {
                    if !self.watch.begin_write(job) {
                        return Err(unwanted().into());
                    }
                    inserted += self.insert_batch(&batch)?;
                }
                Some(Message::Statement(request)) => {
                    inserted +=
                        self.run(job, &request, &mut Handover::Batches(&mut |_| Demand::More))?.outcome.affected;
                }
                Some(Message::End) => return Ok(inserted),
                None => return Err(unwanted().into()),
            }
        }
    }

    fn insert_batch(&self, batch: &Batch) -> Result<u64, Stop> {
        // A transaction is open, so nothing here is sent again when the database is busy.
        let failed = |error| self.failed(error, false, true);
        let mut inserted = 0;
        if batch.texts.columns.is_empty() {
            let mut statement = self.db.prepare_cached(&batch.texts.one).map_err(failed)?;
            for _ in 0..batch.rows {
                inserted += statement.raw_execute().map_err(failed)? as u64;
            }
            return Ok(inserted);
        }
        for piece in batch.pieces() {
            inserted += batch.insert(piece, &self.db).map_err(failed)?;
        }
        Ok(inserted)
    }
}
