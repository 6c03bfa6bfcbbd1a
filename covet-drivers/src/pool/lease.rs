//! A borrowed connection, and what happens to it in the end.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

use crate::contract::{Connection, ConnectionState};
use crate::error::Error;
use crate::pool::counters::{CloseReason, Gauge};
use crate::pool::lend::clean;
use crate::pool::member::Member;
use crate::pool::seats::Seat;
use crate::pool::shared::Shared;

/// A borrowed connection. When it is dropped the connection goes back clean, or is closed.
pub struct Lease {
    held: Option<(Box<Member>, Seat)>,
    /// Under which its holder is remembered.
    number: usize,
}

impl Lease {
    pub(super) fn new(member: Box<Member>, seat: Seat, number: usize) -> Self {
        Lease { held: Some((member, seat)), number }
    }

    /// Gives the lease a name, for messages that tell who holds connections; beside the place where it was borrowed.
    pub fn set_name(&mut self, name: &'static str) {
        if let Some((_, seat)) = &self.held {
            seat.pool.desk().holders.rename(self.number, name);
        }
    }

    /// Tells the pool of an error on this connection. If the connection is lost with it, others that are as old are tested
    /// before they are lent.
    pub fn report(&self, error: &Error) {
        if error.is_connection_lost()
            && let Some((_, seat)) = &self.held
        {
            seat.pool.doubt();
        }
    }

    /// Closes the connection instead of giving it back.
    pub fn discard(mut self) {
        if let Some((member, seat)) = self.held.take() {
            seat.pool.desk().holders.remove(self.number);
            seat.pool.close(member, CloseReason::Discarded);
        }
    }
}

/// A connection that came back with something left behind. Its seat is free only when it is idle or closed, even if nobody
/// lets the cleaning end.
struct Returning {
    member: Option<Box<Member>>,
    /// While it is in nobody's hands, so that whoever drains the pool sees the one or the other.
    counted: Option<Gauge>,
    /// Why it is closed, if it is not cleaned.
    reason: CloseReason,
    seat: Seat,
}

impl Returning {
    fn new(member: Box<Member>, seat: Seat) -> Self {
        let counted = Some(Gauge::up(&seat.pool.counters, |counters| &counters.returning));
        let is_broken = member.connection.state() == ConnectionState::Broken;
        let reason = if is_broken { CloseReason::Broken } else { CloseReason::Unclean };
        Returning { member: Some(member), counted, reason, seat }
    }

    /// Undoes what the borrower left behind; the connection is idle then, or closed.
    async fn clean_up(mut self) {
        let Some(member) = &mut self.member else { return };
        let done = tokio::time::timeout(self.seat.pool.options.recycle_timeout, clean(member)).await;
        if matches!(done, Ok(Ok(()))) && member.is_clean() {
            member.touch(Instant::now());
            self.counted = None;
            self.member.take().into_iter().for_each(|member| self.seat.pool.put(member));
        }
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(member) = self.member.take() else { return };
        // First: whoever drains the pool looks when the connection is closed.
        self.counted = None;
        self.seat.pool.give_up(member, self.reason);
    }
}

impl Deref for Lease {
    type Target = dyn Connection;

    fn deref(&self) -> &Self::Target {
        match &self.held {
            Some((member, _)) => &*member.connection,
            None => unreachable!("a lease is empty only while it is dropped"),
        }
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.held {
            Some((member, _)) => &mut *member.connection,
            None => unreachable!("a lease is empty only while it is dropped"),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.held.as_ref().map(|(member, _)| &member.connection)).finish()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((member, seat)) = self.held.take() else { return };
        if member.is_clean() {
            return Shared::come_back(member, seat, self.number);
        }
        let returning = Returning::new(member, seat);
        returning.seat.pool.desk().holders.remove(self.number);
        // What a borrower left behind may hold locks: it goes now, and not when somebody borrows next.
        if returning.reason == CloseReason::Unclean
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(returning.clean_up());
        }
    }
}
