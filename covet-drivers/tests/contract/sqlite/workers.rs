//! What statements do to the thread that polls them: it is never held for long, however long they take.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, ConnectionState, Flow, Reuse, Row, TransactionOptions};
use covet_drivers::value::Value;

use super::{Place, kind, memory, number, rows, run};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
const SLEEP: Duration = Duration::from_millis(1);

/// Numbers from 1, without rows on the way.
fn sum_to(last: i64) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {last}) SELECT sum(i) FROM n")
}

/// How long this thread had work and no processor, since it began: other programs' doing.
fn starved() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0))
}

/// The latest that a task came back from a sleep of 1 ms while the work was done, and how often it came.
async fn latest<F: Future>(work: F) -> (F::Output, Duration, u32) {
    let (late, ticks) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let ticker = tokio::spawn({
        let (late, ticks) = (Arc::clone(&late), Arc::clone(&ticks));
        async move {
            loop {
                let (began, starving) = (Instant::now(), starved());
                tokio::time::sleep(SLEEP).await;
                let over = began.elapsed().saturating_sub(SLEEP + (starved() - starving)).as_micros();
                late.fetch_max(u32::try_from(over).unwrap(), Ordering::Relaxed);
                ticks.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    tokio::time::sleep(SLEEP).await;
    let output = work.await;
    tokio::time::sleep(SLEEP).await;
    ticker.abort();
    (output, Duration::from_micros(late.load(Ordering::Relaxed).into()), ticks.load(Ordering::Relaxed))
}

/// A machine that is busy with other things may hold a thread up, but not every time. The work must
/// not profit from what the connection learned the time before.
macro_rules! never_late {
    (|$attempt:pat_param| $work:expr) => {
        for attempt in 1_u32.. {
            let $attempt = attempt;
            let ((), late, ticks) = latest($work).await;
            if late < Duration::from_millis(20) && ticks >= 20 {
                break;
            }
            assert!(attempt < 5, "{late:?} late, {ticks} ticks");
        }
    };
}

#[tokio::test]
async fn a_scan_of_two_seconds_holds_nobody_up() {
    let mut db = memory().await;
    never_late!(|attempt| async {
        let scan = format!("{ENDLESS} WHERE i > -{attempt}");
        let scan = run(&mut *db, &scan, &[]);
        assert!(tokio::time::timeout(Duration::from_secs(2), scan).await.is_err());
    });
    assert_eq!(number(&mut *db, "SELECT 42").await, 42);
}

#[tokio::test]
async fn a_long_statement_without_rows_holds_nobody_up() {
    let mut db = memory().await;
    never_late!(|attempt| async {
        let last = 400_000 + i64::from(attempt);
        let sql = sum_to(last);
        assert_eq!(number(&mut *db, &sql).await, last * (last + 1) / 2);
        // Now it is known.
        assert_eq!(number(&mut *db, &sql).await, last * (last + 1) / 2);
    });
}

#[tokio::test]
async fn a_lock_that_is_held_for_two_seconds_holds_nobody_up() {
    let place = Place::with("busy_timeout=2000");
    let mut one = place.connect().await;
    one.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    one.begin(&PLAIN).await.unwrap();
    let mut two = place.elsewhere("busy_timeout=2000").connect().await.unwrap();
    never_late!(|_| async {
        assert!(kind(run(&mut *two, "INSERT INTO t VALUES (2)", &[]).await).is_some());
    });
}

#[tokio::test]
async fn a_long_stream_holds_nobody_up() {
    let mut db = memory().await;
    never_late!(|attempt| async {
        let mut seen = 0;
        let mut sink = |row: &mut Row<'_>| {
            assert_eq!(row.get::<i64>(0, &ColumnType::I64)?, seen + 1);
            seen += 1;
            Ok(match seen {
                200_000.. => Flow::Stop,
                _ if seen % 64 == 0 => Flow::Pause,
                _ => Flow::Continue,
            })
        };
        let sql = format!("{ENDLESS} WHERE i > -{attempt}");
        let mut stream = pin!(db.run(Command { sql: &sql, args: &[], reuse: Reuse::Keep }, &mut sink));
        loop {
            let polled = std::future::poll_fn(|context| Poll::Ready(stream.as_mut().poll(context))).await;
            if let Poll::Ready(result) = polled {
                result.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
    });
}

#[tokio::test]
async fn a_loop_of_short_statements_lets_others_run() {
    let place = Place::with("synchronous=off");
    let mut db = place.connect().await;
    db.script("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT; INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        .await
        .unwrap();
    never_late!(|_| async {
        for _ in 0..20_000 {
            let found = rows(&mut *db, "SELECT id FROM t WHERE id = ?1", &[Value::Int(2)], &[ColumnType::I64]).await;
            assert_eq!(found.unwrap(), [[Value::Int(2)]]);
        }
    });
    never_late!(|_| async {
        for number in 0..3000 {
            db.begin(&PLAIN).await.unwrap();
            run(&mut *db, "UPDATE t SET a = ?1 WHERE id = 1", &[Value::Text(number.to_string())]).await.unwrap();
            db.commit().await.unwrap();
        }
    });
}

#[tokio::test]
async fn a_read_that_is_interrupted_keeps_the_transaction_and_sees_it() {
    let mut db = memory().await;
    db.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    db.reset().await.unwrap();
    db.begin(&PLAIN).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
    db.savepoint(1).await.unwrap();
    run(&mut *db, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000)
        SELECT count(i) + (SELECT sum(a) FROM t) FROM n";
    // First it is interrupted, later it starts where it ends.
    for _ in 0..3 {
        assert_eq!(number(&mut *db, sql).await, 200_003);
        assert_eq!(db.state(), ConnectionState::InTransaction);
    }
    db.rollback_to(1).await.unwrap();
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT sum(a) FROM t").await, 1);
}

#[tokio::test]
async fn a_write_that_is_interrupted_happens_once() {
    let place = Place::with("synchronous=off");
    let mut db = place.connect().await;
    db.script("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER) STRICT").await.unwrap();
    let insert = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000)
        SELECT i, 0 FROM n";
    assert_eq!(run(&mut *db, insert, &[]).await.unwrap().affected, 50_000);
    let update = "UPDATE t SET b = b + 1 WHERE a > ?1 RETURNING a";
    for round in 1..4 {
        let changed = rows(&mut *db, update, &[Value::Int(0)], &[ColumnType::I64]).await.unwrap();
        assert_eq!(changed.len(), 50_000);
        assert_eq!(number(&mut *db, "SELECT sum(b) FROM t").await, 50_000 * round);
    }
    // And inside a transaction, where an interruption would end it.
    db.begin(&PLAIN).await.unwrap();
    for _ in 0..3 {
        assert_eq!(run(&mut *db, update, &[Value::Int(0)]).await.unwrap().affected, 50_000);
        assert_eq!(db.state(), ConnectionState::InTransaction);
    }
    db.commit().await.unwrap();
    assert_eq!(number(&mut *db, "SELECT sum(b) FROM t").await, 300_000);
}

#[tokio::test]
async fn rows_come_once_however_many_there_are() {
    let mut db = memory().await;
    for count in [0, 1, 2, 255, 256, 257, 258, 1000, 20_000] {
        let sql =
            format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT {count}");
        for _ in 0..3 {
            let found = rows(&mut *db, &sql, &[], &[ColumnType::I64]).await.unwrap();
            let want: Vec<Vec<Value>> = (1..=count).map(|number| vec![Value::Int(number)]).collect();
            assert!(found == want, "{} of {count} rows", found.len());
        }
    }
}

/// Drops the future after so many polls; gives the polls that it got, and whether it ended.
async fn cut<F: Future>(most: u32, pause: Duration, future: F) -> (u32, bool) {
    let mut future = pin!(future);
    for polls in 1..=most {
        if std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await.is_ready() {
            return (polls, true);
        }
        tokio::time::sleep(pause).await;
    }
    (most, false)
}

async fn work(db: &mut dyn Connection, what: usize) {
    let _ = match what {
        0 => run(db, "SELECT a FROM t WHERE a = 3", &[]).await.map(drop),
        1 => run(db, &sum_to(20_000), &[]).await.map(drop),
        2 => run(db, ENDLESS, &[]).await.map(drop),
        3 => run(db, "INSERT INTO t VALUES (1), (2), (3) RETURNING a", &[]).await.map(drop),
        4 => {
            let sql = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 6000)
                SELECT i FROM n";
            run(db, sql, &[]).await.map(drop)
        }
        5 => {
            async {
                db.begin(&PLAIN).await?;
                run(db, "INSERT INTO t VALUES (?1)", &[Value::Int(4)]).await?;
                run(db, &sum_to(20_000), &[]).await?;
                db.savepoint(1).await?;
                run(db, "UPDATE t SET a = a + 0 WHERE a > 0", &[]).await?;
                run(db, "INSERT INTO t VALUES (?1), (5)", &[Value::Int(5)]).await?;
                db.release(1).await?;
                db.commit().await
            }
            .await
        }
        _ => db.script("INSERT INTO t VALUES (6), (6), (6)").await,
    };
}

#[tokio::test]
async fn whatever_is_dropped_anywhere_the_next_answer_is_its_own() {
    let place = Place::with("synchronous=off");
    let mut db = place.connect().await;
    db.script("CREATE TABLE t (a INTEGER) STRICT").await.unwrap();
    db.reset().await.unwrap();
    let mut other = place.elsewhere("").connect().await.unwrap();
    let mut points = BTreeSet::new();
    let mut nonce = 0;
    for locked in [false, true] {
        for what in 0..7 {
            for most in 0..12 {
                for pause in [Duration::ZERO, Duration::from_micros(300)] {
                    if locked {
                        other.begin(&PLAIN).await.unwrap();
                    }
                    let (polls, ended) = cut(most, pause, work(&mut *db, what)).await;
                    if locked {
                        other.rollback().await.unwrap();
                    }
                    if !ended {
                        points.insert((locked, what, polls, pause));
                    }
                    nonce += 1;
                    assert_ne!(db.state(), ConnectionState::Broken);
                    // As a pool does with it.
                    if db.state() != ConnectionState::Idle || db.is_dirty() {
                        db.reset().await.unwrap();
                    }
                    assert_eq!(number(&mut *db, &format!("SELECT {nonce}")).await, nonce);
                    assert_eq!(db.state(), ConnectionState::Idle);
                    assert_eq!(number(&mut *db, "SELECT count(a) % 3 FROM t").await, 0, "never half of a write");
                }
            }
        }
    }
    assert!(points.len() > 100, "{} points", points.len());
}

#[tokio::test]
async fn the_log_is_copied_back_and_begins_anew() {
    let place = Place::with("synchronous=off");
    let mut db = place.connect().await;
    assert_eq!(number(&mut *db, "PRAGMA wal_autocheckpoint").await, 0);
    db.script("CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB) STRICT").await.unwrap();
    db.reset().await.unwrap();
    let log = place.folder.join("test.db-wal");
    let page = Value::Bytes(vec![7; 64 * 1024]);
    for in_transaction in [false, true] {
        for _ in 0..300 {
            if in_transaction {
                db.begin(&PLAIN).await.unwrap();
            }
            run(&mut *db, "INSERT INTO t (a) VALUES (?1)", std::slice::from_ref(&page)).await.unwrap();
            if in_transaction {
                db.commit().await.unwrap();
            }
        }
        let pages = log.metadata().unwrap().len() / 4096;
        assert!((900..1500).contains(&pages), "{pages} pages in the log of 5000 that were written");
    }
    assert_eq!(number(&mut *db, "SELECT count(a) FROM t").await, 600);
    // A reader in the middle of a transaction keeps the log, and everybody goes on.
    let mut reader = place.connect().await;
    reader
        .begin(&TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT })
        .await
        .unwrap();
    assert_eq!(number(&mut *reader, "SELECT count(a) FROM t").await, 600);
    for _ in 0..200 {
        run(&mut *db, "INSERT INTO t (a) VALUES (?1)", std::slice::from_ref(&page)).await.unwrap();
    }
    assert_eq!(number(&mut *reader, "SELECT count(a) FROM t").await, 600);
    reader.commit().await.unwrap();
    assert_eq!(number(&mut *reader, "SELECT count(a) FROM t").await, 800);
}
