//! Lends connections, by the rule that a connection comes back clean or not at all; and does what a service needs that
//! runs for long.
//!
//! * A connection that is broken or in doubt is closed when its [`Lease`] ends.
//! * One with an open transaction is rolled back at once, on a task of its own, so that it holds no
//!   lock while it waits for the next borrower; without a runtime to do so it is closed.
//! * One that a borrower left dirty is reset before it is lent again.
//! * One that was idle for long, or is as old as one that was found dead, is asked whether it still lives.
//! * Whoever waits is served in the order of asking, before a deadline that holds for everything, and an
//!   error names those who hold the connections.
//!
//! A clean connection costs no round trip, neither on the way out nor on the way back.
//!
//! | file | does |
//! |---|---|
//! | `desk.rs` | has everything under its lock: idle connections, seats, who waits, who holds |
//! | `seats.rs` | counts how many may hold a connection |
//! | `queue.rs` | keeps the order of those who wait |
//! | `lend.rs`, `alarm.rs` | wait for a turn until a deadline, and test or open a connection |
//! | `open.rs`, `gate.rs` | open connections, and say when to try |
//! | `monitor.rs` | looks after idle ones from time to time |
//! | `switch.rs` | goes over to another database |
//! | `lease.rs` | cleans up after a borrower |

mod alarm;
mod counters;
mod desk;
mod gate;
mod histogram;
mod holders;
mod lease;
mod lend;
mod member;
mod monitor;
mod open;
mod options;
mod queue;
mod seats;
mod shared;
mod spread;
mod status;
mod switch;

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::contract::Backend;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Observer;

pub use counters::CloseReason;
pub use histogram::WaitTimes;
pub use holders::{Holder, Place};
pub use lease::Lease;
pub use options::PoolOptions;
pub use status::PoolStatus;
pub use switch::{Idle, Stopped, Switches};

use lend::closed;
use queue::Answer;
use seats::Seat;
use shared::Shared;

/// A pool of connections to one database. Cloning shares it.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// How a pool was drained.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "connections may be left"]
pub struct Drained {
    /// Who still holds a connection; it is closed when it comes back.
    pub left: Vec<Holder>,
}

impl Pool {
    /// A pool that opens connections when they are wanted.
    ///
    /// # Errors
    /// `Config` when the options make no sense.
    pub fn new(backend: Arc<dyn Backend>, options: PoolOptions) -> Result<Self> {
        Self::with_observer(backend, options, None)
    }

    /// As [`new`](Pool::new), for somebody who wants to be told of leaks.
    ///
    /// # Errors
    /// As there.
    pub fn with_observer(
        backend: Arc<dyn Backend>,
        options: PoolOptions,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self> {
        Ok(Pool { shared: Shared::new(backend, options, observer)? })
    }

    /// Borrows a connection, opening one when none is idle and there may be more. The place of the call is what errors
    /// name that tell who holds connections.
    ///
    /// # Errors
    /// `PoolTimeout` when none came free in time, `PoolClosed`, and those of connecting: the cause, when the server
    /// refuses.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Lease>> + Send + use<'_> {
        self.acquire_for(Place::here())
    }

    /// As [`acquire`](Pool::acquire), for another place in the program.
    ///
    /// # Errors
    /// As there.
    pub async fn acquire_for(&self, place: Place) -> Result<Lease> {
        let shared = &self.shared;
        match poll_fn(|context| Poll::Ready(shared.ask(Some(place), context))).await {
            Ok(Answer::Lent(member, number, _)) => Ok(Lease::new(member, Seat::held(shared), number)),
            Ok(Answer::Closed) => Err(closed()),
            Ok(Answer::Seat) => {
                let (seat, seen) = (Seat::held(shared), shared.gate.begun());
                // Boxed: everybody who borrows would carry its room.
                Box::pin(shared.find(seat, place, seen, None)).await
            }
            Err(turn) => shared.wait(turn, place).await,
        }
    }

