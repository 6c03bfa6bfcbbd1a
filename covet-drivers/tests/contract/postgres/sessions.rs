//! Sessions: set up, reset, prepared statements, locks.

use std::time::Duration;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, ConnectionState as State, Reuse};
use covet_drivers::value::Value;
use covet_drivers::{ErrorKind, Result};

use crate::postgres::{Place, kind, number, open, rows, run, text};

#[tokio::test]
async fn set_up_as_promised_and_again_after_a_reset() {
    let Some(place) = Place::new().await else { return };
    place.connect().await.script("CREATE SCHEMA \"a \"\"b\"").await.unwrap();
    let backend = place.with("schema=a%20%22b&application_name=tests%20of%20covet&options=-c%20work_mem%3D5MB");
    let mut connection = backend.connect().await.unwrap();
    let c = connection.as_mut();
    for _ in 0..2 {
        for (name, value) in [
            ("TimeZone", "UTC"),
            ("standard_conforming_strings", "on"),
            ("search_path", "\"a \"\"b\""),
            ("application_name", "tests of covet"),
            ("work_mem", "5MB"),
        ] {
            assert_eq!(text(c, &format!("SELECT current_setting('{name}')")).await, value);
        }
        c.script("SET TimeZone = 'Asia/Tokyo'; SET search_path = public; SET work_mem = '9MB'").await.unwrap();
        assert!(c.is_dirty());
        c.reset().await.unwrap();
        assert!(!c.is_dirty());
    }
    assert_eq!(c.server().product, "PostgreSQL");
    assert!(c.capabilities().transactional_ddl);
}

