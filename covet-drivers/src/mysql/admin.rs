//! MySQL and MariaDB databases as a whole: created and dropped by a session that is in none, looked at, and talked to.

use std::path::Path;

use mysql_async::Value as WireValue;
use mysql_async::prelude::Queryable as _;

use crate::contract::{
    Admin, Answer, BoxFuture, ConnectUrl, Connection, Facts, Finding, Others, Password, Shell, TableFacts,
    bytes_as_text, scratch_name,
};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::caught::caught;
use crate::mysql::connect::Options;
use crate::mysql::connection::{Failure, MySqlConnection};
use crate::mysql::dialect::{QUOTING, quote};
use crate::mysql::introspect::rows;
use crate::mysql::probe::takes_writes;
use crate::sql::split;
use crate::tls::SslMode;

/// Administration of MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub(super) struct MySqlAdmin;

const TABLES: &str = "\
SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY BINARY TABLE_NAME";

/// What migrations do to tables and rows.
const NEEDED: [&str; 9] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"];

/// The rights that the user has of his own, on the database or on all.
const RIGHTS: &str = "\
SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES
WHERE GRANTEE = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
WHERE GRANTEE = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
  AND DATABASE() LIKE TABLE_SCHEMA";

impl Admin for MySqlAdmin {
    fn example(&self, name: &str) -> String {
        format!("mysql://root@localhost/{name}")
    }

    fn name(&self, url: &ConnectUrl) -> Result<String> {
        url.database().map(str::to_owned).ok_or_else(|| {
            Error::new(ErrorKind::Config, "the connection URL names no database")
                .with_help("write mysql://user@host/database")
        })
    }

    fn existing(&self, url: &ConnectUrl) -> ConnectUrl {
        url.clone()
    }

    fn written_in(&self, url: &ConnectUrl, _: &Path) -> ConnectUrl {
        url.clone()
    }

    fn scratch(&self, near: Option<&ConnectUrl>) -> Option<ConnectUrl> {
        let near = near?;
        Some(near.with_database(&scratch_name(near.database()?)))
    }

