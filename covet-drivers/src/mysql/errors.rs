//! The server's error numbers as kinds of error, with the names that its messages hold.

use mysql_async::{DriverError, Error as Driver, IoError, ServerError};

use crate::error::{Error, ErrorKind};
use crate::sql::misdescribed;

/// When an error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// While a session was being opened.
    Connect,
    /// While a session was in use.
    Use,
}

/// Errors that undo the whole transaction, and not the statement alone.
pub(crate) const ENDS_TRANSACTION: &[u16] = &[1213, 1020, 1614, 3101];

/// A lock was not had in time: the server undid the statement and would go on.
pub(crate) const LOCK_WAIT: u16 = 1205;

/// The statement cannot be prepared, only sent as text.
pub(crate) const NOT_PREPARABLE: u16 = 1295;

/// The server does not know the prepared statement any more, or wants it prepared again.
pub(crate) const STALE: &[u16] = &[1243, 1615];

/// Whether the server has ended the session with this error. Some kinds that are met while connecting are also said of
/// a single statement, for instance that a database is not known, and leave the session as it was.
pub(crate) fn ends_session(code: u16) -> bool {
    matches!(code, 1047 | 1053 | 1077 | 1079 | 1152 | 1927 | 2006 | 2013 | 4031)
}

/// Errors of all kinds that may quote a value: of an XPath, a locale, a set of GTIDs, the name of a lock, a vector, a
/// setting, a time zone.
const QUOTES_VALUES: &[u16] = &[1105, 1231, 1298, 1441, 1649, 1772, 1773, 1774, 3057, 3131, 6138];

/// What `SIGNAL` raises.
const SIGNALLED: u16 = 1644;

/// A driver's error in Covet's terms.
pub(crate) fn of_driver(error: Driver, phase: Phase) -> Error {
    match error {
        Driver::Server(error) => of_server(&error, phase),
        Driver::Io(IoError::Tls(error)) => tls(error, phase),
        Driver::Io(IoError::Io(error)) => {
            if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                return tls(error, phase);
            }
            let (kind, message) = match phase {
                Phase::Connect => (ErrorKind::Unreachable, "the server cannot be reached"),
                Phase::Use => (ErrorKind::ConnectionLost, "the connection to the server broke"),
            };
            Error::new(kind, message).with_source(error)
        }
        Driver::Driver(error) => of_protocol(&error, phase),
        // Their texts may quote a URL or data.
        Driver::Url(_) | Driver::Other(_) => Error::new(ErrorKind::Protocol, "the driver failed"),
    }
}

/// In a session that is open TLS was agreed on long ago: what was sent may have arrived.
fn tls(error: impl std::error::Error + Send + Sync + 'static, phase: Phase) -> Error {
    if phase == Phase::Use {
        let text = format!("the connection to the server broke: {error}");
        return Error::new(ErrorKind::ConnectionLost, text).with_source(error);
    }
    Error::new(ErrorKind::Tls, format!("TLS could not be agreed on: {error}")).with_source(error)
}

