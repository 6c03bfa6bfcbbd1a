//! SQLite: every test on a database of its own, in a folder that goes with it.

mod beside;
mod dialect;
mod dropped;
mod errors;
mod locks;
mod migrations;
mod pool;
mod rebuilds;
mod removal;
mod schemas;
mod sessions;
mod transactions;
mod upkeep;
mod values;
mod workers;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Backend, Command, ConnectUrl, Connection, Flow, Outcome, Reuse, Row, adapter_for};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

/// A database in a file.
struct Place {
    folder: PathBuf,
    backend: Arc<dyn Backend>,
}

impl Place {
    fn new() -> Self {
        Place::with("")
    }

    /// With parameters of the URL.
    fn with(parameters: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("covet-sqlite-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let backend = open(&format!("sqlite://{}/test.db?{parameters}", folder.display())).unwrap();
        Place { folder, backend }
    }

    /// The same file through a backend of its own, as another process would have it.
    fn elsewhere(&self, parameters: &str) -> Arc<dyn Backend> {
        open(&format!("sqlite://{}/test.db?{parameters}", self.folder.display())).unwrap()
    }

    async fn connect(&self) -> Box<dyn Connection> {
        self.backend.connect().await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn open(url: &str) -> Result<Arc<dyn Backend>> {
    let url: ConnectUrl = url.parse()?;
    adapter_for(url.scheme())?.open(&url)
}

async fn memory() -> Box<dyn Connection> {
    open("sqlite::memory:").unwrap().connect().await.unwrap()
}

/// Runs a statement whose rows nobody wants.
async fn run(connection: &mut dyn Connection, sql: &str, values: &[Value]) -> Result<Outcome> {
    let args: Vec<&Value> = values.iter().collect();
    connection.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut ()).await
}

/// The rows of a statement, each column read as this type.
async fn rows(
    connection: &mut dyn Connection,
    sql: &str,
    values: &[Value],
    types: &[ColumnType],
) -> Result<Vec<Vec<Value>>> {
    let args: Vec<&Value> = values.iter().collect();
    let mut found = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        assert_eq!(row.len(), types.len());
        let values: Result<Vec<Value>> =
            types.iter().enumerate().map(|(index, ty)| Ok(row.value(index, ty)?.to_owned())).collect();
        found.push(values?);
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut take).await?;
    Ok(found)
}

/// The one number that a statement gives.
async fn number(connection: &mut dyn Connection, sql: &str) -> i64 {
    match rows(connection, sql, &[], &[ColumnType::I64]).await.unwrap().as_slice() {
        [row] => match row.as_slice() {
            [Value::Int(number)] => *number,
            other => panic!("{other:?}"),
        },
        other => panic!("{} rows", other.len()),
    }
}

/// The texts in the first column.
async fn texts(connection: &mut dyn Connection, sql: &str, values: &[Value]) -> Vec<String> {
    let found = rows(connection, sql, values, &[ColumnType::Text { max_len: None }]).await.unwrap();
    found
        .into_iter()
        .flatten()
        .map(|value| match value {
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error: Error| error.kind())
}
