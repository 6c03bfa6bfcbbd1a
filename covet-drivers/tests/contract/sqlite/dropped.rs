//! Futures that are dropped, and sinks that pause or stop.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, ConnectionState, Flow, Reuse, Row, TransactionOptions};
use covet_drivers::{Error, ErrorKind};

use super::{Place, kind, memory, number, run};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
const ENDLESS_COUNT: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
const LONG_INSERT: &str = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000)
    SELECT i FROM n";

/// Polls so often, a little apart, then drops.
async fn drop_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    None
}

async fn table() -> Box<dyn Connection> {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    db.reset().await.unwrap();
    db
}

#[tokio::test]
async fn a_dropped_read_stops_and_the_connection_goes_on() {
    let mut db = table().await;
    for sql in [ENDLESS, ENDLESS_COUNT] {
        for polls in 0..4 {
            assert!(drop_after(polls, run(&mut *db, sql, &[])).await.is_none());
            let began = Instant::now();
            assert_eq!(number(&mut *db, "SELECT 42").await, 42);
            assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
            assert_eq!(db.state(), ConnectionState::Idle);
            assert!(!db.is_dirty());
        }
    }
}

#[tokio::test]
async fn a_dropped_read_leaves_the_transaction_as_it_was() {
    let mut db = table().await;
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    db.savepoint(1).await.unwrap();
    assert!(drop_after(3, run(&mut *db, ENDLESS_COUNT, &[])).await.is_none());
    assert_eq!(db.state(), ConnectionState::InTransaction);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 1);
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn a_dropped_write_happens_whole_or_not_at_all() {
    for polls in 0..6 {
        let mut db = table().await;
        let finished = drop_after(polls, run(&mut *db, LONG_INSERT, &[])).await.is_some();
        let rows = number(&mut *db, "SELECT count(*) FROM t").await;
        assert!(rows == 300_000 || (rows == 0 && !finished), "{rows} rows after {polls} polls");
        if polls >= 2 {
            assert_eq!(rows, 300_000, "a write that began is not interrupted");
        }
        assert_eq!(db.state(), ConnectionState::Idle);
    }
}

#[tokio::test]
async fn a_dropped_write_dooms_its_transaction() {
    let mut db = table().await;
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert!(drop_after(2, run(&mut *db, LONG_INSERT, &[])).await.is_none());
    assert_eq!(db.state(), ConnectionState::Failed);
    assert_eq!(kind(run(&mut *db, "SELECT 1", &[]).await), Some(ErrorKind::TransactionClosed));
    assert_eq!(kind(db.savepoint(1).await), Some(ErrorKind::TransactionClosed));
    assert_eq!(kind(db.commit().await), Some(ErrorKind::TransactionClosed));
    assert_eq!(db.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 0);
    // A savepoint from before the write saves the rest.
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    db.savepoint(1).await.unwrap();
    assert!(drop_after(2, run(&mut *db, LONG_INSERT, &[])).await.is_none());
    assert_eq!(db.state(), ConnectionState::Failed);
    db.rollback_to(1).await.unwrap();
    assert_eq!(db.state(), ConnectionState::InTransaction);
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn a_dropped_begin_leaves_nothing_open_after_a_reset() {
    let place = Place::with("busy_timeout=500");
    let mut other = place.connect().await;
    other.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut db = place.connect().await;
    for polls in 0..4 {
        for _ in 0..20 {
            let _ = drop_after(polls, db.begin(&PLAIN)).await;
            db.reset().await.unwrap();
            assert_eq!(db.state(), ConnectionState::Idle);
            run(&mut *other, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        }
    }
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 80);
}

#[tokio::test]
async fn a_dropped_commit_has_committed_or_not_and_the_state_knows() {
    for polls in 0..4 {
        let mut db = table().await;
        db.begin(&PLAIN).await.unwrap();
        run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        let _ = drop_after(polls, db.commit()).await;
        db.ping().await.unwrap();
        let open = db.state() != ConnectionState::Idle;
        db.rollback().await.unwrap();
        assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, i64::from(!open), "{polls} polls");
    }
}

