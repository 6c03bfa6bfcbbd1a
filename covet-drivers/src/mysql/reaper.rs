//! Ends what a dropped future has left running on the server.
//!
//! The server does not notice that its client has gone before it has something to say, so a statement that nobody
//! waits for any more would go on and keep its locks. Another session, opened for that alone, kills it. There are few
//! of them at a time, each has its deadline, and a kill that fails is only told: the session is lost to us anyway.
//!
//! Whoever connects anew may reach another server under the same name: behind a proxy, or when a name leads elsewhere
//! since. So the server is asked who it is before anything is killed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::Opts;
use tokio::sync::Semaphore;

use crate::mysql::caught::caught;
use crate::mysql::numbered::{IDENTITY, Numbered, UPTIME};
use crate::mysql::raw::Raw;

/// So many sessions kill at once; what is dropped beyond that waits for its turn, as long as a kill may take.
const AT_ONCE: usize = 2;

/// How long one kill may take, its connection and its turn included.
const LIMIT: Duration = Duration::from_secs(5);

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
    pub(crate) fn kill(&self, abandoned: Numbered) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let reaper = self.clone();
        runtime.spawn(async move {
            let session = abandoned.number;
            match tokio::time::timeout(LIMIT, caught(reaper.ask(abandoned))).await {
                Ok(Ok(())) => {}
                // The message of the driver's error may hold the user's name, and says nothing that helps.
                Ok(Err(_)) => tracing::debug!(session, "a statement that nobody waits for could not be killed"),
                Err(_) => tracing::debug!(session, "a statement that nobody waits for could not be killed in time"),
            }
        });
    }

    async fn ask(&self, abandoned: Numbered) -> Result<(), mysql_async::Error> {
        let Ok(_turn) = self.permits.acquire().await else { return Ok(()) };
        let mut raw = Raw::open(self.opts.clone()).await?;
        let told = raw.first(&format!("SELECT {IDENTITY}")).await?;
        let answers = told.and_then(|row| row.get_opt::<String, _>(0)?.ok());
        if answers.as_deref() != Some(&*abandoned.server) {
            // Its session of this number is somebody else's.
            tracing::warn!(
                target: "covet::dropped",
                session = abandoned.number,
                "a statement that nobody waits for goes on: another server answers under the same address"
            );
            return raw.close().await;
        }
        let told = raw.first(UPTIME).await?;
        let uptime = told.and_then(|row| row.get_opt::<u64, _>(1)?.ok());
        if uptime.is_some_and(|uptime| abandoned.is_of_this_run(uptime) != Some(false)) {
            match raw.say(&format!("KILL {}", abandoned.number)).await {
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
