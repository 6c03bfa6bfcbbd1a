//! Kinds of error, with their names, and nobody's data.

use covet_drivers::contract::{Adapter as _, ConnectUrl, ConnectionState, TransactionOptions};
use covet_drivers::mysql::MySql;
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind};

use crate::mysql::{exec, idle, number, on_mysql, text};

#[test]
fn statements() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script(
            "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(9) NOT NULL, e ENUM('a'), \
             CONSTRAINT p_id_check CHECK (id > 0)) CHARACTER SET utf8mb4;
             CREATE UNIQUE INDEX p_name_key ON p (name);
             CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES p (id));
             INSERT INTO p VALUES (1, 'secret', NULL); INSERT INTO c VALUES (1, 1)",
        )
        .await
        .unwrap();
        let secret = text("secret");
        let named = |error: &Error| {
            (
                error.kind(),
                error.constraint().map(str::to_owned),
                error.table().map(str::to_owned),
                error.column().map(str::to_owned),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        for (sql, args, expected) in [
            (
                "INSERT INTO p VALUES (2, ?, NULL)",
                vec![secret.clone()],
                (ErrorKind::Unique, some("p_name_key"), None, None),
            ),
            ("INSERT INTO p VALUES (1, 'x', NULL)", vec![], (ErrorKind::Unique, some("PRIMARY"), None, None)),
            ("INSERT INTO c VALUES (2, 9)", vec![], (ErrorKind::ForeignKey, some("c_p_fkey"), some("c"), some("p"))),
            ("DELETE FROM p", vec![], (ErrorKind::ForeignKey, some("c_p_fkey"), some("c"), some("p"))),
            ("INSERT INTO p VALUES (2, NULL, NULL)", vec![], (ErrorKind::NotNull, None, None, some("name"))),
            ("INSERT INTO p (id) VALUES (2)", vec![], (ErrorKind::NotNull, None, None, some("name"))),
            ("INSERT INTO p VALUES (-1, 'x', NULL)", vec![], (ErrorKind::Check, some("p_id_check"), some("p"), None)),
            (
                "INSERT INTO p VALUES (2, 'x', ?)",
                vec![secret.clone()],
                (ErrorKind::InvalidInput, None, None, some("e")),
            ),
            ("INSERT INTO p VALUES (99999999999, 'x', NULL)", vec![], (ErrorKind::OutOfRange, None, None, some("id"))),
            (
                "INSERT INTO p VALUES (?, 'x', NULL)",
                vec![secret.clone()],
                (ErrorKind::InvalidInput, None, some("p"), some("id")),
            ),
            (
                "INSERT INTO p VALUES (3, ?, NULL)",
                vec![text("longer than nine")],
                (ErrorKind::OutOfRange, None, None, some("name")),
            ),
            ("SELECT * FROM nowhere", vec![], (ErrorKind::UndefinedTable, None, some("nowhere"), None)),
            ("SELECT nothing FROM p", vec![], (ErrorKind::UndefinedColumn, None, None, some("nothing"))),
            ("CREATE TABLE p (id INT)", vec![], (ErrorKind::AlreadyExists, None, None, None)),
            ("SELEC 1", vec![], (ErrorKind::Syntax, None, None, None)),
            ("SELECT 1; SELECT 2", vec![], (ErrorKind::Syntax, None, None, None)),
        ] {
            let error = exec(conn, sql, &args).await.expect_err(sql);
            assert_eq!(named(&error), expected, "{sql}: {error:?}");
            assert!(error.code().is_some(), "{sql}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            assert!(idle(conn), "{sql}");
        }
        let error = exec(conn, "SELECT ?", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = exec(conn, "SELECT 1", &[Value::Int(1)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(number(conn, "SELECT COUNT(*) FROM p").await, 1);
    });
}

#[test]
fn connecting() {
    on_mysql(async |db| {
        let (scheme, rest) = db.text.split_once("://").unwrap();
        let (login, place) = rest.split_once('@').unwrap();
        let (user, _) = login.split_once(':').unwrap();
        let (server, _) = place.split_once('/').unwrap();
        let (host, _) = server.rsplit_once(':').unwrap();
        for (url, kind) in [
            (format!("{scheme}://{user}:hunter2@{server}/"), ErrorKind::Authentication),
            (format!("{scheme}://nobody_here:hunter2@{server}/"), ErrorKind::Authentication),
            (format!("{scheme}://{login}@{server}/no_such_database"), ErrorKind::UnknownDatabase),
            (format!("{scheme}://{login}@{host}:1/x"), ErrorKind::Unreachable),
            (format!("{scheme}://{login}@no-such-host.invalid/x?insecure=plaintext"), ErrorKind::Unreachable),
            (format!("{scheme}://{login}@{server}/?socket=/no/such/socket"), ErrorKind::Unreachable),
        ] {
            let url: ConnectUrl = url.parse().unwrap();
            let backend = MySql.open(&url).unwrap();
            let error = backend.connect().await.expect_err("a session");
            assert_eq!(error.kind(), kind, "{url}: {error:?}");
            let shown = format!("{error} {error:?} {backend:?} {}", backend.target());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        // A server that takes the connection and says nothing.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent: ConnectUrl = format!("mysql://u:hunter2@127.0.0.1:{port}/d?connect_timeout=1").parse().unwrap();
        let error = MySql.open(&silent).unwrap().connect().await.expect_err("a session");
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    });
}

/// What is also said to somebody who connects, about a single statement: a right, a database, a limit.
#[test]
fn an_error_that_leaves_the_session_does_not_end_it() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
        conn.reset().await.unwrap();
        let session = number(conn, "SELECT CONNECTION_ID()").await;
        let signal = |code: u16| format!("SIGNAL SQLSTATE '08004' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'x'");
        for (at, code) in [1049_u16, 1045, 1226, 1040, 1129, 3159].into_iter().enumerate() {
            conn.begin(&TransactionOptions::default()).await.unwrap();
            exec(conn, &format!("INSERT INTO t VALUES ({at})"), &[]).await.unwrap();
            let error = exec(conn, &signal(code), &[]).await.unwrap_err();
            assert_eq!(error.code(), Some(code.to_string().as_str()), "{error}");
            assert_eq!(conn.state(), ConnectionState::InTransaction, "{code}: {error}");
            conn.commit().await.unwrap();
            assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, i64::try_from(at).unwrap() + 1);
        }
        assert_eq!(number(conn, "SELECT CONNECTION_ID()").await, session);
    });
}

#[test]
fn values_that_the_server_quotes_are_left_out() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (id INT) PARTITION BY LIST (id) (PARTITION p VALUES IN (1))").await.unwrap();
        conn.script("CREATE TABLE d (d DATE, b INT)").await.unwrap();
        let secret = text("hunter2 of column 'hunter2'");
        for (sql, value, kind) in [
            ("INSERT INTO t VALUES (?)", Value::Int(42_424_242), ErrorKind::Check),
            ("SELECT EXTRACTVALUE('<a/>', ?)", text("/hunter2['"), ErrorKind::Database),
            ("INSERT INTO d (d) VALUES (?)", secret.clone(), ErrorKind::InvalidInput),
            ("INSERT INTO d (b) VALUES (1 + ?)", secret.clone(), ErrorKind::InvalidInput),
            ("INSERT INTO d (b) VALUES (18446744073709551615 + ?)", Value::Int(42_424_242), ErrorKind::OutOfRange),
        ] {
            let error = exec(conn, sql, &[value]).await.expect_err(sql);
            assert_eq!(error.kind(), kind, "{sql}: {error:?}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("42424242"), "{sql}: {shown}");
        }
    });
}