fn of_protocol(error: &DriverError, phase: Phase) -> Error {
    match error {
        DriverError::NoClientSslFlagFromServer => Error::new(ErrorKind::Tls, "the server offers no TLS")
            .with_help("switch TLS on at the server; over a network only insecure=plaintext goes without"),
        DriverError::UnknownAuthPlugin { name } => Error::new(
            ErrorKind::Authentication,
            format!("the server asks for the login method `{name}`, which is not known here"),
        ),
        DriverError::CleartextPluginDisabled => {
            Error::new(ErrorKind::Authentication, "the server asks for the password in clear text, which is refused")
        }
        DriverError::MysqlOldPasswordDisabled => Error::new(
            ErrorKind::Authentication,
            "the server asks for the login method `mysql_old_password`, which is not safe",
        ),
        DriverError::ConnectionClosed | DriverError::PoolDisconnected => {
            Error::new(ErrorKind::ConnectionLost, "the connection to the server is closed")
        }
        DriverError::PacketTooLarge => {
            Error::new(ErrorKind::ConnectionLost, "a packet was larger than the protocol allows")
        }
        DriverError::MixedParams => {
            Error::new(ErrorKind::InvalidInput, "the statement holds both `?` and `:name` placeholders")
        }
        // Only where Covet wrote the text, and knows how many values it takes.
        DriverError::StmtParamsMismatch { required, .. } => misdescribed(usize::from(*required)),
        DriverError::LocalInfile(_) => {
            Error::new(ErrorKind::Protocol, "the server asks for a local file, which is refused")
        }
        _ if phase == Phase::Connect => {
            Error::new(ErrorKind::Protocol, "what answers is no MySQL or MariaDB server, or not a healthy one")
        }
        _ => Error::new(ErrorKind::Protocol, "the server broke the protocol"),
    }
}

