//! SQLite's result codes and messages as Covet's errors.

use rusqlite::{Connection, ffi};

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind};
use crate::render::ansi;
use crate::sqlite::parse::{Check, CreateTable};
use crate::sqlite::types;

/// Why a session did not do what it should.
#[derive(Debug)]
pub(super) enum Stop {
    /// Somebody else holds a lock and nothing was done: the same job may be sent again.
    Busy(Error),
    /// It writes, and it was not its turn; nothing was done.
    Turn,
    /// It takes longer than it may on its caller's thread; nothing was done.
    Long,
    /// It failed.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

/// The error, or that the database is busy.
pub(super) fn stop(error: rusqlite::Error) -> Stop {
    let busy = is_busy(&error);
    let error = plain(error);
    if busy { Stop::Busy(error) } else { Stop::Error(error) }
}

/// Whether somebody else holds a lock, and waiting may help.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(code(error), Some(extended) if extended & 0xff == ffi::SQLITE_BUSY && extended != ffi::SQLITE_BUSY_SNAPSHOT)
}

/// Whether the statement was interrupted.
pub(super) fn is_interrupt(error: &rusqlite::Error) -> bool {
    matches!(code(error), Some(extended) if extended & 0xff == ffi::SQLITE_INTERRUPT)
}

/// Whether the statement was not understood, which a newer view of the schema may change.
pub(super) fn may_be_of_an_old_schema(error: &rusqlite::Error) -> bool {
    code(error).is_some_and(|extended| extended & 0xff == ffi::SQLITE_ERROR)
}

/// Whether the file is damaged, or no database at all.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    code(error).is_some_and(|extended| matches!(extended & 0xff, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB))
}

/// Whether a transaction that is still open after this error must be rolled back.
pub(super) fn dooms(error: &rusqlite::Error) -> bool {
    code(error).is_some_and(|extended| {
        extended == ffi::SQLITE_BUSY_SNAPSHOT
            || matches!(extended & 0xff, ffi::SQLITE_FULL | ffi::SQLITE_IOERR | ffi::SQLITE_NOMEM | ffi::SQLITE_CORRUPT)
    })
}

/// Whether it is not known what became of a commit that failed so.
pub(super) fn leaves_in_doubt(error: &rusqlite::Error) -> bool {
    code(error).is_some_and(|extended| extended & 0xff == ffi::SQLITE_IOERR)
}

/// The error, with index, table and column looked up in the schema.
pub(super) fn described(error: rusqlite::Error, db: &Connection) -> Error {
    let message = text(&error);
    let error = plain(error);
    match error.kind() {
        ErrorKind::Unique => match unique_name(&message, db) {
            Some(name) => error.with_constraint(name),
            None => error,
        },
        ErrorKind::Check => check_place(&message, error, db),
        _ => error,
    }
}

/// The error, from its code and message alone.
pub(super) fn plain(error: rusqlite::Error) -> Error {
    let message = text(&error);
    let Some(extended) = code(&error) else {
        let kind = match &error {
            rusqlite::Error::MultipleStatement => ErrorKind::Syntax,
            rusqlite::Error::NulError(_) | rusqlite::Error::ToSqlConversionFailure(_) => ErrorKind::InvalidInput,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => ErrorKind::Decode,
            _ => ErrorKind::Database,
        };
        return Error::new(kind, message);
    };
    let found = match extended & 0xff {
        ffi::SQLITE_ERROR => from_message(&message),
        ffi::SQLITE_CONSTRAINT => constraint(extended, &message),
        ffi::SQLITE_BUSY if extended == ffi::SQLITE_BUSY_SNAPSHOT => Error::new(
            ErrorKind::Serialization,
            "the database changed since this transaction read it, so it can no longer write",
        ),
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => Error::new(ErrorKind::LockTimeout, message),
        ffi::SQLITE_READONLY => Error::new(ErrorKind::ReadOnly, message),
        ffi::SQLITE_FULL | ffi::SQLITE_NOMEM => Error::new(ErrorKind::Resources, message),
        ffi::SQLITE_INTERRUPT => Error::new(ErrorKind::Cancelled, message),
        ffi::SQLITE_CANTOPEN | ffi::SQLITE_NOTADB => Error::new(ErrorKind::Unreachable, message),
        ffi::SQLITE_TOOBIG => Error::new(ErrorKind::OutOfRange, message),
        ffi::SQLITE_MISMATCH | ffi::SQLITE_RANGE => Error::new(ErrorKind::InvalidInput, message),
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => Error::new(ErrorKind::Permission, message),
        _ => Error::new(ErrorKind::Database, message),
    };
    found.with_code(extended.to_string())
}

