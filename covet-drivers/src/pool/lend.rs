//! Lending to a borrower for whom no connection lies ready: waiting for a turn, testing what is idle, opening a new one;
//! all of it before one deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Instant;

use deadpool::managed::Object;

use crate::contract::ConnectionState;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::counters::{CloseReason, Gauge};
use crate::pool::holders::{Place, in_words};
use crate::pool::lease::Lease;
use crate::pool::member::Source;
use crate::pool::seats::{Seat, Seats};
use crate::pool::shared::Shared;

impl Shared {
    /// Lends a connection, within the deadline.
    pub(super) async fn lend(self: &Arc<Self>, place: Place) -> Result<Lease> {
        let (waiting, first) = self.warm.wait();
        if first && let Some(lease) = self.take_warm(place) {
            return Ok(lease);
        }
        let mut find = pin!(self.find(place));
        let found = match poll_fn(|context| Poll::Ready(find.as_mut().poll(context))).await {
            // Mostly a connection is idle, and a timer would cost as much as taking it.
            Poll::Ready(found) => found,
            Poll::Pending => {
                let began = Instant::now();
                let deadline = tokio::time::Instant::from_std(began) + self.options.acquire_timeout;
                match tokio::time::timeout_at(deadline, find).await {
                    Ok(found) => found.map(|(lease, at)| {
                        self.counters.waits.add(at.saturating_duration_since(began));
                        (lease, at)
                    }),
                    Err(_) => {
                        self.counters.waits.add(began.elapsed());
                        Err(self.too_late())
                    }
                }
            }
        };
        drop(waiting);
        found.map(|(lease, _)| lease)
    }

    /// A connection that can be lent, whenever that may be; and when that is.
    async fn find(self: &Arc<Self>, place: Place) -> Result<(Lease, Instant)> {
        let seen = self.gate.begun();
        let Ok(seat) = Seats::take(self).await else { return Err(closed()) };
        let now = Instant::now();
        if let Some((object, number)) = self.warm.take_passed(place, now) {
            return Ok((Lease::new(object, seat, number), now));
        }
        // Boxed: it takes more room, and whoever waits for a turn mostly gets what somebody gives back.
        let (object, seat) = match self.take_fresh(now) {
            Some(object) => (object, seat),
            None => Box::pin(self.find_or_open(seat, seen)).await?,
        };
        let now = Instant::now();
        let number = self.warm.desk().holders.add(place, now);
        if self.seats.is_closed() {
            // It was closed while this one was tested. Whoever drains the pool may have looked before the holder was
            // written down, and have been told that everything is back.
            self.warm.desk().holders.remove(number);
            self.close(object, CloseReason::PoolClosed);
            return Err(closed());
        }
        Ok((Lease::new(object, seat, number), now))
    }

    /// What the pool underneath would lend next, if it can be lent as it is.
    fn take_fresh(&self, now: Instant) -> Option<Object<Source>> {
        let object = self.take_idle()?;
        if object.is_clean() && !object.is_expired(now) && !self.is_doubtful(&object, now) {
            return Some(object);
        }
        drop(object);
        None
    }

