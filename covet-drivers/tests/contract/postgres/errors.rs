//! Every kind of error that a server can be brought to give, with the names that belong to it.

use covet_drivers::ErrorKind;
use covet_drivers::contract::ConnectionState;
use covet_drivers::value::Value;

use crate::postgres::{Place, kind, open, run, server};

#[tokio::test]
async fn kinds_and_names() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    connection
        .script(
            "CREATE TABLE p (id int PRIMARY KEY);
             CREATE TYPE mood AS ENUM ('fine');
             CREATE TABLE t (id int CONSTRAINT t_pkey PRIMARY KEY, p int CONSTRAINT t_p_fkey REFERENCES p,
               n int NOT NULL DEFAULT 1, c int CONSTRAINT t_c_check CHECK (c > 0), v varchar(3), m mood);
             INSERT INTO t (id) VALUES (1)",
        )
        .await
        .unwrap();
    for (sql, kind, constraint, table, column) in [
        ("INSERT INTO t (id) VALUES (1)", ErrorKind::Unique, Some("t_pkey"), Some("t"), None),
        ("INSERT INTO t (id, p) VALUES (2, 9)", ErrorKind::ForeignKey, Some("t_p_fkey"), Some("t"), None),
        ("INSERT INTO t (id, n) VALUES (2, NULL)", ErrorKind::NotNull, None, Some("t"), Some("n")),
        ("INSERT INTO t (id, c) VALUES (2, 0)", ErrorKind::Check, Some("t_c_check"), Some("t"), None),
        ("SELECT * FROM nowhere", ErrorKind::UndefinedTable, None, Some("nowhere"), None),
        ("SELECT nothing FROM t", ErrorKind::UndefinedColumn, None, None, Some("nothing")),
        ("SELECT t.nothing FROM t", ErrorKind::UndefinedColumn, None, None, Some("nothing")),
        ("SELEC 1", ErrorKind::Syntax, None, None, None),
        ("CREATE TABLE t (id int)", ErrorKind::AlreadyExists, None, None, None),
        ("INSERT INTO t (id, v) VALUES (2, 'abcd')", ErrorKind::OutOfRange, None, None, None),
        ("SELECT 2147483647 + 1", ErrorKind::OutOfRange, None, None, None),
        ("SELECT 'x'::int", ErrorKind::InvalidInput, None, None, None),
        ("SELECT 1 / 0", ErrorKind::InvalidInput, None, None, None),
    ] {
        let error = run(connection.as_mut(), sql, &[]).await.unwrap_err();
        let found = (error.kind(), error.constraint(), error.table(), error.column());
        assert_eq!(found, (kind, constraint, table, column), "{sql}: {error}");
        assert!(error.code().is_some_and(|code| code.len() == 5));
    }
    let secret = Value::Label("hunter2".into());
    let error = run(connection.as_mut(), "INSERT INTO t (id, m) VALUES (3, $1)", &[secret]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let error = run(connection.as_mut(), "INSERT INTO t (id) VALUES ($1)", &[Value::Int(1)]).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("(1)"), "{error:?}");
}

#[tokio::test]
async fn connecting() {
    let Some(place) = Place::new().await else { return };
    let url = place.url("");
    let (_, after) = url.split_once('@').unwrap();
    let (host, _) = after.split_once('/').unwrap();
    let failure = async |url: String| match open(&url) {
        Err(error) => error,
        Ok(backend) => backend.connect().await.unwrap_err(),
    };
    let nobody = failure(format!("postgres://covet:hunter2@{host}/postgres?sslmode=disable")).await;
    assert_eq!(nobody.kind(), ErrorKind::Authentication, "{nobody}");
    assert!(!format!("{nobody} {nobody:?}").contains("hunter2"));
    assert_eq!(failure(format!("postgres://covet@{host}/x?sslmode=disable")).await.kind(), ErrorKind::Authentication);
    let unknown = url.replace(&place.name, "no_such_database");
    assert_eq!(failure(unknown).await.kind(), ErrorKind::UnknownDatabase);
    assert_eq!(failure("postgres://127.0.0.1:1/x".into()).await.kind(), ErrorKind::Unreachable);
    assert_eq!(failure("postgres:///x?host=/no/such/folder".into()).await.kind(), ErrorKind::Unreachable);
    assert_eq!(failure("postgres://no-such-host.invalid/x".into()).await.kind(), ErrorKind::Unreachable);
    let slow = failure("postgres://127.0.0.1:1/x?sslmod=require".into()).await;
    assert_eq!(slow.kind(), ErrorKind::Config);
    assert!(slow.to_string().contains("sslmode"));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = std::time::Instant::now();
    let backend = open(&format!("postgres://x@127.0.0.1:{port}/x?connect_timeout=1")).unwrap();
    assert_eq!(kind(backend.connect().await), Some(ErrorKind::Unreachable));
    assert!(began.elapsed().as_secs() < 5);
}

