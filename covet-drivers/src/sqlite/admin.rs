//! SQLite databases as a whole, which are files: created, removed, looked at, and talked to.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef as Stored;

use crate::catalog::ColumnType;
use crate::contract::{
    Admin, Answer, BoxFuture, Command, ConnectUrl, Connection, Facts, Finding, Flow, Others, Reuse, Row, Shell,
    TableFacts, TransactionOptions, bytes_as_text, scratch_name,
};
use crate::error::{Error, ErrorKind, Result};
use crate::render::ansi;
use crate::sql::split;
use crate::sqlite::connect::Options;
use crate::sqlite::dialect::QUOTING;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::thread::aside;

/// Administration of SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteAdmin;

/// The files beside a database that belong to it.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

const TEXT: ColumnType = ColumnType::Text { max_len: None };

impl Admin for SqliteAdmin {
    fn example(&self, name: &str) -> String {
        format!("sqlite:{name}.db")
    }

    fn name(&self, url: &ConnectUrl) -> Result<String> {
        let file = file(url)?;
        Ok(file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned())
    }

    fn existing(&self, url: &ConnectUrl) -> ConnectUrl {
        if url.path() == ":memory:" { url.clone() } else { url.with_parameter("mode", "rw") }
    }

    fn written_in(&self, url: &ConnectUrl, folder: &Path) -> ConnectUrl {
        match file(url) {
            Ok(file) if file.is_relative() => {
                url.with_database(folder.join(file).display().to_string().trim_start_matches('/'))
            }
            _ => url.clone(),
        }
    }

    fn scratch(&self, near: Option<&ConnectUrl>) -> Option<ConnectUrl> {
        match near {
            None => "sqlite::memory:".parse().ok(),
            // A file, because a database in memory is not quite the same.
            Some(_) => {
                let file = std::env::temp_dir().join(format!("{}.db", scratch_name("trial")));
                format!("sqlite://{}", file.display()).parse().ok()
            }
        }
    }

