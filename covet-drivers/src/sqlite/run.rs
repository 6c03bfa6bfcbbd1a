//! Statements: on the caller's thread or on the connection's, their rows brought to the sink.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::contract::{Command, Detached, Flow, Outcome, Row, RowSink, breathe};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::split;
use crate::sqlite::codec::{self, Bound};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::dialect::QUOTING;
use crate::sqlite::errors::Stop;
use crate::sqlite::execute::{Demand, Done, Handover, Request};
use crate::sqlite::kind::Kind;
use crate::sqlite::landing::Landing;
use crate::sqlite::pace::{Place, is_large, nanos};
use crate::sqlite::rows::Rows;
use crate::sqlite::seat::{Needs, Seat};
use crate::sqlite::session::Session;
use crate::sqlite::share;
use crate::sqlite::thread::lost;
use crate::sqlite::turns::Turn;
use crate::sqlite::watch::Wanted;
use crate::value::Value;

/// What became of a statement that was tried once, and the turn to write if it is free again.
type Tried = (Result<Outcome, Stop>, Option<Turn>);

/// A session that runs a statement on the caller's thread. A sink that panics shall not keep the turn to write in it, nor
/// leave it saying where the transaction stood before.
struct Resting<'a>(&'a mut Session);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.0.rest());
        }
    }
}

/// What a job that gives rows sends.
enum Message {
    Rows(Rows),
    End(Result<Done, Stop>, Option<Turn>),
}

impl SqliteConnection {
    /// See [`run`](crate::contract::Connection::run).
    pub(crate) async fn run(&mut self, command: Command<'_>, sink: &mut dyn RowSink) -> Result<Outcome> {
        share::pause(self.options.inline_budget).await;
        self.end = Ok(());
        // Rows that the statement before did not bring to its sink: it failed, or its future was dropped.
        self.rows.clear();
        if !matches!(self.seat, Seat::Here(_)) || self.in_doubt || self.watch.is_doomed() {
            Box::pin(self.ready()).await?;
        }
        let inside = !self.watch.autocommit();
        let slot = self.profiles.slot(command.sql)?;
        let profile = self.profiles.at(slot);
        let (kind, place) = (profile.kind, profile.place(&command, inside, &self.options));
        if kind == Kind::Other {
            self.dirty = true;
        }
        let mut turn = None;
        if kind == Kind::Write && !inside {
            turn = self.turns.try_take();
        }
        let mut tried = None;
        if place == Place::Here && (kind != Kind::Write || inside || turn.is_some()) {
            tried = Some(self.brief(&command, slot, inside, turn.take(), sink)?);
        }
        let (outcome, turn) = match tried {
            Some((Ok(outcome), kept)) => (outcome, kept),
            Some((Err(Stop::Error(error)), _)) => return Err(self.heard(error)),
            other => {
                let (stop, turn) = other.map_or((None, turn), |(result, kept)| (result.err(), kept));
                let limit = self.limit(inside);
                // Boxed: it is rare, and every statement would carry its room.
                let insisted = limited(limit, Box::pin(self.insist(&command, stop, turn, sink))).await;
                insisted.map_err(|error| self.heard(error))?
            }
        };
        self.checkpoint(turn);
        if self.rows.len() > 0 {
            deliver(&self.rows, sink).await?;
        }
        std::mem::replace(&mut self.end, Ok(())).map(|()| outcome)
    }

    /// An error of a statement. One that may have committed leaves a session that nobody can judge.
    #[cold]
    fn heard(&mut self, error: Error) -> Error {
        self.in_doubt |= error.kind() == ErrorKind::CommitUnknown;
        error
    }

    /// How long a statement may take: a transaction may have a limit of its own.
    fn limit(&self, inside: bool) -> Option<Duration> {
        self.limits.statement.filter(|_| inside)
    }

    /// Tries it once on the caller's thread; afterwards the rows are in the sink, or in `self.rows`.
    fn brief(
        &mut self,
        command: &Command<'_>,
        slot: usize,
        inside: bool,
        turn: Option<Turn>,
        sink: &mut dyn RowSink,
    ) -> Result<Tried> {
        let Seat::Here(session) = &mut self.seat else { return Err(lost()) };
        let profile = self.profiles.at(slot);
        let kind = profile.kind;
        let session = Resting(session);
        session.0.take_turn(turn);
        let began = (kind == Kind::Write || profile.pace(inside).is_due()).then(Instant::now);
        // Inside a transaction the interruption of a write would end the whole transaction.
        let budget = (kind != Kind::Write || !inside).then(|| self.watch.budget(self.options.inline_budget));
        let mut landing = if sink.rewind() { Landing::sink(sink) } else { Landing::buffer(&mut self.rows) };
        let result = session.0.brief(command, kind, &mut landing);
        drop(budget);
        self.end = landing.end();
        let kept = session.0.rest();
        let pace = profile.pace(inside);
        match (&result, began) {
            (Ok(_), Some(began)) => share::took(pace.learn(began.elapsed(), 0)),
            (Err(Stop::Long), _) => share::took(pace.overran(self.options.inline_budget)),
            (_, Some(began)) => share::took(nanos(began.elapsed())),
            (_, None) => share::took(pace.average()),
        }
        Ok((result, kept))
    }

