//! What is MySQL's and MariaDB's own about branches: XA.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{BRANCH_TABLE, BranchId, ConnectionState as State};

use crate::mysql::{exec, number, on_mysql};
use crate::two_phase;

#[test]
fn branches_are_prepared_and_ended() {
    on_mysql(async |db| two_phase::all(async || db.connect().await).await);
}

#[test]
fn what_others_have_prepared_is_counted_and_not_named() {
    on_mysql(async |db| {
        let (mut connection, mut other) = (db.connect().await, db.connect().await);
        connection.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
        let before = other.two_phase().unwrap().prepared().await.unwrap();
        // Another format, other bytes, and Covet's format without Covet's name.
        let foreign = ["'foreign'", "X'00ff27',X'5c'", "'covet:shop','0',1668249204"];
        let mut sessions = Vec::new();
        for (xid, id) in foreign.into_iter().zip(0..) {
            let mut session = db.connect().await;
            session
                .script(&format!("XA START {xid}; INSERT INTO t VALUES ({id}); XA END {xid}; XA PREPARE {xid}"))
                .await
                .unwrap();
            sessions.push(session);
        }
        let found = other.two_phase().unwrap().prepared().await.unwrap();
        assert!(found.others >= before.others + 3, "{found:?}");
        for (xid, mut session) in foreign.into_iter().zip(sessions) {
            session.script(&format!("XA ROLLBACK {xid}")).await.unwrap();
        }
    });
}

/// The server refuses in a branch whatever would commit it on the way.
#[test]
fn a_statement_that_would_commit_it_is_refused() {
    on_mysql(async |db| {
        let mut connection = db.connect().await;
        connection.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
        connection.script(&format!("CREATE TABLE {BRANCH_TABLE} (gid VARCHAR(80) PRIMARY KEY)")).await.unwrap();
        let branch = BranchId::new("refused", [9; 16], 3).unwrap();
        connection.two_phase().unwrap().begin_branch(&branch, &Default::default()).await.unwrap();
        exec(connection.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        for sql in ["CREATE TABLE u (id INT)", "START TRANSACTION", "COMMIT", "ROLLBACK", "LOCK TABLES t WRITE"] {
            let error = connection.script(sql).await.unwrap_err();
            assert_eq!((error.code(), connection.state()), (Some("1399"), State::InTransaction), "{sql}: {error}");
        }
        assert_eq!(connection.commit().await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(connection.two_phase().unwrap().prepare(&branch).await.unwrap());
        connection.two_phase().unwrap().commit_prepared(&branch).await.unwrap();
        assert_eq!(number(connection.as_mut(), "SELECT COUNT(*) FROM t").await, 1);
    });
}

/// A lock that is not had in time: the server would go on with half of the branch.
#[test]
fn a_branch_that_waited_too_long_is_not_prepared() {
    on_mysql(async |db| {
        let (mut connection, mut other) = (db.connect().await, db.connect().await);
        connection.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
        connection.script("SET innodb_lock_wait_timeout = 1").await.unwrap();
        other.begin(&Default::default()).await.unwrap();
        exec(other.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        let branch = BranchId::new("late", [9; 16], 3).unwrap();
        connection.two_phase().unwrap().begin_branch(&branch, &Default::default()).await.unwrap();
        exec(connection.as_mut(), "INSERT INTO t VALUES (2)", &[]).await.unwrap();
        let error = exec(connection.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
        assert_eq!((error.kind(), connection.state()), (ErrorKind::LockTimeout, State::Failed), "{error}");
        assert!(connection.two_phase().unwrap().prepare(&branch).await.is_err());
        assert_eq!(connection.state(), State::Idle);
        other.rollback().await.unwrap();
        assert_eq!(number(connection.as_mut(), "SELECT COUNT(*) FROM t").await, 0);
    });
}

/// The servers of the tests confirm commits that a crash can undo, because that is fast.
#[test]
fn settings_that_make_it_unsafe_are_refused() {
    on_mysql(async |db| {
        let mut connection = db.connect().await;
        let error = connection.two_phase().unwrap().check_two_phase().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.help().is_some_and(|help| help.contains("innodb_flush_log_at_trx_commit = 1")), "{error}");
    });
}
