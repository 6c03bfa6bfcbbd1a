//! Waits for locks: a little each time, and not for ever. A statement that waits for a table makes everybody behind
//! it wait too, so it gives up soon, lets the others pass, and tries again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use covet_drivers::contract::{Connection, ConnectionState};
use covet_drivers::{Error, ErrorKind, Result};

/// How patient a runner is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long to wait for another runner.
    pub(super) runner: Duration,
    /// How long a statement may wait for a lock.
    pub(super) lock: Duration,
    /// How often a transaction, or a statement that is none, is tried.
    pub(super) attempts: u32,
    /// Rows of a batch, whatever the file says.
    pub(super) batch: Option<u32>,
    /// How long to wait between two batches, whatever the file says.
    pub(super) pause: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { runner: Duration::from_secs(60), lock: Duration::from_secs(3), attempts: 10, batch: None, pause: None }
    }
}

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    most: u32,
    made: u32,
    pause: Duration,
}

impl Attempts {
    pub(super) fn new(limits: &Limits) -> Self {
        Attempts { most: limits.attempts.max(1), made: 0, pause: SHORTEST }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The one that the last attempt met, where another would not help, or there were enough.
    pub(super) async fn after(&mut self, error: Error, state: ConnectionState) -> Result<()> {
        let passes = matches!(error.kind(), ErrorKind::LockTimeout | ErrorKind::Deadlock | ErrorKind::Serialization);
        if !passes || state != ConnectionState::Idle {
            return Err(error);
        }
        self.made += 1;
        if self.made >= self.most {
            let message = format!("{} (tried {} times)", error.message(), self.made);
            return Err(Error::new(error.kind(), message)
                .with_help("somebody else holds the lock for long: look who, or run it again when less is going on")
                .with_source(error));
        }
        tokio::time::sleep(with_jitter(self.pause)).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }
}

/// Between half of it and one and a half, so that two who met do not meet again.
fn with_jitter(pause: Duration) -> Duration {
    // Each RandomState has keys of its own, seeded by the operating system.
    let chance = u32::try_from(RandomState::new().hash_one(pause) % 1001).unwrap_or(500);
    pause / 2 + pause * chance / 1000
}

/// Begins the transaction of a migration, and waits while another runner is in one.
pub(super) async fn begin(connection: &mut dyn Connection, wait: Duration) -> Result<()> {
    let end = Instant::now().checked_add(wait);
    loop {
        match connection.begin_migration().await {
            Err(error)
                if error.kind() == ErrorKind::LockTimeout
                    && connection.state() == ConnectionState::Idle
                    && end.is_none_or(|end| Instant::now() < end) =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use covet_drivers::contract::ConnectionState;
    use covet_drivers::{Error, ErrorKind};

    use super::{Attempts, Limits, with_jitter};

    #[tokio::test]
    async fn attempts_are_bounded_and_only_for_what_passes() {
        let mut attempts = Attempts::new(&Limits { attempts: 2, ..Limits::default() });
        let locked = || Error::new(ErrorKind::LockTimeout, "locked");
        assert!(attempts.after(locked(), ConnectionState::Idle).await.is_ok());
        let error = attempts.after(locked(), ConnectionState::Idle).await.err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("tried 2 times")));
        let mut attempts = Attempts::new(&Limits::default());
        assert!(attempts.after(Error::new(ErrorKind::Syntax, "x"), ConnectionState::Idle).await.is_err());
        assert!(attempts.after(locked(), ConnectionState::Broken).await.is_err());
    }

    #[test]
    fn pauses_differ_and_stay_near() {
        let pause = Duration::from_millis(100);
        let all: Vec<Duration> = (0..100).map(|_| with_jitter(pause)).collect();
        assert!(all.iter().all(|found| *found >= pause / 2 && *found <= pause * 3 / 2));
        assert!(all.iter().any(|found| *found != all[0]));
    }
}