    /// Runs it wherever it belongs, as often as it takes.
    async fn insist(
        &mut self,
        command: &Command<'_>,
        stop: Option<Stop>,
        turn: Option<Turn>,
        sink: &mut dyn RowSink,
    ) -> Result<(Outcome, Option<Turn>)> {
        let (mut stop, mut turn) = (stop, turn);
        let mut patience = self.patience();
        let mut request = None;
        let mut overran = false;
        let mut needs = Needs::Nothing;
        loop {
            match stop.take() {
                None => {}
                // It was taken for a read; the session has said so before anything was done.
                Some(Stop::Turn) => needs = Needs::Turn,
                Some(Stop::Long) => overran = true,
                Some(Stop::Busy(error)) => patience.wait(error).await?,
                Some(Stop::Error(error)) => return Err(error),
            }
            let inside = !self.watch.autocommit();
            let slot = self.profiles.slot(command.sql)?;
            let profile = self.profiles.at(slot);
            if needs == Needs::Turn {
                // What may change the session stays what it is: the next time, too, it leaves something behind.
                if profile.kind == Kind::Read {
                    profile.kind = Kind::Write;
                }
            } else if profile.kind == Kind::Write {
                needs = Needs::Turn;
            }
            let place = if overran { Place::Thread } else { profile.place(command, inside, &self.options) };
            let asks_steps = inside && profile.kind == Kind::Write && profile.few_steps.is_none();
            let heavy = profile.kind == Kind::Other || is_large(command);
            turn = self.turn(needs, turn, &patience).await?;
            let (result, kept) = match place {
                Place::Here => self.brief(command, slot, inside, turn.take(), sink)?,
                Place::Thread => {
                    let request = match &request {
                        Some(request) => Arc::clone(request),
                        None => Arc::clone(request.insert(Arc::new(owned(command, asks_steps, heavy)?))),
                    };
                    self.rows.clear();
                    self.lengthy(request, turn.take(), sink).await?
                }
            };
            turn = kept;
            match result {
                Ok(outcome) => return Ok((outcome, turn)),
                Err(other) => stop = Some(other),
            }
        }
    }

    /// Tries it once on the connection's thread and gives its rows to the sink; the last of them are in
    /// `self.rows` afterwards.
    async fn lengthy(&mut self, request: Arc<Request>, turn: Option<Turn>, sink: &mut dyn RowSink) -> Result<Tried> {
        match sink.detach() {
            Some(detached) => self.lengthy_with(request, turn, detached, sink).await,
            None => self.lengthy_by_batches(request, turn, sink).await,
        }
    }

    /// The sink goes along, and comes back when the statement has ended.
    async fn lengthy_with(
        &mut self,
        request: Arc<Request>,
        turn: Option<Turn>,
        mut detached: Box<dyn Detached>,
        sink: &mut dyn RowSink,
    ) -> Result<Tried> {
        let inside = !self.watch.autocommit();
        let theirs = Arc::clone(&request);
        let work = move |session: &mut Session, job| {
            session.heavy |= theirs.heavy;
            detached.rewind();
            let result = session.run(job, &theirs, &mut Handover::Sink(&mut *detached));
            (result, detached)
        };
        let ((result, detached), turn) = self.call(turn, work).await?;
        sink.attach(detached.into_any());
        Ok((result.map(|done| self.learn(&request.sql, inside, done)), turn))
    }

