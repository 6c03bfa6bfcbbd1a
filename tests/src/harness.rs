//! One case, every database: each run gets a database of its own, made and dropped here.
//!
//! The servers are those of `cargo xtask test`, named by `COVET_TEST_POSTGRES` and
//! `COVET_TEST_MYSQL`; without them only SQLite runs, and that is said aloud.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use covet_drivers::catalog::Schema;
use covet_drivers::contract::Command;
use covet_drivers::contract::Reuse;
use covet_orm::schema::{Diff, Models, diff, schema_of};
use covet_orm::{Db, DbOptions};

/// What a case gives.
pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The databases that every case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Embedded, in a file of a temporary folder.
    Sqlite,
    /// A private server.
    Postgres,
    /// A private server; MariaDB.
    Mysql,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Sqlite, Kind::Postgres, Kind::Mysql];

    /// The name, as in `COVET_TEST_REQUIRE` and in migration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::Mysql => "mysql",
        }
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            Kind::Sqlite => None,
            Kind::Postgres => Some("COVET_TEST_POSTGRES"),
            Kind::Mysql => Some("COVET_TEST_MYSQL"),
        }
    }
}

/// The URL of a database that is there for one test, and goes with this value.
#[derive(Debug)]
pub struct Url {
    /// The database's kind.
    pub kind: Kind,
    /// The URL.
    pub url: String,
    server: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Url {
    /// A new, empty database; `None` when its server is not there.
    ///
    /// # Panics
    /// When the server is not there although `COVET_TEST_REQUIRE` names it, or refuses.
    pub async fn fresh(kind: Kind) -> Option<Url> {
        let Some(variable) = kind.variable() else {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            return Some(Url { kind, url, server: None, _folder: Some(folder) });
        };
        let Ok(server) = std::env::var(variable) else {
            absent(kind, variable);
            return None;
        };
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("covet_t_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        administer(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (base, _) = base.rsplit_once('/').expect("a URL with a database");
        let url = format!("{base}/{name}?{parameters}");
        Some(Url { kind, url, server: Some((server, name)), _folder: None })
    }

    /// Drops the database. A test that fails leaves it to the server's own end.
    pub async fn drop_database(self) {
        if let Some((server, name)) = &self.server {
            let force = if self.kind == Kind::Postgres { " WITH (FORCE)" } else { "" };
            administer(server, &format!("DROP DATABASE {name}{force}")).await;
        }
    }
}

async fn administer(server: &str, sql: &str) {
    let db = Db::connect_with(server, DbOptions::new().max_connections(1)).await.expect("the test server answers");
    let mut connection = db.acquire().await.expect("a connection");
    connection.script(sql).await.expect("the test user may create and drop databases");
}

/// Whether the long form of the tests is asked for that have one.
#[must_use]
pub fn torture() -> bool {
    std::env::var("COVET_TORTURE").is_ok_and(|value| value == "1")
}

/// Which servers are there.
#[must_use]
pub fn servers() -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| kind.variable().is_none_or(|name| std::env::var(name).is_ok())).collect()
}