    /// As [`find`](Shared::find), for somebody who has a seat, and came when so many attempts to connect had been begun.
    async fn find_or_open(self: &Arc<Self>, mut seat: Seat, mut seen: u64) -> Result<(Object<Source>, Seat)> {
        loop {
            let ready = self.take_ready().await;
            let halted = self.seats.is_halted();
            match ready {
                Some(object) if halted => self.put_by(object),
                Some(object) => return Ok((object, seat)),
                None => {}
            }
            if self.seats.is_closed() {
                return Err(closed());
            }
            if halted || self.has_surplus() {
                // The pool was paused or made smaller while a connection was opened or tested: this seat may be one too
                // many, and what is opened now would be closed again.
                drop(seat);
                seat = Seats::take(self).await.map_err(|_| closed())?;
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
                    seat = Seats::take(self).await.map_err(|_| closed())?;
                }
                // Somebody may have given one back meanwhile.
                Err((Some(same), error)) => match self.take_ready().await {
                    Some(object) if self.seats.is_halted() => {
                        self.put_by(object);
                        seat = same;
                    }
                    Some(object) => return Ok((object, same)),
                    None => return Err(error),
                },
                Err((None, error)) => return Err(error),
            }
        }
    }

    /// An idle connection that is made ready to be lent, if there is one.
    async fn take_ready(self: &Arc<Self>) -> Option<Object<Source>> {
        // What was passed on to somebody who did not come for it is idle like the others.
        self.put_below((None, self.warm.clear_passed()));
        while let Some(object) = self.take_idle() {
            let now = Instant::now();
            if object.is_expired(now) {
                self.close(object, CloseReason::Lifetime);
            } else if object.is_clean() && !self.is_doubtful(&object, now) {
                return Some(object);
            } else if let Some(object) = self.make_ready(object).await {
                return Some(object);
            }
        }
        None
    }

    /// Makes sure that the next borrower finds a connection that lives, and nothing of the last one.
    async fn make_ready(self: &Arc<Self>, object: Object<Source>) -> Option<Object<Source>> {
        let _testing = Gauge::up(&self.counters, |counters| &counters.testing);
        let mut tested = Tested { pool: self, object: Some(object) };
        let object = tested.object.as_mut()?;
        let dirty = !object.is_clean();
        if dirty && object.connection.state() != ConnectionState::Broken {
            match tokio::time::timeout(self.options.recycle_timeout, clean(object)).await {
                Ok(Ok(())) if object.is_clean() => object.proven = Instant::now(),
                _ => return tested.fail(CloseReason::Unclean),
            }
        }
        if object.connection.state() == ConnectionState::Broken {
            return tested.fail(CloseReason::Broken);
        }
        if self.is_doubtful(object, Instant::now()) {
            self.counters.tests.fetch_add(1, Relaxed);
            match tokio::time::timeout(self.ping_timeout(), object.connection.ping()).await {
                Ok(Ok(())) => object.proven = Instant::now(),
                Ok(Err(_)) => {
                    self.doubt();
                    return tested.fail(CloseReason::Dead);
                }
                Err(_) => {
                    // The network is silent. The others are not waited for one after the other.
                    self.doubt();
                    self.close_doubtful();
                    return tested.fail(CloseReason::Dead);
                }
            }
        }
        tested.object.take()
    }

    /// Closes idle connections of which it is not certain that they live.
    fn close_doubtful(&self) {
        let now = Instant::now();
        let removed = self.store.retain(|member, _| !self.is_doubtful(member, now)).removed;
        for member in removed {
            member.close(CloseReason::Dead);
        }
        let mut shelf = self.store.manager().shelf();
        let (gone, kept) = shelf.drain(..).partition::<Vec<_>, _>(|member| self.is_doubtful(member, now));
        shelf.extend(kept);
        drop(shelf);
        for member in gone {
            member.close(CloseReason::Dead);
        }
    }

    /// Nobody was served in time: why, and who holds what there is.
    #[cold]
    fn too_late(&self) -> Error {
        self.counters.timeouts.fetch_add(1, Relaxed);
        let limit = self.options.acquire_timeout;
        let target = self.target();
        let holders = self.warm.desk().holders.list(Instant::now());
        let held = if holders.is_empty() { String::new() } else { format!("; in use: {}", in_words(&holders)) };
        if let Some(cause) = self.gate.outage() {
            let text = format!("no connection to {target} could be had within {limit:?}: {}{held}", cause.message());
            let error = Error::new(cause.kind(), text);
            return match cause.help() {
                Some(help) => error.with_help(help.to_owned()),
                None => error.with_help("see whether the server runs, and how many connections it allows"),
            };
        }
        if self.seats.is_paused() {
            return Error::new(ErrorKind::PoolTimeout, format!("the pool was paused for {limit:?}{held}"))
                .with_help("resume it, or wait for longer (`acquire_timeout`)");
        }
        let most = self.seats.most();
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
struct Tested<'a> {
    pool: &'a Shared,
    object: Option<Object<Source>>,
}

impl Tested<'_> {
    fn fail(mut self, reason: CloseReason) -> Option<Object<Source>> {
        if let Some(object) = self.object.take() {
            self.pool.close(object, reason);
        }
        None
    }
}

impl Drop for Tested<'_> {
    fn drop(&mut self) {
        match self.object.take() {
            // The next borrower goes on: there is no other connection.
            Some(object) if self.pool.only && object.connection.state() != ConnectionState::Broken => drop(object),
            Some(object) => self.pool.close(object, CloseReason::Dropped),
            None => {}
        }
    }
}

/// Undoes what a borrower left behind.
pub(super) async fn clean(object: &mut Object<Source>) -> Result<()> {
    if object.connection.state() != ConnectionState::Idle {
        object.connection.rollback().await?;
    }
    if object.connection.is_dirty() { object.connection.reset().await } else { Ok(()) }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::PoolClosed, "the pool is closed")
}
