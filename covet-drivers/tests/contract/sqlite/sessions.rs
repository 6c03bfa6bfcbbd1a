//! What a session is set up with, what a reset removes, and what is kept prepared.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{ConnectionState, TransactionOptions};

use super::{Place, kind, memory, number, open, rows, run, texts};

#[tokio::test]
async fn sessions_are_set_up_as_promised() {
    let place = Place::new();
    let mut db = place.connect().await;
    assert_eq!(texts(&mut *db, "SELECT journal_mode FROM pragma_journal_mode", &[]).await, ["wal"]);
    for (pragma, want) in
        [("foreign_keys", 1), ("synchronous", 2), ("trusted_schema", 0), ("busy_timeout", 0), ("query_only", 0)]
    {
        let value = if pragma == "busy_timeout" { "timeout" } else { pragma };
        assert_eq!(number(&mut *db, &format!("SELECT {value} FROM pragma_{pragma}")).await, want, "{pragma}");
    }
    assert_eq!((db.server().product, db.state()), ("SQLite", ConnectionState::Idle));
    assert!(db.capabilities().many_connections && db.capabilities().conflict_target);
    let other = Place::with("journal_mode=truncate&synchronous=normal&foreign_keys=off&cache_size=-123");
    let mut db = other.connect().await;
    assert_eq!(texts(&mut *db, "SELECT journal_mode FROM pragma_journal_mode", &[]).await, ["truncate"]);
    for (pragma, want) in [("foreign_keys", 0), ("synchronous", 1), ("cache_size", -123)] {
        assert_eq!(number(&mut *db, &format!("SELECT {pragma} FROM pragma_{pragma}")).await, want, "{pragma}");
    }
    db.close().await.unwrap();
}

#[tokio::test]
async fn memory_is_one_connection() {
    let backend = open("sqlite::memory:").unwrap();
    assert_eq!(backend.max_connections(), Some(1));
    assert_eq!(Place::new().backend.max_connections(), None);
    let db = backend.connect().await.unwrap();
    assert!(!db.capabilities().many_connections);
}

#[tokio::test]
async fn a_path_that_looks_like_a_uri_is_a_path() {
    let place = Place::new();
    // SQLite itself would open a database in memory here.
    let inside = format!("sqlite:file:{}/x.db%3Fmode=memory", place.folder.display());
    assert_eq!(kind(open(&inside).unwrap().connect().await), Some(ErrorKind::Unreachable));
}

#[tokio::test]
async fn a_reset_removes_what_a_borrower_left() {
    for memory_only in [false, true] {
        let place = Place::new();
        let mut db = if memory_only { memory().await } else { place.connect().await };
        db.script("CREATE TABLE kept (a INTEGER)").await.unwrap();
        db.reset().await.unwrap();
        assert!(!db.is_dirty());
        db.begin(&TransactionOptions::default()).await.unwrap();
        run(&mut *db, "INSERT INTO kept VALUES (1)", &[]).await.unwrap();
        assert!(!db.is_dirty(), "a transaction is a state and no leftover");
        db.rollback().await.unwrap();
        db.script(
            "PRAGMA foreign_keys = OFF; PRAGMA query_only = OFF; PRAGMA case_sensitive_like = OFF;
             PRAGMA recursive_triggers = ON; PRAGMA cache_size = 7; PRAGMA busy_timeout = 900; PRAGMA synchronous = OFF;
             CREATE TEMP TABLE \"canary \"\" t\" (a); CREATE TEMP VIEW canary_v AS SELECT 1;
             ATTACH ':memory:' AS \"canary db\"; BEGIN; PRAGMA defer_foreign_keys = ON",
        )
        .await
        .unwrap();
        assert!(db.is_dirty());
        assert_eq!(db.state(), ConnectionState::InTransaction);
        db.reset().await.unwrap();
        assert!(!db.is_dirty());
        assert_eq!(db.state(), ConnectionState::Idle);
        assert_eq!(number(&mut *db, "SELECT count(*) FROM kept").await, 0);
        assert_eq!(number(&mut *db, "SELECT count(*) FROM temp.sqlite_schema").await, 0);
        assert_eq!(number(&mut *db, "SELECT count(*) FROM pragma_database_list WHERE seq > 1").await, 0);
        assert_eq!(number(&mut *db, "SELECT 'a' LIKE 'A'").await, 0);
        for (sql, want) in [
            ("SELECT foreign_keys FROM pragma_foreign_keys", 1),
            ("SELECT timeout FROM pragma_busy_timeout", 0),
            ("SELECT synchronous FROM pragma_synchronous", 2),
            ("SELECT recursive_triggers FROM pragma_recursive_triggers", 0),
            ("SELECT cache_size FROM pragma_cache_size", -2000),
            ("SELECT defer_foreign_keys FROM pragma_defer_foreign_keys", 0),
        ] {
            assert_eq!(number(&mut *db, sql).await, want, "{sql}, in memory: {memory_only}");
        }
    }
}

#[tokio::test]
async fn a_prepared_statement_outlives_a_change_of_the_schema() {
    let place = Place::with("statement_cache_size=3");
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(number(&mut *one, "SELECT max(a) FROM t").await, 1);
    two.script("ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 5; DROP TABLE IF EXISTS u; CREATE TABLE u (c)")
        .await
        .unwrap();
    assert_eq!(number(&mut *one, "SELECT max(a) FROM t").await, 1);
    let found = rows(&mut *one, "SELECT * FROM t", &[], &[ColumnType::I64, ColumnType::I64]).await.unwrap();
    assert_eq!(found.len(), 1);
    // More texts than the cache holds, again and again.
    for round in 0..3 {
        for n in 0..10 {
            assert_eq!(number(&mut *one, &format!("SELECT {n} + max(a) - 1 FROM t")).await, n, "{round}");
        }
    }
}

#[tokio::test]
async fn affected_rows_are_those_matched() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER)").await.unwrap();
    let outcome = run(&mut *db, "INSERT INTO t VALUES (1), (2)", &[]).await.unwrap();
    assert_eq!((outcome.affected, outcome.last_insert_id), (2, None));
    assert_eq!(run(&mut *db, "CREATE TABLE u (a)", &[]).await.unwrap().affected, 0);
    assert_eq!(run(&mut *db, "SELECT * FROM t", &[]).await.unwrap().affected, 0);
    assert_eq!(run(&mut *db, "UPDATE t SET a = a", &[]).await.unwrap().affected, 2);
    assert_eq!(run(&mut *db, "DELETE FROM t WHERE a = 9", &[]).await.unwrap().affected, 0);
    assert_eq!(run(&mut *db, "DELETE FROM t", &[]).await.unwrap().affected, 2);
}

#[tokio::test]
async fn a_script_stops_at_the_first_error() {
    let mut db = memory().await;
    let error =
        db.script("CREATE TABLE a (x); -- ; no\nINSERT INTO b VALUES (1); CREATE TABLE c (x)").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UndefinedTable);
    assert_eq!(texts(&mut *db, "SELECT name FROM sqlite_schema", &[]).await, ["a"]);
    db.script("  -- nothing\n;").await.unwrap();
}
