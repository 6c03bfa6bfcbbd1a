//! Transactions: what is kept, what is undone, and what errors do to them.

use std::time::Duration;

use covet_drivers::ErrorKind;
use covet_drivers::contract::{Connection, ConnectionState, Isolation, TransactionOptions};
use covet_drivers::value::Value;

use crate::mysql::{Db, exec, idle, number, on_mysql};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };

async fn pair(db: &Db) -> (Box<dyn Connection>, Box<dyn Connection>) {
    let (mut a, b) = (db.connect().await, db.connect().await);
    a.script("CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB; INSERT INTO t VALUES (1, 0), (2, 0)")
        .await
        .unwrap();
    (a, b)
}

async fn rows(conn: &mut dyn Connection) -> i64 {
    number(conn, "SELECT COUNT(*) FROM t").await
}

#[test]
fn isolation_and_read_only() {
    on_mysql(async |db| {
        let (mut a, mut b) = pair(&db).await;
        for (isolation, sees) in [
            (Isolation::ReadUncommitted, 3),
            (Isolation::ReadCommitted, 2),
            (Isolation::RepeatableRead, 2),
            (Isolation::Serializable, -1),
        ] {
            b.begin(&PLAIN).await.unwrap();
            exec(b.as_mut(), "INSERT INTO t VALUES (3, 0)", &[]).await.unwrap();
            a.begin(&TransactionOptions {
                isolation: Some(isolation),
                read_only: false,
                ..TransactionOptions::DEFAULT
            })
            .await
            .unwrap();
            if sees >= 0 {
                assert_eq!(rows(a.as_mut()).await, sees, "{isolation:?}");
            }
            a.rollback().await.unwrap();
            b.rollback().await.unwrap();
        }
        a.begin(&TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT }).await.unwrap();
        let error = exec(a.as_mut(), "DELETE FROM t", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        assert_eq!(a.state(), ConnectionState::InTransaction);
        a.rollback().await.unwrap();
        exec(a.as_mut(), "DELETE FROM t", &[]).await.unwrap();
    });
}

#[test]
fn the_server_is_believed() {
    on_mysql(async |db| {
        let (mut a, _) = pair(&db).await;
        a.script("START TRANSACTION").await.unwrap();
        assert_eq!(a.state(), ConnectionState::InTransaction, "begun by text");
        a.script("CREATE TABLE u (id INT)").await.unwrap();
        assert!(idle(a.as_ref()), "committed by DDL");
        a.begin(&PLAIN).await.unwrap();
        exec(a.as_mut(), "INSERT INTO t VALUES (9, 9)", &[]).await.unwrap();
        let error = exec(a.as_mut(), "INSERT INTO t VALUES (9, 9)", &[]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unique && !error.is_transaction_lost());
        assert_eq!(a.state(), ConnectionState::InTransaction, "a statement's error undoes the statement");
        let error = a.script("CREATE TABLE u (id INT)").await.unwrap_err();
        assert!(error.kind() == ErrorKind::AlreadyExists && !error.is_transaction_lost());
        assert!(idle(a.as_ref()), "DDL that failed has committed too");
        assert_eq!(rows(a.as_mut()).await, 3);
        a.begin(&PLAIN).await.unwrap();
        a.script("ROLLBACK").await.unwrap();
        assert!(idle(a.as_ref()));
    });
}

#[test]
fn a_lock_timeout_dooms_the_transaction() {
    on_mysql(async |db| {
        let db = db.with("lock_timeout=1000");
        let (mut a, mut b) = pair(&db).await;
        b.begin(&PLAIN).await.unwrap();
        exec(b.as_mut(), "UPDATE t SET n = 5 WHERE id = 1", &[]).await.unwrap();
        for heal in [false, true] {
            a.begin(&PLAIN).await.unwrap();
            exec(a.as_mut(), "INSERT INTO t VALUES (3, 0)", &[]).await.unwrap();
            a.savepoint(1).await.unwrap();
            let error = exec(a.as_mut(), "UPDATE t SET n = 6 WHERE id = 1", &[]).await.unwrap_err();
            assert!(
                error.kind() == ErrorKind::LockTimeout && error.is_retryable() && !error.is_transaction_lost(),
                "{error:?}"
            );
            assert_eq!(a.state(), ConnectionState::Failed);
            assert_eq!(exec(a.as_mut(), "SELECT 1", &[]).await.unwrap_err().kind(), ErrorKind::TransactionClosed);
            if heal {
                a.rollback_to(1).await.unwrap();
                assert_eq!(a.state(), ConnectionState::InTransaction);
                a.rollback().await.unwrap();
            } else {
                assert_eq!(a.commit().await.unwrap_err().kind(), ErrorKind::TransactionClosed);
            }
            assert!(idle(a.as_ref()));
            assert_eq!(rows(a.as_mut()).await, 2, "nothing of it is kept");
        }
        b.rollback().await.unwrap();
    });
}

