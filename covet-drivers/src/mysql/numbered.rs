//! Sessions by their numbers, which mean something on their own server alone, and there until it is started anew: it
//! counts from the beginning again.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who a server is, as an expression in its own words. MySQL alone reads what stands in the comment: its copies may
/// have everything else in common.
pub(crate) const IDENTITY: &str =
    "CONCAT_WS(':', @@hostname, @@port, @@server_id, @@datadir /*!80000 , @@server_uuid */)";

/// How long a server has been up, in whole seconds: the difference of two times that are cut to seconds before it is
/// taken, and so more or less than the truth by up to one.
pub(crate) const UPTIME: &str = "SHOW GLOBAL STATUS LIKE 'Uptime'";

/// A session of a server.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u32,
    /// Who the server said it was when the session was opened.
    pub(crate) server: Arc<str>,
    pub(crate) opened: Instant,
}

impl Numbered {
    /// Whether the server has been up since before the session was opened, by what it tells of its time; `None` where
    /// the seconds do not tell.
    pub(crate) fn is_of_this_run(&self, uptime: u64) -> Option<bool> {
        let age = self.opened.elapsed();
        if Duration::from_secs(uptime.saturating_sub(1)) >= age {
            Some(true)
        } else if Duration::from_secs(uptime.saturating_add(1)) < age {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_younger_than_a_session_is_another_one() {
        let opened = Instant::now().checked_sub(Duration::from_millis(5500)).expect("the clock has run that long");
        let session = Numbered { number: 1, server: "".into(), opened };
        let told: Vec<Option<bool>> = (3..9).map(|uptime| session.is_of_this_run(uptime)).collect();
        assert_eq!(told, [Some(false), Some(false), None, None, Some(true), Some(true)]);
        assert_eq!(session.is_of_this_run(u64::MAX), Some(true));
    }
}
