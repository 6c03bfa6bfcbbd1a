//! Ends what a dropped future has left running on the server.
//!
//! The server does not notice that its client has gone before it has something to say, so a statement that nobody
//! waits for any more would go on and keep its locks. Another session, opened for that alone, kills it. There are few
//! of them at a time, each has its deadline, and a kill that fails is only told: the session is lost to us anyway.
//!
//! A session's number means something on its own server alone, and whoever connects anew may reach another one under the
//! same name: behind a proxy, or when a name leads elsewhere since. So the server is asked who it is before anything is
//! killed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::Opts;
use tokio::sync::Semaphore;

use crate::mysql::caught::caught;
use crate::mysql::raw::Raw;

/// So many sessions kill at once; what is dropped beyond that waits for its turn, as long as a kill may take.
const AT_ONCE: usize = 2;

/// How long one kill may take, its connection and its turn included.
const LIMIT: Duration = Duration::from_secs(5);

/// Who a server is, as an expression in its own words. MySQL alone reads what stands in the comment: its copies may
/// have everything else in common.
pub(crate) const IDENTITY: &str =
    "CONCAT_WS(':', @@hostname, @@port, @@server_id, @@datadir /*!80000 , @@server_uuid */)";

/// A session that is to be killed.
pub(crate) struct Abandoned {
    /// Its number on its server.
    pub(crate) session: u32,
    /// Who the server said it was when the session was opened.
    pub(crate) server: Arc<str>,
    pub(crate) opened: Instant,
}

/// Kills sessions of one database.
#[derive(Clone)]
pub(crate) struct Reaper {
    opts: Opts,
    permits: Arc<Semaphore>,
}

impl Reaper {
    pub(crate) fn new(opts: Opts) -> Self {
        Reaper { opts, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Kills a session in the background. Without a runtime nobody can, and the statement runs to its end.
    pub(crate) fn kill(&self, abandoned: Abandoned) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let reaper = self.clone();
        runtime.spawn(async move {
            let session = abandoned.session;
            match tokio::time::timeout(LIMIT, caught(reaper.ask(abandoned))).await {
                Ok(Ok(())) => {}
                // The message of the driver's error may hold the user's name, and says nothing that helps.
                Ok(Err(_)) => tracing::debug!(session, "a statement that nobody waits for could not be killed"),
                Err(_) => tracing::debug!(session, "a statement that nobody waits for could not be killed in time"),
            }
        });
    }

    async fn ask(&self, Abandoned { session, server, opened }: Abandoned) -> Result<(), mysql_async::Error> {
        let Ok(_turn) = self.permits.acquire().await else { return Ok(()) };
        let mut raw = Raw::open(self.opts.clone()).await?;
        let told = raw.first(&format!("SELECT {IDENTITY}")).await?;
        let answers = told.and_then(|row| row.get_opt::<String, _>(0)?.ok());
        if answers.as_deref() != Some(&*server) {
            // Its session of this number is somebody else's.
            tracing::warn!(
                target: "covet::dropped",
                session,
                "a statement that nobody waits for goes on: another server answers under the same address"
            );
            return raw.close().await;
        }
        // A server that was started anew counts from the beginning again: the number may be somebody else's.
        let told = raw.first("SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
        let seconds = told.and_then(|row| row.get_opt::<u64, _>(1)?.ok());
        let up = seconds.map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds.saturating_add(1)));
        if up >= opened.elapsed() {
            match raw.say(&format!("KILL {session}")).await {
                // It has ended by itself.
                Err(mysql_async::Error::Server(error)) if error.code == 1094 => {}
                other => other?,
            }
        }
        raw.close().await
    }
}

/// Never with a password.
impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reaper").field("permits", &self.permits.available_permits()).finish_non_exhaustive()
    }
}