    fn create<'a>(&'a self, url: &'a ConnectUrl) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let file = file(url)?;
            let options = Options::read(url)?;
            aside(move || {
                if file.exists() {
                    // That it is a database is said before it is called one.
                    open(&options)?;
                    return Ok(false);
                }
                if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    std::fs::create_dir_all(folder).map_err(|error| failed("create", folder, error))?;
                }
                open(&options).map(|_| true)
            })
            .await?
        })
    }

    fn remove<'a>(&'a self, url: &'a ConnectUrl, _: Others) -> BoxFuture<'a, Result<bool>> {
        // Nobody can be made to let go of a file.
        Box::pin(async move {
            let file = file(url)?;
            if !file.exists() {
                return Ok(false);
            }
            let options = Options::read(url)?;
            if options.reads_only() {
                let message =
                    format!("{} is not removed: mode=ro in its URL allows no more than to read", file.display());
                return Err(Error::new(ErrorKind::Config, message).with_help("leave `mode=ro` out"));
            }
            let alone = options.alone();
            let wait = alone.busy_timeout;
            aside(move || {
                let db = alone.open()?;
                alone.set_up(&db).map_err(|stop| in_use(&file, stop))?;
                db.busy_timeout(wait).map_err(errors::plain)?;
                // Without such a log, those can be seen who are in a transaction; the others hold nothing.
                db.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").map_err(|error| in_use(&file, errors::stop(error)))?;
                db.close().map_err(|(_, error)| errors::plain(error))?;
                remove(&file)?;
                for end in BESIDE {
                    let mut beside = file.clone().into_os_string();
                    beside.push(end);
                    remove(Path::new(&beside))?;
                }
                Ok(true)
            })
            .await?
        })
    }

    fn facts<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Facts>> {
        Box::pin(async move {
            let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
            let bytes = number(connection, size).await?;
            let mut names: Vec<String> = Vec::new();
            let mut take = |row: &mut Row<'_>| {
                names.push(row.get(0, &TEXT)?);
                Ok(Flow::Continue)
            };
            let list = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";
            connection.run(Command { sql: list, args: &[], reuse: Reuse::Once }, &mut take).await?;
            let mut facts = Facts { bytes, tables: Vec::new() };
            for name in names {
                let mut count = String::from("SELECT count(*) FROM ");
                ansi::identifier(&name, &mut count);
                let rows = number(connection, &count).await?;
                facts.tables.push(TableFacts { name, rows, bytes: None });
            }
            Ok(facts)
        })
    }

    fn findings<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<Finding>>> {
        Box::pin(async move {
            // A transaction that writes begins with the lock, and changes nothing.
            let begun = match connection.begin(&TransactionOptions::default()).await {
                Ok(()) => connection.rollback().await,
                Err(error) => Err(error),
            };
            match begun {
                Ok(()) => Ok(Vec::new()),
                Err(error) if error.kind() == ErrorKind::ReadOnly => Ok(vec![Finding::new(
                    "the file cannot be written",
                    "give the user the right to write the file and its folder",
                )]),
                Err(error) if error.kind() == ErrorKind::LockTimeout => Ok(vec![Finding::new(
                    "another process is in a transaction that writes",
                    "end it, or wait: migrations need the lock for themselves",
                )]),
                Err(error) => Err(error),
            }
        })
    }

    fn ask<'a>(&'a self, url: &'a ConnectUrl, sql: &'a str, most: usize) -> BoxFuture<'a, Result<Vec<Answer>>> {
        Box::pin(async move {
            let options = Options::read(url)?;
            let statements: Vec<String> = split(sql, QUOTING)?.into_iter().map(str::to_owned).collect();
            aside(move || {
                let db = open(&options)?;
                statements.iter().map(|statement| one(&db, statement, most)).collect()
            })
            .await?
        })
    }

    fn explain(&self, statement: &str) -> String {
        format!("EXPLAIN QUERY PLAN {statement}")
    }

    fn shells(&self, url: &ConnectUrl) -> Result<Vec<Shell>> {
        let file = file(url)?.display().to_string();
        // A name must not look like an option.
        let file = if file.starts_with('-') { format!("./{file}") } else { file };
        let mut arguments = Vec::new();
        if url.parameters().take("mode").as_deref() == Some("ro") {
            arguments.push("-readonly".to_owned());
        }
        arguments.push(file);
        Ok(vec![Shell { program: "sqlite3", arguments, environment: Vec::new() }])
    }
}

/// The file of the database.
fn file(url: &ConnectUrl) -> Result<PathBuf> {
    match url.path() {
        ":memory:" => Err(Error::new(ErrorKind::Config, "a database in memory is there only as long as its program")
            .with_help("name a file: sqlite:blog.db")),
        "" => Err(Error::new(ErrorKind::Config, "the connection URL names no database file")
            .with_help("write for example sqlite:blog.db")),
        path => Ok(PathBuf::from(path)),
    }
}

/// Opens the database and sets it up, waiting for locks on this thread.
fn open(options: &Options) -> Result<rusqlite::Connection> {
    let db = options.open()?;
    let until = std::time::Instant::now() + options.busy_timeout;
    loop {
        match options.set_up(&db) {
            Ok(()) => break,
            Err(Stop::Busy(_)) if std::time::Instant::now() < until => {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Err(Stop::Busy(error) | Stop::Error(error)) => return Err(error),
            Err(Stop::Turn | Stop::Long) => {
                return Err(Error::new(ErrorKind::LockTimeout, "the database could not be set up"));
            }
        }
    }
    db.busy_timeout(options.busy_timeout).map_err(errors::plain)?;
    Ok(db)
}

fn in_use(file: &Path, stop: Stop) -> Error {
    match stop {
        Stop::Error(error) if error.kind() != ErrorKind::Config => error,
        _ => Error::new(ErrorKind::LockTimeout, format!("{} is in use by another process", file.display()))
            .with_help("end it, and try again"),
    }
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != Io::NotFound => Err(failed("remove", file, error)),
        _ => Ok(()),
    }
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {what} {}: {error}", path.display())).with_source(error)
}