/// A server's error in Covet's terms. Messages are Covet's own wherever the server's quotes data.
pub(crate) fn of_server(error: &ServerError, phase: Phase) -> Error {
    let said = Said(&error.message);
    let code = error.code.to_string();
    let made = |kind: ErrorKind, message: String| Error::new(kind, message).with_code(code.clone());
    match error.code {
        1062 | 1586 | 1169 | 1022 | 1859 => {
            match said.last_quoted() {
                // MySQL 8 says `table.key`, MariaDB `key`.
                Some(key) => {
                    let (table, key) = match key.split_once('.') {
                        Some((table, key)) => (Some(table), key),
                        None => (None, key),
                    };
                    let named =
                        made(ErrorKind::Unique, format!("a row with this value of the unique key `{key}` exists"))
                            .with_constraint(key);
                    match table {
                        Some(table) => named.with_table(table),
                        None => named,
                    }
                }
                None => made(ErrorKind::Unique, "a row with this value of a unique key exists".into()),
            }
        }
        1557 | 1761 | 1762 => {
            let text = "a foreign key would carry the change to rows that must stay unique";
            let made = made(ErrorKind::Unique, text.into());
            // The others name a table last.
            match said.last_quoted().filter(|_| error.code == 1761) {
                Some(key) => made.with_constraint(key),
                None => made,
            }
        }
        1452 | 1216 => said
            .foreign_key(made(ErrorKind::ForeignKey, "the row that the foreign key points at does not exist".into())),
        1451 | 1217 | 1834 => {
            said.foreign_key(made(ErrorKind::ForeignKey, "other rows still point at this row".into()))
        }
        1048 | 1263 | 1138 => {
            said.column(made(ErrorKind::NotNull, "a column that does not allow NULL was given NULL".into()))
        }
        1364 => said.column(made(ErrorKind::NotNull, "a column that has no default was not given a value".into())),
        4025 => {
            let names = said.backticked();
            let mut error = made(ErrorKind::Check, "a check constraint refused the row".into());
            // CONSTRAINT `name` failed for `database`.`table`; for a check of one column, `table.column`.
            if let Some(name) = names.first() {
                error = match name.rsplit_once('.') {
                    Some((_, column)) => error.with_constraint(column).with_column(column),
                    None => error.with_constraint(*name),
                };
            }
            match names.last() {
                Some(table) if names.len() > 1 => error.with_table(*table),
                _ => error,
            }
        }
        1526 => made(ErrorKind::Check, "the table has no partition for the row".into()),
        1863 => made(ErrorKind::Database, "a row lies in another partition than it belongs to".into()),
        3819 => {
            let error = made(ErrorKind::Check, "a check constraint refused the row".into());
            match said.last_quoted() {
                Some(name) => error.with_constraint(name),
                None => error,
            }
        }
        1213 => made(ErrorKind::Deadlock, "the transaction and another one waited for each other".into())
            .with_transaction_lost(),
        1020 => made(ErrorKind::Serialization, "a row has changed since the transaction began".into())
            .with_transaction_lost(),
        // A node of a cluster may have sent the commit to the others before it lost them.
        1180 => made(
            ErrorKind::CommitUnknown,
            "the server failed while it committed, and whether it did is not known".into(),
        ),
        1614 | 3101 => {
            made(ErrorKind::Serialization, "the server rolled the transaction back".into()).with_transaction_lost()
        }
        LOCK_WAIT | 3572 | 1689 | 4056 => made(ErrorKind::LockTimeout, "a lock was not had in time".into()),
        1969 | 3024 => made(ErrorKind::StatementTimeout, "the statement took longer than its limit".into()),
        1317 | 3169 => made(ErrorKind::Cancelled, "the statement was cancelled".into()),
        1053 | 1079 | 1152 | 1927 | 2006 | 2013 | 4031 | 1077 => {
            let kind = if phase == Phase::Connect { ErrorKind::Unreachable } else { ErrorKind::ConnectionLost };
            made(kind, format!("the server ended the connection: {}", said.text()))
        }
        // A node that has left its cluster refuses every command; another one may be well.
        1047 => {
            let kind = if phase == Phase::Connect { ErrorKind::Unreachable } else { ErrorKind::ConnectionLost };
            made(kind, format!("the server takes no commands: {}", said.text()))
        }
        3159 => made(ErrorKind::Tls, "the server takes connections with TLS only".into())
            .with_help("say sslmode=verify-full"),
        1040 | 1203 | 1226 => made(ErrorKind::TooManyConnections, "the server has no connection left".into()),
        1129 => made(ErrorKind::Unreachable, "the server blocks this host after too many failed connections".into()),
        1045 | 1698 | 1130 | 1251 | 1862 | 1820 | 3118 | 4151 => {
            made(ErrorKind::Authentication, format!("the login was refused: {}", said.text()))
        }
        1049 => made(ErrorKind::UnknownDatabase, format!("the database {} does not exist", said.named())),
        1146 | 1051 | 1109 => {
            let table = said.first_quoted().map(|name| name.split_once('.').map_or(name, |(_, table)| table));
            match table {
                Some(table) => {
                    made(ErrorKind::UndefinedTable, format!("the table `{table}` does not exist")).with_table(table)
                }
                None => made(ErrorKind::UndefinedTable, "the table does not exist".into()),
            }
        }
        1054 | 1072 | 1091 | 1166 => match said.first_quoted() {
            Some(name) => {
                let column = name.rsplit_once('.').map_or(name, |(_, column)| column);
                made(ErrorKind::UndefinedColumn, format!("the column or key `{name}` does not exist"))
                    .with_column(column)
            }
            None => made(ErrorKind::UndefinedColumn, "the column or key does not exist".into()),
        },
        1050 | 1060 | 1061 | 1007 | 1826 | 1068 | 3822 | 1304 | 1359 | 1396 => {
            made(ErrorKind::AlreadyExists, said.text().to_owned())
        }
        1064 | 1149 | 1065 | 1248 | 1055 | 1140 | 1111 | 1136 | 1058 => made(ErrorKind::Syntax, said.syntax()),
        1264 | 1690 | 1416 => {
            said.column_of_value(made(ErrorKind::OutOfRange, "a number is out of the range of its column".into()))
        }
        1406 => said.column(made(ErrorKind::OutOfRange, "a text or byte string is too long for its column".into())),
        1265 => {
            said.column(made(ErrorKind::InvalidInput, "a value does not fit its column and would be cut off".into()))
        }
        1366 | 1292 | 1411 | 1300 | 1525 | 3854 | 1367 => said
            .column_of_value(made(ErrorKind::InvalidInput, "a value is malformed for the type of its column".into())),
        3140 | 3141 | 3143 | 4037 | 4038 => said.column(made(ErrorKind::InvalidInput, "the JSON is malformed".into())),
        1153 | 1301 => made(ErrorKind::OutOfRange, "a value is larger than the server's max_allowed_packet".into()),
        1390 => made(ErrorKind::InvalidInput, "the statement has more than 65535 placeholders".into()),
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 | 1419 => made(ErrorKind::Permission, said.text().to_owned()),
        1290 | 1792 | 1836 => made(ErrorKind::ReadOnly, said.text().to_owned()),
        1021 | 1037 | 1038 | 1041 | 1114 | 1461 => made(ErrorKind::Resources, said.text().to_owned()),
        // Comparing without case needs a collation that MariaDB has from 10.10 on.
        1273 => made(ErrorKind::Unsupported, said.text().to_owned()),
        1235 | NOT_PREPARABLE => made(ErrorKind::Unsupported, said.text().to_owned()),
        1365 => made(ErrorKind::Database, "division by zero".into()),
        code if QUOTES_VALUES.contains(&code) => made(ErrorKind::Database, said.without_quotes()),
        // A data exception is about a value, and may hold it; what a trigger signals is its author's own word.
        code if error.state.starts_with("22") && code != SIGNALLED => {
            made(ErrorKind::Database, "a value does not fit where it is used".into())
        }
        _ => made(ErrorKind::Database, said.text().to_owned()),
    }
}

