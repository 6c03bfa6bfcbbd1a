//! Begin, commit, rollback, savepoints, and where the session stands after each.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{ConnectionState, Isolation, TransactionOptions};
use covet_drivers::value::Value;

use super::{Place, kind, memory, number, run};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };
const READ_ONLY: TransactionOptions =
    TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT };

#[tokio::test]
async fn what_is_committed_stays_and_what_is_rolled_back_goes() {
    let place = Place::new();
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    assert_eq!(one.state(), ConnectionState::InTransaction);
    run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 0);
    one.commit().await.unwrap();
    assert_eq!(one.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 1);
    one.begin(&PLAIN).await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    one.rollback().await.unwrap();
    one.rollback().await.unwrap();
    assert_eq!(one.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn savepoints_keep_and_undo() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    db.savepoint(1).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    db.savepoint(2).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (4)", &[]).await.unwrap();
    db.rollback_to(2).await.unwrap();
    db.release(1).await.unwrap();
    db.savepoint(1).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (8)", &[]).await.unwrap();
    db.rollback_to(1).await.unwrap();
    assert!(kind(db.release(1).await).is_some(), "the savepoint is forgotten");
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT sum(a) FROM t").await, 3);
}

#[tokio::test]
async fn misuse_is_told_apart() {
    let mut db = memory().await;
    assert_eq!(kind(db.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!(kind(db.savepoint(1).await), Some(ErrorKind::TransactionClosed));
    db.begin(&PLAIN).await.unwrap();
    assert_eq!(kind(db.begin(&PLAIN).await), Some(ErrorKind::InvalidInput));
    assert_eq!(db.state(), ConnectionState::InTransaction);
    db.rollback().await.unwrap();
    for level in [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead] {
        let options = TransactionOptions { isolation: Some(level), read_only: false, ..TransactionOptions::DEFAULT };
        assert_eq!(kind(db.begin(&options).await), Some(ErrorKind::Unsupported));
    }
    db.begin(&TransactionOptions {
        isolation: Some(Isolation::Serializable),
        read_only: false,
        ..TransactionOptions::DEFAULT
    })
    .await
    .unwrap();
    db.commit().await.unwrap();
}

#[tokio::test]
async fn a_failed_statement_undoes_itself_and_nothing_else() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT").await.unwrap();
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_eq!(kind(run(&mut *db, "INSERT INTO t VALUES (2), (1)", &[]).await), Some(ErrorKind::Unique));
    assert_eq!(db.state(), ConnectionState::InTransaction);
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn an_error_that_rolls_back_says_so() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT").await.unwrap();
    let (plain, strict) = ("INSERT INTO t VALUES (?1)", "INSERT OR ROLLBACK INTO t VALUES (?1)");
    let one = [Value::Int(1)];
    // A text that has run before in a transaction runs on the caller's thread.
    for first in [plain, strict, strict] {
        db.begin(&PLAIN).await.unwrap();
        run(&mut *db, first, &one).await.unwrap();
        let error = run(&mut *db, strict, &one).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unique);
        assert!(error.is_transaction_lost());
        assert_eq!(db.state(), ConnectionState::Idle);
        assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 0);
    }
}

#[tokio::test]
async fn a_commit_that_a_deferred_key_refuses_ends_the_transaction() {
    let mut db = memory().await;
    db.script("CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
        .await
        .unwrap();
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO c VALUES (7)", &[]).await.unwrap();
    let error = db.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignKey);
    assert!(error.is_transaction_lost());
    assert_eq!(db.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM c").await, 0);
}

#[tokio::test]
async fn a_read_only_transaction_refuses_writing_and_is_read_only_no_longer_than_it_lasts() {
    let place = Place::new();
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    one.begin(&READ_ONLY).await.unwrap();
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 0);
    assert_eq!(kind(run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await), Some(ErrorKind::ReadOnly));
    run(&mut *two, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 0, "one snapshot for the whole transaction");
    one.commit().await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn a_transaction_of_raw_text_is_seen_for_what_it_is() {
    let mut db = memory().await;
    run(&mut *db, "BEGIN", &[]).await.unwrap();
    assert_eq!(db.state(), ConnectionState::InTransaction);
    assert!(db.is_dirty());
    run(&mut *db, "COMMIT", &[]).await.unwrap();
    assert_eq!(db.state(), ConnectionState::Idle);
}
