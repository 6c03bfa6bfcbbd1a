//! Notifications: listening as a stream that connects again by itself, and sending.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use covet_drivers::contract::{Backend, BoxFuture, Listener, Notification, Notifications};
use covet_drivers::pool::Switches;
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};
use futures_core::Stream;
use tokio::time::{Sleep, sleep};

use crate::db::{Db, Executor};

/// The longest pause before the first attempt to listen again, and the longest that it can become.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// A session that lasted so long was a good one: the pauses are short again.
const GOOD: Duration = Duration::from_secs(10);

/// What a stream of notifications tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenEvent {
    /// A session listens: what is sent from here on is received. After a [`Lost`](ListenEvent::Lost), read again
    /// what the notifications are about, because some may be missing.
    Established,
    /// A notification.
    Notification(Notification),
    /// The session is gone, or none could be opened; the next attempt follows after a pause. What is sent until the
    /// next [`Established`](ListenEvent::Established) is missed. It comes once for each attempt that fails.
    Lost(Error),
}

/// Notifications of some channels, as a stream without end. [`Db::listen`] gives it.
///
/// It has a session of its own, beside the pool, and no task: polling it does the I/O, and dropping it ends the
/// session. What is not polled is kept by the server and by TCP, not by the program; PostgreSQL keeps up to 8 GB
/// and then refuses to notify, so poll it.
#[must_use = "a stream does nothing until it is polled"]
pub struct Listen {
    /// Tells when the database is another one.
    switches: Switches,
    switched: BoxFuture<'static, Switches>,
    channels: Arc<[String]>,
    state: State,
    /// The longest that the next pause may be.
    pause: Duration,
}

enum State {
    /// Nothing has been opened since the last loss.
    Away,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<Box<dyn Listener>>>),
    Listening(Box<dyn Listener>, Instant),
}

impl Db {
    /// Listens to channels: `LISTEN` in a session of its own. The stream connects when it is first polled, and again
    /// by itself when the session is lost, after a pause that grows up to 30 seconds and is never the same.
    ///
    /// ```no_run
    /// # async fn f(db: &covet_orm::Db) -> covet_orm::Result<()> {
    /// use covet_orm::ListenEvent;
    /// use futures_util::StreamExt as _;
    /// let mut heard = db.listen(["orders"])?;
    /// while let Some(event) = heard.next().await {
    ///     match event {
    ///         ListenEvent::Established => { /* read what is there by now */ }
    ///         ListenEvent::Notification(order) => println!("{}", order.payload),
    ///         ListenEvent::Lost(error) => eprintln!("{error}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Unsupported` where the database has no notifications, `InvalidInput` for a name that cannot be a channel's
    /// (empty, with a NUL, longer than the database takes) and for no channel at all. Everything that goes wrong
    /// later is an event of the stream.
    pub fn listen<C: Into<String>>(&self, channels: impl IntoIterator<Item = C>) -> Result<Listen> {
        let backend = self.backend();
        let notifications = notifications(&*backend, "LISTEN")?;
        let channels: Arc<[String]> = channels.into_iter().map(Into::into).collect();
        if channels.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "there is no channel to listen to"));
        }
        channels.iter().try_for_each(|channel| notifications.check_channel(channel))?;
        let switches = self.pool().switches();
        let switched = next(switches.clone());
        Ok(Listen { switches, switched, channels, state: State::Away, pause: PAUSES.0 })
    }
}

impl Executor {
    /// Sends a notification to a channel; in a transaction it is sent when that commits, and not at all when it does
    /// not. The database leaves out what the same transaction has sent already.
    ///
    /// SQL: `SELECT pg_notify($1, $2)`.
    ///
    /// # Errors
    /// `Unsupported` where the database has no notifications; `InvalidInput` for a channel or payload that the
    /// database would refuse (PostgreSQL: 63 and 7,999 bytes), before anything is sent; those of the connection.
    pub async fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        let sql = notifications(&*self.shared().pool.backend(), "NOTIFY")?.notify(channel, payload)?;
        let (channel, payload) = (Value::Text(channel.into()), Value::Text(payload.into()));
        self.session().await?.run(sql, &[&channel, &payload], &mut ()).await.map(drop)
    }
}

/// Waits for the next switch, and gives what waited back.
fn next(mut switches: Switches) -> BoxFuture<'static, Switches> {
    Box::pin(async move {
        switches.next().await;
        switches
    })
}

fn notifications<'a>(backend: &'a dyn Backend, what: &str) -> Result<&'a dyn Notifications> {
    backend.notifications().ok_or_else(|| Error::unsupported(what, backend.dialect().name()))
}

impl Listen {
    fn open(&self) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        let (backend, channels) = (self.switches.backend(), Arc::clone(&self.channels));
        Box::pin(async move { notifications(&*backend, "LISTEN")?.listen(&channels).await })
    }

    /// The session is gone: the next attempt comes after a pause.
    fn lose(&mut self, error: Error) -> Poll<Option<ListenEvent>> {
        let most = self.pause;
        self.pause = (most * 2).min(PAUSES.1);
        self.state = State::Waiting(Box::pin(sleep(most / 2 + (most / 2).mul_f64(random()))));
        Poll::Ready(Some(ListenEvent::Lost(error)))
    }
}

impl Stream for Listen {
    type Item = ListenEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ListenEvent>> {
        if let Poll::Ready(switches) = self.switched.as_mut().poll(cx) {
            let target = switches.backend().target();
            self.switches = switches.clone();
            self.switched = next(switches);
            self.state = State::Away;
            self.pause = PAUSES.0;
            let lost = Error::new(ErrorKind::ConnectionLost, format!("the database is {target} now"));
            return Poll::Ready(Some(ListenEvent::Lost(lost)));
        }
        loop {
            match &mut self.state {
                State::Away => self.state = State::Opening(self.open()),
                State::Waiting(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    self.state = State::Away;
                }
                State::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(listener) => {
                        self.state = State::Listening(listener, Instant::now());
                        return Poll::Ready(Some(ListenEvent::Established));
                    }
                    Err(error) => return self.lose(error),
                },
                State::Listening(listener, since) => match ready!(listener.poll_next(cx)) {
                    Ok(heard) => return Poll::Ready(Some(ListenEvent::Notification(heard))),
                    Err(error) => {
                        if since.elapsed() >= GOOD {
                            self.pause = PAUSES.0;
                        }
                        return self.lose(error);
                    }
                },
            }
        }
    }
}

/// A number from 0 to 1, another one each time.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Away => "away",
            State::Waiting(_) => "waiting",
            State::Opening(_) => "opening",
            State::Listening(..) => "listening",
        };
        f.debug_struct("Listen").field("channels", &self.channels).field("state", &state).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::random;

    #[test]
    fn random_numbers_differ_and_stay_in_their_range() {
        let numbers: Vec<f64> = (0..64).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)));
        assert!(numbers.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
