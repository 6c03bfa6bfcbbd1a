//! A proxy between Covet and a server that knows where messages begin and end, so that a test can
//! hold, swallow or cut the traffic at any place of it.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::Kind;
use crate::proxy::flights::Flights;
use crate::proxy::frames::Frames;
use crate::proxy::network::Network;

mod flights;
mod frames;
mod network;

pub use crate::proxy::network::{Bent, Passing, Weather};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From Covet.
    ToServer,
    /// To Covet.
    ToClient,
}

impl Direction {
    /// Both.
    pub const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
}

/// What is counted and held as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// A message of the protocol.
    Message,
    /// A byte: many more places, most of them in the middle of a message.
    Byte,
}

/// What happens to the traffic behind the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits until the trap is gone.
    Hold,
    /// It vanishes, and the connection stays open.
    Swallow,
    /// Both ends are closed.
    Cut,
    /// Both ends are reset: what was on its way is lost.
    Reset,
}

/// Which connections fall into a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that are there and those that come.
    All,
    /// Those that are there.
    Present,
}

/// A place in the traffic, and what happens there.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// Of which direction.
    pub direction: Direction,
    /// How many messages (or bytes) still pass, of all connections together.
    pub after: usize,
    /// What becomes of the others.
    pub then: Then,
    /// Whom it is for.
    pub reach: Reach,
}

/// How many messages (or bytes) have passed since the trap was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// From Covet.
    pub to_server: usize,
    /// To Covet.
    pub to_client: usize,
}

/// The proxy of one test. Its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    kind: Kind,
    url: String,
    shared: Arc<Shared>,
    accepts: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told whenever the state changes.
    changed: watch::Sender<()>,
    connections: AtomicUsize,
    /// Counted when it is asked for: answers are held back for that.
    flights: Mutex<Option<Flights>>,
    /// How slow it is, and who changes what passes.
    network: Mutex<Network>,
}

