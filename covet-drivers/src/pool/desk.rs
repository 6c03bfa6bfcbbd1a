//! What a pool has and owes, all of it under one lock: the seats, who waits for one, the idle connections, and who holds
//! the others. So lending is one step, giving back is another, and nothing is on its way in between.
//!
//! One thing always holds: while somebody waits, no seat is free. Whatever makes a seat free gives it to whoever is next.
//!
//! Nothing here waits, wakes anybody or ends a connection: that is done when the lock is released, by whoever held it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::pool::alarm::{Alarm, Alarms};
use crate::pool::counters::{CloseReason, Counters};
use crate::pool::holders::{Holders, Place};
use crate::pool::member::{Limits, Member};
use crate::pool::queue::{Answer, Left, Queue, Waiter};
use crate::pool::seats::Seats;

/// See the module.
pub(super) struct Desk {
    pub(super) seats: Seats,
    pub(super) holders: Holders,
    queue: Queue,
    alarms: Alarms,
    /// In the order of their last use. The one used last is lent first: its statements are prepared and its caches warm,
    /// and the others may grow old.
    idle: VecDeque<Box<Member>>,
    limits: Limits,
    /// The database goes with its one connection, so that is never closed.
    only: bool,
    counters: Arc<Counters>,
    closed: bool,
    /// There may be more connections than there may be.
    shrinking: bool,
    /// The number of the database that is lent from.
    home: u64,
    /// When a server was seen to be gone: connections that were last known to live before that are tested before they are
    /// lent.
    doubted: Option<Instant>,
}

/// What is to be done when the lock is released.
#[derive(Default)]
#[must_use]
pub(super) struct Calls {
    pub(super) wake: Option<Waker>,
    /// The pool is stopped, and nobody holds a seat any more.
    pub(super) emptied: bool,
}

/// What is left of a pool that was closed, to be dropped when the lock is released: the connections that nobody holds are
/// closed then.
#[must_use]
pub(super) struct Closing {
    /// Who has waited.
    pub(super) told: Vec<Waker>,
    _idle: VecDeque<Box<Member>>,
    _alarms: Alarms,
}

