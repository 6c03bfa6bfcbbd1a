//! Lending to a borrower for whom no connection lies ready: waiting for a turn, testing what is idle, opening a new one;
//! all of it before one deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Instant as Deadline;

use crate::contract::ConnectionState;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::alarm::Alarm;
use crate::pool::counters::{CloseReason, Gauge};
use crate::pool::holders::{Place, in_words};
use crate::pool::lease::Lease;
use crate::pool::member::Member;
use crate::pool::queue::{Answer, Left};
use crate::pool::seats::Seat;
use crate::pool::shared::Shared;

/// Somebody who waits. Its place in the order is given up when this is dropped, and what it was given goes to whoever is
/// next.
pub(super) struct Turn<'a> {
    pool: &'a Arc<Shared>,
    number: usize,
    /// Until it has its answer.
    waits: bool,
    alarm: Option<Alarm>,
}

impl Turn<'_> {
    /// What it is told.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        let told = self.pool.desk().ask_again(self.number, context.waker(), &mut self.alarm);
        match told {
            Ok(answer) => {
                self.waits = false;
                Poll::Ready(answer)
            }
            Err(_waker_of_before) => Poll::Pending,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.waits {
            return;
        }
        let left = self.pool.desk().leave(self.number, &mut self.alarm);
        match left {
            Left::Waiting(_) | Left::Answered(Answer::Closed) => {}
            Left::Answered(answer) => drop(self.pool.seat_of(answer)),
        }
    }
}

