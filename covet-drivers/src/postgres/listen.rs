//! `LISTEN` and `NOTIFY`: a session that does nothing but listen, whose I/O is done by whoever asks it for the next
//! notification. Without a task and a channel between them, nothing is kept for a listener that is slow: TCP holds the
//! server back, which keeps what it could not send.

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use futures_util::future::{Either, select};
use futures_util::stream::{BoxStream, StreamExt as _, poll_fn};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use crate::contract::{BoxFuture, Listener, Notification, Notifications};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::connect::Target;
use crate::postgres::connection::CAPABILITIES;
use crate::postgres::{PostgresBackend, errors};
use crate::render::ansi;

/// The server takes payloads that are shorter than this.
const PAYLOAD: usize = 8000;

/// What the server sends by itself.
type Messages = BoxStream<'static, Result<AsyncMessage, tokio_postgres::Error>>;

impl Notifications for PostgresBackend {
    fn check_channel(&self, channel: &str) -> Result<()> {
        let most = CAPABILITIES.max_identifier;
        let wrong = if channel.is_empty() {
            "is empty".to_owned()
        } else if channel.len() > most {
            format!("has {} bytes, and PostgreSQL takes {most}", channel.len())
        } else if channel.contains('\0') {
            "holds a NUL".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidInput, format!("the name of the channel {wrong}")))
    }

    fn notify(&self, channel: &str, payload: &str) -> Result<&'static str> {
        self.check_channel(channel)?;
        if payload.len() >= PAYLOAD {
            let text = format!("the payload has {} bytes, and PostgreSQL takes {}", payload.len(), PAYLOAD - 1);
            return Err(
                Error::new(ErrorKind::InvalidInput, text).with_help("store what is long in a table, and send its key")
            );
        }
        if payload.contains('\0') {
            return Err(Error::new(ErrorKind::InvalidInput, "the payload holds a NUL"));
        }
        Ok("SELECT pg_notify($1, $2)")
    }

    fn listen<'a>(&'a self, channels: &'a [String]) -> BoxFuture<'a, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = PostgresListener::open(self.target(), channels).await?;
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }
}

/// A session that listens.
struct PostgresListener {
    messages: Messages,
    /// What came before the session was handed out.
    early: VecDeque<Notification>,
    /// The driver ends the session in good order when this is gone.
    _client: Client,
}

impl PostgresListener {
    async fn open(target: &Target, channels: &[String]) -> Result<Self> {
        let mut sql = String::new();
        for channel in channels {
            sql.push_str("LISTEN ");
            ansi::identifier(channel, &mut sql);
            sql.push_str("; ");
        }
        target
            .in_time(async {
                let (client, messages) = match target.tls() {
                    Some(tls) => connect(target.config(), tls).await?,
                    None => connect(target.config(), NoTls).await?,
                };
                Self::start(client, messages, &sql).await
            })
            .await
    }

    /// Says what is listened to, and keeps what comes meanwhile.
    async fn start(client: Client, mut messages: Messages, sql: &str) -> Result<Self> {
        let mut early = VecDeque::new();
        {
            let mut said = pin!(client.batch_execute(sql));
            loop {
                match select(&mut said, messages.next()).await {
                    Either::Left((result, _)) => break result.map_err(errors::statement)?,
                    Either::Right((message, _)) => early.extend(read(message)?),
                }
            }
        }
        Ok(PostgresListener { messages, early, _client: client })
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<(Client, Messages)>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await.map_err(errors::connecting)?;
    Ok((client, poll_fn(move |context| connection.poll_message(context)).boxed()))
}

/// The notification in a message, if it is one.
fn read(message: Option<Result<AsyncMessage, tokio_postgres::Error>>) -> Result<Option<Notification>> {
    match message {
        Some(Ok(AsyncMessage::Notification(heard))) => {
            Ok(Some(Notification::new(heard.channel().to_owned(), heard.payload().to_owned(), heard.process_id())))
        }
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(errors::statement(error)),
        None => Err(Error::new(ErrorKind::ConnectionLost, "PostgreSQL ended the session that listens")),
    }
}

impl Listener for PostgresListener {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Notification>> {
        if let Some(early) = self.early.pop_front() {
            return Poll::Ready(Ok(early));
        }
        loop {
            let message = ready!(self.messages.poll_next_unpin(context));
            if let Some(heard) = read(message).transpose() {
                return Poll::Ready(heard);
            }
        }
    }
}

impl fmt::Debug for PostgresListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresListener").field("early", &self.early.len()).finish_non_exhaustive()
    }
}
