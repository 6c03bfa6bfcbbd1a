//! From SQLSTATEs and driver errors to Covet's kinds, with the names and without the values.

use std::error::Error as StdError;
use std::io;

use tokio_postgres::error::{DbError, Severity};

use crate::error::{Error, ErrorKind};
use crate::postgres::types::RANGE;
use crate::value::Value;

/// The error of a statement on an open session.
pub(crate) fn statement(error: tokio_postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        return database(server);
    }
    if error.is_closed() {
        return Error::new(ErrorKind::ConnectionLost, "the connection to PostgreSQL is closed");
    }
    let what = error.to_string();
    match error.into_source() {
        Some(source) => match source.downcast::<Error>() {
            // A value that refused to be encoded.
            Ok(own) => *own,
            Err(source) => other(&what, source),
        },
        None => Error::new(ErrorKind::Protocol, format!("PostgreSQL broke the protocol: {what}")),
    }
}

/// The error of a statement, with the value that it is about where only one can be meant. The server
/// reads the values in their order and does not say which of them it refused.
pub(crate) fn of_values(error: Error, args: &[&Value]) -> Error {
    let at = |refused: &dyn Fn(&Value) -> bool| args.iter().position(|value| refused(value));
    let argument = match error.code() {
        // No such character in text: jsonb cannot hold a NUL, however it is written.
        Some("22P05") => at(&|value| matches!(value, Value::Json(text) if has_escaped_nul(text))),
        // No such label.
        Some("22P02") => {
            let is_label = |value: &Value| matches!(value, Value::Label(_));
            at(&is_label).filter(|_| args.iter().filter(|value| is_label(value)).count() == 1)
        }
        _ => None,
    };
    match argument {
        Some(argument) => error.with_argument(argument),
        None => error,
    }
}

/// Whether a NUL is escaped in a JSON text, and not the backslash before it.
fn has_escaped_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.as_bytes().iter().take(at).rev().take_while(|byte| **byte == b'\\').count();
        before.is_multiple_of(2)
    })
}

/// The error of an attempt to connect.
pub(crate) fn connecting(error: tokio_postgres::Error) -> Error {
    if let Some(server) = error.as_db_error() {
        let code = server.code().code();
        return match code {
            // Starting up, shutting down, recovering.
            "57P01" | "57P02" | "57P03" => named(ErrorKind::Unreachable, server),
            _ => database(server),
        };
    }
    if error.is_closed() {
        return Error::new(ErrorKind::Unreachable, "PostgreSQL closed the connection before it was ready");
    }
    // The driver keeps its kinds to itself; their texts are the only way to tell them apart.
    let what = error.to_string();
    let Some(source) = error.into_source() else {
        return Error::new(ErrorKind::Protocol, format!("PostgreSQL broke the protocol: {what}"));
    };
    if what.starts_with("error performing TLS handshake") || is_tls(&*source) {
        return Error::new(ErrorKind::Tls, format!("no TLS with PostgreSQL: {source}")).with_source(source);
    }
    if what.starts_with("authentication error") || source.to_string() == "password missing" {
        return Error::new(ErrorKind::Authentication, format!("PostgreSQL refused the login: {source}"));
    }
    if what.starts_with("invalid configuration") {
        return Error::new(ErrorKind::Config, format!("the connection URL does not work: {source}"));
    }
    if what.starts_with("error connecting") || source.is::<io::Error>() {
        return Error::new(ErrorKind::Unreachable, format!("PostgreSQL cannot be reached: {source}"))
            .with_source(source);
    }
    other(&what, source)
}

/// Whether the session is over with this error, whatever the statement was.
pub(crate) fn ends_session(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        // An error that is not fatal leaves the session as it was, whatever its code: a foreign server that cannot be
        // reached, or a database that is not there, is no word about this one.
        Some(server) => match server.parsed_severity() {
            Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
            None => kind(server.code().code(), server.message()).is_connection_lost(),
        },
        None => !stays_here(error),
    }
}

/// Whether the error came about before anything was sent: a value or text that could not be encoded.
pub(crate) fn stays_here(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<Error>()) || error.to_string().starts_with("error encoding")
}

/// Whether a statement that was prepared earlier no longer fits the schema, and would when prepared anew.
pub(crate) fn is_stale(error: &tokio_postgres::Error) -> bool {
    let Some(server) = error.as_db_error() else { return false };
    match server.code().code() {
        "0A000" => server.routine() == Some("RevalidateCachedQuery"),
        "XX000" => server.message().starts_with("cache lookup failed"),
        // The statement is gone; a parameter's type no longer fits its column.
        "26000" | "42804" | "42883" => true,
        _ => false,
    }
}