impl Shared {
    /// Asks for a connection, or without a place for a seat alone. Either there is an answer at once, or its turn comes.
    pub(super) fn ask<'a>(
        self: &'a Arc<Self>,
        place: Option<Place>,
        context: &Context<'_>,
    ) -> std::result::Result<Answer, Turn<'a>> {
        let asked = self.desk().ask(place, context.waker());
        asked.map_err(|(number, alarm)| Turn { pool: self, number, waits: true, alarm })
    }

    /// Lends a connection when the turn has come, within the deadline.
    pub(super) async fn wait(self: &Arc<Self>, mut turn: Turn<'_>, place: Place) -> Result<Lease> {
        let seen = self.gate.begun();
        let began = Instant::now();
        let deadline = Deadline::from_std(began) + self.options.acquire_timeout;
        let mut alarm_is_set = false;
        let answer = poll_fn(|context| {
            if !alarm_is_set {
                // It has asked just now.
                alarm_is_set = true;
                turn.alarm = Some(Alarm::set(turn.alarm.take(), deadline));
            } else if let Poll::Ready(answer) = turn.poll(context) {
                return Poll::Ready(Some(answer));
            }
            match &mut turn.alarm {
                Some(alarm) => alarm.poll(deadline, context).map(|()| None),
                None => Poll::Pending,
            }
        });
        match answer.await {
            Some(Answer::Lent(member, number, since)) => {
                let lease = Lease::new(member, Seat::held(self), number);
                self.counters.waits.add(since.saturating_duration_since(began));
                Ok(lease)
            }
            Some(Answer::Seat) => Box::pin(self.find(Seat::held(self), place, seen, Some(began))).await,
            Some(Answer::Closed) => Err(closed()),
            None => {
                // It has rung: it would hold this waker for as long as it is kept.
                turn.alarm = None;
                drop(turn);
                self.counters.waits.add(began.elapsed());
                Err(self.too_late())
            }
        }
    }

    /// Lends a connection to somebody who has a seat, came when so many attempts to connect had been begun, and has waited
    /// since then.
    pub(super) async fn find(
        self: &Arc<Self>,
        seat: Seat,
        place: Place,
        seen: u64,
        waited: Option<Instant>,
    ) -> Result<Lease> {
        let _finding = Gauge::up(&self.counters, |counters| &counters.finding);
        let began = waited.unwrap_or_else(Instant::now);
        let mut find = pin!(self.find_or_open(seat, place, seen));
        let found = match poll_fn(|context| Poll::Ready(find.as_mut().poll(context))).await {
            Poll::Ready(found) if waited.is_none() => return found,
            Poll::Ready(found) => Ok(found),
            Poll::Pending => {
                let deadline = Deadline::from_std(began) + self.options.acquire_timeout;
                tokio::time::timeout_at(deadline, find).await
            }
        };
        self.counters.waits.add(began.elapsed());
        found.unwrap_or_else(|_| Err(self.too_late()))
    }

    /// Lends a connection that was found, unless the pool lends nothing now. Gives the number of the holder.
    fn lend(&self, member: Box<Member>, place: Place) -> Result<Option<(Box<Member>, usize)>> {
        let mut desk = self.desk();
        if desk.lends() {
            let number = desk.holders.add(place, Instant::now());
            return Ok(Some((member, number)));
        }
        let closed_now = desk.is_closed();
        drop(desk);
        self.put(member);
        if closed_now { Err(closed()) } else { Ok(None) }
    }

    /// Waits for a seat, in the order of asking.
    pub(super) async fn seat(self: &Arc<Self>) -> Result<Seat> {
        let answer = match poll_fn(|context| Poll::Ready(self.ask(None, context))).await {
            Ok(answer) => answer,
            Err(mut turn) => poll_fn(|context| turn.poll(context)).await,
        };
        self.seat_of(answer)
    }

    /// The seat of an answer, without its connection.
    fn seat_of(self: &Arc<Self>, answer: Answer) -> Result<Seat> {
        match answer {
            Answer::Lent(member, number, _) => {
                let seat = Seat::held(self);
                self.desk().holders.remove(number);
                self.put(member);
                Ok(seat)
            }
            Answer::Seat => Ok(Seat::held(self)),
            Answer::Closed => Err(closed()),
        }
    }

    /// Lends a connection, whenever that may be.
    async fn find_or_open(self: &Arc<Self>, mut seat: Seat, place: Place, mut seen: u64) -> Result<Lease> {
        loop {
            if let Some(member) = self.take_ready().await?
                && let Some((member, number)) = self.lend(member, place)?
            {
                return Ok(Lease::new(member, seat, number));
            }
            let (is_closed, is_in_the_way) = {
                let mut desk = self.desk();
                (desk.is_closed(), !desk.lends() || desk.has_surplus())
            };
            if is_closed {
                return Err(closed());
            }
            if is_in_the_way {
                // The pool was paused or made smaller while a connection was opened or tested: this seat may be one too
                // many, and what is opened now would be closed again.
                drop(seat);
                seat = self.seat().await?;
                continue;
            }
            match self.open(seat, seen).await {
                Ok(same) => seat = same,
                Err((Some(refused), error))
                    if error.kind() == ErrorKind::TooManyConnections && self.counters.open() > 0 =>
                {
                    // The server gives no more than there are: these must do for a while, in turn.
                    seen = self.gate.begun();
                    self.shrink_for_a_while(refused);
                    seat = self.seat().await?;
                }
                Err((Some(same), error)) => {
                    // Somebody may have given one back meanwhile.
                    let Some(member) = self.take_ready().await? else { return Err(error) };
                    if let Some((member, number)) = self.lend(member, place)? {
                        return Ok(Lease::new(member, same, number));
                    }
                    seat = same;
                }
                Err((None, error)) => return Err(error),
            }
        }
    }

    /// An idle connection that is made ready to be lent, if there is one.
    pub(super) async fn take_ready(self: &Arc<Self>) -> Result<Option<Box<Member>>> {
        loop {
            let now = Instant::now();
            let (member, doubtful) = {
                let mut desk = self.desk();
                let Some(member) = desk.take_idle() else { return Ok(None) };
                let doubtful = desk.is_doubtful(&member, now);
                (member, doubtful)
            };
            if member.is_expired(now) {
                self.close(member, CloseReason::Lifetime);
            } else if !doubtful && member.is_clean() {
                return Ok(Some(member));
            } else if let Some(member) = self.make_ready(member).await? {
                return Ok(Some(member));
            }
        }
    }

    /// Makes sure that the next borrower finds a connection that lives, and nothing of the last one.
    async fn make_ready(self: &Arc<Self>, member: Box<Member>) -> Result<Option<Box<Member>>> {
        let _testing = Gauge::up(&self.counters, |counters| &counters.testing);
        let mut tested = Tested::new(self, member);
        let Some(member) = &mut tested.member else { return Ok(None) };
        let dirty = !member.is_clean();
        if dirty && member.connection.state() != ConnectionState::Broken {
            let cleaned = tokio::time::timeout(self.options.recycle_timeout, clean(member)).await;
            if !(matches!(cleaned, Ok(Ok(()))) && member.is_clean()) {
                return tested
                    .fail(CloseReason::Unclean, cleaned.ok().map(|result| result.err().unwrap_or_else(unclean)));
            }
            member.proven = Instant::now();
        }
        if member.connection.state() == ConnectionState::Broken {
            return tested.fail(CloseReason::Broken, None);
        }
        if self.desk().is_doubtful(member, Instant::now()) {
            self.counters.tests.fetch_add(1, Relaxed);
            match tokio::time::timeout(self.ping_timeout(), member.connection.ping()).await {
                Ok(Ok(())) => member.proven = Instant::now(),
                Ok(Err(error)) => {
                    self.doubt();
                    return tested.fail(CloseReason::Dead, Some(error));
                }
                Err(_) => {
                    // The network is silent. The others are not waited for one after the other.
                    self.doubt();
                    self.close_doubtful();
                    return tested.fail(CloseReason::Dead, None);
                }
            }
        }
        Ok(tested.member.take())
    }

    /// Closes idle connections of which it is not certain that they live.
    fn close_doubtful(&self) {
        let now = Instant::now();
        let gone = {
            let mut desk = self.desk();
            let is_doubtful = desk.doubts(now);
            desk.end(|member| is_doubtful(member).then_some(CloseReason::Dead))
        };
        drop(gone);
    }

    /// Nobody was served in time: why, and who holds what there is.
    #[cold]
    fn too_late(&self) -> Error {
        self.counters.timeouts.fetch_add(1, Relaxed);
        let limit = self.options.acquire_timeout;
        let target = self.target();
        let holders = self.holders();
        let held = if holders.is_empty() { String::new() } else { format!("; in use: {}", in_words(&holders)) };
        if let Some(cause) = self.gate.outage() {
            let text = format!("no connection to {target} could be had within {limit:?}: {}{held}", cause.message());
            let error = Error::new(cause.kind(), text);
            return match cause.help() {
                Some(help) => error.with_help(help.to_owned()),
                None => error.with_help("see whether the server runs, and how many connections it allows"),
            };
        }
        let (paused, most) = {
            let desk = self.desk();
            (desk.seats.paused, desk.seats.most)
        };
        if paused {
            return Error::new(ErrorKind::PoolTimeout, format!("the pool was paused for {limit:?}{held}"))
                .with_help("resume it, or wait for longer (`acquire_timeout`)");
        }
        if holders.len() < most {
            return Error::new(
                ErrorKind::PoolTimeout,
                format!("no connection to {target} could be had within {limit:?}{held}"),
            )
            .with_help("see whether the server answers; idle connections were found dead, or a new one took too long");
        }
        let all = if most == 1 { "the only one is".to_owned() } else { format!("all {most} are") };
        Error::new(
            ErrorKind::PoolTimeout,
            format!("no connection came free within {limit:?}: {all} in use by {}", in_words(&holders)),
        )
        .with_help(
            "end transactions sooner, do not use `db` inside a transaction, or allow more connections (`max_size`)",
        )
    }
}