#[tokio::test]
async fn limits_of_time() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.with("statement_timeout=50&lock_timeout=20").connect().await.unwrap();
    let mut other = place.connect().await;
    assert_eq!(kind(run(connection.as_mut(), "SELECT pg_sleep(5)", &[]).await), Some(ErrorKind::StatementTimeout));
    other.script("CREATE TABLE t (id int)").await.unwrap();
    other.begin(&Default::default()).await.unwrap();
    other.script("LOCK TABLE t").await.unwrap();
    let error = run(connection.as_mut(), "SELECT * FROM t", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LockTimeout);
    assert!(error.is_retryable());
    other.rollback().await.unwrap();
    // The limits outlive a reset.
    connection.reset().await.unwrap();
    assert_eq!(kind(run(connection.as_mut(), "SELECT pg_sleep(5)", &[]).await), Some(ErrorKind::StatementTimeout));
}

#[tokio::test]
async fn a_session_that_was_ended_is_broken() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let mut other = place.connect().await;
    let pid = crate::postgres::number(connection.as_mut(), "SELECT pg_backend_pid()").await;
    run(other.as_mut(), "SELECT pg_terminate_backend($1)", &[Value::Int(pid)]).await.unwrap();
    let error = run(connection.as_mut(), "SELECT 1", &[]).await.unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    assert_eq!(connection.state(), covet_drivers::contract::ConnectionState::Broken);
    assert!(run(connection.as_mut(), "SELECT 1", &[]).await.unwrap_err().is_connection_lost());
}

#[test]
fn without_a_server_the_test_says_so() {
    // Prints, or fails where PostgreSQL is required.
    let _ = server();
}

/// An error of a class that speaks of connections, and is about another one: of a foreign table, or of a database that
/// is not there.
#[tokio::test]
async fn an_error_that_is_not_fatal_ends_no_session() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let raise = |code: &str| format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$");
    let pid = crate::postgres::number(connection.as_mut(), "SELECT pg_backend_pid()").await;
    for code in ["08001", "08006", "3D000", "28000", "40003", "53300", "57P03"] {
        let error = run(connection.as_mut(), &raise(code), &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert_eq!((error.kind(), error.is_transaction_lost()), (ErrorKind::Database, false), "{code}");
        assert_eq!(connection.state(), ConnectionState::Idle, "{code}");
        connection.begin(&Default::default()).await.unwrap();
        run(connection.as_mut(), "SELECT 1", &[]).await.unwrap();
        run(connection.as_mut(), &raise(code), &[]).await.unwrap_err();
        assert_eq!(connection.state(), ConnectionState::Failed, "{code}");
        connection.rollback().await.unwrap();
    }
    let error = run(connection.as_mut(), "DROP DATABASE covet_no_such_database", &[]).await.unwrap_err();
    // The kind `UnknownDatabase` would say that the connection is gone.
    assert_eq!((error.kind(), error.code()), (ErrorKind::Database, Some("3D000")));
    assert_eq!((error.is_connection_lost(), connection.state()), (false, ConnectionState::Idle));
    // At the commit it is a refusal, and nobody has to wonder.
    connection
        .script(
            "CREATE TABLE t (id int);
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '08006'; END $$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await
        .unwrap();
    connection.begin(&Default::default()).await.unwrap();
    run(connection.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let error = connection.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Database, Some("08006")), "{error}");
    assert_eq!(connection.state(), ConnectionState::Idle);
    assert_eq!(crate::postgres::number(connection.as_mut(), "SELECT pg_backend_pid()").await, pid, "the same session");
    assert_eq!(crate::postgres::number(connection.as_mut(), "SELECT count(*) FROM t").await, 0);
}
