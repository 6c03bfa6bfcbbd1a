//! Other writers: of this process, of another, and what a reader sees meanwhile.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use covet_drivers::contract::{Command, ConnectionState, Flow, Reuse, Row, RowSink, TransactionOptions};
use covet_drivers::{ErrorKind, Result};
use futures_util::FutureExt as _;

use super::{Place, kind, number, run};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for_without_blocking_and_then_reported() {
    let place = Place::new();
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    // A backend of its own takes no turns with the first one, just as another process.
    let mut two = place.elsewhere("busy_timeout=200").connect().await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let began = Instant::now();
    let mut ticks = 0_u32;
    let ticking = async {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
    };
    let error = tokio::select! {
        result = run(&mut *two, "INSERT INTO t VALUES (2)", &[]) => result.unwrap_err(),
        () = ticking => unreachable!(),
    };
    assert_eq!(error.kind(), ErrorKind::LockTimeout);
    assert!(error.is_retryable() && error.code() == Some("5"), "{error:?}");
    assert!((200..400).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert!(ticks >= 10, "the one worker was blocked: {ticks} ticks");
    assert_eq!(kind(two.begin(&PLAIN).await), Some(ErrorKind::LockTimeout));
    assert_eq!(two.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 0, "readers do not wait");
    one.commit().await.unwrap();
    run(&mut *two, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn the_patience_of_a_transaction_that_never_began_is_nobody_elses() {
    let place = Place::new();
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut two = place.elsewhere("busy_timeout=5000").connect().await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let impatient = TransactionOptions { lock_timeout: Some(Duration::from_millis(20)), ..PLAIN };
    assert_eq!(kind(two.begin(&impatient).await), Some(ErrorKind::LockTimeout));
    let frees = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        one.commit().await.unwrap();
    };
    let (written, ()) = tokio::join!(run(&mut *two, "INSERT INTO t VALUES (2)", &[]), frees);
    written.unwrap();
}

#[tokio::test]
async fn no_wait_at_all_when_the_url_says_so() {
    let place = Place::new();
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut two = place.elsewhere("busy_timeout=0").connect().await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    let began = Instant::now();
    assert_eq!(kind(two.script("INSERT INTO t VALUES (2)").await), Some(ErrorKind::LockTimeout));
    assert!(began.elapsed() < Duration::from_millis(100));
}

#[tokio::test]
async fn what_another_connection_has_just_made_is_not_unknown_because_the_file_is_busy() {
    let place = Place::with("journal_mode=delete");
    let mut one = place.connect().await;
    let mut two = place.elsewhere("journal_mode=delete").connect().await.unwrap();
    assert_eq!(number(&mut *two, "SELECT count(*) FROM sqlite_schema").await, 0);
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    run(&mut *one, "BEGIN EXCLUSIVE", &[]).await.unwrap();
    let frees = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        one.commit().await.unwrap();
    };
    let (count, ()) = tokio::join!(number(&mut *two, "SELECT count(*) FROM t"), frees);
    assert_eq!(count, 0);
    let error = run(&mut *two, "SELECT count(*) FROM u", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::UndefinedTable, Some("u")));
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_to_write_is_a_serialization_failure_at_once() {
    let place = Place::new();
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    run(&mut *one, "BEGIN DEFERRED", &[]).await.unwrap();
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t").await, 0);
    run(&mut *two, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let began = Instant::now();
    let error = run(&mut *one, "INSERT INTO t VALUES (2)", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Serialization, true));
    assert!(began.elapsed() < Duration::from_millis(500));
    assert_eq!(one.state(), ConnectionState::Failed);
    assert_eq!(kind(run(&mut *one, "SELECT 1", &[]).await), Some(ErrorKind::TransactionClosed));
    assert_eq!(kind(one.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!(one.state(), ConnectionState::Idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_all_succeed_and_lose_nothing() {
    let place = Place::with("synchronous=off");
    place.connect().await.script("CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (0)").await.unwrap();
    let mut tasks = Vec::new();
    for number in 0..8 {
        // Half of them as another process.
        let backend = if number % 2 == 0 { place.backend.clone() } else { place.elsewhere("synchronous=off") };
        tasks.push(tokio::spawn(async move {
            let mut db = backend.connect().await.unwrap();
            for _ in 0..25 {
                db.begin(&PLAIN).await.unwrap();
                let seen = super::number(&mut *db, "SELECT a FROM t").await;
                run(&mut *db, &format!("UPDATE t SET a = {}", seen + 1), &[]).await.unwrap();
                db.commit().await.unwrap();
                run(&mut *db, "UPDATE t SET a = a + 1", &[]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&mut *place.connect().await, "SELECT a FROM t").await, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_open_a_new_file_at_the_same_time() {
    let place = Place::new();
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let backend = place.elsewhere("");
        tasks.push(tokio::spawn(async move {
            let mut db = backend.connect().await.unwrap();
            db.script("CREATE TABLE IF NOT EXISTS t (a INTEGER); INSERT INTO t VALUES (1)").await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&mut *place.connect().await, "SELECT count(*) FROM t").await, 12);
}

#[tokio::test]
async fn writers_of_one_process_take_turns_in_order() {
    let place = Place::new();
    let mut first = place.connect().await;
    first.script("CREATE TABLE t (n INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER) STRICT").await.unwrap();
    first.begin(&PLAIN).await.unwrap();
    let mut waiting = Vec::new();
    for number in 0..5 {
        let mut db = place.connect().await;
        waiting.push(tokio::spawn(async move {
            run(&mut *db, &format!("INSERT INTO t (a) VALUES ({number})"), &[]).await.unwrap();
        }));
        // One after the other at the door.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // One of them leaves again.
    waiting.remove(2).abort();
    first.commit().await.unwrap();
    for task in waiting {
        task.await.unwrap();
    }
    let order = super::texts(&mut *first, "SELECT CAST(a AS TEXT) FROM t ORDER BY n", &[]).await;
    assert_eq!(order, ["0", "1", "3", "4"]);
}

#[tokio::test]
async fn a_turn_that_is_dropped_is_free_again() {
    let place = Place::with("busy_timeout=300");
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    assert_eq!(kind(run(&mut *two, "INSERT INTO t VALUES (1)", &[]).await), Some(ErrorKind::LockTimeout));
    drop(one);
    run(&mut *two, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
}

#[tokio::test]
async fn without_wal_a_commit_waits_for_readers() {
    let place = Place::with("journal_mode=delete");
    let (mut one, mut two) = (place.connect().await, place.connect().await);
    one.script("CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (1)").await.unwrap();
    two.begin(&TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT }).await.unwrap();
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 1);
    one.begin(&PLAIN).await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    let reader = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        two.commit().await.unwrap();
    };
    let (committed, ()) = tokio::join!(one.commit(), reader);
    committed.unwrap();
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 2);
}

/// A sink that panics: whoever writes next does not wait for a connection that nobody uses.
#[tokio::test]
async fn a_panic_among_the_rows_of_a_write_gives_its_turn_back() {
    let place = Place::new();
    let backend = place.elsewhere("busy_timeout=500");
    let mut one = backend.connect().await.unwrap();
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    one.reset().await.unwrap();
    let mut two = backend.connect().await.unwrap();
    let command = Command { sql: "INSERT INTO t VALUES (1) RETURNING a", args: &[], reuse: Reuse::Keep };
    one.run(command, &mut ()).await.unwrap();
    let panicked = AssertUnwindSafe(one.run(command, &mut Panics)).catch_unwind().await;
    assert!(panicked.is_err(), "the sink saw no row");
    assert_eq!(one.state(), ConnectionState::Idle);
    // As an idle connection of a pool would.
    run(&mut *two, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    run(&mut *one, "INSERT INTO t VALUES (3)", &[]).await.unwrap();
    assert_eq!(number(&mut *two, "SELECT max(a) FROM t").await, 3);
}

/// A sink that sees its rows at once, and panics at the first.
struct Panics;

impl RowSink for Panics {
    fn row(&mut self, _: &mut Row<'_>) -> Result<Flow> {
        panic!("the test's own")
    }

    fn rewind(&mut self) -> bool {
        true
    }
}