impl Desk {
    pub(super) fn new(most: usize, limits: Limits, only: bool, counters: Arc<Counters>) -> Self {
        Desk {
            seats: Seats::new(most),
            holders: Holders::default(),
            queue: Queue::new(),
            alarms: Alarms::default(),
            idle: VecDeque::new(),
            limits,
            only,
            counters,
            closed: false,
            shrinking: false,
            home: 0,
            doubted: None,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether anybody may get a connection now, or a seat.
    pub(super) fn lends(&self) -> bool {
        !self.closed && !self.seats.is_halted()
    }

    /// How many wait for a connection.
    pub(super) fn waiting(&self) -> usize {
        self.queue.borrowers()
    }

    /// Somebody asks for a connection, or without a place for a seat alone. Either there is an answer at once, or the number
    /// under which it waits, and a timer that was kept.
    pub(super) fn ask(&mut self, place: Option<Place>, waker: &Waker) -> Result<Answer, (usize, Option<Alarm>)> {
        if self.closed {
            return Ok(Answer::Closed);
        }
        if self.seats.take() {
            return Ok(self.with_seat(place));
        }
        let alarm = if place.is_some() { self.alarms.take() } else { None };
        Err((self.queue.join(Waiter { waker: waker.clone(), place }), alarm))
    }

    /// What the one is told who waits under this number, and then its timer is kept; or nothing yet, and then this wakes it.
    /// The waker of before is to be dropped when the lock is released.
    pub(super) fn ask_again(
        &mut self,
        number: usize,
        waker: &Waker,
        alarm: &mut Option<Alarm>,
    ) -> Result<Answer, Option<Waker>> {
        let answer = self.queue.ask(number, waker)?;
        self.keep(alarm);
        Ok(answer)
    }

    /// The one who waits under this number does not wait any more.
    pub(super) fn leave(&mut self, number: usize, alarm: &mut Option<Alarm>) -> Left {
        self.keep(alarm);
        self.queue.leave(number)
    }

    /// Keeps a timer. One that there is no room for stays where it was, and every one when the pool is closed.
    fn keep(&mut self, alarm: &mut Option<Alarm>) {
        if !self.closed
            && let Some(kept) = alarm.take()
        {
            *alarm = self.alarms.keep(kept);
        }
    }

    /// What somebody gets for whom a seat was taken.
    fn with_seat(&mut self, place: Option<Place>) -> Answer {
        let Some(place) = place else { return Answer::Seat };
        let Some(last) = self.idle.back() else { return Answer::Seat };
        let now = Instant::now();
        if !last.is_clean() || last.is_expired(now) || self.is_doubtful(last, now) {
            // It is tested before it is lent.
            return Answer::Seat;
        }
        match self.idle.pop_back() {
            Some(member) => Answer::Lent(member, self.holders.add(place, now), now),
            None => Answer::Seat,
        }
    }

    /// Gives whoever is next a seat, if one is free.
    pub(super) fn serve(&mut self) -> Option<Waker> {
        let place = self.queue.first()?.place;
        if !self.seats.take() {
            return None;
        }
        let answer = self.with_seat(place);
        self.queue.answer(answer)
    }

    /// A connection comes back clean, and its seat with it; unless it is given back to be closed: then the seat is free only
    /// after that.
    pub(super) fn come_back(
        &mut self,
        member: Box<Member>,
        number: usize,
        now: Option<Instant>,
    ) -> Result<Calls, Box<Member>> {
        self.holders.remove(number);
        let member = self.unless_it_ends(member, now)?;
        let next = self.queue.first().filter(|_| self.seats.may_pass()).map(|waiter| waiter.place);
        let answer = match next {
            // From hand to hand.
            Some(Some(place)) => {
                let now = now.unwrap_or_else(Instant::now);
                Answer::Lent(member, self.holders.add(place, now), now)
            }
            Some(None) => {
                self.lay(member);
                Answer::Seat
            }
            None => {
                self.lay(member);
                return Ok(self.seat_back());
            }
        };
        Ok(Calls { wake: self.queue.answer(answer), emptied: false })
    }

    /// A seat comes back.
    pub(super) fn seat_back(&mut self) -> Calls {
        self.seats.give();
        Calls { wake: self.serve(), emptied: self.seats.stopped && self.seats.are_free() }
    }

    /// A connection becomes idle whose seat is still held, or that needs none; unless it is given back to be closed.
    pub(super) fn put(&mut self, member: Box<Member>) -> Result<(), Box<Member>> {
        let member = self.unless_it_ends(member, Some(Instant::now()))?;
        self.lay(member);
        Ok(())
    }

    fn lay(&mut self, member: Box<Member>) {
        let at = match self.idle.back() {
            Some(last) if self.limits.need_clock() && last.used > member.used => {
                self.idle.partition_point(|other| other.used <= member.used)
            }
            _ => self.idle.len(),
        };
        self.idle.insert(at, member);
    }

    /// The idle connection that was used last, in whatever state it is. The caller has a seat.
    pub(super) fn take_idle(&mut self) -> Option<Box<Member>> {
        self.idle.pop_back()
    }

    /// Takes out idle connections that end; those that have been idle for longest are asked about first. They are closed when
    /// they are dropped.
    pub(super) fn end(&mut self, mut reason: impl FnMut(&Member) -> Option<CloseReason>) -> VecDeque<Box<Member>> {
        take_out(&mut self.idle, |member| match reason(member) {
            Some(reason) => {
                member.ends_for(reason);
                true
            }
            None => false,
        })
    }

    /// Takes out so many idle connections at most, and takes a free seat for each.
    pub(super) fn take_with_seats(&mut self, most: usize, which: impl Fn(&Member) -> bool) -> VecDeque<Box<Member>> {
        let (mut left, seats) = (most, &mut self.seats);
        take_out(&mut self.idle, |member| {
            let is_taken = left > 0 && which(member) && seats.take();
            left -= usize::from(is_taken);
            is_taken
        })
    }

    /// The connection, unless there is a reason to close it.
    fn unless_it_ends(&mut self, mut member: Box<Member>, now: Option<Instant>) -> Result<Box<Member>, Box<Member>> {
        match self.reason_to_close(&member, now) {
            Some(reason) => {
                member.ends_for(reason);
                Err(member)
            }
            None => Ok(member),
        }
    }

    fn reason_to_close(&mut self, member: &Member, now: Option<Instant>) -> Option<CloseReason> {
        if self.closed {
            return Some(CloseReason::PoolClosed);
        }
        if self.only {
            return None;
        }
        if member.home != self.home {
            return Some(CloseReason::Switched);
        }
        if now.is_some_and(|now| member.is_expired(now)) {
            return Some(CloseReason::Lifetime);
        }
        self.has_surplus().then_some(CloseReason::Resized)
    }

    /// Finds out whether there are more connections than there may be, after one was opened or there are to be fewer.
    pub(super) fn look_for_surplus(&mut self) -> bool {
        self.shrinking = true;
        self.has_surplus()
    }

    /// Whether there are more connections than there may be, if that was found before.
    pub(super) fn has_surplus(&mut self) -> bool {
        self.shrinking = self.shrinking && self.counters.open() > self.seats.most;
        self.shrinking
    }

    /// Whether it is not certain that the connection lives.
    pub(super) fn is_doubtful(&self, member: &Member, now: Instant) -> bool {
        self.doubts(now)(member)
    }

    /// Says of a connection whether it is not certain that it lives.
    pub(super) fn doubts(&self, now: Instant) -> impl Fn(&Member) -> bool + use<> {
        let (believed, doubted) = (self.limits.believed, self.doubted);
        move |member| {
            believed.is_some_and(|believed| {
                now.saturating_duration_since(member.proven) > believed
                    || doubted.is_some_and(|doubted| member.proven < doubted)
            })
        }
    }

    /// From now on connections that were last known to live before now are tested before they are lent.
    pub(super) fn doubt(&mut self) {
        self.doubted = Some(Instant::now());
    }

    /// From now on another database is lent from. Gives the idle connections to the one before, to be closed.
    pub(super) fn switch(&mut self, home: u64) -> VecDeque<Box<Member>> {
        self.home = home;
        self.end(|member| (member.home != home).then_some(CloseReason::Switched))
    }

    /// Nothing is lent any more.
    pub(super) fn close(&mut self) -> Closing {
        self.closed = true;
        let told = std::iter::from_fn(|| self.queue.answer(Answer::Closed)).collect();
        // What was given to somebody who has not come for it.
        for (member, number) in self.queue.recall() {
            self.holders.remove(number);
            self.seats.give();
            self.idle.push_back(member);
        }
        let idle = self.end(|_| Some(CloseReason::PoolClosed));
        Closing { told, _idle: idle, _alarms: std::mem::take(&mut self.alarms) }
    }
}

fn take_out(idle: &mut VecDeque<Box<Member>>, mut goes: impl FnMut(&mut Member) -> bool) -> VecDeque<Box<Member>> {
    let mut gone = VecDeque::new();
    for mut member in std::mem::take(idle) {
        if goes(&mut member) {
            gone.push_back(member);
        } else {
            idle.push_back(member);
        }
    }
    gone
}