/// The error of a statement of a transaction that was stale: prepared anew it may fit, but this transaction has failed.
pub(crate) fn outlived(error: Error) -> Error {
    let text = "the schema, or the session, has changed since the statement was prepared";
    let outlived = match error.code() {
        Some(code) => Error::new(ErrorKind::Serialization, text).with_code(code),
        None => Error::new(ErrorKind::Serialization, text),
    };
    outlived.with_source(error)
}

/// Whether the server refuses a way of doing something that it may allow in another way: row level
/// security, a view, a right.
pub(crate) fn is_refused(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|server| matches!(server.code().code(), "0A000" | "42809" | "42501"))
}

/// Whether the server refused a statement because the session is guarded, or its transaction has failed.
pub(crate) fn is_refusal(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| matches!(code.code(), "25006" | "25P02"))
}

/// Of a statement's error and that of lifting the guard before it, the one that explains the other.
pub(crate) fn cause(error: tokio_postgres::Error, missed: Option<tokio_postgres::Error>) -> tokio_postgres::Error {
    match missed {
        Some(missed) if is_refusal(&error) => missed,
        _ => error,
    }
}

fn other(what: &str, source: Box<dyn StdError + Send + Sync>) -> Error {
    if what.starts_with("error encoding") {
        return Error::new(ErrorKind::InvalidInput, format!("the statement cannot be sent: {source}"));
    }
    if what.starts_with("error communicating") || what.starts_with("error connecting") {
        let text = format!("the connection to PostgreSQL broke: {source}");
        return Error::new(ErrorKind::ConnectionLost, text).with_source(source);
    }
    Error::new(ErrorKind::Protocol, format!("PostgreSQL broke the protocol: {what}")).with_source(source)
}

/// Whether rustls stands somewhere in the chain of causes.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        next = error.source();
    }
    false
}

fn database(server: &DbError) -> Error {
    let kind = kind(server.code().code(), server.message());
    // Where the session goes on, it is another connection that is lost: that of a foreign table, say.
    let goes_on = server.parsed_severity().is_some_and(|severity| severity == Severity::Error);
    // What a statement raises tells nothing of its commit either.
    let is_of_another = matches!(
        kind,
        ErrorKind::ConnectionLost
            | ErrorKind::Unreachable
            | ErrorKind::TooManyConnections
            | ErrorKind::UnknownDatabase
            | ErrorKind::Authentication
            | ErrorKind::CommitUnknown
    );
    named(if is_of_another && goes_on { ErrorKind::Database } else { kind }, server)
}

/// The process that the first line of a deadlock's details names last: the first one is the victim's.
fn blocker(detail: &str) -> Option<i64> {
    detail.lines().next()?.rsplit_once(' ')?.1.trim_end_matches('.').parse().ok()
}

/// The column whose type a check stands for, when it is such a check.
fn ranged<'a>(constraint: &'a str, table: &str) -> Option<&'a str> {
    constraint.strip_prefix(table)?.strip_prefix('_')?.strip_suffix(RANGE)?.strip_suffix('_')
}

/// An error with everything of the server's but `DETAIL`, which repeats values; except where it names what stands on
/// the thing that was to change.
fn named(kind: ErrorKind, server: &DbError) -> Error {
    let place = server.constraint().zip(server.table()).and_then(|(constraint, table)| ranged(constraint, table));
    // A check that stands for the range of a type says what the type itself says elsewhere.
    let kind = if kind == ErrorKind::Check && place.is_some() { ErrorKind::OutOfRange } else { kind };
    let code = server.code().code();
    let message = server.message();
    // A data exception quotes the value that it is about.
    let shown = if code.starts_with("22") { without_quotes(message) } else { message.to_owned() };
    let shown = match server.detail().filter(|_| matches!(code, "2BP01" | "0A000")) {
        Some(detail) => format!("{shown}: {}", detail.replace('\n', ", ")),
        None => shown,
    };
    let mut error = Error::new(kind, shown).with_code(code);
    if let Some(constraint) = server.constraint() {
        error = error.with_constraint(constraint);
    }
    let (mut table, mut column) = (server.table().map(str::to_owned), server.column().map(str::to_owned));
    match kind {
        ErrorKind::UndefinedTable => table = table.or_else(|| name_in(message)),
        ErrorKind::UndefinedColumn => column = column.or_else(|| name_in(message)),
        ErrorKind::OutOfRange => column = column.or_else(|| place.map(str::to_owned)),
        _ => {}
    }
    if kind == ErrorKind::Deadlock
        && let Some(blocker) = server.detail().and_then(blocker)
    {
        error = error.with_blocker(blocker);
    }
    if let Some(table) = table {
        error = error.with_table(table);
    }
    if let Some(column) = column {
        error = error.with_column(column);
    }
    if code.starts_with("42")
        && let Some(hint) = server.hint()
    {
        error = error.with_help(hint.trim_end_matches('.').to_owned());
    }
    error
}

