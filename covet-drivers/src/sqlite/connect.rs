//! From the URL to an open and set-up SQLite handle.

use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::contract::ConnectUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::functions;

/// What the URL asks for.
#[derive(Debug)]
pub(super) struct Options {
    place: Place,
    mode: Mode,
    pub(super) busy_timeout: Duration,
    journal: Journal,
    synchronous: &'static str,
    pub(super) foreign_keys: bool,
    cache_size: Option<i64>,
    statement_cache_size: usize,
    /// For how long a statement may hold the thread that polls its future.
    pub(super) inline_budget: Duration,
}

#[derive(Debug)]
enum Place {
    Memory,
    File(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
    Create,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journal {
    Wal,
    Delete,
    Truncate,
    Persist,
    Memory,
}

impl Journal {
    const WORDS: &[(&str, Journal)] = &[
        ("wal", Journal::Wal),
        ("delete", Journal::Delete),
        ("truncate", Journal::Truncate),
        ("persist", Journal::Persist),
        ("memory", Journal::Memory),
    ];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, journal)| *journal == self).map_or("wal", |(word, _)| word)
    }
}

/// The first version without the fault that could corrupt a database in WAL mode when its log was reset.
const SAFE_WAL: i32 = 3_051_003;

impl Options {
    /// Reads the URL.
    pub(super) fn read(url: &ConnectUrl) -> Result<Self> {
        let place = match url.path() {
            "" => {
                return Err(Error::new(ErrorKind::Config, "the connection URL names no database file")
                    .with_help("write for example sqlite:blog.db, or sqlite::memory: for a database in memory"));
            }
            ":memory:" => Place::Memory,
            path if path.contains('\0') => {
                return Err(Error::new(ErrorKind::Config, "the file's path in the connection URL holds a NUL"));
            }
            path => Place::File(path.to_owned()),
        };
        let memory = matches!(place, Place::Memory);
        let mut parameters = url.parameters();
        let mode = parameters.choice("mode", &[("rwc", Mode::Create), ("rw", Mode::Write), ("ro", Mode::Read)])?;
        let busy_timeout = parameters.parse::<u32>("busy_timeout", "a number of milliseconds")?;
        let journal = parameters.choice("journal_mode", Journal::WORDS)?;
        let synchronous = parameters
            .choice("synchronous", &[("full", "full"), ("normal", "normal"), ("extra", "extra"), ("off", "off")])?;
        let foreign_keys = parameters.switch("foreign_keys")?;
        let cache_size = parameters.parse("cache_size", "a number of pages, or of KiB when negative")?;
        let statement_cache_size = parameters.parse("statement_cache_size", "a number of statements")?;
        let inline_budget = parameters.parse::<u32>("inline_budget", "a number of microseconds")?;
        parameters.finish()?;
        for (name, given) in [("mode", mode.is_some()), ("journal_mode", journal.is_some())] {
            if memory && given {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("the parameter `{name}` says nothing about a database in memory"),
                ));
            }
        }
        Ok(Options {
            place,
            mode: mode.unwrap_or(Mode::Create),
            busy_timeout: Duration::from_millis(busy_timeout.unwrap_or(5000).into()),
            journal: journal.unwrap_or(Journal::Wal),
            synchronous: synchronous.unwrap_or("full"),
            foreign_keys: foreign_keys.unwrap_or(true),
            cache_size,
            statement_cache_size: statement_cache_size.unwrap_or(256),
            inline_budget: Duration::from_micros(inline_budget.unwrap_or(500).into()),
        })
    }

    /// To have the file for oneself: leaving the write-ahead log fails while others have it open.
    pub(super) fn alone(self) -> Self {
        Options { mode: Mode::Write, journal: Journal::Delete, ..self }
    }

    /// Whether the URL allows no more than to read.
    pub(super) fn reads_only(&self) -> bool {
        self.mode == Mode::Read
    }

    /// Whether the database is in memory, and so is one connection.
    pub(super) fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory)
    }

    /// Whether the database keeps a write-ahead log.
    pub(super) fn is_wal(&self) -> bool {
        !self.is_memory() && self.journal == Journal::Wal
    }

    /// Whether a commit waits for the disk.
    pub(super) fn syncs(&self) -> bool {
        !self.is_memory()
            && match self.synchronous {
                "off" => false,
                "normal" => self.journal != Journal::Wal,
                _ => true,
            }
    }

    /// The file that it is in.
    pub(super) fn file(&self) -> Option<&str> {
        match &self.place {
            Place::Memory => None,
            Place::File(path) => Some(path),
        }
    }

    /// The database, for messages.
    pub(super) fn target(&self) -> String {
        match &self.place {
            Place::Memory => String::from("sqlite::memory:"),
            Place::File(path) => format!("sqlite:{path}"),
        }
    }

    /// Opens the database. Waits for nothing.
    pub(super) fn open(&self) -> Result<rusqlite::Connection> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
            | match self.mode {
                Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
                Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
                Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            };
        match &self.place {
            Place::Memory => rusqlite::Connection::open_in_memory_with_flags(flags).map_err(errors::plain),
            // SQLite would read `file:…` as a URI with parameters of its own.
            Place::File(path) if path.starts_with("file:") => {
                { rusqlite::Connection::open_with_flags(format!("./{path}"), flags) }
                    .map_err(|error| self.unreachable(path, error))
            }
            Place::File(path) => {
                rusqlite::Connection::open_with_flags(path, flags).map_err(|error| self.unreachable(path, error))
            }
        }
    }

    /// Makes the handle a session as the contract promises; may find the database busy.
    pub(super) fn set_up(&self, db: &rusqlite::Connection) -> Result<(), Stop> {
        db.busy_timeout(Duration::ZERO).map_err(errors::stop)?;
        db.set_prepared_statement_cache_capacity(self.statement_cache_size);
        for (setting, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            // A misspelt column in double quotes must not become a text.
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
            // Without it a bound LIMIT prepares the statement anew on every run.
            (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
            (DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, self.foreign_keys),
        ] {
            db.set_db_config(setting, on).map_err(errors::stop)?;
        }
        functions::register(db).map_err(errors::stop)?;
        let result = self.pragmas(db);
        match (result, &self.place) {
            (Err(Stop::Error(error)), Place::File(path)) if error.code() == Some("26") => {
                Err(Stop::Error(Error::new(ErrorKind::Unreachable, format!("{path} is not an SQLite database"))))
            }
            (Err(Stop::Error(error)), Place::File(path)) if error.kind() == ErrorKind::Unreachable => Err(Stop::Error(
                Error::new(ErrorKind::Unreachable, format!("{path} cannot be opened")).with_source(error),
            )),
            (result, _) => result,
        }
    }

    fn pragmas(&self, db: &rusqlite::Connection) -> Result<(), Stop> {
        db.execute_batch(&format!(
            "PRAGMA case_sensitive_like = ON; PRAGMA synchronous = {}; PRAGMA temp_store = DEFAULT;",
            self.synchronous
        ))
        .map_err(errors::stop)?;
        if let Some(size) = self.cache_size {
            db.execute_batch(&format!("PRAGMA cache_size = {size}")).map_err(errors::stop)?;
        }
        if self.is_memory() {
            return Ok(());
        }
        // The first access: a file that is no database is found here and not in the first query.
        let found: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(errors::stop)?;
        if self.mode != Mode::Read && self.journal == Journal::Wal && rusqlite::version_number() < SAFE_WAL {
            return Err(Stop::Error(
                Error::new(
                    ErrorKind::ServerVersion,
                    format!("SQLite {} can corrupt a database in WAL mode", rusqlite::version()),
                )
                .with_help("link SQLite 3.51.3 or later, or choose journal_mode=delete"),
            ));
        }
        // A checkpoint would hold up whoever happens to commit: `checkpoint.rs`.
        db.execute_batch("PRAGMA wal_autocheckpoint = 0").map_err(errors::stop)?;
        let wanted = self.journal.word();
        if self.mode == Mode::Read || found == wanted {
            return Ok(());
        }
        let got: String =
            db.query_row(&format!("PRAGMA journal_mode = {wanted}"), [], |row| row.get(0)).map_err(errors::stop)?;
        if got != wanted {
            return Err(Stop::Error(Error::new(
                ErrorKind::Config,
                format!("{} stays in journal_mode={got} and cannot get `{wanted}`", self.target()),
            )));
        }
        Ok(())
    }

    fn unreachable(&self, path: &str, error: rusqlite::Error) -> Error {
        let mut found = Error::new(ErrorKind::Unreachable, format!("{path} cannot be opened"));
        let parent = std::path::Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            found = found.with_help(format!("the folder {} does not exist", parent.display()));
        } else if self.mode != Mode::Create && !std::path::Path::new(path).exists() {
            found = found.with_help("the file does not exist, and only mode=rwc creates it");
        }
        if let rusqlite::Error::SqliteFailure(code, _) = &error {
            found = found.with_code(code.extended_code.to_string());
        }
        found.with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, SAFE_WAL};
    use crate::contract::ConnectUrl;
    use crate::error::ErrorKind;

    fn kind(url: &str) -> Option<ErrorKind> {
        let url: ConnectUrl = url.parse().ok()?;
        Options::read(&url).err().map(|error| error.kind())
    }

    #[test]
    fn wrong_parameters_are_refused() {
        for url in [
            "sqlite:",
            "sqlite:x.db?mod=ro",
            "sqlite:x.db?mode=rx",
            "sqlite:x.db?busy_timeout=-1",
            "sqlite:x.db?inline_budget=1ms",
            "sqlite:x.db?journal_mode=off",
            "sqlite::memory:?mode=ro",
            "sqlite::memory:?journal_mode=wal",
            "sqlite:x.db?foreign_keys=maybe",
        ] {
            assert_eq!(kind(url), Some(ErrorKind::Config), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite:x.db?mode=ro&busy_timeout=0&synchronous=normal&cache_size=-2000"] {
            assert_eq!(kind(url), None, "{url}");
        }
    }

    #[test]
    fn the_bundled_version_is_safe_in_wal_mode() {
        assert!(rusqlite::version_number() >= SAFE_WAL, "{}", rusqlite::version());
    }
}
