//! A borrowed connection, and what happens to it in the end.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
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

/// Undoes what the borrower left behind; the connection is idle then, or closed.
async fn clean_up(mut member: Box<Member>, seat: Seat, returning: Gauge) {
    let pool = Arc::clone(&seat.pool);
    let done = tokio::time::timeout(pool.options.recycle_timeout, clean(&mut member)).await;
    let is_clean = matches!(done, Ok(Ok(()))) && member.is_clean();
    drop(returning);
    if is_clean {
        member.touch(Instant::now());
        pool.put(member);
    } else if pool.only && member.connection.state() != ConnectionState::Broken {
        // The next borrower goes on: there is no other connection.
        pool.put(member);
    } else {
        pool.close(member, CloseReason::Unclean);
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
        // Before it is in nobody's hands, so that whoever drains the pool sees the one or the other.
        let returning = Gauge::up(&seat.pool.counters, |counters| &counters.returning);
        seat.pool.desk().holders.remove(self.number);
        if member.connection.state() == ConnectionState::Broken {
            drop(returning);
            seat.pool.close(member, CloseReason::Broken);
            return;
        }
        // What a borrower left behind may hold locks: it goes now, and not when somebody borrows next.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(returning);
            if seat.pool.only {
                // The next borrower's turn begins with the cleaning.
                seat.pool.put(member);
            } else {
                seat.pool.close(member, CloseReason::Unclean);
            }
            return;
        };
        runtime.spawn(clean_up(member, seat, returning));
    }
}
