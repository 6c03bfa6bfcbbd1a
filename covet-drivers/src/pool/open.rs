//! Opening connections. An attempt runs on a task of its own: it goes on when the borrower gives up, and the next one
//! finds the connection. Otherwise borrowers with short patience would begin anew for ever.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::pool::counters::Gauge;
use crate::pool::gate::Pass;
use crate::pool::member::Member;
use crate::pool::seats::Seat;
use crate::pool::shared::{Home, Shared};

/// The seat of whoever asked, unless it is gone with its task.
pub(super) type Failure = (Option<Seat>, Error);

impl Shared {
    /// Opens a connection, which becomes idle, for somebody who came when so many attempts had been begun; unless the
    /// pool lends nothing meanwhile. The seat comes back with the answer; when nobody waits for that any more, it is free
    /// once the attempt has ended.
    pub(super) async fn open(self: &Arc<Self>, seat: Seat, seen: u64) -> Result<Seat, Failure> {
        let pass = match self.gate.enter(seen).await {
            Ok(pass) => pass,
            Err(error) => return Err((Some(seat), error)),
        };
        if !self.desk().lends() {
            // It did when this began to wait for the right to connect: now the connection is not wanted.
            return Ok(seat);
        }
        self.start_monitor();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return match self.attempt(pass).await {
                Ok(()) => Ok(seat),
                Err(error) => Err((Some(seat), error)),
            };
        };
        let (tell, told) = oneshot::channel();
        let pool = Arc::clone(self);
        runtime.spawn(async move {
            let outcome = pool.attempt(pass).await;
            drop(pool);
            // If nobody listens, the seat is free now, and the connection idle.
            drop(tell.send((seat, outcome)));
        });
        match told.await {
            Ok((seat, Ok(()))) => Ok(seat),
            Ok((seat, Err(error))) => Err((Some(seat), error)),
            Err(_) => {
                Err((None, Error::new(ErrorKind::Unreachable, "connecting was broken off: its runtime has ended")))
            }
        }
    }

    /// Connects once.
    async fn attempt(&self, pass: Pass) -> Result<()> {
        let _opening = Gauge::up(&self.counters, |counters| &counters.opening);
        let limit = self.options.connect_timeout;
        let Home { backend, number } = self.home.borrow().clone();
        let connected = match tokio::time::timeout(limit, backend.connect()).await {
            Ok(connected) => connected,
            Err(_) => {
                let text = format!("no connection to {} within {limit:?}", backend.target());
                Err(Error::new(ErrorKind::Unreachable, text).with_help("see whether the server answers"))
            }
        };
        match connected {
            Ok(connection) => {
                pass.succeeded();
                self.put_new(Member::new(connection, number, &self.limits, Arc::clone(&self.counters)));
                Ok(())
            }
            Err(error) => {
                // Which of a program's databases it is must be said by whoever knows the URL.
                let error = error.about(&backend.target());
                self.counters.failed.fetch_add(1, Relaxed);
                pass.failed(&error);
                Err(error)
            }
        }
    }

    /// The server has no connection for this seat: it is set aside until the next attempt may be made.
    pub(super) fn shrink_for_a_while(self: &Arc<Self>, seat: Seat) {
        self.desk().seats.park();
        drop(seat);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            self.reseat(|desk| desk.seats.unpark());
            return;
        };
        if self.parked.swap(true, SeqCst) {
            // Somebody waits already to put it back.
            return;
        }
        let (parked, until) = (Parked(Arc::downgrade(self)), self.gate.until());
        runtime.spawn(async move {
            tokio::time::sleep_until(until).await;
            drop(parked);
        });
    }
}

/// Seats that are set aside. They are put back when it is dropped, be it with the runtime.
struct Parked(Weak<Shared>);

impl Drop for Parked {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.parked.store(false, SeqCst);
            pool.reseat(|desk| desk.seats.unpark());
        }
    }
}