#[tokio::test]
async fn nothing_of_a_borrower_is_left_after_a_reset() {
    let Some(place) = Place::new().await else { return };
    let (mut connection, mut other) = (place.connect().await, place.connect().await);
    let c = connection.as_mut();
    c.script(
        "CREATE TABLE kept (id int); CREATE ROLE nobody_of_covet; CREATE SEQUENCE s; SELECT nextval('s');
         CREATE TEMP TABLE canary (id int); SELECT pg_advisory_lock(77); LISTEN canary;
         SET ROLE nobody_of_covet; SET work_mem = '9MB'",
    )
    .await
    .unwrap();
    run(c, "BEGIN", &[]).await.unwrap();
    c.reset().await.unwrap();
    assert_eq!(text(c, "SELECT current_user::text").await, text(c, "SELECT session_user::text").await);
    assert_eq!(number(c, "SELECT count(*) FROM pg_listening_channels()").await, 0);
    assert_eq!(kind(run(c, "SELECT * FROM canary", &[]).await), Some(ErrorKind::UndefinedTable));
    assert_eq!(
        number(other.as_mut(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77").await,
        0
    );
    assert!(run(c, "SELECT lastval()", &[]).await.is_err());
    c.script("DROP ROLE nobody_of_covet").await.unwrap();
}

#[tokio::test]
async fn only_what_may_leave_traces_makes_dirty() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int)").await.unwrap();
    c.reset().await.unwrap();
    run(c, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    run(c, "SELECT * FROM t", &[]).await.unwrap();
    c.run(Command { sql: "INSERT INTO t VALUES (1), (2)", args: &[], reuse: Reuse::Once }, &mut ()).await.unwrap();
    assert!(!c.is_dirty());
    run(c, "SELECT set_config('work_mem', '9MB', false)", &[]).await.unwrap();
    assert!(c.is_dirty());
    c.reset().await.unwrap();
    c.run(Command { sql: "SELECT 1", args: &[], reuse: Reuse::Once }, &mut ()).await.unwrap();
    assert!(c.is_dirty());
}

#[tokio::test]
async fn prepared_statements_are_kept_and_bounded() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.with("statement_cache_size=5").connect().await.unwrap();
    let c = connection.as_mut();
    let prepared = "SELECT count(*) FROM pg_prepared_statements";
    for n in 0..50 {
        assert_eq!(number(c, &format!("SELECT {n}::bigint")).await, n);
        assert!(number(c, prepared).await <= 5);
    }
    // Used again and again, it is not the one that goes.
    assert_eq!(number(c, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%count%'").await, 2);
    for n in 0..20 {
        let sql = format!("SELECT {n}, 'once'");
        c.run(Command { sql: &sql, args: &[], reuse: Reuse::Once }, &mut ()).await.unwrap();
    }
    assert_eq!(number(c, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%''once'''").await, 0);
    let mut connection = place.with("statement_cache_size=0").connect().await.unwrap();
    assert_eq!(number(connection.as_mut(), prepared).await, 1);
    assert_eq!(number(connection.as_mut(), prepared).await, 1);
}

#[tokio::test]
async fn stale_statements_are_prepared_anew() {
    let Some(place) = Place::new().await else { return };
    let (mut connection, mut other) = (place.connect().await, place.connect().await);
    let c = connection.as_mut();
    let all = "SELECT * FROM t";
    let insert = "INSERT INTO t (id) VALUES ($1)";
    c.script("CREATE TABLE t (id smallint)").await.unwrap();
    run(c, insert, &[Value::Int(1)]).await.unwrap();
    run(c, all, &[]).await.unwrap();
    other.script("ALTER TABLE t ADD COLUMN n int").await.unwrap();
    run(c, all, &[]).await.unwrap();
    // The range of the parameter's type has grown.
    other.script("ALTER TABLE t ALTER COLUMN id TYPE bigint").await.unwrap();
    run(c, insert, &[Value::Int(1 << 40)]).await.unwrap();
    other.script("ALTER TABLE t ALTER COLUMN id TYPE text").await.unwrap();
    run(c, insert, &[Value::Text("a".into())]).await.unwrap();
    run(c, "DEALLOCATE ALL", &[]).await.unwrap();
    run(c, insert, &[Value::Text("b".into())]).await.unwrap();
    // In a transaction it fails, and the next one works.
    run(c, all, &[]).await.unwrap();
    other.script("ALTER TABLE t ADD COLUMN m int").await.unwrap();
    c.begin(&Default::default()).await.unwrap();
    assert!(run(c, all, &[]).await.is_err());
    assert_eq!(c.state(), State::Failed);
    c.rollback().await.unwrap();
    c.begin(&Default::default()).await.unwrap();
    run(c, all, &[]).await.unwrap();
    c.commit().await.unwrap();
}

#[tokio::test]
async fn counts_are_of_rows_that_changed() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    for (sql, affected) in [
        ("CREATE TABLE t (id int)", 0),
        ("INSERT INTO t VALUES (1), (2), (3)", 3),
        ("UPDATE t SET id = id", 3),
        ("UPDATE t SET id = 9 WHERE id = 1 RETURNING id", 1),
        ("SELECT * FROM t", 0),
        ("DELETE FROM t WHERE id > 100", 0),
        ("DELETE FROM t", 3),
    ] {
        assert_eq!(run(c, sql, &[]).await.unwrap().affected, affected, "{sql}");
    }
}

#[tokio::test]
async fn one_runner_at_a_time() {
    let Some(place) = Place::new().await else { return };
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.lock("migrations", Duration::ZERO).await.unwrap();
    assert!(one.is_dirty());
    let began = std::time::Instant::now();
    let late = two.lock("migrations", Duration::from_millis(200)).await;
    assert_eq!(kind(late), Some(ErrorKind::LockTimeout));
    assert!(began.elapsed() >= Duration::from_millis(200));
    two.lock("another", Duration::ZERO).await.unwrap();
    let waits = async { two.lock("migrations", Duration::from_secs(10)).await };
    let gives = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.unlock("migrations").await
    };
    let both: (Result<()>, Result<()>) = tokio::join!(waits, gives);
    both.0.and(both.1).unwrap();
    assert!(one.unlock("migrations").await.is_err());
    two.close().await.unwrap();
    one.lock("migrations", Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_socket_is_a_folder() {
    let Some(place) = Place::new().await else { return };
    let Ok(folder) = std::env::var("COVET_TEST_POSTGRES_SOCKET") else { return };
    let url = place.url("");
    let (login, rest) = url.split_once('@').unwrap();
    let port = rest.split_once('/').unwrap().0.rsplit_once(':').unwrap().1;
    let login = login.strip_prefix("postgres://").unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let url = format!("postgres:///{}?host={folder}&port={port}&user={user}&password={password}", place.name);
    // The folder may be closed to whoever runs the tests; then there is nothing to see.
    if std::fs::read_dir(&folder).is_err() {
        eprintln!("LEFT OUT: {folder} cannot be read");
        return;
    }
    let mut connection = open(&url).unwrap().connect().await.unwrap();
    let sql = "SELECT inet_client_addr() IS NULL";
    assert_eq!(rows(connection.as_mut(), sql, &[], &[ColumnType::Bool]).await.unwrap(), [[Value::Bool(true)]]);
}
