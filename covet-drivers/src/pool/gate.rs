//! When to connect: at once while the server answers, and by one attempt at a time while it does not.
//!
//! The first attempt that fails begins an outage. From then on there is a pause before each attempt, which grows to a
//! limit that is short enough to notice a server soon after it is back, and one attempt at a time is the probe for
//! everybody. A borrower is told the cause as soon as an attempt has failed that began after the borrower came: so all
//! who wait are told by one attempt, and nobody is told of a failure that may be over. What a pause of that length
//! cannot cure, like a wrong password, is told at once.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::pool::spread::shortened;

/// The pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The way to the server.
pub(super) struct Gate {
    state: Mutex<State>,
    /// Attempts that were begun.
    begun: AtomicU64,
    changed: Notify,
    /// The longest pause.
    longest: Duration,
}

#[derive(Default)]
struct State {
    /// For the log.
    target: String,
    /// The first one that was begun to the present database.
    first: u64,
    /// The last one that was begun of those that succeeded.
    good: u64,
    /// A probe is under way.
    probing: bool,
    outage: Option<Outage>,
}

struct Outage {
    error: Error,
    /// The last attempt that failed.
    attempt: u64,
    /// Failures of attempts that were begun after the failure before.
    row: u32,
    /// How many attempts had been begun when it failed.
    begun: u64,
    /// Before that there is no attempt.
    until: Instant,
}

/// The right to connect once.
pub(super) struct Pass {
    gate: Arc<Gate>,
    attempt: u64,
    probe: bool,
}