#[test]
fn a_deadlock_ends_the_transaction() {
    on_mysql(async |db| {
        let (mut a, mut b) = pair(&db).await;
        for conn in [&mut a, &mut b] {
            conn.begin(&PLAIN).await.unwrap();
        }
        exec(a.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 1", &[]).await.unwrap();
        exec(b.as_mut(), "INSERT INTO t VALUES (7, 0)", &[]).await.unwrap();
        exec(b.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 2", &[]).await.unwrap();
        let first = tokio::spawn(async move {
            let result = exec(a.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 2", &[]).await;
            (a, result)
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let second = exec(b.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 1", &[]).await;
        let (mut a, first) = first.await.unwrap();
        let mut victims = 0;
        for (conn, result) in [(&mut a, first), (&mut b, second)] {
            match result {
                Ok(_) => conn.commit().await.unwrap(),
                Err(error) => {
                    victims += 1;
                    assert!(error.kind() == ErrorKind::Deadlock && error.is_transaction_lost(), "{error:?}");
                    assert!(idle(conn.as_ref()), "{:?}", conn.state());
                    assert_eq!(conn.commit().await.unwrap_err().kind(), ErrorKind::TransactionClosed);
                }
            }
        }
        assert_eq!(victims, 1);
        assert_eq!(number(a.as_mut(), "SELECT SUM(n) FROM t").await, 2, "one of the two, whole");
    });
}

/// What was said of it does not hold for whatever comes next, and nothing is open that nobody has begun.
fn nothing_outlives_its_deadlock(set: Option<&'static str>) {
    on_mysql(async move |db| {
        let (mut a, mut b) = pair(&db).await;
        if let Some(set) = set {
            a.script(set).await.unwrap();
        }
        let before = number(a.as_mut(), "SELECT COUNT(*) FROM t").await;
        let reads = TransactionOptions { isolation: Some(Isolation::Serializable), read_only: true, ..PLAIN };
        a.begin(&reads).await.unwrap();
        b.begin(&PLAIN).await.unwrap();
        // Who has written more is spared.
        exec(b.as_mut(), "INSERT INTO t VALUES (7, 0), (8, 0), (9, 0)", &[]).await.unwrap();
        exec(b.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 2", &[]).await.unwrap();
        exec(a.as_mut(), "SELECT n FROM t WHERE id = 1", &[]).await.unwrap();
        let waits = tokio::spawn(async move {
            exec(b.as_mut(), "UPDATE t SET n = n + 1 WHERE id = 1", &[]).await.unwrap();
            b
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let error = exec(a.as_mut(), "SELECT n FROM t WHERE id = 2", &[]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Deadlock && error.is_transaction_lost(), "{error:?}");
        let mut b = waits.await.unwrap();
        exec(a.as_mut(), "INSERT INTO t VALUES (100, 0)", &[]).await.unwrap();
        a.begin(&PLAIN).await.unwrap();
        exec(a.as_mut(), "INSERT INTO t VALUES (101, 0)", &[]).await.unwrap();
        a.commit().await.unwrap();
        b.rollback().await.unwrap();
        assert_eq!(number(b.as_mut(), "SELECT COUNT(*) FROM t").await, before + 2);
    });
}

#[test]
fn nothing_of_a_transaction_outlives_its_deadlock() {
    nothing_outlives_its_deadlock(None);
}

#[test]
fn nothing_of_a_transaction_outlives_its_deadlock_where_it_is_chained() {
    nothing_outlives_its_deadlock(Some("SET SESSION completion_type = 'CHAIN'"));
}

#[test]
fn a_snapshot_conflict_ends_the_transaction() {
    on_mysql(async |db| {
        let (mut a, mut b) = pair(&db).await;
        if a.script("SET innodb_snapshot_isolation = ON").await.is_err() {
            eprintln!("LEFT OUT: this server knows no innodb_snapshot_isolation");
            return;
        }
        a.begin(&PLAIN).await.unwrap();
        assert_eq!(rows(a.as_mut()).await, 2);
        exec(b.as_mut(), "UPDATE t SET n = 1 WHERE id = 1", &[]).await.unwrap();
        let error = exec(a.as_mut(), "UPDATE t SET n = n + 1 WHERE id = ?", &[Value::Int(1)]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Serialization && error.is_transaction_lost(), "{error:?}");
        assert!(idle(a.as_ref()));
    });
}

#[test]
fn a_commit_without_an_answer_is_unknown() {
    on_mysql(async |db| {
        let (mut a, mut b) = pair(&db).await;
        let id = number(a.as_mut(), "SELECT CONNECTION_ID()").await;
        a.begin(&PLAIN).await.unwrap();
        exec(a.as_mut(), "INSERT INTO t VALUES (3, 0)", &[]).await.unwrap();
        b.script(&format!("KILL {id}")).await.unwrap();
        let error = a.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error:?}");
        assert_eq!(a.state(), ConnectionState::Broken);
        assert_eq!(a.rollback().await.unwrap_err().kind(), ErrorKind::ConnectionLost);
    });
}
