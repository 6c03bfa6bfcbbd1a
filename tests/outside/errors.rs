//! Errors of the database underneath, by code and words.

use covet_drivers::{Error, ErrorKind};
use rusqlite::ffi;

/// Why an attempt did not do what it should.
pub(crate) enum Halt {
    /// Somebody else writes; nothing was done.
    Busy(Error),
    /// It failed.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        let busy = matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
        if busy { Halt::Busy(named(&error)) } else { Halt::Failed(named(&error)) }
    }
}

fn named(error: &rusqlite::Error) -> Error {
    let (code, words) = match error {
        rusqlite::Error::SqliteFailure(code, words) => (code.extended_code, words.clone().unwrap_or_default()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error.extended_code, msg.clone()),
        rusqlite::Error::MultipleStatement => return Error::new(ErrorKind::Syntax, "more than one statement"),
        other => return Error::new(ErrorKind::Database, other.to_string()),
    };
    let made = |kind| Error::new(kind, words.clone()).with_code(code.to_string());
    let place = words.split_once("failed: ").map_or("", |(_, place)| place);
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            made(ErrorKind::Unique).with_table(place.split('.').next().unwrap_or_default())
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => match place.split_once('.') {
            Some((table, column)) => made(ErrorKind::NotNull).with_table(table).with_column(column),
            None => made(ErrorKind::NotNull),
        },
        ffi::SQLITE_CONSTRAINT_CHECK if place.ends_with("_range") => made(ErrorKind::OutOfRange).with_constraint(place),
        ffi::SQLITE_CONSTRAINT_CHECK => made(ErrorKind::InvalidInput).with_constraint(place),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER => made(ErrorKind::ForeignKey),
        ffi::SQLITE_CONSTRAINT_DATATYPE | ffi::SQLITE_MISMATCH => made(ErrorKind::InvalidInput),
        _ => made(match code & 0xff {
            ffi::SQLITE_BUSY => ErrorKind::LockTimeout,
            ffi::SQLITE_READONLY => ErrorKind::ReadOnly,
            ffi::SQLITE_CANTOPEN | ffi::SQLITE_NOTADB => ErrorKind::Unreachable,
            ffi::SQLITE_TOOBIG => ErrorKind::OutOfRange,
            _ if words.starts_with("no such table") => ErrorKind::UndefinedTable,
            _ if words.starts_with("no such column") || words.contains("has no column") => ErrorKind::UndefinedColumn,
            _ if words.contains("already exists") => ErrorKind::AlreadyExists,
            _ if words.contains("syntax error") || words.contains("incomplete input") => ErrorKind::Syntax,
            _ => ErrorKind::Database,
        }),
    }
}
