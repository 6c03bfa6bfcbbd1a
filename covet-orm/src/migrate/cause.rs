//! Why a run stopped, for callers that go on in another way then: the source of the error.

use std::error::Error as StdError;
use std::fmt;

use covet_drivers::{Error, ErrorKind};

/// Why a run stopped.
#[derive(Debug)]
pub(crate) enum Cause {
    /// A step in Rust that this program does not know: nothing has been run.
    UnknownStep(String),
    /// A migration that cannot be undone, and why.
    NoWayBack(String),
}

impl Cause {
    /// An error that says what its cause says, and the way out.
    #[cold]
    pub(crate) fn into_error(self, help: String) -> Error {
        Error::new(ErrorKind::Migration, self.to_string()).with_help(help).with_source(self)
    }

    /// That of an error, however often it was told in other words.
    #[cfg(feature = "cli")]
    pub(crate) fn of(error: &Error) -> Option<&Cause> {
        std::iter::successors(StdError::source(error), |&cause| cause.source()).find_map(|cause| cause.downcast_ref())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::UnknownStep(name) => {
                write!(f, "the step `{name}` is written in Rust, and this program does not know it")
            }
            Cause::NoWayBack(why) => write!(f, "there is no way back: {why}"),
        }
    }
}

impl StdError for Cause {}