async fn number(connection: &mut dyn Connection, sql: &str) -> Result<Option<u64>> {
    let mut found = None;
    let mut take = |row: &mut Row<'_>| {
        found = u64::try_from(row.get::<i64>(0, &ColumnType::I64)?).ok();
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}

fn one(db: &rusqlite::Connection, statement: &str, most: usize) -> Result<Answer> {
    let before = db.total_changes();
    let mut prepared = db.prepare(statement).map_err(errors::plain)?;
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let mut answer = Answer { columns, ..Answer::default() };
    let mut rows = prepared.query([]).map_err(errors::plain)?;
    while let Some(row) = rows.next().map_err(errors::plain)? {
        answer.take(most, || (0..width).map(|index| row.get_ref(index).ok().and_then(text)).collect());
    }
    answer.affected = db.total_changes().saturating_sub(before);
    Ok(answer)
}

fn text(value: Stored<'_>) -> Option<String> {
    match value {
        Stored::Null => None,
        Stored::Integer(number) => Some(number.to_string()),
        // As SQLite writes it: with a point, so that it is not taken for an integer.
        Stored::Real(number) => Some(format!("{number:?}")),
        Stored::Text(bytes) | Stored::Blob(bytes) => Some(bytes_as_text(bytes)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::SqliteAdmin;
    use crate::contract::{Admin as _, ConnectUrl, Others};
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn a_file_comes_is_asked_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/a.db");
        let url: ConnectUrl = format!("sqlite://{}", file.display()).parse().unwrap();
        assert_eq!(SqliteAdmin.name(&url).unwrap(), "a.db");
        let seen: ConnectUrl = "sqlite:deep/a.db?busy_timeout=7".parse().unwrap();
        assert_eq!(SqliteAdmin.written_in(&seen, folder.path()).path(), url.path());
        assert_eq!(SqliteAdmin.written_in(&url, folder.path()), url);
        assert!(!SqliteAdmin.remove(&url, Others::Stay).await.unwrap());
        let missing = SqliteAdmin.ask(&SqliteAdmin.existing(&url), "SELECT 1", 1).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Unreachable);
        assert!(!file.exists());
        assert!(SqliteAdmin.create(&url).await.unwrap());
        assert!(!SqliteAdmin.create(&url).await.unwrap());
        let sql = "CREATE TABLE t (a TEXT, b REAL); INSERT INTO t VALUES ('x;y', 1), (NULL, 2.5); SELECT * FROM t";
        let answers = SqliteAdmin.ask(&url, sql, 1).await.unwrap();
        assert_eq!(answers.len(), 3);
        assert_eq!(answers[1].affected, 2);
        assert_eq!((answers[2].columns.join(","), answers[2].found), ("a,b".to_owned(), 2));
        assert_eq!(answers[2].rows, [[Some("x;y".to_owned()), Some("1.0".to_owned())]]);
        assert!(SqliteAdmin.remove(&url, Others::Stay).await.unwrap());
        assert_eq!(std::fs::read_dir(folder.path().join("deep")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_in_use_or_no_database_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let url: ConnectUrl = format!("sqlite://{}?busy_timeout=50", file.display()).parse().unwrap();
        SqliteAdmin.create(&url).await.unwrap();
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch("BEGIN; SELECT * FROM sqlite_schema").unwrap();
        let error = SqliteAdmin.remove(&url, Others::Stay).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
        drop(other);
        std::fs::write(&file, "a text that somebody needs, and no database at all").unwrap();
        let error = SqliteAdmin.remove(&url, Others::Stay).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(file.exists());
        assert!(SqliteAdmin.create(&url).await.is_err());
    }
}
