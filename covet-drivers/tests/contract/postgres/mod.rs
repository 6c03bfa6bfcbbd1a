//! PostgreSQL: every test in a database of its own, which goes with it.

mod beside;
mod bulk;
mod dialect;
mod dropped;
mod errors;
mod listen;
mod opening;
mod proxy;
mod rain;
mod scram;
mod sessions;
#[cfg(feature = "conformance")]
mod suite;
mod tables;
mod tls;
mod transactions;
mod two_phase;
mod types;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Backend, Command, ConnectUrl, Connection, Flow, Outcome, Reuse, Row, adapter_for};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

/// A database, and the way to it.
pub(crate) struct Place {
    url: String,
    name: String,
}

impl Place {
    /// A new database; `None` when there is no server for tests.
    pub(crate) async fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let url = server()?;
        let name = format!("covet_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = open(&url).unwrap().connect().await.unwrap();
        connection.script(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        Some(Place { url, name })
    }

    /// The URL with this database and more parameters.
    pub(crate) fn url(&self, parameters: &str) -> String {
        let (server, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let server = server.rsplit_once('/').unwrap().0;
        // What is asked for here takes the place of what the server's own URL says.
        let kept = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !parameters.split('&').any(|other| other.split('=').next() == Some(name))
        });
        let query: Vec<&str> = kept.chain((!parameters.is_empty()).then_some(parameters)).collect();
        format!("{server}/{}?{}", self.name, query.join("&"))
    }

    fn with(&self, parameters: &str) -> Arc<dyn Backend> {
        open(&self.url(parameters)).unwrap()
    }

    /// The URL by way of a proxy that behaves so.
    async fn by_proxy(&self, behaviour: proxy::Behaviour, parameters: &str) -> String {
        let url = self.url(parameters);
        let (login, rest) = url.split_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let proxy = proxy::start(server.parse().unwrap(), behaviour).await;
        format!("{login}@{proxy}/{rest}")
    }

    pub(crate) async fn connect(&self) -> Box<dyn Connection> {
        self.with("").connect().await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.name.clone());
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let connection = open(&url).ok()?.connect().await;
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                connection.ok()?.script(&sql).await.ok()
            });
            Ok::<_, std::io::Error>(())
        });
        let _ = gone.join();
    }
}

/// The server for tests. That there is none is said loudly, and an error where one is required.
fn server() -> Option<String> {
    let url = std::env::var("COVET_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
        assert!(
            !required.contains("postgres"),
            "COVET_TEST_REQUIRE wants PostgreSQL, and COVET_TEST_POSTGRES is not set"
        );
        eprintln!("LEFT OUT: COVET_TEST_POSTGRES is not set, so this test did not run");
    }
    url
}

fn open(url: &str) -> Result<Arc<dyn Backend>> {
    let url: ConnectUrl = url.parse()?;
    adapter_for(url.scheme())?.open(&url)
}

async fn run(connection: &mut dyn Connection, sql: &str, args: &[Value]) -> Result<Outcome> {
    let args: Vec<&Value> = args.iter().collect();
    connection.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut ()).await
}

/// All rows, read as these types.
async fn rows(
    connection: &mut dyn Connection,
    sql: &str,
    args: &[Value],
    types: &[ColumnType],
) -> Result<Vec<Vec<Value>>> {
    let args: Vec<&Value> = args.iter().collect();
    let mut found = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        let values: Result<Vec<Value>> =
            types.iter().enumerate().map(|(index, ty)| row.value(index, ty).map(|value| value.to_owned())).collect();
        found.push(values?);
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut sink).await?;
    Ok(found)
}

/// The one value of the one row.
async fn one(connection: &mut dyn Connection, sql: &str, ty: ColumnType) -> Value {
    rows(connection, sql, &[], &[ty]).await.unwrap().remove(0).remove(0)
}

async fn number(connection: &mut dyn Connection, sql: &str) -> i64 {
    match one(connection, sql, ColumnType::I64).await {
        Value::Int(number) => number,
        other => panic!("{other:?}"),
    }
}

async fn text(connection: &mut dyn Connection, sql: &str) -> String {
    match one(connection, sql, ColumnType::Text { max_len: None }).await {
        Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().as_ref().map(Error::kind)
}