    /// Opens connections until there are `min_size`.
    ///
    /// # Errors
    /// Those of connecting, `PoolClosed`, and `PoolTimeout` when that takes longer than `acquire_timeout`.
    pub async fn warm_up(&self) -> Result<()> {
        let shared = &self.shared;
        let wanted = shared.options.min_size;
        let fill = async {
            let _filling = shared.filling.lock().await;
            let seen = shared.gate.begun();
            while shared.counters.open() < wanted {
                let missing = wanted - shared.counters.open();
                let openings = (0..missing).map(|_| async {
                    let seat = shared.seat().await?;
                    shared.open(seat, seen).await.map(drop).map_err(|(_, error)| error)
                });
                futures_util::future::try_join_all(openings).await?;
                if shared.is_closed() {
                    return Err(closed());
                }
            }
            Ok(())
        };
        let limit = shared.options.acquire_timeout;
        tokio::time::timeout(limit, fill).await.unwrap_or_else(|_| {
            let text = format!("{wanted} connections to {} were not open within {limit:?}", shared.target());
            Err(Error::new(ErrorKind::PoolTimeout, text).with_help("see whether the server answers"))
        })
    }

    /// What it connects to.
    #[must_use]
    pub fn backend(&self) -> Arc<dyn Backend> {
        self.shared.backend()
    }

    /// How many connections there are now, and what has happened so far.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        self.shared.status()
    }

    /// Who holds a connection, the longest first.
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        self.shared.holders()
    }

    /// Allows another number of connections from now on. Idle ones that are too many are closed now, lent ones when they
    /// come back.
    ///
    /// # Errors
    /// `Config` for 0, for less than `min_size`, and for more than one connection to a database in memory.
    pub fn resize(&self, max_size: usize) -> Result<()> {
        let shared = &self.shared;
        options::check_size("max_size", max_size)?;
        if max_size < shared.options.min_size {
            let text = format!("the pool cannot shrink to {max_size}: its `min_size` is {}", shared.options.min_size);
            return Err(Error::new(ErrorKind::Config, text).with_help("open the database with a lower `min_size`"));
        }
        if let Some(most) = shared.backend().max_connections().filter(|most| max_size > *most) {
            let text = format!("{} takes {most} connections at most, and not {max_size}", shared.target());
            return Err(
                Error::new(ErrorKind::Config, text).with_help("a database in memory is one connection; use a file")
            );
        }
        shared.resize(max_size);
        Ok(())
    }

    /// Lends nothing until [`resume`](Pool::resume): borrowers wait, in their order and within their deadlines. What is
    /// lent already is not touched.
    pub fn pause(&self) {
        self.shared.desk().seats.paused = true;
    }

    /// Lends again.
    pub fn resume(&self) {
        self.shared.reseat(|desk| desk.seats.paused = false);
    }

    /// Closes the pool: idle connections end now, lent ones when they come back, and nobody gets another.
    pub fn close(&self) {
        self.shared.shut();
    }

    /// Closes the pool and waits until every lent connection has come back, or for so long. Whoever waits for a
    /// connection is told that the pool is closed.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.close();
        let shared = &self.shared;
        let all_back = async {
            loop {
                let mut came_back = pin!(shared.came_back.notified());
                came_back.as_mut().enable();
                let status = shared.status();
                if status.in_use + status.returning == 0 {
                    return;
                }
                came_back.await;
            }
        };
        match tokio::time::timeout(deadline, all_back).await {
            Ok(()) => Drained { left: Vec::new() },
            Err(_) => Drained { left: shared.holders() },
        }
    }
}

impl Shared {
    fn resize(&self, max_size: usize) {
        let gone = self.reseat(|desk| {
            desk.seats.resize(max_size);
            if !desk.look_for_surplus() {
                return VecDeque::new();
            }
            let mut surplus = self.counters.open().saturating_sub(max_size);
            desk.end(|_| {
                let goes = surplus > 0;
                surplus = surplus.saturating_sub(1);
                goes.then_some(CloseReason::Resized)
            })
        });
        drop(gone);
    }

    fn shut(&self) {
        let mut closing = self.desk().close();
        closing.told.drain(..).for_each(Waker::wake);
        // Seats may have come back with what nobody had come for.
        self.emptied.notify_waiters();
        drop(closing);
        self.ended.send_replace(true);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