#[tokio::test]
async fn a_future_that_waits_for_a_lock_is_dropped_without_a_trace() {
    let place = Place::new();
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut two = place.elsewhere("").connect().await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    assert!(drop_after(10, run(&mut *two, "INSERT INTO t VALUES (1)", &[])).await.is_none());
    assert!(drop_after(10, two.begin(&PLAIN)).await.is_none());
    one.rollback().await.unwrap();
    assert_eq!(two.state(), ConnectionState::Idle);
    assert_eq!(number(&mut *two, "SELECT count(*) FROM t").await, 0);
    run(&mut *one, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
}

#[tokio::test]
async fn a_sink_that_stops_or_fails_ends_the_statement_and_keeps_the_connection() {
    let mut db = table().await;
    for fails in [false, true] {
        let mut seen = 0;
        let mut sink = |_: &mut Row<'_>| {
            seen += 1;
            match (seen, fails) {
                (1000, true) => Err(Error::new(ErrorKind::Decode, "enough")),
                (1000, false) => Ok(Flow::Stop),
                _ => Ok(Flow::Continue),
            }
        };
        let result = db.run(Command { sql: ENDLESS, args: &[], reuse: Reuse::Keep }, &mut sink).await;
        assert_eq!((seen, kind(result)), (1000, fails.then_some(ErrorKind::Decode)));
        assert_eq!(number(&mut *db, "SELECT 42").await, 42);
    }
    // A write has been done by the time its rows are seen.
    let mut sink = |_: &mut Row<'_>| Ok(Flow::Stop);
    let sql = "INSERT INTO t VALUES (1), (2), (3) RETURNING a";
    db.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut sink).await.unwrap();
    assert_eq!(number(&mut *db, "SELECT count(*) FROM t").await, 3);
}

#[tokio::test]
async fn a_paused_sink_holds_the_thread_back() {
    let mut db = table().await;
    let made = std::sync::atomic::AtomicU32::new(0);
    let mut sink = |row: &mut Row<'_>| {
        row.get::<i64>(0, &ColumnType::I64)?;
        made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Flow::Pause)
    };
    {
        let mut future = pin!(db.run(Command { sql: ENDLESS, args: &[], reuse: Reuse::Keep }, &mut sink));
        let mut polls = 0;
        while made.load(std::sync::atomic::Ordering::Relaxed) < 1000 {
            let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            assert!(polled.is_pending());
            polls += 1;
            tokio::task::yield_now().await;
        }
        // As long as nobody polls, nobody reads.
        let before = made.load(std::sync::atomic::Ordering::Relaxed);
        assert!(before <= polls, "{before} rows in {polls} polls");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), before);
    }
    assert_eq!(number(&mut *db, "SELECT 42").await, 42);
}

#[tokio::test]
async fn dropping_a_connection_in_the_middle_of_anything_frees_the_database() {
    let place = Place::with("busy_timeout=2000");
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    for _ in 0..10 {
        let mut two = place.connect().await;
        two.begin(&PLAIN).await.unwrap();
        run(&mut *two, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        let _ = drop_after(1, run(&mut *two, ENDLESS_COUNT, &[])).await;
        drop(two);
        run(&mut *one, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    }
    assert_eq!(number(&mut *one, "SELECT count(*) FROM t WHERE a = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_dropped_at_any_time_nobody_gets_another_ones_answer() {
    let place = Place::with("synchronous=off");
    place.connect().await.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    let mut tasks = Vec::new();
    for seed in 1..=4_u64 {
        let backend = place.backend.clone();
        tasks.push(tokio::spawn(async move {
            let mut db = backend.connect().await.unwrap();
            let mut noise = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for nonce in 0..150_i64 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                let limit = Duration::from_micros(noise % 3000);
                let work = async {
                    match noise % 5 {
                        0 => run(&mut *db, ENDLESS, &[]).await.map(drop),
                        1 => run(&mut *db, "INSERT INTO t VALUES (1), (2), (3) RETURNING a", &[]).await.map(drop),
                        2 => db.begin(&PLAIN).await,
                        3 => {
                            async {
                                db.begin(&PLAIN).await?;
                                run(&mut *db, "INSERT INTO t VALUES (4), (5), (6)", &[]).await?;
                                db.commit().await
                            }
                            .await
                        }
                        _ => db.script("CREATE TEMP TABLE x (a); INSERT INTO t VALUES (7), (8), (9)").await,
                    }
                };
                let _ = tokio::time::timeout(limit, work).await;
                assert_ne!(db.state(), ConnectionState::Broken);
                // As a pool does before it lends the connection again.
                db.reset().await.unwrap();
                assert_eq!(db.state(), ConnectionState::Idle);
                assert_eq!(number(&mut *db, &format!("SELECT {nonce}")).await, nonce);
                assert_eq!(number(&mut *db, "SELECT count(*) FROM temp.sqlite_schema").await, 0);
                assert_eq!(number(&mut *db, "SELECT count(*) % 3 FROM t").await, 0, "never half of a write");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn dropping_a_connection_outside_of_a_runtime_is_no_panic() {
    let place = Place::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = runtime.block_on(async {
        let mut db = place.connect().await;
        db.begin(&PLAIN).await.unwrap();
        let _ = drop_after(1, run(&mut *db, ENDLESS_COUNT, &[])).await;
        db
    });
    drop(runtime);
    drop(db);
}
