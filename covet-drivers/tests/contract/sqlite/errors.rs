//! What goes wrong, and what it is called.

use covet_drivers::ErrorKind;
use covet_drivers::value::Value;

use super::{Place, kind, memory, open, run};

#[tokio::test]
async fn constraints_are_named_with_table_and_column() {
    let mut db = memory().await;
    db.script(
        "CREATE TABLE p (id INTEGER NOT NULL, CONSTRAINT p_pkey PRIMARY KEY (id)) STRICT;
         CREATE TABLE t (a TEXT NOT NULL, b TEXT, n INTEGER CONSTRAINT positive CHECK (n > 0),
            p INTEGER REFERENCES p (id) ON DELETE RESTRICT) STRICT;
         CREATE TABLE m (a TEXT, b TEXT, CONSTRAINT m_pkey PRIMARY KEY (a, b)); INSERT INTO m VALUES ('x', 'y');
         CREATE UNIQUE INDEX t_b_key ON t (b);
         CREATE TABLE l (a TEXT) STRICT; CREATE UNIQUE INDEX l_lower ON l (lower(a)); INSERT INTO l VALUES ('x');
         INSERT INTO p VALUES (1); INSERT INTO t VALUES ('x', 'y', 1, 1)",
    )
    .await
    .unwrap();
    for (sql, want, constraint, table, column) in [
        ("INSERT INTO p VALUES (1)", ErrorKind::Unique, Some("p_pkey"), Some("p"), Some("id")),
        ("INSERT INTO m VALUES ('x', 'y')", ErrorKind::Unique, Some("m_pkey"), Some("m"), None),
        ("INSERT INTO t VALUES ('z', 'y', 1, 1)", ErrorKind::Unique, Some("t_b_key"), Some("t"), Some("b")),
        ("INSERT INTO l VALUES ('X')", ErrorKind::Unique, Some("l_lower"), None, None),
        ("INSERT INTO t VALUES (NULL, 'z', 1, 1)", ErrorKind::NotNull, None, Some("t"), Some("a")),
        ("INSERT INTO t VALUES ('q', 'z', 0, 1)", ErrorKind::Check, Some("positive"), Some("t"), Some("n")),
        ("INSERT INTO t VALUES ('q', 'z', 1, 7)", ErrorKind::ForeignKey, None, None, None),
        ("DELETE FROM p", ErrorKind::ForeignKey, None, None, None),
        ("INSERT INTO t VALUES ('q', 'z', 'one', 1)", ErrorKind::InvalidInput, None, Some("t"), Some("n")),
    ] {
        let error = run(&mut *db, sql, &[]).await.unwrap_err();
        assert_eq!(error.kind(), want, "{sql}: {error:?}");
        if error.constraint() != Some("positive") {
            assert_eq!((error.table(), error.column()), (table, column), "{sql}");
        }
        assert_eq!(error.constraint(), constraint, "{sql}");
        assert!(error.code().is_some(), "{sql}");
    }
}

#[tokio::test]
async fn what_does_not_exist_or_cannot_be_read_is_told_apart() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    for (sql, want) in [
        ("SELECT * FROM nowhere", ErrorKind::UndefinedTable),
        ("SELECT b FROM t", ErrorKind::UndefinedColumn),
        ("SELECT \"typo\" FROM t", ErrorKind::UndefinedColumn),
        ("SELECT t.b FROM t", ErrorKind::UndefinedColumn),
        ("INSERT INTO t (b) VALUES (1)", ErrorKind::UndefinedColumn),
        ("CREATE TABLE t (a)", ErrorKind::AlreadyExists),
        ("ALTER TABLE t ADD COLUMN a", ErrorKind::AlreadyExists),
        ("SELEC 1", ErrorKind::Syntax),
        ("SELECT (1", ErrorKind::Syntax),
        ("SELECT nope(1)", ErrorKind::Syntax),
        ("SELECT 1; SELECT 2", ErrorKind::Syntax),
        ("SELECT 1\0 FROM t", ErrorKind::Syntax),
        ("SELECT abs(-9223372036854775808)", ErrorKind::OutOfRange),
        ("INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)", ErrorKind::Database),
    ] {
        let error = run(&mut *db, sql, &[]).await.unwrap_err();
        assert_eq!(error.kind(), want, "{sql}: {error:?}");
    }
    let error = run(&mut *db, "INSERT INTO t (b) VALUES (1)", &[]).await.unwrap_err();
    assert_eq!((error.table(), error.column()), (Some("t"), Some("b")));
}

