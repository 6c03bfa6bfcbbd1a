//! PostgreSQL databases as a whole: created and dropped from another one, looked at, and talked to.

use std::path::Path;

use futures_util::{TryStreamExt as _, pin_mut};
use tokio_postgres::SimpleQueryMessage as Message;

use crate::catalog::ColumnType;
use crate::contract::{
    Admin, Answer, BoxFuture, Command, ConnectUrl, Connection, Facts, Finding, Others, Password, Reuse, Shell,
    TableFacts, scratch_name,
};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::connect::Target;
use crate::postgres::connection::PostgresConnection;
use crate::postgres::errors;
use crate::postgres::introspect::each;
use crate::render::ansi;

/// Administration of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct PostgresAdmin;

/// Databases that every server has, to create and drop others from.
const OTHERS: [&str; 2] = ["postgres", "template1"];

const SIZE: &str = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

const TABLES: &str = "\
SELECT c.relname::text, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END, pg_catalog.pg_total_relation_size(c.oid)
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p')
ORDER BY c.relname COLLATE \"C\"";

const STATE: &str = "\
SELECT current_schema()::text, current_user::text,
  coalesce(pg_catalog.has_schema_privilege(current_schema(), 'CREATE'), false),
  pg_catalog.current_setting('server_encoding'), pg_catalog.pg_is_in_recovery()";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

impl Admin for PostgresAdmin {
    fn example(&self, name: &str) -> String {
        format!("postgres://localhost/{name}")
    }

    fn name(&self, url: &ConnectUrl) -> Result<String> {
        named(&Target::of(url)?)
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
            let mut other = elsewhere(url).await?;
            let created = other.script(&format!("CREATE DATABASE {}", quoted(&name))).await;
            let created = match created {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            }?;
            Connection::close(Box::new(other)).await?;
            Ok(created)
        })
    }

    fn remove<'a>(&'a self, url: &'a ConnectUrl, others: Others) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let name = self.name(url)?;
            let force = if others == Others::Go { " WITH (FORCE)" } else { "" };
            let mut other = elsewhere(url).await?;
            let dropped = other.script(&format!("DROP DATABASE {}{force}", quoted(&name))).await;
            let dropped = match dropped {
                Ok(()) => Ok(true),
                Err(error) if error.code() == Some("3D000") => Ok(false),
                // Somebody uses it.
                Err(error) if error.code() == Some("55006") => {
                    Err(error.with_help("end the other sessions, or say that they are to be ended"))
                }
                Err(error) => Err(error),
            }?;
            Connection::close(Box::new(other)).await?;
            Ok(dropped)
        })
    }

    fn facts<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Facts>> {
        Box::pin(async move {
            let mut facts = Facts::default();
            each(connection, once(SIZE), |row| {
                facts.bytes = row.get::<Option<i64>>(0, &ColumnType::I64)?.and_then(|bytes| bytes.try_into().ok());
                Ok(())
            })
            .await?;
            each(connection, once(TABLES), |row| {
                let number = |found: Option<i64>| found.and_then(|number| number.try_into().ok());
                facts.tables.push(TableFacts {
                    name: row.get(0, &TEXT)?,
                    rows: number(row.get(1, &ColumnType::I64)?),
                    bytes: number(row.get(2, &ColumnType::I64)?),
                });
                Ok(())
            })
            .await?;
            Ok(facts)
        })
    }

    fn findings<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<Finding>>> {
        Box::pin(async move {
            let mut found = Vec::new();
            each(connection, once(STATE), |row| {
                let (schema, user): (Option<String>, String) = (row.get(0, &TEXT)?, row.get(1, &TEXT)?);
                let may_create: bool = row.get(2, &ColumnType::Bool)?;
                let encoding: String = row.get(3, &TEXT)?;
                let replica: bool = row.get(4, &ColumnType::Bool)?;
                match schema {
                    None => found.push(Finding::new(
                        "no schema of the search path exists, so that tables have no place to be",
                        "create the schema, or name another one with `schema` in the connection URL",
                    )),
                    Some(schema) if !may_create => found.push(Finding::new(
                        format!("the user {user} may not create tables in the schema {schema}"),
                        format!("GRANT CREATE ON SCHEMA {} TO {}", quoted(&schema), quoted(&user)),
                    )),
                    Some(_) => {}
                }
                if encoding != "UTF8" {
                    found.push(Finding::new(
                        format!("the database is encoded as {encoding}, which lacks most characters"),
                        "create it anew with ENCODING 'UTF8'",
                    ));
                }
                if replica {
                    found.push(Finding::new("the server is a standby, which takes no writes", "name the primary"));
                }
                Ok(())
            })
            .await?;
            Ok(found)
        })
    }

    fn ask<'a>(&'a self, url: &'a ConnectUrl, sql: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<Answer>>> {
        Box::pin(async move {
            let connection = PostgresConnection::open(&Target::of(url)?).await?;
            let mut answers = Vec::new();
            let mut answer = Answer::default();
            let messages = connection.client.simple_query_raw(sql).await.map_err(errors::statement)?;
            pin_mut!(messages);
            while let Some(message) = messages.try_next().await.map_err(errors::statement)? {
                match message {
                    Message::RowDescription(columns) => {
                        answer.columns = columns.iter().map(|column| column.name().to_owned()).collect();
                    }
                    Message::Row(row) => {
                        let cell = |index| row.try_get(index).ok().flatten().map(str::to_owned);
                        answer.take(most, || (0..row.len()).map(cell).collect());
                    }
                    Message::CommandComplete(rows) => {
                        if answer.columns.is_empty() {
                            answer.affected = rows;
                        }
                        answers.push(std::mem::take(&mut answer));
                    }
                    _ => {}
                }
            }
            Connection::close(Box::new(connection)).await?;
            Ok(answers)
        })
    }

    fn explain(&self, statement: &str) -> String {
        // A statement that begins with ANALYZE would run.
        format!("BEGIN READ ONLY; EXPLAIN {statement}; ROLLBACK")
    }

    fn shells(&self, url: &ConnectUrl) -> Result<Vec<Shell>> {
        let mut environment = Target::of(url)?.environment();
        let mut parameters = url.parameters();
        for (parameter, variable) in [
            ("sslrootcert", "PGSSLROOTCERT"),
            ("sslcert", "PGSSLCERT"),
            ("sslkey", "PGSSLKEY"),
            ("options", "PGOPTIONS"),
            ("connect_timeout", "PGCONNECT_TIMEOUT"),
            ("channel_binding", "PGCHANNELBINDING"),
            ("target_session_attrs", "PGTARGETSESSIONATTRS"),
        ] {
            if let Some(value) = parameters.take(parameter) {
                environment.push((variable, Password::new(value)));
            }
        }
        Ok(vec![Shell { program: "psql", arguments: Vec::new(), environment }])
    }
}