fn code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(code, _) => Some(code.extended_code),
        rusqlite::Error::SqlInputError { error, .. } => Some(error.extended_code),
        _ => None,
    }
}

/// SQLite's own words, without the statement that rusqlite adds.
fn text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::MultipleStatement => String::from("more than one statement in a text that must be one"),
        other => other.to_string(),
    }
}

/// What the plain code 1 means only its words say.
fn from_message(message: &str) -> Error {
    let owned = message.to_owned();
    let after = |prefix: &str| message.strip_prefix(prefix).map(|name| name.trim().trim_start_matches("main."));
    if let Some(table) = after("no such table:") {
        return Error::new(ErrorKind::UndefinedTable, owned).with_table(table);
    }
    if let Some(column) = after("no such column:") {
        let column = column.split(" - ").next().unwrap_or(column);
        return Error::new(ErrorKind::UndefinedColumn, owned).with_column(column.rsplit('.').next().unwrap_or(column));
    }
    if let Some((table, column)) =
        message.strip_prefix("table ").and_then(|rest| rest.split_once(" has no column named "))
    {
        return Error::new(ErrorKind::UndefinedColumn, owned).with_table(table).with_column(column);
    }
    if let Some(column) = after("duplicate column name:") {
        return Error::new(ErrorKind::AlreadyExists, owned).with_column(column);
    }
    let has = |part: &str| message.contains(part);
    let kind = if has(" already exists") || has("already another table or index") || has("already is a table") {
        ErrorKind::AlreadyExists
    } else if has("syntax error")
        || has("incomplete input")
        || has("unrecognized token")
        || has("no such function")
        || has("no such collation sequence")
        || has("no such module")
        || has("wrong number of arguments")
        || has("misuse of aggregate")
        || (has(" values for ") && has(" columns"))
    {
        ErrorKind::Syntax
    } else if has("integer overflow") || has("float overflow") || has("pattern too complex") {
        ErrorKind::OutOfRange
    } else if has("malformed JSON") || has("too many SQL variables") {
        ErrorKind::InvalidInput
    } else if has("no such index") {
        ErrorKind::UndefinedTable
    } else {
        ErrorKind::Database
    };
    Error::new(kind, owned)
}

fn constraint(extended: i32, message: &str) -> Error {
    let owned = message.to_owned();
    let after = |prefix: &str| message.strip_prefix(prefix);
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let mut error = Error::new(ErrorKind::Unique, owned);
            if let Some((table, columns)) = unique_columns(message) {
                error = error.with_table(table);
                if let [column] = columns.as_slice() {
                    error = error.with_column(*column);
                }
            }
            error
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            let error = Error::new(ErrorKind::NotNull, owned);
            match after("NOT NULL constraint failed: ").and_then(|place| place.split_once('.')) {
                Some((table, column)) => error.with_table(table).with_column(column),
                None => error,
            }
        }
        ffi::SQLITE_CONSTRAINT_CHECK => {
            let error = Error::new(ErrorKind::Check, owned);
            match after("CHECK constraint failed: ") {
                Some(name) => error.with_constraint(name),
                None => error,
            }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::new(ErrorKind::ForeignKey, owned),
        // ON DELETE RESTRICT comes as a trigger that failed.
        ffi::SQLITE_CONSTRAINT_TRIGGER if message == "FOREIGN KEY constraint failed" => {
            Error::new(ErrorKind::ForeignKey, owned)
        }
        ffi::SQLITE_CONSTRAINT_TRIGGER => Error::new(ErrorKind::Check, owned),
        ffi::SQLITE_CONSTRAINT_DATATYPE => {
            let error = Error::new(ErrorKind::InvalidInput, owned);
            match message.rsplit_once(" column ").and_then(|(_, place)| place.split_once('.')) {
                Some((table, column)) => error.with_table(table).with_column(column),
                None => error,
            }
        }
        _ => Error::new(ErrorKind::Database, owned),
    }
}

