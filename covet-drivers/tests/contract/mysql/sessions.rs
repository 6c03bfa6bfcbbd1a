//! Sessions: dropped futures, sinks that stop, what a borrower leaves behind, locks, limits.

use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, ConnectionState, Flow, Isolation, Reuse, Row, TransactionOptions};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind};
use futures_util::FutureExt as _;

use crate::mysql::{exec, idle, number, on_mysql, query, text};

/// A thousand thousand rows that cost the server nothing to keep.
const MANY: &str = "SELECT 1 FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, \
    information_schema.COLLATIONS c LIMIT 1000000";

#[test]
fn the_session_is_as_promised() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let texts = [
            ColumnType::Text { max_len: None },
            ColumnType::Text { max_len: None },
            ColumnType::Text { max_len: None },
        ];
        let rows =
            query(conn.as_mut(), "SELECT @@time_zone, @@character_set_client, @@sql_mode", &[], &texts).await.unwrap();
        assert!(rows[0][..2] == [text("+00:00"), text("utf8mb4")]);
        let Value::Text(modes) = &rows[0][2] else { panic!() };
        assert!(modes.contains("STRICT_ALL_TABLES") && modes.contains("NO_ZERO_DATE") && !modes.contains("BACKSLASH"));
        assert!(conn.server().product == "MariaDB" || conn.server().product == "MySQL");
        conn.script("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)").await.unwrap();
        let zero = exec(conn.as_mut(), "INSERT INTO t VALUES (0, 1)", &[]).await.unwrap();
        assert_eq!(zero.affected, 1);
        assert_eq!(number(conn.as_mut(), "SELECT id FROM t").await, 0, "0 is a value");
        let next = exec(conn.as_mut(), "INSERT INTO t (n) VALUES (1), (1)", &[]).await.unwrap();
        assert_eq!((next.affected, next.last_insert_id), (2, Some(1)), "the first of them");
        let same = exec(conn.as_mut(), "UPDATE t SET n = 1", &[]).await.unwrap();
        assert_eq!(same.affected, 3, "rows found, not rows changed");
        let zero = exec(conn.as_mut(), "SELECT * FROM t", &[]).await.unwrap();
        assert_eq!(zero.affected, 0);
        if conn.capabilities().returning_on_insert {
            let mut seen = 0;
            let mut sink = |_: &mut Row<'_>| {
                seen += 1;
                Ok(Flow::Continue)
            };
            let command =
                Command { sql: "INSERT INTO t (n) VALUES (4), (5) RETURNING id", args: &[], reuse: Reuse::Keep };
            let done = conn.run(command, &mut sink).await.unwrap();
            assert_eq!((done.affected, seen), (2, 2));
        }
        conn.close().await.unwrap();
    });
}

#[test]
fn a_dropped_statement_breaks_the_session_and_never_leaks_rows() {
    on_mysql(async |db| {
        let mut watcher = db.connect().await;
        for sql in ["SELECT SLEEP(5)", MANY] {
            for wait in [0, 1, 20] {
                let mut conn = db.connect().await;
                let id = number(conn.as_mut(), "SELECT CONNECTION_ID()").await;
                let command = Command { sql, args: &[], reuse: Reuse::Keep };
                let mut sink = |_: &mut Row<'_>| Ok(Flow::Pause);
                let begun = Instant::now();
                let _ = tokio::time::timeout(Duration::from_millis(wait), conn.run(command, &mut sink)).await;
                assert_eq!(conn.state(), ConnectionState::Broken, "{sql} after {wait} ms");
                let error = exec(conn.as_mut(), "SELECT 7", &[]).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionLost);
                assert_eq!(conn.ping().await.unwrap_err().kind(), ErrorKind::ConnectionLost);
                drop(conn);
                assert!(begun.elapsed() < Duration::from_secs(2), "dropping does not read the rest");
                let _ = watcher.script(&format!("KILL {id}")).await;
            }
        }
        let mut conn = db.connect().await;
        drop(conn.ping());
        assert!(idle(conn.as_ref()), "a future that never ran did nothing");
    });
}

