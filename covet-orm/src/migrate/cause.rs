//! Why a run stopped, for callers that go on in another way then: the source of the error.

use std::error::Error as StdError;
use std::fmt;

use covet_drivers::{Error, ErrorKind};

/// A step in Rust that this program does not know: nothing has been run.
#[derive(Debug)]
pub(crate) struct UnknownStep(pub(crate) String);

impl fmt::Display for UnknownStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the step `{}` is written in Rust, and this program does not know it", self.0)
    }
}

impl StdError for UnknownStep {}

/// A migration that cannot be undone, and why.
#[derive(Debug)]
pub(crate) struct NoWayBack(pub(crate) String);

impl fmt::Display for NoWayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no way back: {}", self.0)
    }
}

impl StdError for NoWayBack {}

/// An error that says what its cause says, and the way out.
#[cold]
pub(crate) fn stopped(cause: impl StdError + Send + Sync + 'static, help: String) -> Error {
    Error::new(ErrorKind::Migration, cause.to_string()).with_help(help).with_source(cause)
}

/// Whether that is why it stopped.
#[cfg(feature = "cli")]
pub(crate) fn is_by<T: StdError + 'static>(error: &Error) -> bool {
    std::iter::successors(StdError::source(error), |&cause| cause.source()).any(|cause| cause.is::<T>())
}