impl Gate {
    pub(super) fn new(longest: Duration, target: String) -> Self {
        let state = Mutex::new(State { target, ..State::default() });
        Gate { state, begun: AtomicU64::new(0), changed: Notify::new(), longest }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on attempts are made to another database; what those from before tell is no news.
    pub(super) fn switch(&self, target: String) {
        let mut state = self.state();
        state.target = target;
        state.first = self.begun() + 1;
        state.outage = None;
        drop(state);
        self.changed.notify_waiters();
    }

    /// How many attempts have been begun: failures of later ones are news.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// The cause of the outage, if there is one.
    pub(super) fn outage(&self) -> Option<Error> {
        self.state().outage.as_ref().map(|outage| outage.error.again())
    }

    /// When the next attempt may be made.
    pub(super) fn until(&self) -> Instant {
        self.state().outage.as_ref().map_or_else(Instant::now, |outage| outage.until)
    }

    /// Waits for the right to connect, for somebody who came when so many attempts had been begun.
    pub(super) async fn enter(self: &Arc<Self>, seen: u64) -> Result<Pass> {
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            let until = {
                let mut state = self.state();
                let now = Instant::now();
                match &state.outage {
                    None => return Ok(self.pass(&mut state, false)),
                    Some(outage) if outage.attempt > seen => return Err(outage.error.again()),
                    Some(outage) if now < outage.until => {
                        if lasts(outage.error.kind()) {
                            return Err(outage.error.again());
                        }
                        Some(outage.until)
                    }
                    Some(_) if state.probing => None,
                    Some(_) => return Ok(self.pass(&mut state, true)),
                }
            };
            match until {
                Some(until) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    fn pass(self: &Arc<Self>, state: &mut State, probe: bool) -> Pass {
        state.probing |= probe;
        Pass { gate: Arc::clone(self), attempt: self.begun.fetch_add(1, SeqCst) + 1, probe }
    }
}

impl Pass {
    /// The server has answered.
    pub(super) fn succeeded(self) {
        let mut state = self.gate.state();
        if self.attempt < state.first {
            return;
        }
        state.good = state.good.max(self.attempt);
        let outage = state.outage.take();
        let target = state.target.clone();
        drop(state);
        if let Some(outage) = outage {
            tracing::info!(target: "covet::pool", database = %target, failures = outage.row, "the database answers again");
        }
    }

    /// It has refused, or not answered.
    pub(super) fn failed(self, error: &Error) {
        let mut state = self.gate.state();
        if state.good > self.attempt || self.attempt < state.first {
            // It began before the server was back, or to another one.
            return;
        }
        let begun = self.gate.begun();
        let row = match &state.outage {
            Some(outage) if self.attempt <= outage.begun => outage.row,
            Some(outage) => outage.row.saturating_add(1),
            None => {
                tracing::warn!(target: "covet::pool", database = %state.target, %error, "the database cannot be connected to");
                1
            }
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << (row - 1).min(16)).min(self.gate.longest);
        let until = Instant::now() + shortened(pause, 4);
        let attempt = self.attempt.max(state.outage.as_ref().map_or(0, |outage| outage.attempt));
        state.outage = Some(Outage { error: error.again(), attempt, row, begun, until });
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.gate.state().probing = false;
        }
        self.gate.changed.notify_waiters();
    }
}

/// Whether another attempt in a moment is in vain.
fn lasts(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Authentication
            | ErrorKind::UnknownDatabase
            | ErrorKind::Tls
            | ErrorKind::ServerVersion
            | ErrorKind::Permission
            | ErrorKind::Config
            | ErrorKind::Unsupported
    )
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("attempt", &self.attempt).field("probe", &self.probe).finish()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("outage", &self.outage()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(gate: &Arc<Gate>, seen: u64) -> Pass {
        let entered = tokio::time::timeout(Duration::from_secs(1), gate.enter(seen)).await;
        let Ok(Ok(pass)) = entered else { panic!("nobody may connect: {entered:?}") };
        pass
    }

    fn refused(kind: ErrorKind) -> Error {
        Error::new(kind, "it refuses")
    }

    fn gate() -> Arc<Gate> {
        Arc::new(Gate::new(Duration::from_millis(40), "there".to_owned()))
    }

    #[tokio::test]
    async fn while_the_server_refuses_one_attempt_at_a_time_is_made_and_tells_all() {
        let gate = gate();
        passed(&gate, 0).await.failed(&refused(ErrorKind::Unreachable));
        let began = std::time::Instant::now();
        let mut attempts = 0;
        while began.elapsed() < Duration::from_millis(400) {
            let seen = gate.begun();
            let twenty = (0..20).map(|_| async {
                match gate.enter(seen).await {
                    Ok(pass) => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        pass.failed(&refused(ErrorKind::Unreachable));
                        1
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unreachable);
                        0
                    }
                }
            });
            let made: usize = futures_util::future::join_all(twenty).await.into_iter().sum();
            assert_eq!(made, 1, "one attempt tells all");
            attempts += 1;
        }
        assert!((10..=22).contains(&attempts), "{attempts} attempts in 400 ms, at pauses of up to 40 ms");
        passed(&gate, gate.begun()).await.succeeded();
        assert!(gate.outage().is_none());
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_at_once() {
        let gate = gate();
        passed(&gate, 0).await.failed(&refused(ErrorKind::Authentication));
        let error = gate.enter(gate.begun()).await.err();
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Authentication));
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(gate.enter(gate.begun()).await.is_ok(), "the password may have been put right");
    }

    #[tokio::test]
    async fn a_probe_that_is_dropped_lets_the_next_one_in() {
        let gate = gate();
        passed(&gate, 0).await.failed(&refused(ErrorKind::Unreachable));
        let seen = gate.begun();
        drop(passed(&gate, seen).await);
        drop(passed(&gate, gate.begun()).await);
    }

    #[tokio::test]
    async fn an_attempt_from_before_the_recovery_says_nothing() {
        let gate = gate();
        let (late, good) = (passed(&gate, 0).await, passed(&gate, 0).await);
        good.succeeded();
        late.failed(&refused(ErrorKind::Unreachable));
        assert!(gate.outage().is_none());
    }
}
