//! Where the session of a connection is: with the connection, or on its thread for the time of a job.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::errors::Stop;
use crate::sqlite::pace::{Place, nanos};
use crate::sqlite::patience::Patience;
use crate::sqlite::session::Session;
use crate::sqlite::share;
use crate::sqlite::thread::lost;
use crate::sqlite::turns::Turn;
use crate::sqlite::watch::Wanted;

/// Where the session is.
#[derive(Debug)]
pub(super) enum Seat {
    /// With the connection.
    Here(Box<Session>),
    /// On the thread, whose job sends it back when it ends, whether or not anybody waits for the job.
    Away(oneshot::Receiver<Box<Session>>),
    /// Closed, or lost with its thread.
    Gone,
}

/// What a job must have before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// The turn to write, unless a transaction holds it already.
    Turn,
}

impl SqliteConnection {
    /// Waits for a job whose future was dropped; then the session is here and its state known.
    pub(super) async fn settle(&mut self) -> Result<()> {
        if let Seat::Away(back) = &mut self.seat {
            self.seat = back.await.map_or(Seat::Gone, Seat::Here);
        }
        match &self.seat {
            Seat::Here(_) if !self.in_doubt => Ok(()),
            _ => Err(Error::new(ErrorKind::ConnectionLost, "the connection is closed")),
        }
    }

    /// The turn to write, where it is needed: inside a transaction it was taken at the beginning.
    pub(super) async fn turn(&mut self, needs: Needs, held: Option<Turn>, patience: &Patience) -> Result<Option<Turn>> {
        if held.is_some() || needs == Needs::Nothing || !self.watch.autocommit() {
            return Ok(held);
        }
        self.turns.take(patience.deadline).await.map(Some)
    }

    /// Does a job, again as long as the database is busy. Gives the turn to write back if it is free now.
    pub(super) async fn job<F>(&mut self, needs: Needs, place: Place, work: F) -> Result<Option<Turn>>
    where
        F: Fn(&mut Session, u64) -> Result<(), Stop> + Clone + Send + 'static,
    {
        self.job_with(self.patience(), needs, place, work).await
    }

    /// As [`job`](SqliteConnection::job), with another patience than the transaction's at hand.
    pub(super) async fn job_with<F>(
        &mut self,
        mut patience: Patience,
        needs: Needs,
        place: Place,
        work: F,
    ) -> Result<Option<Turn>>
    where
        F: Fn(&mut Session, u64) -> Result<(), Stop> + Clone + Send + 'static,
    {
        share::pause(self.options.inline_budget).await;
        self.settle().await?;
        let mut needs = needs;
        let mut place = place;
        let mut turn = None;
        loop {
            turn = self.turn(needs, turn, &patience).await?;
            let (result, kept) = match place {
                Place::Here => self.here(turn.take(), &work)?,
                Place::Thread => self.call(turn.take(), work.clone()).await?,
            };
            turn = kept;
            match result {
                Ok(()) => return Ok(turn),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Turn) => needs = Needs::Turn,
                Err(Stop::Long) => place = Place::Thread,
                Err(Stop::Busy(error)) => patience.wait(error).await?,
            }
        }
    }

    /// Does a job at once, on the caller's thread.
    pub(super) fn here<T>(
        &mut self,
        turn: Option<Turn>,
        work: impl FnOnce(&mut Session, u64) -> T,
    ) -> Result<(T, Option<Turn>)> {
        let Seat::Here(session) = &mut self.seat else { return Err(lost()) };
        let job = self.watch.send();
        let began = Instant::now();
        session.take_turn(turn);
        let value = work(session, job);
        let turn = session.end(job);
        share::took(nanos(began.elapsed()));
        Ok((value, turn))
    }

    /// Does a job on the thread and waits for its answer.
    ///
    /// When the future is dropped, a job that has not begun to write will not.
    pub(super) async fn call<T: Send + 'static>(
        &mut self,
        turn: Option<Turn>,
        work: impl FnOnce(&mut Session, u64) -> T + Send + 'static,
    ) -> Result<(T, Option<Turn>)> {
        let (answer, wait) = oneshot::channel();
        let job = self.send(turn, work, move |value, turn| {
            // Whoever waited may have gone.
            let _ = answer.send((value, turn));
        })?;
        let watch = Arc::clone(&self.watch);
        let wanted = Wanted::new(&watch, job);
        let answer = wait.await;
        wanted.done();
        self.back();
        answer.map_err(|_| lost())
    }

    /// Sends the session to the thread with a job and what to do with its result; gives the job's number.
    pub(super) fn send<T: 'static>(
        &mut self,
        turn: Option<Turn>,
        work: impl FnOnce(&mut Session, u64) -> T + Send + 'static,
        after: impl FnOnce(T, Option<Turn>) + Send + 'static,
    ) -> Result<u64> {
        self.thread.start()?;
        let Seat::Here(mut session) = std::mem::replace(&mut self.seat, Seat::Gone) else { return Err(lost()) };
        let (home, back) = oneshot::channel();
        let job = self.watch.send();
        self.thread.send(move || {
            session.take_turn(turn);
            let value = work(&mut session, job);
            let turn = session.end(job);
            // Before the answer, so that whoever has that has the session too. If the connection is
            // gone, this closes the session.
            drop(home.send(session));
            after(value, turn);
        })?;
        self.seat = Seat::Away(back);
        Ok(job)
    }

    /// Takes the session back, when its job has ended.
    pub(super) fn back(&mut self) {
        if let Seat::Away(back) = &mut self.seat {
            match back.try_recv() {
                Ok(session) => self.seat = Seat::Here(session),
                Err(oneshot::error::TryRecvError::Empty) => {}
                Err(oneshot::error::TryRecvError::Closed) => self.seat = Seat::Gone,
            }
        }
    }
}