/// The name of the database that the URL names.
fn named(target: &Target) -> Result<String> {
    target.database().map(str::to_owned).ok_or_else(|| {
        Error::new(ErrorKind::Config, "the connection URL names no database")
            .with_help("write postgres://user@host/database")
    })
}

/// A session in a database of the server that is not the one of the URL.
async fn elsewhere(url: &ConnectUrl) -> Result<PostgresConnection> {
    let target = Target::of(url)?;
    let name = named(&target)?;
    let mut last = None;
    for other in OTHERS.iter().filter(|other| **other != name) {
        match PostgresConnection::open(&Target::of(url)?.within(other)).await {
            Err(error) if matches!(error.kind(), ErrorKind::UnknownDatabase | ErrorKind::Permission) => {
                last = Some(error);
            }
            other => return other,
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::UnknownDatabase, "the server has no database to begin with")))
}

fn quoted(name: &str) -> String {
    let mut out = String::new();
    ansi::identifier(name, &mut out);
    out
}

fn once(sql: &str) -> Command<'_> {
    Command { sql, args: &[], reuse: Reuse::Once }
}

#[cfg(test)]
mod tests {
    use super::PostgresAdmin;
    use crate::contract::Admin as _;
    use crate::error::Result;

    #[test]
    fn no_argument_holds_a_password() -> Result<()> {
        let url = "postgres://ann:hunter2@db.example:5433/blog?schema=a".parse()?;
        let shells = PostgresAdmin.shells(&url)?;
        assert!(!format!("{shells:?}").contains("hunter2"), "{shells:?}");
        let environment: Vec<(&str, &str)> =
            shells.iter().flat_map(|shell| &shell.environment).map(|(name, value)| (*name, value.reveal())).collect();
        for wanted in [
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "ann"),
            ("PGPASSWORD", "hunter2"),
            ("PGDATABASE", "blog"),
            ("PGSSLMODE", "verify-full"),
        ] {
            assert!(environment.contains(&wanted), "{wanted:?} is not in {environment:?}");
        }
        Ok(())
    }

    #[test]
    fn the_database_is_known_by_its_name() -> Result<()> {
        for (url, name) in [
            ("postgres://ann@h/blog?insecure=plaintext", "blog"),
            ("postgres:///?host=/run/pg&dbname=shop", "shop"),
            ("postgres:///?host=/run/pg&user=ann", "ann"),
        ] {
            assert_eq!(PostgresAdmin.name(&url.parse()?)?, name);
        }
        assert!(PostgresAdmin.name(&"postgres:///?host=/run/pg".parse()?).is_err());
        Ok(())
    }
}