#[test]
fn wherever_a_future_is_dropped_the_session_knows() {
    on_mysql(async |db| {
        let mut admin = db.connect().await;
        admin.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
        let mut broken = 0;
        for what in ["begin", "insert", "savepoint", "commit", "rollback", "script", "reset", "lock"] {
            for polls in 0..6 {
                let mut conn = db.connect().await;
                let options = TransactionOptions {
                    isolation: Some(Isolation::Serializable),
                    read_only: false,
                    ..TransactionOptions::DEFAULT
                };
                if matches!(what, "insert" | "savepoint" | "commit" | "rollback") {
                    conn.begin(&options).await.unwrap();
                    exec(conn.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
                }
                if what == "reset" {
                    conn.script("SET @a = 1").await.unwrap();
                }
                let command = Command { sql: "INSERT INTO t VALUES (2)", args: &[], reuse: Reuse::Keep };
                let mut sink = ();
                let mut future: std::pin::Pin<Box<dyn Future<Output = bool> + Send>> = match what {
                    "begin" => Box::pin(conn.begin(&options).map(|r| r.is_ok())),
                    "insert" => Box::pin(conn.run(command, &mut sink).map(|r| r.is_ok())),
                    "savepoint" => Box::pin(conn.savepoint(1).map(|r| r.is_ok())),
                    "commit" => Box::pin(conn.commit().map(|r| r.is_ok())),
                    "rollback" => Box::pin(conn.rollback().map(|r| r.is_ok())),
                    "script" => Box::pin(conn.script("SET @b = 1; START TRANSACTION").map(|r| r.is_ok())),
                    "reset" => Box::pin(conn.reset().map(|r| r.is_ok())),
                    _ => Box::pin(conn.lock("dropped", Duration::ZERO).map(|r| r.is_ok())),
                };
                let mut done = None;
                for _ in 0..polls {
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    if let std::task::Poll::Ready(ok) = future.as_mut().poll(&mut context) {
                        done = Some(ok);
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
                drop(future);
                assert_ne!(done, Some(false), "{what} after {polls} polls");
                if conn.state() == ConnectionState::Broken {
                    broken += 1;
                    assert!(done.is_none() && polls > 0, "{what} after {polls} polls");
                } else {
                    // In step: the next answer is the next question's, and the state is the server's.
                    let open = conn.state() == ConnectionState::InTransaction;
                    assert_eq!(number(conn.as_mut(), "SELECT 41 + 1").await, 42);
                    if conn.server().product == "MariaDB" {
                        assert_eq!(
                            number(conn.as_mut(), "SELECT @@in_transaction").await == 1,
                            open,
                            "{what} after {polls} polls"
                        );
                    }
                }
                drop(conn);
                tokio::time::sleep(Duration::from_millis(5)).await;
                let left = number(admin.as_mut(), "SELECT COUNT(*) FROM t").await;
                assert!(left == 0 || what == "commit", "{what} after {polls} polls: kept without a commit");
                admin.script("DELETE FROM t").await.unwrap();
            }
        }
        assert!(broken > 0, "nothing was dropped midway");
    });
}

#[test]
fn sinks_pause_stop_and_fail() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let run = async |conn: &mut dyn covet_drivers::contract::Connection,
                         sql: &str,
                         after: u32,
                         flow: Result<Flow, ErrorKind>| {
            let mut seen = 0;
            let mut sink = |_: &mut Row<'_>| {
                seen += 1;
                if seen < after { Ok(Flow::Continue) } else { flow.map_err(|kind| Error::new(kind, "mine")) }
            };
            let result = conn.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut sink).await;
            (seen, result)
        };
        let few = "SELECT ID FROM information_schema.COLLATIONS LIMIT 50";
        let (seen, result) = run(conn.as_mut(), few, 5, Ok(Flow::Stop)).await;
        assert!(seen == 5 && result.is_ok() && idle(conn.as_ref()), "a short rest is read");
        let (seen, result) = run(conn.as_mut(), few, 5, Err(ErrorKind::Decode)).await;
        assert!(seen == 5 && result.unwrap_err().kind() == ErrorKind::Decode && idle(conn.as_ref()));
        assert_eq!(number(conn.as_mut(), "SELECT 3").await, 3);
        let begun = Instant::now();
        let (seen, result) = run(conn.as_mut(), MANY, 5, Ok(Flow::Stop)).await;
        assert!(seen == 5 && result.is_ok(), "{result:?}");
        assert_eq!(conn.state(), ConnectionState::Broken, "a long rest is not read");
        assert!(begun.elapsed() < Duration::from_secs(5));
        // A pause hands control to whoever polls; polling again goes on.
        let mut conn = db.connect().await;
        let mut seen = 0_u32;
        let mut sink = |_: &mut Row<'_>| {
            seen += 1;
            Ok(Flow::Pause)
        };
        let mut polls = 0_u32;
        let mut running = conn.run(Command { sql: few, args: &[], reuse: Reuse::Keep }, &mut sink);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        let done = loop {
            polls += 1;
            if let std::task::Poll::Ready(done) = running.as_mut().poll(&mut context) {
                break done;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        drop(running);
        done.unwrap();
        assert!(seen == 50 && polls > 50, "{seen} rows in {polls} polls");
    });
}

