//! How a database is that is a file: there is no server to tell, and nothing that follows it.

use crate::contract::{BoxFuture, Command, Connection, Position, Probe, Reuse, Role, Vitals};
use crate::error::Result;

/// How to ask an SQLite database how it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum SqliteProbe {
    /// It is open for reading and writing.
    Writes,
    /// The URL allows no more than to read.
    ReadsOnly,
}

impl Probe for SqliteProbe {
    fn vitals<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vitals>> {
        Box::pin(async move {
            // The file is read, unless it is gone.
            let command = Command { sql: "SELECT count(*) FROM sqlite_schema", args: &[], reuse: Reuse::Once };
            connection.run(command, &mut ()).await?;
            let writable = matches!(self, SqliteProbe::ReadsOnly).then_some(false);
            Ok(Vitals { role: Role::Embedded, writable, ..Vitals::default() })
        })
    }

    fn position<'a>(&'a self, _: &'a mut dyn Connection) -> BoxFuture<'a, Result<Option<Position>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn has_reached<'a>(&'a self, _: &'a Position, _: &'a mut dyn Connection) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn deadlock<'a>(&'a self, _: Option<i64>, _: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<String>>> {
        // There is one writer at a time.
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