#[derive(Debug, Default)]
struct State {
    trap: Option<(Trap, usize)>,
    passed: Position,
    /// The connections that have fallen into the trap.
    caught: BTreeSet<usize>,
    /// Those that are closed.
    cut: BTreeSet<usize>,
    /// Which bytes that arrive together go on together.
    together: Together,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Together {
    #[default]
    None,
    /// Those that are not near the trap.
    RunUp,
    All,
}

/// How many bytes before a trap each goes for itself.
const NEAR: usize = 8;

enum Verdict {
    Pass,
    Wait,
    Drop,
    Close,
    Reset,
}

impl Proxy {
    /// A proxy in front of the server of a URL.
    ///
    /// # Panics
    /// When the URL names no host and port, or no port is free.
    pub async fn start(kind: Kind, url: &str, grain: Grain) -> Proxy {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a URL with a database");
        let (login, target) = authority.rsplit_once('@').expect("a URL with a user");
        let target = target.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            connections: AtomicUsize::new(0),
            flights: Mutex::default(),
            network: Mutex::default(),
        });
        let theirs = Arc::clone(&shared);
        let accepts = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connection(Arc::clone(&theirs), client, target.clone(), kind, grain));
                while connections.try_join_next().is_some() {}
            }
        });
        Proxy { kind, url: format!("{scheme}://{login}@127.0.0.1:{port}/{path}"), shared, accepts }
    }

    /// The URL that goes through the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the trap, and counts from 0 again.
    pub fn set(&self, trap: Trap) {
        let present = self.shared.connections.load(Ordering::SeqCst);
        self.shared.change(|state| {
            let cut = std::mem::take(&mut state.cut);
            *state = State { trap: Some((trap, present)), cut, ..State::default() };
        });
    }

    /// Counts from 0 again.
    pub fn count_anew(&self) {
        self.shared.change(|state| {
            state.passed = Position::default();
            state.together = Together::None;
        });
    }

    /// Where the traffic stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.shared.state().passed
    }

    /// Waits until something has fallen into the trap.
    pub async fn caught(&self) {
        self.shared.when(|state| !state.caught.is_empty()).await;
    }

    /// Waits until so many messages (or bytes) have passed in a direction.
    pub async fn passed(&self, direction: Direction, count: usize) {
        self.shared.when(|state| state.passed.of(direction) >= count).await;
    }

    /// Whether nothing has fallen into the trap.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.shared.state().caught.is_empty()
    }

    /// Takes the trap away: what was held goes on.
    pub fn release(&self) {
        self.shared.change(|state| state.trap = None);
    }

    /// Until the next trap, or count, bytes that arrive together go on together: nobody looks at their places, and
    /// each for itself would take its time.
    pub fn let_go(&self) {
        self.shared.change(|state| state.together = Together::All);
    }

    /// Bytes that arrive together go on together, but for the last ones before the trap.
    pub fn run_up(&self) {
        self.shared.change(|state| state.together = Together::RunUp);
    }

    /// Closes every connection, with what was held, and takes the trap away.
    pub fn cut(&self) {
        let present = self.shared.connections.load(Ordering::SeqCst);
        self.shared.change(|state| {
            state.cut.extend(0..present);
            state.trap = None;
        });
    }

    /// Closes the connections that have fallen into the trap, and takes it away.
    pub fn cut_caught(&self) {
        self.shared.change(|state| {
            state.cut.append(&mut state.caught);
            state.trap = None;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Position {
    /// In one direction.
    #[must_use]
    pub fn of(self, direction: Direction) -> usize {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::ToClient => self.to_client,
        }
    }
}

impl State {
    /// How many of the bytes that stand behind one that passes go on with it. They are counted.
    fn along(&mut self, direction: Direction, bytes: usize) -> usize {
        let passed = match direction {
            Direction::ToServer => &mut self.passed.to_server,
            Direction::ToClient => &mut self.passed.to_client,
        };
        let room = match (self.together, self.trap) {
            (Together::None, _) => 0,
            (Together::RunUp, Some((trap, _))) if trap.direction == direction => {
                trap.after.saturating_sub(*passed + NEAR)
            }
            _ => bytes,
        };
        let along = room.min(bytes);
        *passed += along;
        along
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.state());
        self.changed.send_replace(());
    }

    async fn when(&self, is: impl Fn(&State) -> bool) {
        let mut changes = self.changed.subscribe();
        while !is(&self.state()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// What happens to the next message of a connection; waits where it is held.
    async fn judge(&self, number: usize, direction: Direction) -> Verdict {
        let mut changes = self.changed.subscribe();
        let mut caught = false;
        loop {
            let verdict = self.look(number, direction, &mut caught);
            match verdict {
                // Its own news wakes it once more; then it waits.
                Verdict::Wait if changes.changed().await.is_ok() => {}
                Verdict::Wait => return Verdict::Close,
                done => return done,
            }
        }
    }

    fn look(&self, number: usize, direction: Direction, caught: &mut bool) -> Verdict {
        let mut state = self.state();
        if state.cut.contains(&number) {
            return Verdict::Close;
        }
        let sprung = state.trap.filter(|(trap, present)| {
            trap.direction == direction
                && (trap.reach == Reach::All || number < *present)
                && state.passed.of(direction) >= trap.after
        });
        let verdict = match sprung {
            None => {
                match direction {
                    Direction::ToServer => state.passed.to_server += 1,
                    Direction::ToClient => state.passed.to_client += 1,
                }
                Verdict::Pass
            }
            Some((trap, _)) => {
                if std::mem::replace(caught, true) {
                    return Verdict::Wait;
                }
                state.caught.insert(number);
                match trap.then {
                    Then::Hold => Verdict::Wait,
                    Then::Swallow => Verdict::Drop,
                    Then::Reset => Verdict::Reset,
                    Then::Cut => {
                        state.cut.insert(number);
                        Verdict::Close
                    }
                }
            }
        };
        drop(state);
        self.changed.send_replace(());
        verdict
    }
}

async fn connection(shared: Arc<Shared>, client: TcpStream, target: String, kind: Kind, grain: Grain) {
    let number = shared.connections.fetch_add(1, Ordering::SeqCst);
    let Ok(server) = TcpStream::connect(target).await else { return };
    // A message shall not wait for the next one.
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let out = pump(&shared, number, Frames::new(kind, Direction::ToServer, grain), from_client, to_server);
    let back = pump(&shared, number, Frames::new(kind, Direction::ToClient, grain), from_server, to_client);
    let both = async { tokio::join!(out, back) };
    tokio::select! {
        _ = both => {}
        () = shared.when(|state| state.cut.contains(&number)) => {}
    }
}

/// One direction of a connection, until its sender has no more to say.
async fn pump(
    shared: &Shared,
    number: usize,
    mut frames: Frames,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
) -> io::Result<()> {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            to.write_all(frames.rest()).await?;
            return to.shutdown().await;
        }
        shared.travel().await;
        frames.add(&chunk[..count]);
        while let Some(mut frame) = frames.next() {
            match shared.judge(number, frames.direction()).await {
                Verdict::Pass => {
                    let along = shared.state().along(frames.direction(), frames.bytes_behind());
                    frame.append(&mut frames.take(along));
                    shared.count(frames.direction(), &frame).await;
                    match shared.bent(number, frames.direction(), &frame) {
                        Bent::Same => shared.send(&mut to, &frame).await?,
                        Bent::Into(other) => shared.send(&mut to, &other).await?,
                        Bent::Cut => {
                            shared.change(|state| {
                                state.cut.insert(number);
                            });
                            return std::future::pending().await;
                        }
                    }
                }
                Verdict::Drop => {}
                Verdict::Reset => {
                    from.as_ref().set_zero_linger()?;
                    to.as_ref().set_zero_linger()?;
                    shared.change(|state| {
                        state.cut.insert(number);
                    });
                    return std::future::pending().await;
                }
                // The other direction and the sockets go with the connection.
                Verdict::Close | Verdict::Wait => std::future::pending().await,
            }
        }
    }
}