#[test]
fn a_reset_leaves_nothing_behind() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let mut other = db.connect().await;
        exec(conn, "SELECT 1", &[]).await.unwrap();
        assert!(!conn.is_dirty());
        conn.reset().await.unwrap();
        conn.script(
            "SET @a = 'canary'; SET SESSION sql_mode = ''; SET time_zone = '+05:00'; SET NAMES latin1; \
             SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SET autocommit = 0; SET foreign_key_checks = 0; \
             CREATE TEMPORARY TABLE canary (id INT); DO GET_LOCK('canary', 0); CREATE TABLE held (id INT); \
             LOCK TABLES held WRITE; UNLOCK TABLES; USE mysql; START TRANSACTION",
        )
        .await
        .unwrap();
        assert!(conn.is_dirty());
        assert_eq!(number(other.as_mut(), "SELECT IS_FREE_LOCK('canary')").await, 0);
        conn.reset().await.unwrap();
        assert!(!conn.is_dirty() && idle(conn));
        assert_eq!(
            number(
                conn,
                "SELECT @a IS NULL AND @@sql_mode LIKE '%STRICT_ALL_TABLES%' AND @@time_zone = '+00:00' \
                 AND @@character_set_client = 'utf8mb4' AND @@autocommit = 1 AND @@foreign_key_checks = 1 \
                 AND IS_FREE_LOCK('canary') = 1"
            )
            .await,
            1
        );
        let here = query(conn, "SELECT DATABASE()", &[], &[ColumnType::Text { max_len: None }]).await.unwrap();
        assert!(here == [[text(db.url.database().unwrap())]]);
        assert_eq!(exec(conn, "SELECT * FROM canary", &[]).await.unwrap_err().kind(), ErrorKind::UndefinedTable);
        exec(conn, "SELECT GET_LOCK('again', 0)", &[]).await.unwrap();
        assert!(conn.is_dirty(), "a lock taken by a query");
        conn.reset().await.unwrap();
        assert_eq!(number(other.as_mut(), "SELECT IS_FREE_LOCK('again')").await, 1);
        // The statements prepared before are gone on the server, and are prepared again.
        assert_eq!(number(conn, "SELECT 1").await, 1);
        conn.begin(&TransactionOptions::default()).await.unwrap();
        conn.reset().await.unwrap();
        assert!(idle(conn));
    });
}

#[test]
fn the_statement_cache_is_bounded_on_the_server() {
    on_mysql(async |db| {
        for (size, most) in [(4, 4), (0, 0)] {
            let mut conn = db.with(&format!("statement_cache_size={size}")).connect().await;
            let conn = conn.as_mut();
            for n in 0..50 {
                let row = query(conn, &format!("SELECT {n} + ?"), &[Value::Int(1)], &[ColumnType::I64]).await.unwrap();
                assert!(row == [[Value::Int(n + 1)]]);
            }
            for sql in ["SELECT 1 FROM nowhere", "SELECT ? FROM (SELECT 1) x WHERE ?"] {
                assert!(exec(conn, sql, &[]).await.is_err());
            }
            let once = Command { sql: "SELECT 99", args: &[], reuse: Reuse::Once };
            conn.run(once, &mut ()).await.unwrap();
            let sql =
                "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = ";
            let prepared = number(conn, &format!("{sql}'Com_stmt_prepare'")).await;
            let closed = number(conn, &format!("{sql}'Com_stmt_close'")).await;
            assert!(prepared >= 50 && prepared - closed <= most + 2, "{prepared} prepared, {closed} closed");
        }
    });
}