fn absent(kind: Kind, variable: &str) {
    let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name == kind.name()),
        "{variable} is not set, and COVET_TEST_REQUIRE names {}",
        kind.name()
    );
    static SAID: Mutex<Option<HashSet<Kind>>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(kind) {
        // Written past the test runner's capture: what is left out must be seen.
        let line = format!(
            "\nLEFT OUT: every test on {} ({variable} is not set; `cargo xtask test` starts the servers)\n",
            kind.name()
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// A database with the tables of the shared models.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    url: Url,
}

impl TestDb {
    /// The kind of database.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.url.kind
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url.url
    }

    /// Runs raw text, as a user of another tool would.
    ///
    /// # Errors
    /// The database's.
    pub async fn raw(&self, sql: &str) -> covet_orm::Result<()> {
        self.db.acquire().await?.script(sql).await
    }

    /// The rows of a raw select, each column as text.
    ///
    /// # Errors
    /// The database's.
    pub async fn raw_rows(&self, sql: &str) -> covet_orm::Result<Vec<Vec<Option<String>>>> {
        use covet_drivers::catalog::ColumnType;
        use covet_drivers::contract::{Flow, Row};
        let mut rows = Vec::new();
        let mut connection = self.db.acquire().await?;
        let text = ColumnType::Text { max_len: None };
        connection
            .run(Command { sql, args: &[], reuse: Reuse::Once }, &mut |row: &mut Row<'_>| {
                rows.push((0..row.len()).map(|i| row.get::<Option<String>>(i, &text)).collect::<Result<_, _>>()?);
                Ok(Flow::Continue)
            })
            .await?;
        Ok(rows)
    }
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Runs a case on one database: with the shared models' tables, made as a migration would make them.
///
/// # Panics
/// When the case fails.
pub fn run<F>(kind: Kind, case: F)
where
    F: for<'a> FnOnce(&'a TestDb) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let Some(url) = Url::fresh(kind).await else { return };
        let db = Db::connect(&url.url).await.expect("connects");
        create_all(&db).await;
        let test = TestDb { db, url };
        if let Err(error) = case(&test).await {
            panic!("on {}: {error}\n{error:?}", kind.name());
        }
        let TestDb { db, url } = test;
        db.close();
        drop(db);
        url.drop_database().await;
    });
}

/// Makes the tables of all models, by the statements that their first migration would have.
///
/// # Panics
/// When they cannot be made.
pub async fn create_all(db: &Db) {
    create(db, &Models::registered()).await;
}

/// Makes the tables of models, by the statements that their first migration would have.
///
/// # Panics
/// When they cannot be made.
pub async fn create(db: &Db, models: &Models) {
    let schema = schema_of(models).expect("the models agree");
    let nothing = Schema::default();
    let Diff::Changes(changes) = diff(&nothing, &schema, &[]).expect("a first schema can be made") else {
        panic!("a first schema needs no decision")
    };
    let ddl = db.backend().ddl();
    ddl.check(&schema).expect("the database can hold the models");
    let steps = ddl.plan(&changes, &nothing, &schema).expect("the tables can be planned");
    let mut connection = db.acquire().await.expect("a connection");
    for step in steps.iter().filter(|step| !step.guard) {
        connection.script(&step.sql).await.unwrap_or_else(|error| panic!("{error}\n{}", step.sql));
    }
}

/// Makes of each function three tests: `name::sqlite`, `name::postgres`, `name::mysql`.
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: &TestDb) -> Outcome $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn case($db: &$crate::TestDb) -> $crate::Outcome $body

            #[test]
            fn sqlite() {
                $crate::run($crate::Kind::Sqlite, |db| Box::pin(case(db)));
            }

            #[test]
            fn postgres() {
                $crate::run($crate::Kind::Postgres, |db| Box::pin(case(db)));
            }

            #[test]
            fn mysql() {
                $crate::run($crate::Kind::Mysql, |db| Box::pin(case(db)));
            }
        }
    )*};
}

/// As [`on_each_database!`], without SQLite, which has no server and no network.
#[macro_export]
macro_rules! on_each_server {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: &TestDb) -> Outcome $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn case($db: &$crate::TestDb) -> $crate::Outcome $body

            #[test]
            fn postgres() {
                $crate::run($crate::Kind::Postgres, |db| Box::pin(case(db)));
            }

            #[test]
            fn mysql() {
                $crate::run($crate::Kind::Mysql, |db| Box::pin(case(db)));
            }
        }
    )*};
}

/// Tests of what only PostgreSQL has: one test of each function.
#[macro_export]
macro_rules! on_postgres {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: &TestDb) -> Outcome $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            async fn case($db: &$crate::TestDb) -> $crate::Outcome $body
            $crate::run($crate::Kind::Postgres, |db| Box::pin(case(db)));
        }
    )*};
}