/// `UNIQUE constraint failed: t.a, t.b`
fn unique_columns(message: &str) -> Option<(&str, Vec<&str>)> {
    let places = message.strip_prefix("UNIQUE constraint failed: ")?;
    let (table, _) = places.split_once('.')?;
    let columns: Option<Vec<&str>> =
        places.split(", ").map(|place| place.strip_prefix(table).and_then(|rest| rest.strip_prefix('.'))).collect();
    Some((table, columns?))
}

/// The name of the unique index or primary key over the columns that the message names.
fn unique_name(message: &str, db: &Connection) -> Option<String> {
    if let Some(name) = message.strip_prefix("UNIQUE constraint failed: index ") {
        return Some(name.trim_matches('\'').to_owned());
    }
    let (table, columns) = unique_columns(message)?;
    let mut indexes = db.prepare("SELECT name FROM pragma_index_list(?1) WHERE \"unique\"").ok()?;
    let names: Vec<String> = indexes.query_map([table], |row| row.get(0)).ok()?.flatten().collect();
    for name in names {
        let mut info = db.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno").ok()?;
        let found: Vec<Option<String>> = info.query_map([&name], |row| row.get(0)).ok()?.flatten().collect();
        if found.iter().map(Option::as_deref).eq(columns.iter().map(|column| Some(*column))) {
            // The index behind a constraint has a name that nobody gave.
            if !name.starts_with("sqlite_autoindex_") {
                return Some(name);
            }
        }
    }
    let created = create_table(db, table)?;
    let key = created.primary_key.filter(|key| key.columns.iter().eq(columns.iter()))?;
    key.name
}

/// A CHECK that stands for a type says that the value does not fit it.
fn check_place(message: &str, error: Error, db: &Connection) -> Error {
    let Some(name) = message.strip_prefix("CHECK constraint failed: ") else { return error };
    let mut quoted = String::new();
    ansi::identifier(name, &mut quoted);
    let tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND instr(sql, ?1) > 0").and_then(
        |mut statement| statement.query_map([&quoted], |row| row.get(0))?.collect::<Result<Vec<String>, _>>(),
    );
    for table in tables.unwrap_or_default() {
        let Some(created) = create_table(db, &table) else { continue };
        let is_it = |check: &Check| check.name.as_deref() == Some(name);
        if created.checks.iter().any(is_it) {
            return error.with_constraint(name).with_table(&table);
        }
        for column in &created.columns {
            let Some(place) = column.checks.iter().position(is_it) else { continue };
            let kind = match types::recognise(column) {
                // It stands for no type: its owner wrote it.
                (_, stands) if stands != Some(place) => ErrorKind::Check,
                (
                    ColumnType::Json
                    | ColumnType::Uuid
                    | ColumnType::Enum(_)
                    | ColumnType::Date
                    | ColumnType::Time
                    | ColumnType::DateTime
                    | ColumnType::Timestamp,
                    _,
                ) => ErrorKind::InvalidInput,
                _ => ErrorKind::OutOfRange,
            };
            let mut found = Error::new(kind, error.message().to_owned())
                .with_constraint(name)
                .with_table(&table)
                .with_column(&column.name);
            if let Some(code) = error.code() {
                found = found.with_code(code);
            }
            return found;
        }
    }
    error
}

fn create_table(db: &Connection, table: &str) -> Option<CreateTable> {
    let sql: String = db
        .query_row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", [table], |row| row.get(0))
        .ok()?;
    CreateTable::parse(&sql)
}
