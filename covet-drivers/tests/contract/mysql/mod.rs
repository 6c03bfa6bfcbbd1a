//! MySQL and MariaDB, against a real server: `COVET_TEST_MYSQL` is its URL.

mod beside;
mod bodies;
mod ddl;
mod dialect;
mod failures;
mod sessions;
#[cfg(feature = "conformance")]
mod suite;
mod tls;
mod transactions;
mod two_phase;
mod values;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use covet_drivers::Result;
use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{
    Adapter, Backend, Command, ConnectUrl, Connection, ConnectionState, Flow, Outcome, Reuse, Row,
};
use covet_drivers::mysql::MySql;
use covet_drivers::value::Value;
use futures_util::FutureExt as _;

/// A database of the test's own.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) url: ConnectUrl,
    pub(crate) text: String,
}

/// Runs a test in a new database, and drops it whatever happens.
pub(crate) fn on_mysql<F, Fut>(test: F)
where
    F: FnOnce(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(text) = server() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let admin: ConnectUrl = text.parse().unwrap();
        let name = format!("covet_t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut root = MySql.open(&admin).unwrap().connect().await.unwrap();
        root.script(&format!("CREATE DATABASE `{name}`")).await.unwrap();
        let db = Db { url: admin.with_database(&name), text };
        let result = AssertUnwindSafe(test(db)).catch_unwind().await;
        root.script(&format!("DROP DATABASE `{name}`")).await.unwrap();
        root.close().await.unwrap();
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    });
}

/// The server for tests. That there is none is said loudly, and an error where one is required.
fn server() -> Option<String> {
    let url = std::env::var("COVET_TEST_MYSQL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        assert!(
            !std::env::var("COVET_TEST_REQUIRE").is_ok_and(|required| required.contains("mysql")),
            "COVET_TEST_MYSQL is not set"
        );
        eprintln!("LEFT OUT: COVET_TEST_MYSQL is not set, so MySQL and MariaDB are not tested");
    }
    url
}

impl Db {
    pub(crate) fn backend(&self) -> Arc<dyn Backend> {
        MySql.open(&self.url).unwrap()
    }

    pub(crate) async fn connect(&self) -> Box<dyn Connection> {
        self.backend().connect().await.unwrap()
    }

    /// The same database with more parameters in its URL.
    pub(crate) fn with(&self, parameters: &str) -> Db {
        let (front, back) = self.text.split_once('?').unwrap_or((&self.text, ""));
        let text = format!("{front}?{back}&{parameters}");
        let url: ConnectUrl = text.parse().unwrap();
        Db { url: url.with_database(self.url.database().unwrap()), text }
    }
}

/// Runs a statement whose rows nobody wants.
pub(crate) async fn exec(conn: &mut dyn Connection, sql: &str, args: &[Value]) -> Result<Outcome> {
    let args: Vec<&Value> = args.iter().collect();
    conn.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut ()).await
}

/// Runs a statement and collects its rows.
pub(crate) async fn query(
    conn: &mut dyn Connection,
    sql: &str,
    args: &[Value],
    types: &[ColumnType],
) -> Result<Vec<Vec<Value>>> {
    let args: Vec<&Value> = args.iter().collect();
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        let mut cells = Vec::new();
        for (index, ty) in types.iter().enumerate() {
            cells.push(row.value(index, ty)?.to_owned());
        }
        rows.push(cells);
        Ok(Flow::Continue)
    };
    conn.run(Command { sql, args: &args, reuse: Reuse::Keep }, &mut sink).await?;
    Ok(rows)
}

/// One integer.
pub(crate) async fn number(conn: &mut dyn Connection, sql: &str) -> i64 {
    match query(conn, sql, &[], &[ColumnType::I64]).await.unwrap().remove(0).remove(0) {
        Value::Int(n) => n,
        Value::UInt(n) => i64::try_from(n).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn idle(conn: &dyn Connection) -> bool {
    conn.state() == ConnectionState::Idle
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}
