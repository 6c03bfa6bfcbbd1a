//! Transactions: what is committed is there, what is not is not, and the state tells the truth.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{ConnectionState as State, Isolation, TransactionOptions};

use crate::postgres::proxy::Behaviour;
use crate::postgres::{Place, kind, number, open, run, text};

#[tokio::test]
async fn a_failed_transaction_never_commits() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int PRIMARY KEY, r int REFERENCES t DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    c.begin(&Default::default()).await.unwrap();
    run(c, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    run(c, "SELECT 1 / 0", &[]).await.unwrap_err();
    assert_eq!(kind(c.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!((c.state(), number(c, "SELECT count(*) FROM t").await), (State::Idle, 0));
    // Deferred until the commit: refused there, with its name, and nothing is left open.
    c.begin(&Default::default()).await.unwrap();
    run(c, "INSERT INTO t VALUES (1, 9)", &[]).await.unwrap();
    let error = c.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::ForeignKey, Some("t_r_fkey")));
    assert_eq!((c.state(), number(c, "SELECT count(*) FROM t").await), (State::Idle, 0));
    // Deferred without a transaction: the statement itself must tell.
    assert_eq!(kind(run(c, "INSERT INTO t VALUES (1, 9) RETURNING id", &[]).await), Some(ErrorKind::ForeignKey));
}

/// The server answers the COMMIT of a failed transaction with a rollback and no error. Whatever the client has missed,
/// that is never taken for a commit.
#[tokio::test]
async fn a_rollback_in_answer_to_commit_is_no_commit() {
    let Some(place) = Place::new().await else { return };
    let mut other = place.connect().await;
    other.script("CREATE TABLE t (id int)").await.unwrap();
    let url = place.by_proxy(Behaviour::HushErrorsUntil("COMMIT"), "").await;
    let mut connection = open(&url).unwrap().connect().await.unwrap();
    let c = connection.as_mut();
    c.begin(&Default::default()).await.unwrap();
    run(c, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    c.script("SELECT 1 / 0").await.unwrap();
    assert_eq!(c.state(), State::InTransaction, "the client has heard of no error");
    assert_eq!(kind(c.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!((c.state(), number(other.as_mut(), "SELECT count(*) FROM t").await), (State::Idle, 0));
}

#[tokio::test]
async fn words_in_raw_text_are_noticed() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int)").await.unwrap();
    run(c, "BEGIN", &[]).await.unwrap();
    assert_eq!(c.state(), State::InTransaction);
    run(c, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    c.script("SAVEPOINT a; SELECT 1").await.unwrap();
    assert_eq!(c.state(), State::InTransaction);
    run(c, "SELECT 1 / 0", &[]).await.unwrap_err();
    assert_eq!(c.state(), State::Failed);
    run(c, "ROLLBACK TO SAVEPOINT a", &[]).await.unwrap();
    assert_eq!(c.state(), State::InTransaction);
    c.script("/* end */ COMMIT").await.unwrap();
    assert_eq!((c.state(), number(c, "SELECT count(*) FROM t").await), (State::Idle, 1));
    c.begin(&Default::default()).await.unwrap();
    run(c, "ROLLBACK", &[]).await.unwrap();
    assert_eq!(kind(c.commit().await), Some(ErrorKind::TransactionClosed));
    run(c, "BEGIN", &[]).await.unwrap();
    assert!(c.is_dirty());
    c.reset().await.unwrap();
    assert_eq!((c.state(), c.is_dirty()), (State::Idle, false));
}

#[tokio::test]
async fn options_are_honoured() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    c.script("CREATE TABLE t (id int)").await.unwrap();
    for (isolation, shown) in [
        (Isolation::ReadUncommitted, "read uncommitted"),
        (Isolation::ReadCommitted, "read committed"),
        (Isolation::RepeatableRead, "repeatable read"),
        (Isolation::Serializable, "serializable"),
    ] {
        c.begin(&TransactionOptions { isolation: Some(isolation), read_only: true, ..TransactionOptions::DEFAULT })
            .await
            .unwrap();
        assert_eq!(text(c, "SELECT current_setting('transaction_isolation')").await, shown);
        assert_eq!(kind(run(c, "INSERT INTO t VALUES (1)", &[]).await), Some(ErrorKind::ReadOnly));
        c.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn write_skew_and_deadlock_can_be_tried_again() {
    let Some(place) = Place::new().await else { return };
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)").await.unwrap();
    let serializable = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        read_only: false,
        ..TransactionOptions::DEFAULT
    };
    for c in [one.as_mut(), two.as_mut()] {
        c.begin(&serializable).await.unwrap();
        number(c, "SELECT sum(n) FROM t").await;
    }
    run(one.as_mut(), "UPDATE t SET n = 1 WHERE id = 1", &[]).await.unwrap();
    run(two.as_mut(), "UPDATE t SET n = 1 WHERE id = 2", &[]).await.unwrap();
    one.commit().await.unwrap();
    let error = two.commit().await.unwrap_err();
    assert_eq!((error.kind(), two.state()), (ErrorKind::Serialization, State::Idle));
    for (c, id) in [(one.as_mut(), 1), (two.as_mut(), 2)] {
        c.begin(&Default::default()).await.unwrap();
        run(c, &format!("UPDATE t SET n = 2 WHERE id = {id}"), &[]).await.unwrap();
    }
    let (first, second) = tokio::join!(
        run(one.as_mut(), "UPDATE t SET n = 3 WHERE id = 2", &[]),
        run(two.as_mut(), "UPDATE t SET n = 3 WHERE id = 1", &[])
    );
    let kinds = [kind(first), kind(second)];
    assert!(kinds.contains(&Some(ErrorKind::Deadlock)) && kinds.contains(&None), "{kinds:?}");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_unknown() {
    let Some(place) = Place::new().await else { return };
    let mut other = place.connect().await;
    other.script("CREATE TABLE t (id int)").await.unwrap();
    let url = place.by_proxy(Behaviour::SwallowAnswerTo("COMMIT"), "").await;
    let mut connection = open(&url).unwrap().connect().await.unwrap();
    connection.begin(&Default::default()).await.unwrap();
    run(connection.as_mut(), "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_eq!(kind(connection.commit().await), Some(ErrorKind::CommitUnknown));
    assert_eq!(connection.state(), State::Broken);
    assert_eq!(number(other.as_mut(), "SELECT count(*) FROM t").await, 1);
    // A statement whose answer is lost is no commit.
    let url = place.by_proxy(Behaviour::SwallowAnswerTo("INSERT"), "").await;
    let mut connection = open(&url).unwrap().connect().await.unwrap();
    connection.begin(&Default::default()).await.unwrap();
    let lost = run(connection.as_mut(), "INSERT INTO t VALUES (2)", &[]).await;
    assert_eq!(kind(lost), Some(ErrorKind::ConnectionLost));
    assert!(connection.commit().await.is_err());
}
