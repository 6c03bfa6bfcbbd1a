//! How often Covet waits: a round trip is what is said to the server until somebody waits for its answer.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::harness::Kind;
use crate::proxy::{Direction, Proxy, Shared};

/// How long Covet may take to say the rest of what it says without waiting.
const PATIENCE: Duration = Duration::from_millis(15);

/// The round trips of one connection, or of several that take turns.
#[derive(Debug)]
pub(crate) struct Flights {
    kind: Kind,
    count: usize,
    /// Something was said, and no answer has passed since.
    open: bool,
    /// A statement is being closed, which nobody waits for.
    closing: bool,
    /// When something was said last.
    said: Option<Instant>,
}

impl Flights {
    pub(crate) fn new(kind: Kind) -> Self {
        Flights { kind, count: 0, open: false, closing: false, said: None }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Counts from 0 again.
    pub(crate) fn begin_anew(&mut self) {
        (self.count, self.open) = (0, false);
    }

    /// How long an answer has to wait, so that what is said without it passes first.
    pub(crate) fn wait(&self) -> Duration {
        self.said.map_or(Duration::ZERO, |said| PATIENCE.saturating_sub(said.elapsed()))
    }

    /// A message passes.
    pub(crate) fn pass(&mut self, direction: Direction, message: &[u8]) {
        if direction == Direction::ToClient {
            self.open = false;
            return;
        }
        self.said = Some(Instant::now());
        if self.closes(message) {
            return;
        }
        self.count += usize::from(!self.open);
        self.open = true;
    }

    /// Whether a message only closes a statement.
    fn closes(&mut self, message: &[u8]) -> bool {
        match self.kind {
            // Close, and the Sync behind it.
            Kind::Postgres => {
                let close = message.first() == Some(&b'C');
                let sync = message.first() == Some(&b'S') && self.closing;
                self.closing = close;
                close || sync
            }
            _ => message.get(4) == Some(&0x19),
        }
    }
}

impl Proxy {
    /// Counts round trips from here on, from 0.
    pub fn count_round_trips(&self) {
        self.shared.flights().get_or_insert_with(|| Flights::new(self.kind)).begin_anew();
    }

    /// How often Covet has waited for an answer since then.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.shared.flights().as_ref().map_or(0, Flights::count)
    }
}

impl Shared {
    fn flights(&self) -> MutexGuard<'_, Option<Flights>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a message pass where round trips are counted; an answer not before Covet has fallen silent.
    pub(super) async fn count(&self, direction: Direction, message: &[u8]) {
        loop {
            let wait = self.flights().as_ref().map_or(Duration::ZERO, Flights::wait);
            if direction == Direction::ToServer || wait.is_zero() {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        if let Some(flights) = self.flights().as_mut() {
            flights.pass(direction, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flights;
    use crate::harness::Kind;
    use crate::proxy::Direction::{ToClient, ToServer};

    #[test]
    fn what_is_said_without_waiting_is_one_flight() {
        let mut flights = Flights::new(Kind::Postgres);
        for (direction, message) in [
            (ToServer, b"Q"),
            (ToServer, b"B"),
            (ToServer, b"S"),
            (ToClient, b"Z"),
            (ToClient, b"Z"),
            (ToServer, b"C"),
            (ToServer, b"S"),
            (ToClient, b"3"),
            (ToServer, b"Q"),
            (ToClient, b"Z"),
        ] {
            flights.pass(direction, message);
        }
        assert_eq!(flights.count(), 2);
        flights.begin_anew();
        assert_eq!(flights.count(), 0);
    }
}