/// The kind that a SQLSTATE stands for.
fn kind(code: &str, message: &str) -> ErrorKind {
    match code {
        "23505" | "23P01" => ErrorKind::Unique,
        "23503" | "23001" => ErrorKind::ForeignKey,
        "23502" => ErrorKind::NotNull,
        "23514" => ErrorKind::Check,
        "40001" => ErrorKind::Serialization,
        "40P01" => ErrorKind::Deadlock,
        "40003" => ErrorKind::CommitUnknown,
        "55P03" => ErrorKind::LockTimeout,
        "57014" if message.contains("timeout") => ErrorKind::StatementTimeout,
        "57014" => ErrorKind::Cancelled,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => ErrorKind::ConnectionLost,
        "25P02" | "25P01" => ErrorKind::TransactionClosed,
        "25006" => ErrorKind::ReadOnly,
        "53300" => ErrorKind::TooManyConnections,
        "28000" | "28P01" => ErrorKind::Authentication,
        "3D000" => ErrorKind::UnknownDatabase,
        "42P01" => ErrorKind::UndefinedTable,
        "42703" => ErrorKind::UndefinedColumn,
        "42P04" | "42P06" | "42P07" | "42701" | "42710" | "42723" => ErrorKind::AlreadyExists,
        "42601" => ErrorKind::Syntax,
        "42501" => ErrorKind::Permission,
        "22001" | "22003" | "22008" | "22015" => ErrorKind::OutOfRange,
        "0A000" => ErrorKind::Unsupported,
        _ => match code.get(..2) {
            Some("08") => ErrorKind::ConnectionLost,
            Some("22" | "54") => ErrorKind::InvalidInput,
            Some("53" | "58") => ErrorKind::Resources,
            _ => ErrorKind::Database,
        },
    }
}

/// The message with everything from the first to the last quotation mark left out.
fn without_quotes(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &message[..=first], &message[last..]),
        (Some(first), _) => format!("{}…", &message[..=first]),
        _ => message.to_owned(),
    }
}

/// The name in `relation "x" does not exist` and `column t0.x does not exist`.
fn name_in(message: &str) -> Option<String> {
    if let Some((_, rest)) = message.split_once('"') {
        return rest.split_once('"').map(|(name, _)| name.to_owned());
    }
    let word = message.split_whitespace().nth(1)?;
    Some(word.rsplit('.').next().unwrap_or(word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{has_escaped_nul, kind, name_in, ranged, without_quotes};
    use crate::error::ErrorKind;

    #[test]
    fn values_are_left_out_and_names_are_found() {
        assert_eq!(without_quotes("invalid input value for enum mood: \"hunter2\""), {
            "invalid input value for enum mood: \"…\""
        });
        assert_eq!(without_quotes("value \"a\"b\" is out of range"), "value \"…\" is out of range");
        assert_eq!(name_in("relation \"x y\" does not exist").as_deref(), Some("x y"));
        assert_eq!(name_in("column t0.foo does not exist").as_deref(), Some("foo"));
    }

    #[test]
    fn a_check_that_stands_for_a_type_names_its_column() {
        assert_eq!(ranged("t_a_b_range", "t"), Some("a_b"));
        assert_eq!((ranged("t_a_check", "t"), ranged("u_a_range", "t"), ranged("t_range", "t")), (None, None, None));
    }

    #[test]
    fn a_nul_is_told_from_a_backslash() {
        for (json, has) in [
            (r#""\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""\\\u0000""#, true),
            (r#""\u00001""#, true),
            ("", false),
        ] {
            assert_eq!(has_escaped_nul(json), has, "{json}");
        }
    }

    #[test]
    fn classes() {
        assert_eq!(kind("22P02", ""), ErrorKind::InvalidInput);
        assert_eq!(kind("08006", ""), ErrorKind::ConnectionLost);
        assert_eq!(kind("53100", ""), ErrorKind::Resources);
        assert_eq!(kind("57014", "canceling statement due to user request"), ErrorKind::Cancelled);
        assert_eq!(kind("57014", "canceling statement due to statement timeout"), ErrorKind::StatementTimeout);
        assert_eq!(kind("XX000", ""), ErrorKind::Database);
    }
}