#[test]
fn statements_that_cannot_be_prepared_and_texts_with_colons() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let text_type = [ColumnType::Text { max_len: None }];
        for (sql, expected) in [("SELECT ':a'", ":a"), ("SELECT 'x' /* :b */", "x"), ("SELECT 1-':y' = 1", "1")] {
            let rows = query(conn, sql, &[], &text_type).await;
            if expected == "1" {
                continue; // only that it does not turn into something else
            }
            assert!(rows.unwrap() == [[text(expected)]], "{sql}");
        }
        assert_eq!(exec(conn, "SELECT ':a'; SELECT 2", &[]).await.unwrap_err().kind(), ErrorKind::Syntax);
        conn.script("CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END; CREATE PROCEDURE one() SELECT 5")
            .await
            .unwrap();
        assert_eq!(number(conn, "CALL one()").await, 5);
        assert_eq!(exec(conn, "CALL two()", &[]).await.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(number(conn, "SELECT 6").await, 6);
        conn.script("").await.unwrap();
        conn.script("-- nothing\n;").await.unwrap();
        let error = conn.script("CREATE TABLE a (id INT); SELEC; CREATE TABLE b (id INT)").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Syntax);
        assert_eq!(
            number(conn, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").await,
            1
        );
    });
}

#[test]
fn limits_and_kills() {
    on_mysql(async |db| {
        let mut conn = db.with("statement_timeout=300&application_name=tests").connect().await;
        let begun = Instant::now();
        let error = exec(conn.as_mut(), "SELECT COUNT(*) FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, information_schema.COLLATIONS c, information_schema.COLLATIONS d", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(3) && idle(conn.as_ref()));
        let mut other = db.connect().await;
        let id = number(conn.as_mut(), "SELECT CONNECTION_ID()").await;
        other.script(&format!("KILL {id}")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let error = exec(conn.as_mut(), "SELECT 1", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
        assert_eq!(conn.state(), ConnectionState::Broken);
        let mut conn = db.connect().await;
        let id = number(conn.as_mut(), "SELECT CONNECTION_ID()").await;
        let running = tokio::spawn(async move {
            let result = exec(conn.as_mut(), MANY, &[]).await;
            (conn, result)
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        other.script(&format!("KILL QUERY {id}")).await.unwrap();
        let (mut conn, result) = running.await.unwrap();
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:?}");
        }
        assert_eq!(number(conn.as_mut(), "SELECT 8").await, 8, "in step after an error among the rows");
    });
}

#[test]
fn locks_keep_others_out() {
    on_mysql(async |db| {
        let (mut a, mut b) = (db.connect().await, db.connect().await);
        let name = "migrate".repeat(20);
        a.lock(&name, Duration::from_secs(1)).await.unwrap();
        let begun = Instant::now();
        assert_eq!(b.lock(&name, Duration::from_millis(250)).await.unwrap_err().kind(), ErrorKind::LockTimeout);
        assert!(begun.elapsed() >= Duration::from_millis(250));
        a.script("CREATE TABLE x (id INT)").await.unwrap();
        assert_eq!(
            b.lock(&name, Duration::ZERO).await.unwrap_err().kind(),
            ErrorKind::LockTimeout,
            "DDL lets nobody in"
        );
        b.lock("another", Duration::ZERO).await.unwrap();
        a.unlock(&name).await.unwrap();
        assert!(a.unlock(&name).await.is_err(), "not held");
        b.lock(&name, Duration::from_secs(1)).await.unwrap();
        b.close().await.unwrap();
        a.lock(&name, Duration::from_secs(2)).await.unwrap();
    });
}

#[test]
fn a_socket() {
    on_mysql(async |db| {
        let Ok(socket) = std::env::var("COVET_TEST_MYSQL_SOCKET") else {
            eprintln!("LEFT OUT: COVET_TEST_MYSQL_SOCKET is not set");
            return;
        };
        let (front, _) = db.text.split_once('?').unwrap();
        let url: covet_drivers::contract::ConnectUrl = format!("{front}?socket={socket}").parse().unwrap();
        let backend = covet_drivers::contract::adapter_for("mysql").unwrap().open(&url).unwrap();
        let mut conn = backend.connect().await.unwrap();
        assert_eq!(number(conn.as_mut(), "SELECT 1").await, 1);
        assert!(backend.target().contains(&socket));
    });
}