#[tokio::test]
async fn no_error_holds_a_bound_value() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a TEXT UNIQUE CHECK (a <> 'canary'), b INTEGER) STRICT").await.unwrap();
    let secret = || Value::Text("canary-7f3a".into());
    run(&mut *db, "INSERT INTO t VALUES (?1, NULL)", &[secret()]).await.unwrap();
    for (sql, value) in [
        ("INSERT INTO t VALUES (?1, NULL)", secret()),
        ("INSERT INTO t VALUES (NULL, ?1)", secret()),
        ("INSERT INTO t VALUES (?1, NULL)", Value::Text("canary-7f3a\0".into())),
        ("SELECT json(?1)", secret()),
    ] {
        let error = run(&mut *db, sql, &[value]).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary-7f3a"), "{error:?}");
    }
}

#[tokio::test]
async fn paths_that_cannot_be_opened_are_named() {
    let place = Place::new();
    let folder = place.folder.display();
    std::fs::write(place.folder.join("not.db"), "this is a text of more than a hundred bytes".repeat(9)).unwrap();
    for (url, name) in [
        (format!("sqlite://{folder}/no/such.db"), "no/such.db"),
        (format!("sqlite://{folder}/absent.db?mode=rw"), "absent.db"),
        (format!("sqlite://{folder}/absent.db?mode=ro"), "absent.db"),
        (format!("sqlite://{folder}/not.db"), "not.db"),
        (format!("sqlite://{folder}"), "covet-sqlite"),
    ] {
        let error = open(&url).unwrap().connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{url}: {error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(!place.folder.join("absent.db").exists());
    assert_eq!(kind(open("sqlite:x.db?mod=ro")), Some(ErrorKind::Config));
}

#[tokio::test]
async fn a_file_opened_for_reading_refuses_writing() {
    let place = Place::new();
    place.connect().await.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut db = place.elsewhere("mode=ro").connect().await.unwrap();
    assert_eq!(kind(run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await), Some(ErrorKind::ReadOnly));
    assert_eq!(super::number(&mut *db, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_full_database_dooms_the_transaction() {
    use covet_drivers::contract::{ConnectionState, TransactionOptions};
    let place = Place::new();
    let mut db = place.connect().await;
    db.script("CREATE TABLE t (a BLOB); PRAGMA max_page_count = 10").await.unwrap();
    db.begin(&TransactionOptions::default()).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (zeroblob(10))", &[]).await.unwrap();
    let error = run(&mut *db, "INSERT INTO t VALUES (zeroblob(1000000))", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(matches!(db.state(), ConnectionState::Failed | ConnectionState::Idle), "{:?}", db.state());
    assert!(kind(db.commit().await).is_some());
    assert_eq!(db.state(), ConnectionState::Idle);
    assert_eq!(super::number(&mut *db, "SELECT count(*) FROM t").await, 0, "no half of a transaction");
    // A statement that can be undone alone leaves the transaction open: SQLite would commit what was done before it.
    db.script("PRAGMA max_page_count = 20; CREATE TABLE u (a BLOB, b INTEGER UNIQUE)").await.unwrap();
    db.begin(&TransactionOptions::default()).await.unwrap();
    run(&mut *db, "INSERT INTO u VALUES (zeroblob(10), 1)", &[]).await.unwrap();
    let two = "INSERT INTO u SELECT zeroblob(1000000), column1 FROM (VALUES (2), (3))";
    let error = run(&mut *db, two, &[]).await.unwrap_err();
    assert_eq!((error.kind(), db.state()), (ErrorKind::Resources, ConnectionState::Failed));
    assert_eq!(kind(db.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!(db.state(), ConnectionState::Idle);
    assert_eq!(super::number(&mut *db, "SELECT count(*) FROM u").await, 0, "no half of a transaction");
}