/// The error of a statement that binds JSON. MariaDB's `json` is a text with a check that carries the
/// column's name; it refuses what is nested deeper than the server reads.
pub(crate) fn of_json(error: Error) -> Error {
    let is_json = error.code() == Some("4025") && error.constraint().is_some() && error.constraint() == error.column();
    if !is_json {
        return error;
    }
    let mut refused = Error::new(ErrorKind::InvalidInput, "the server does not take the JSON")
        .with_help("is it nested deeper than the server reads?");
    if let Some(code) = error.code() {
        refused = refused.with_code(code);
    }
    if let Some(table) = error.table() {
        refused = refused.with_table(table);
    }
    match error.column() {
        Some(column) => refused.with_constraint(column).with_column(column),
        None => refused,
    }
}

/// What the server said.
struct Said<'a>(&'a str);

impl<'a> Said<'a> {
    /// The message as one line.
    fn text(&self) -> &'a str {
        self.0.trim().trim_end_matches('.')
    }

    /// What stands between the first pair of single quotes.
    fn first_quoted(&self) -> Option<&'a str> {
        let (_, rest) = self.0.split_once('\'')?;
        rest.split_once('\'').map(|(name, _)| name)
    }

    /// What stands between the last pair of single quotes. Data comes before names in these
    /// messages, so a quote in the data does no harm.
    fn last_quoted(&self) -> Option<&'a str> {
        let (rest, _) = self.0.rsplit_once('\'')?;
        rest.rsplit_once('\'').map(|(_, name)| name)
    }

    /// The names between backticks, in order.
    fn backticked(&self) -> Vec<&'a str> {
        self.0.split('`').skip(1).step_by(2).collect()
    }

    /// The first quoted name, quoted again.
    fn named(&self) -> String {
        self.first_quoted().map_or_else(String::new, |name| format!("`{name}`"))
    }

    /// Adds constraint, table and column of
    /// ``… (`db`.`child`, CONSTRAINT `name` FOREIGN KEY (`column`) REFERENCES …``.
    fn foreign_key(&self, error: Error) -> Error {
        let names = self.backticked();
        let after = |word: &str| -> Option<&'a str> {
            let (_, rest) = self.0.split_once(word)?;
            rest.split('`').nth(1)
        };
        let mut error = error;
        if let Some(name) = after("CONSTRAINT ") {
            error = error.with_constraint(name);
        }
        if let Some(table) = names.get(1) {
            error = error.with_table(*table);
        }
        match after("FOREIGN KEY ") {
            Some(column) => error.with_column(column),
            None => error,
        }
    }

    /// The message with everything from the first to the last quotation mark left out.
    fn without_quotes(&self) -> String {
        let text = self.text();
        let is_mark = |c: char| c == '\'' || c == '"';
        match (text.find(is_mark), text.rfind(is_mark)) {
            (Some(first), Some(last)) if first < last => format!("{}…{}", &text[..=first], &text[last..]),
            (Some(first), _) => format!("{}…", &text[..=first]),
            _ => text.to_owned(),
        }
    }

    /// As [`column`](Said::column), of a message that quotes a value: only what stands behind that names a column.
    fn column_of_value(&self, error: Error) -> Error {
        let ends_with_row =
            self.0.trim_end().rsplit_once(" at row ").is_some_and(|(_, row)| row.parse::<u64>().is_ok());
        if ends_with_row { self.column(error) } else { error }
    }

    /// Adds the column of `… column 'x' at row 1`, `` … for column `db`.`t`.`x` at row 1 ``,
    /// `Field 'x' doesn't …`.
    fn column(&self, error: Error) -> Error {
        let place = self.0.rsplit_once("olumn ").or_else(|| self.0.split_once("Field ")).map(|(_, rest)| rest);
        let Some(rest) = place else { return error };
        if rest.starts_with('`') {
            let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
            let error = match names.last() {
                Some(column) => error.with_column(*column),
                None => error,
            };
            return match names.as_slice() {
                [.., table, _] => error.with_table(*table),
                _ => error,
            };
        }
        match Said(rest).first_quoted() {
            Some(column) => error.with_column(column),
            None => error,
        }
    }

    /// A message about the text of a statement, with no more of the text than its next word.
    fn syntax(&self) -> String {
        let Some((_, rest)) = self.0.split_once(" near '") else { return self.text().to_owned() };
        let line =
            rest.rsplit_once("' at line ").map(|(_, line)| line.trim()).filter(|line| line.parse::<u32>().is_ok());
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').take(32).collect();
        let near = if word.is_empty() { String::new() } else { format!(" near `{word}`") };
        let place = line.map_or_else(String::new, |line| format!(" on line {line}"));
        format!("the database could not parse the statement{near}{place}")
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::{Error as Driver, IoError, ServerError};

    use super::{Phase, of_driver, of_server};
    use crate::error::{Error, ErrorKind};

    fn made(code: u16, message: &str) -> Error {
        of_server(&ServerError { code, message: message.into(), state: "HY000".into() }, Phase::Use)
    }

    #[test]
    fn names_are_found_and_data_is_not_repeated() {
        let error = made(1062, "Duplicate entry 'secret' for key 'users.users_email_key'");
        assert_eq!(
            (error.kind(), error.constraint(), error.table()),
            (ErrorKind::Unique, Some("users_email_key"), Some("users"))
        );
        let error = made(1062, "Duplicate entry 'secret' for key 'x' for key 'users_email_key'");
        assert_eq!(error.constraint(), Some("users_email_key"));
        let fk = "Cannot add or update a child row: a foreign key constraint fails (`d`.`c`, CONSTRAINT `c_p_fkey` FOREIGN KEY (`p`) REFERENCES `p` (`id`))";
        let error = made(1452, fk);
        assert_eq!((error.constraint(), error.table(), error.column()), (Some("c_p_fkey"), Some("c"), Some("p")));
        let error = made(4025, "CONSTRAINT `t_a_check` failed for `d`.`t`");
        assert_eq!((error.kind(), error.constraint(), error.table()), (ErrorKind::Check, Some("t_a_check"), Some("t")));
        assert_eq!(made(3819, "Check constraint 't_a_check' is violated.").constraint(), Some("t_a_check"));
        assert_eq!(made(1048, "Column 'a' cannot be null").column(), Some("a"));
        assert_eq!(made(1364, "Field 'a' doesn't have a default value").column(), Some("a"));
        let error = made(1366, "Incorrect string value: 'secret' for column `d`.`t`.`a` at row 1");
        assert_eq!((error.table(), error.column()), (Some("t"), Some("a")));
        let error = made(1064, "You have an error … near 'secretly 'secret'' at line 3");
        assert!(error.to_string().contains("near `secretly` on line 3"), "{error}");
        for code in [1062, 1366, 1292, 1411, 1406, 1264] {
            let shown = format!("{0} {0:?}", made(code, "Duplicate entry 'hunter2' for key 'k'"));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert!(made(1213, "Deadlock found").is_transaction_lost());
        assert!(!made(1205, "Lock wait timeout exceeded").is_transaction_lost());
    }
    #[test]
    fn no_message_repeats_a_value_that_the_server_quotes() {
        let quoting = [
            (1105, "HY000", "XPATH syntax error: 'hunter2'"),
            (1231, "42000", "Variable 'x' can't be set to the value of 'hunter2'"),
            (1292, "22007", "Truncated incorrect DOUBLE value: 'a column 'hunter2''"),
            (1411, "HY000", "Incorrect datetime value: 'column 'hunter2'' for function str_to_date"),
            (1526, "HY000", "Table has no partition for value hunter2"),
            (1649, "HY000", "Unknown locale: 'hunter2'"),
            (1690, "22003", "BIGINT value is out of range in '(column 'hunter2' + 1)'"),
            (
                1761,
                "23000",
                "Foreign key constraint for table 't', record 'hunter2' would lead to a duplicate entry in table 'c', key 'k'",
            ),
            (
                1762,
                "23000",
                "Foreign key constraint for table 't', record 'hunter2' would lead to a duplicate entry in a child table",
            ),
            (1772, "HY000", "Malformed GTID set specification 'hunter2'."),
            (1863, "HY000", "Found a row in wrong partition p0 (hunter2)"),
            (1918, "22007", "Encountered illegal value 'hunter2' when converting to INT"),
            (3057, "42000", "Incorrect user-level lock name 'hunter2'."),
            (6138, "HY000", "Data cannot be converted to a valid vector: 'hunter2'"),
        ];
        for (code, state, message) in quoting {
            let error = of_server(&ServerError { code, message: message.into(), state: state.into() }, Phase::Use);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let signalled = ServerError { code: 1644, message: "not on Sundays".into(), state: "22000".into() };
        assert!(of_server(&signalled, Phase::Use).to_string().contains("not on Sundays"));
        assert_eq!(
            made(1761, "… record 'a' would lead to a duplicate entry in table 'c', key 'k'").constraint(),
            Some("k")
        );
        let error = made(1292, "Incorrect date value: 'x' for column `d`.`t`.`a` at row 1");
        assert_eq!((error.table(), error.column()), (Some("t"), Some("a")));
    }

    #[test]
    fn tls_that_breaks_in_a_session_is_a_lost_connection() {
        let broken = || {
            let inner = rustls::Error::DecryptError;
            Driver::Io(IoError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, inner)))
        };
        assert_eq!(of_driver(broken(), Phase::Connect).kind(), ErrorKind::Tls);
        assert_eq!(of_driver(broken(), Phase::Use).kind(), ErrorKind::ConnectionLost);
    }

    #[test]
    fn c10_what_nodes_of_a_cluster_say() {
        let conflict = made(1213, "Deadlock found when trying to get lock; try restarting transaction");
        assert!(conflict.is_retryable() && conflict.is_transaction_lost() && !conflict.is_connection_lost());
        let alone = "WSREP has not yet prepared node for application use";
        assert_eq!(made(1047, alone).kind(), ErrorKind::ConnectionLost);
        let error = ServerError { code: 1047, message: alone.into(), state: "08S01".into() };
        assert_eq!(of_server(&error, Phase::Connect).kind(), ErrorKind::Unreachable);
    }
}
