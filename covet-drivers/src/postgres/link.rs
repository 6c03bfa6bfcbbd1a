//! The driver's two halves: the task that does the I/O, and the way to stop a statement from outside.

use std::future::poll_fn;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Result;
use crate::postgres::errors;

/// How long a server may take to hear that a statement shall stop.
const CANCEL: Duration = Duration::from_secs(5);

/// The routine of PostgreSQL that warns of a commit which its standbys may not have.
const LOCAL_COMMIT: &str = "SyncRepWaitForLSN";

/// A session just opened.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) driver: Driver,
    pub(crate) version: String,
    pub(crate) cancel: Cancel,
    /// Whether transactions may write unless they say otherwise; known once the session is set up.
    pub(crate) writes: bool,
}

/// The task that does the I/O. It ends with this, unless the session takes it over: what is given up
/// while it is being set up must not wait for a server that has fallen silent.
pub(crate) struct Driver(Option<JoinHandle<()>>);

impl Driver {
    /// The task, now somebody else's to end.
    pub(crate) fn take(mut self) -> Option<JoinHandle<()>> {
        self.0.take()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// The way to stop whatever the session is doing, over a connection of its own. It is used only when the session
/// is given up: nothing is sent any more that it could hit. What was under way it may hit anywhere, also a BEGIN
/// with a statement behind it (`opening.rs`).
#[derive(Clone)]
pub(crate) struct Cancel {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl Cancel {
    /// Asks the server to stop. Whether it did shows in what the session answers.
    pub(crate) async fn stop(self) {
        let asked = async {
            match self.tls {
                Some(tls) => self.token.cancel_query(tls).await,
                None => self.token.cancel_query(NoTls).await,
            }
        };
        match tokio::time::timeout(CANCEL, asked).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a statement could not be cancelled"),
            Err(_) => tracing::debug!("a statement could not be cancelled in time"),
        }
    }
}

/// Opens a session and leaves its I/O to a task of its own.
pub(crate) async fn session<T>(config: &Config, tls: T, again: Option<MakeRustlsConnect>) -> Result<Opened>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await.map_err(errors::connecting)?;
    let version = connection.parameter("server_version").unwrap_or_default().to_owned();
    let cancel = Cancel { token: client.cancel_token(), tls: again };
    let driver = tokio::spawn(async move {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notice(notice))) if notice.routine() == Some(LOCAL_COMMIT) => {
                    tracing::warn!(
                        target: "covet::transaction",
                        "a commit is on this server alone: somebody ended its waiting for a standby"
                    );
                }
                // The text of a notice may repeat values.
                Some(Ok(AsyncMessage::Notice(notice))) => {
                    tracing::debug!(severity = notice.severity(), code = notice.code().code(), "notice of PostgreSQL");
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(error = %errors::statement(error), "the connection to PostgreSQL ended");
                    break;
                }
                None => break,
            }
        }
    });
    Ok(Opened { client, driver: Driver(Some(driver)), version, cancel, writes: false })
}