    /// The rows come in batches while the statement runs.
    async fn lengthy_by_batches(
        &mut self,
        request: Arc<Request>,
        turn: Option<Turn>,
        sink: &mut dyn RowSink,
    ) -> Result<Tried> {
        let inside = !self.watch.autocommit();
        let (send, mut messages) = mpsc::channel(2);
        let (theirs, rows) = (Arc::clone(&request), send.clone());
        let work = move |session: &mut Session, job| {
            session.heavy |= theirs.heavy;
            let mut take = |batch| match rows.blocking_send(Message::Rows(batch)) {
                Ok(()) => Demand::More,
                Err(_) => Demand::Enough,
            };
            session.run(job, &theirs, &mut Handover::Batches(&mut take))
        };
        let job = self.send(turn, work, move |result, turn| {
            // Whoever waited may have gone.
            let _ = send.blocking_send(Message::End(result, turn));
        })?;
        let watch = Arc::clone(&self.watch);
        let wanted = Wanted::new(&watch, job);
        let mut taken: Result<Flow> = Ok(Flow::Continue);
        loop {
            match messages.recv().await {
                Some(Message::Rows(batch)) if matches!(taken, Ok(Flow::Continue)) => {
                    let began = Instant::now();
                    taken = deliver(&batch, sink).await;
                    // Batches that wait already would come one after the other without a pause.
                    share::took(nanos(began.elapsed()));
                    share::pause(self.options.inline_budget).await;
                    if !matches!(taken, Ok(Flow::Continue)) {
                        // A read stops; a write does not come here before it is done.
                        watch.give_up(job);
                    }
                }
                Some(Message::Rows(_)) => {}
                Some(Message::End(result, turn)) => {
                    wanted.done();
                    self.back();
                    if taken? == Flow::Stop {
                        return Ok((Ok(Outcome::default()), turn));
                    }
                    return Ok((result.map(|done| self.learn(&request.sql, inside, done)), turn));
                }
                None => {
                    wanted.done();
                    self.back();
                    return Err(lost());
                }
            }
        }
    }

    /// Keeps what the statement has left, rows and experience.
    fn learn(&mut self, sql: &str, inside: bool, done: Done) -> Outcome {
        self.rows = done.rest;
        self.end = done.end;
        if let Ok(profile) = self.profiles.of(sql) {
            profile.pace(inside).learn(done.took, done.rows);
            profile.few_steps = done.few_steps.or(profile.few_steps);
        }
        done.outcome
    }

    /// See [`script`](crate::contract::Connection::script).
    pub(super) async fn script(&mut self, sql: &str) -> Result<()> {
        share::pause(self.options.inline_budget).await;
        self.ready().await?;
        if sql.contains('\0') {
            return Err(Error::new(ErrorKind::Syntax, "a statement with a NUL in it"));
        }
        self.dirty = true;
        let statements: Arc<[String]> = split(sql, QUOTING)?.into_iter().map(str::to_owned).collect();
        let mut next = 0;
        let mut patience = self.patience();
        let mut needs = Needs::Nothing;
        let mut turn = None;
        loop {
            turn = self.turn(needs, turn, &patience).await?;
            let theirs = Arc::clone(&statements);
            let work = move |session: &mut Session, job| {
                let mut reached = next;
                let result = session.script(job, &theirs, &mut reached);
                (result, reached)
            };
            let ((result, reached), kept) = self.call(turn.take(), work).await?;
            next = reached;
            turn = kept;
            match result {
                Ok(()) => {
                    self.checkpoint(turn);
                    return Ok(());
                }
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Turn) => needs = Needs::Turn,
                Err(Stop::Busy(error)) => patience.wait(error).await?,
                Err(Stop::Long) => unreachable!("a script has no budget"),
            }
        }
    }
}

/// Waits for a statement, up to its limit. One that is given up is interrupted where it reads; where it writes, its
/// transaction is doomed.
async fn limited<T>(limit: Option<Duration>, statement: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(limit) = limit else { return statement.await };
    match tokio::time::timeout(limit, statement).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::StatementTimeout, format!("the statement took longer than {limit:?}"))),
    }
}

/// The statement with its values, for another thread.
fn owned(command: &Command<'_>, asks_steps: bool, heavy: bool) -> Result<Request> {
    let encode = |(index, value): (usize, &&Value)| {
        codec::encode(value.lend()).map(Bound::into_owned).map_err(|error| error.with_argument(index))
    };
    let values = command.args.iter().enumerate().map(encode).collect::<Result<_>>()?;
    Ok(Request { sql: command.sql.to_owned(), values, reuse: command.reuse, asks_steps, heavy })
}

/// Gives rows to the sink until it has enough.
async fn deliver(rows: &Rows, sink: &mut dyn RowSink) -> Result<Flow> {
    for number in 0..rows.len() {
        // Of its own statement, so that the borrowed row does not live across the await.
        let flow = sink.row(&mut Row::new(&mut rows.row(number)))?;
        match flow {
            Flow::Continue => {}
            Flow::Pause => breathe().await,
            Flow::Stop => return Ok(Flow::Stop),
        }
    }
    Ok(Flow::Continue)
}
