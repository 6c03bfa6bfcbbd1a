//! Whether what is committed outlives a crash.

use crate::catalog::ColumnType;
use crate::contract::{Command, Flow, Reuse, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connection::SqliteConnection;

impl SqliteConnection {
    /// As [`Connection::check_durable`](crate::contract::Connection::check_durable).
    pub(super) async fn durable(&mut self) -> Result<()> {
        let file = self.pragma("SELECT file FROM pragma_database_list WHERE name = 'main'").await?;
        if file.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a database in memory ends with its process")
                .with_help("take a database in a file"));
        }
        // 0 off, 1 normal, 2 full, 3 extra.
        let synchronous = self.pragma("SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous").await?;
        if !matches!(synchronous.as_str(), "2" | "3") {
            return Err(Error::new(ErrorKind::Config, "a power loss can undo commits: `synchronous` is not full")
                .with_help("say synchronous=full in the URL, or leave it away"));
        }
        let journal = self.pragma("PRAGMA journal_mode").await?;
        if matches!(journal.as_str(), "memory" | "off") {
            return Err(Error::new(ErrorKind::Config, "a crash can damage the database: its journal is not in a file")
                .with_help("say journal_mode=wal in the URL, or leave it away"));
        }
        Ok(())
    }

    async fn pragma(&mut self, sql: &str) -> Result<String> {
        let mut found = String::new();
        let mut sink = |row: &mut Row<'_>| {
            found = row.get::<Option<String>>(0, &ColumnType::Text { max_len: None })?.unwrap_or_default();
            Ok(Flow::Continue)
        };
        self.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await?;
        Ok(found)
    }
}
