//! What lies between the two ends: a network that is slow, and somebody who changes what passes.

use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;

use crate::chance::Chance;
use crate::proxy::{Direction, Proxy, Shared};

/// How slow the network is, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// How long it takes at least until what was said arrives.
    pub latency: Duration,
    /// How much longer it takes at most, by chance.
    pub jitter: Duration,
    /// How many bytes pass at a time; 0 for all that there are.
    pub piece: usize,
    /// The pause behind each piece.
    pub pause: Duration,
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// The number of its connection, in the order of connecting.
    pub connection: usize,
    /// Which way it goes.
    pub direction: Direction,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

/// What passes instead of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bent {
    /// The message as it is.
    Same,
    /// These bytes; nothing where there are none.
    Into(Vec<u8>),
    /// Nothing, and the connection is closed.
    Cut,
}

/// Changes what passes.
pub(super) type Bend = dyn Fn(Passing<'_>) -> Bent + Send + Sync;

/// The network of a proxy.
#[derive(Default)]
pub(super) struct Network {
    weather: Option<Weather>,
    bend: Option<Arc<Bend>>,
    chance: u64,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("weather", &self.weather)
            .field("bends", &self.bend.is_some())
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Makes the network slow from here on; `None` makes it fast again.
    pub fn weather(&self, weather: Option<Weather>) {
        self.shared.network().weather = weather;
    }

    /// Has every message that passes from here on changed.
    pub fn bend(&self, how: impl Fn(Passing<'_>) -> Bent + Send + Sync + 'static) {
        self.shared.network().bend = Some(Arc::new(how));
    }

    /// Leaves what passes as it is.
    pub fn straighten(&self) {
        self.shared.network().bend = None;
    }
}

impl Shared {
    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that what was said is under way.
    pub(super) async fn travel(&self) {
        let wait = {
            let mut network = self.network();
            let Some(weather) = network.weather else { return };
            let mut chance = Chance(network.chance);
            let micros = usize::try_from(weather.jitter.as_micros()).unwrap_or(usize::MAX);
            let more = Duration::from_micros(u64::try_from(chance.below(micros.saturating_add(1))).unwrap_or(0));
            network.chance = chance.0;
            weather.latency + more
        };
        tokio::time::sleep(wait).await;
    }

    /// What passes instead of a message.
    pub(super) fn bent(&self, connection: usize, direction: Direction, bytes: &[u8]) -> Bent {
        let bend = self.network().bend.clone();
        bend.map_or(Bent::Same, |bend| bend(Passing { connection, direction, bytes }))
    }

    /// Sends bytes as fast as the network allows.
    pub(super) async fn send(&self, to: &mut OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let weather = self.network().weather.filter(|weather| weather.piece > 0);
            let (piece, rest) = bytes.split_at(weather.map_or(bytes.len(), |weather| weather.piece.min(bytes.len())));
            to.write_all(piece).await?;
            bytes = rest;
            if let Some(weather) = weather {
                tokio::time::sleep(weather.pause).await;
            }
        }
        Ok(())
    }
}
