//! How long a lock is waited for.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// How long a job has been sent again and again because the database was busy.
#[derive(Debug)]
pub(super) struct Patience {
    pub(super) deadline: Instant,
    limit: Duration,
    noise: u64,
}

impl Patience {
    /// It begins now.
    pub(super) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        // Processes that began to wait together must not come back together.
        let noise = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |since| u64::from(since.subsec_nanos()))
            ^ u64::from(std::process::id()).rotate_left(32);
        Patience { deadline: now + limit, limit, noise: noise | 1 }
    }

    /// Sleeps a little, or gives the error back when the time is over.
    pub(super) async fn wait(&mut self, error: Error) -> Result<()> {
        let now = Instant::now();
        if now >= self.deadline {
            let message = format!("the database was locked by another process for {} ms", self.limit.as_millis());
            let late = Error::new(ErrorKind::LockTimeout, message)
                .with_help("make the other's transactions shorter, or raise `busy_timeout` in the connection URL");
            return Err(match error.code() {
                Some(code) => late.with_code(code),
                None => late,
            });
        }
        // xorshift: 1 to 4 ms.
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        let pause = Duration::from_micros(1000 + self.noise % 3000);
        tokio::time::sleep(pause.min(self.deadline - now)).await;
        Ok(())
    }
}
