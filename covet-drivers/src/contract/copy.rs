//! The rows of a table as a file: written and read by the database's own format, past all codecs.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::sql::Many;

/// The columns of a table that go into a file, or come out of one.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// The columns, in their order in the file.
    pub columns: Many<&'static str>,
}

/// Where the file goes.
pub type ToFile<'a> = &'a mut (dyn AsyncWrite + Send + Unpin);

/// Where the file comes from.
pub type FromFile<'a> = &'a mut (dyn AsyncRead + Send + Unpin);