/// A connection that is tested. Nobody knows in what state it is when the test is dropped half-way.
pub(super) struct Tested<'a> {
    pool: &'a Shared,
    pub(super) member: Option<Box<Member>>,
}

impl<'a> Tested<'a> {
    pub(super) fn new(pool: &'a Shared, member: Box<Member>) -> Self {
        Tested { pool, member: Some(member) }
    }

    /// It cannot be lent, and is closed. One that the database would go with is kept: whoever wants it is told why, or
    /// tries again where there was no answer yet.
    pub(super) fn fail(mut self, reason: CloseReason, cause: Option<Error>) -> Result<Option<Box<Member>>> {
        let Some(member) = self.member.take() else { return Ok(None) };
        let is_kept = self.pool.keeps(&member);
        self.pool.give_up(member, reason);
        match cause {
            Some(error) if is_kept => Err(error),
            _ => Ok(None),
        }
    }
}

impl Drop for Tested<'_> {
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            self.pool.give_up(member, CloseReason::Dropped);
        }
    }
}

/// Undoes what a borrower left behind.
pub(super) async fn clean(member: &mut Member) -> Result<()> {
    if member.connection.state() != ConnectionState::Idle {
        member.connection.rollback().await?;
    }
    if member.connection.is_dirty() { member.connection.reset().await } else { Ok(()) }
}

fn unclean() -> Error {
    Error::new(ErrorKind::Database, "what the last borrower left behind could not be undone")
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::PoolClosed, "the pool is closed")
}