    fn create<'a>(&'a self, url: &'a ConnectUrl) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let name = self.name(url)?;
            let mut nowhere = Options::read(&url.with_database(""))?.connect().await?;
            let collation = nowhere.server.collation();
            let sql = format!("CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE {collation}", quote(&name));
            let created = match nowhere.say(&sql).await {
                Ok(()) => true,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
                Err(error) => return Err(error),
            };
            nowhere.close().await?;
            Ok(created)
        })
    }

    fn remove<'a>(&'a self, url: &'a ConnectUrl, _: Others) -> BoxFuture<'a, Result<bool>> {
        // A server of this kind drops a database although others are in it.
        Box::pin(async move {
            let name = self.name(url)?;
            let mut nowhere = Options::read(&url.with_database(""))?.connect().await?;
            let dropped = match nowhere.say(&format!("DROP DATABASE {}", quote(&name))).await {
                Ok(()) => true,
                // Can't drop database: it doesn't exist.
                Err(error) if error.code() == Some("1008") => false,
                Err(error) => return Err(error),
            };
            nowhere.close().await?;
            Ok(dropped)
        })
    }

    fn facts<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Facts>> {
        Box::pin(async move {
            let number = |cell: Option<&Option<String>>| cell?.as_deref()?.parse::<u64>().ok();
            let tables: Vec<TableFacts> = rows(connection, TABLES, 3)
                .await?
                .into_iter()
                .map(|cells| TableFacts {
                    rows: number(cells.get(1)),
                    bytes: number(cells.get(2)),
                    name: cells.into_iter().next().flatten().unwrap_or_default(),
                })
                .collect();
            Ok(Facts { bytes: Some(tables.iter().filter_map(|table| table.bytes).sum()), tables })
        })
    }

    fn findings<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<Finding>>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let asked = rows(connection, "SELECT DATABASE(), @@global.read_only", 2).await?;
            let cell = |index: usize| asked.first().and_then(|row| row.get(index)).and_then(Option::as_deref);
            if cell(0).is_none() {
                found.push(Finding::new(
                    "the connection URL names no database, so that tables have no place to be",
                    "write mysql://user@host/database",
                ));
            }
            if cell(1).is_some_and(|read_only| !takes_writes(read_only)) {
                found.push(Finding::new("the server is set to read_only", "name the primary"));
            }
            // What a role gives is not listed; no role means no doubt.
            let role = rows(connection, "SELECT CURRENT_ROLE()", 1).await?;
            let role = role.first().and_then(|row| row.first()).and_then(Option::as_deref);
            if role.is_none_or(|role| role == "NONE") {
                let asked = rows(connection, RIGHTS, 1).await?;
                let rights: Vec<&str> = asked.iter().filter_map(|row| row.first()?.as_deref()).collect();
                let lacking: Vec<&str> = NEEDED.into_iter().filter(|right| !rights.contains(right)).collect();
                if !lacking.is_empty() {
                    let lacking = lacking.join(", ");
                    found.push(Finding::new(
                        format!("the user lacks {lacking} on the database"),
                        format!("GRANT {lacking} ON `database`.* TO the user"),
                    ));
                }
            }
            Ok(found)
        })
    }

    fn ask<'a>(&'a self, url: &'a ConnectUrl, sql: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<Answer>>> {
        Box::pin(async move {
            let mut connection = Options::read(url)?.connect().await?;
            let mut answers = Vec::new();
            for statement in split(sql, QUOTING)? {
                let asked = one(&mut connection, statement, most).await;
                let answer = connection.settle(asked).await?;
                answers.push(answer);
            }
            connection.close().await?;
            Ok(answers)
        })
    }

    fn explain(&self, statement: &str) -> String {
        // MySQL's EXPLAIN ANALYZE would run the statement: then it is undone. READ ONLY refuses to explain what writes.
        format!("START TRANSACTION; EXPLAIN {statement}; ROLLBACK")
    }

    fn shells(&self, url: &ConnectUrl) -> Result<Vec<Shell>> {
        let mode = Options::read(url)?.mode();
        let mut parameters = url.parameters();
        let mut common = Vec::new();
        match parameters.take("socket") {
            Some(socket) => common.push(format!("--socket={socket}")),
            None => {
                common.push("--protocol=tcp".to_owned());
                common.push(format!("--host={}", url.host().unwrap_or("127.0.0.1")));
                common.push(format!("--port={}", url.port().unwrap_or(3306)));
            }
        }
        if let Some(user) = url.user() {
            common.push(format!("--user={user}"));
        }
        for (names, option) in [
            (["sslrootcert", "ssl-ca"], "--ssl-ca"),
            (["sslcert", "ssl-cert"], "--ssl-cert"),
            (["sslkey", "ssl-key"], "--ssl-key"),
        ] {
            let [first, second] = names;
            if let Some(file) = parameters.take(first).or_else(|| parameters.take(second)) {
                common.push(format!("{option}={file}"));
            }
        }
        let environment: Vec<(&str, Password)> =
            url.password().map(|password| ("MYSQL_PWD", password.clone())).into_iter().collect();
        let (mariadb, mysql) = match mode {
            SslMode::Disable => ("--skip-ssl", "--ssl-mode=DISABLED"),
            SslMode::Require => ("--ssl", "--ssl-mode=REQUIRED"),
            SslMode::VerifyCa | SslMode::VerifyFull => ("--ssl-verify-server-cert", "--ssl-mode=VERIFY_IDENTITY"),
        };
        Ok([("mariadb", mariadb), ("mysql", mysql)]
            .into_iter()
            .map(|(program, tls)| {
                let mut arguments = common.clone();
                arguments.push(tls.to_owned());
                arguments.extend(url.database().map(|name| format!("--database={name}")));
                Shell { program, arguments, environment: environment.clone() }
            })
            .collect())
    }
}

/// Sends one statement as text, and reads what comes back.
async fn one(connection: &mut MySqlConnection, statement: &str, most: usize) -> Result<Answer, Failure> {
    let wire = connection.depart().map_err(Failure::Own)?;
    let mut result = caught(wire.query_iter(statement)).await?;
    let mut answer = Answer {
        columns: result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect(),
        affected: result.affected_rows(),
        ..Answer::default()
    };
    while let Some(row) = caught(result.next()).await? {
        answer.take(most, || (0..row.len()).map(|index| row.as_ref(index).and_then(text)).collect());
    }
    caught(result.drop_result()).await?;
    if !answer.columns.is_empty() {
        answer.affected = 0;
    }
    Ok(answer)
}

/// A value of the text protocol, in which everything but NULL is text already.
fn text(value: &WireValue) -> Option<String> {
    match value {
        WireValue::NULL => None,
        WireValue::Bytes(bytes) => Some(bytes_as_text(bytes)),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::MySqlAdmin;
    use crate::contract::Admin as _;
    use crate::error::Result;

    #[test]
    fn no_argument_holds_a_password() -> Result<()> {
        let url = "mysql://ann:hunter2@db.example:3307/blog".parse()?;
        let shells = MySqlAdmin.shells(&url)?;
        assert!(!format!("{shells:?}").contains("hunter2"), "{shells:?}");
        let mariadb = shells.first().map(|shell| shell.arguments.join(" ")).unwrap_or_default();
        assert_eq!(
            mariadb,
            "--protocol=tcp --host=db.example --port=3307 --user=ann --ssl-verify-server-cert --database=blog"
        );
        assert!(shells.iter().all(|shell| shell.environment.iter().any(|(name, _)| *name == "MYSQL_PWD")));
        Ok(())
    }
}
