//! Runtimes that end, block or are two.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, Event, Leak, Observer, PoolOptions, TxOptions};
use covet_tests::chance::Chance;
use covet_tests::{Kind, Url};
use futures_util::future::{join, join_all};
use tokio::runtime::{Builder, Runtime};

use crate::scenarios::{PATIENCE, count, make_table, millis, names, open, open_with, put, torture};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs a case outside of every runtime, with a database and a runtime to look at it.
fn outside(kind: Kind, case: impl FnOnce(&str, &Runtime)) {
    let own = runtime();
    let Some(url) = own.block_on(Url::fresh(kind)) else { return };
    own.block_on(async {
        let db = open(&url.url, 1).await?;
        make_table(&db).await
    })
    .unwrap();
    case(&url.url, &own);
    own.block_on(url.drop_database());
}

/// Makes of each function three tests, outside of every runtime.
macro_rules! on_each {
    ($($name:ident)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                outside(Kind::Sqlite, super::$name);
            }

            #[test]
            fn postgres() {
                outside(Kind::Postgres, super::$name);
            }

            #[test]
            fn mysql() {
                outside(Kind::Mysql, super::$name);
            }
        }
    )*};
}

on_each! {
    a10_dropped_outside_of_a_runtime
    a10_dropped_when_the_runtime_is_gone
    a11_a_runtime_that_ends_leaves_no_half_of_a_transaction
    a12_a_blocked_executor
    a18_two_runtimes
}

/// The row can be written again soon: nobody holds a lock on it, and it is not there.
fn is_free(name: &str, url: &str, own: &Runtime) {
    own.block_on(async {
        let db = open(url, 1).await.unwrap();
        let start = Instant::now();
        // As a transaction: whoever else waited for it may make a deadlock of it.
        let put = db.transaction(async |tx| put(name, tx).await);
        tokio::time::timeout(PATIENCE, put).await.expect("nobody holds a lock").expect("it is not there");
        assert!(start.elapsed() < Duration::from_secs(2), "the session was there for {:?}", start.elapsed());
    });
}

fn a10_dropped_outside_of_a_runtime(url: &str, own: &Runtime) {
    let runtime = runtime();
    let (db, tx, lease) = runtime.block_on(async {
        let db = open(url, 3).await.unwrap();
        let mut lease = db.acquire().await.unwrap();
        lease.script("SELECT 1").await.unwrap();
        let tx = db.begin().await.unwrap();
        put("a", &tx).await.unwrap();
        (db, tx, lease)
    });
    std::thread::spawn(move || drop((tx, lease))).join().unwrap();
    is_free("a", url, own);
    // The pool itself goes on.
    runtime.block_on(async {
        assert_eq!(names(&db).await.unwrap(), ["a"]);
        let status = db.pool_status();
        assert_eq!(status.in_use, 0, "{status:?}");
    });
    std::thread::spawn(move || drop(db)).join().unwrap();
}

fn a10_dropped_when_the_runtime_is_gone(url: &str, own: &Runtime) {
    let runtime = runtime();
    let (db, tx, half) = runtime.block_on(async {
        let db = open(url, 3).await.unwrap();
        let tx = db.begin().await.unwrap();
        put("a", &tx).await.unwrap();
        // One that stands in the middle of a statement.
        let (other, holder) = (db.clone(), db.clone());
        let waits = async move {
            let tx = other.begin().await?;
            put("a", &tx).await
        };
        let mut half = Box::pin(waits);
        let _ = tokio::time::timeout(millis(50), &mut half).await;
        (holder, tx, half)
    });
    drop(runtime);
    std::thread::spawn(move || {
        drop(half);
        drop(tx);
        // The last handle; borrowing without a runtime is not asked of it.
        drop(db);
    })
    .join()
    .unwrap();
    is_free("a", url, own);
}

fn a11_a_runtime_that_ends_leaves_no_half_of_a_transaction(url: &str, own: &Runtime) {
    const ROWS: u64 = 4;
    let seed = Chance::seed();
    println!("COVET_SEED={seed}");
    let mut chance = Chance(seed);
    let rounds = if torture() { 200 } else { 40 };
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let runtime = runtime();
        let (tell, told) = mpsc::channel();
        let db = runtime.block_on(open(url, 2)).unwrap();
        runtime.spawn(async move {
            let ended = db
                .transaction(async |tx| {
                    for row in 0..ROWS {
                        put(format!("r{round:03}-{row}"), tx).await?;
                    }
                    Ok(())
                })
                .await;
            if ended.is_ok() {
                let _ = tell.send(round);
            }
        });
        std::thread::sleep(Duration::from_micros(u64::try_from(chance.below(6_000)).unwrap()));
        let start = Instant::now();
        runtime.shutdown_timeout(Duration::ZERO);
        assert!(start.elapsed() < Duration::from_secs(1), "the runtime did not end: {:?}", start.elapsed());
        acknowledged.extend(told.try_iter());
    }
    own.block_on(async {
        let db = open(url, 1).await.unwrap();
        let mut whole = 0;
        for round in 0..rounds {
            let case = format!("r{round:03}-");
            // A server may still be at it.
            let start = Instant::now();
            let mut rows = count(&case, &db).await.unwrap();
            while rows != 0 && rows != ROWS && start.elapsed() < Duration::from_secs(1) {
                tokio::time::sleep(millis(5)).await;
                rows = count(&case, &db).await.unwrap();
            }
            assert!(rows == 0 || rows == ROWS, "round {round} left {rows} of {ROWS} rows");
            assert!(rows == ROWS || !acknowledged.contains(&round), "round {round} was acknowledged and is not there");
            whole += usize::from(rows == ROWS);
        }
        println!("{whole} of {rounds} were committed, {} acknowledged", acknowledged.len());
    });
}

/// Remembers that a leak was told.
#[derive(Clone, Default)]
struct Told(std::sync::Arc<AtomicBool>);

impl Observer for Told {
    fn statement(&self, _: &Event<'_>) {}

    fn leak(&self, _: &Leak<'_>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn a12_a_blocked_executor(url: &str, _: &Runtime) {
    let block = millis(if torture() { 2_000 } else { 600 });
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let told = Told::default();
        let pool = PoolOptions {
            max_size: 2,
            acquire_timeout: block / 3,
            leak_after: Some(block / 4),
            monitor_interval: millis(10),
            ..PoolOptions::default()
        };
        let db = Db::connect_with(url, DbOptions::new().pool(pool).observe(told.clone())).await.unwrap();
        // Nothing of Covet's own ends a transaction because the program held everybody up.
        let tx = db.begin().await.unwrap();
        put("a", &tx).await.unwrap();
        std::thread::sleep(block);
        put("b", &tx).await.unwrap();
        // The monitor has its turn now.
        let start = Instant::now();
        while !told.0.load(Ordering::SeqCst) {
            assert!(start.elapsed() < PATIENCE, "nobody told of a transaction that was held for {block:?}");
            tokio::time::sleep(millis(5)).await;
        }
        tx.commit().await.unwrap();
        assert_eq!(names(&db).await.unwrap(), ["a", "b"]);
        // A deadline that passes while a commit waits to be looked at: committed or not known, and never "not".
        for round in 0..5 {
            let tx = db.begin_with(TxOptions::new().deadline(block / 3)).await.unwrap();
            put(format!("c{round}"), &tx).await.unwrap();
            let blocks = async {
                tokio::task::yield_now().await;
                std::thread::sleep(block / 2);
            };
            let (committed, ()) = join(tx.commit(), blocks).await;
            let there = count(&format!("c{round}"), &db).await.unwrap() == 1;
            match committed {
                Ok(()) => assert!(there),
                Err(error) if error.kind() == ErrorKind::CommitUnknown => {}
                Err(error) => panic!("{error}"),
            }
        }
        // A deadline that passes before the commit is begun is kept, and nothing is there.
        let tx = db.begin_with(TxOptions::new().deadline(block / 3)).await.unwrap();
        put("late", &tx).await.unwrap();
        std::thread::sleep(block / 2);
        assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::Deadline);
        assert_eq!(count("late", &db).await.unwrap(), 0);
    });
}

fn a18_two_runtimes(url: &str, _: &Runtime) {
    let (first, second) = (runtime(), runtime());
    let most = 4;
    let settings = PoolOptions { max_size: most, acquire_timeout: Duration::from_secs(2), ..PoolOptions::default() };
    let db = first.block_on(open_with(url, settings)).unwrap();
    // The connections are the first runtime's, and both borrow them.
    first.block_on(async { drop(join_all((0..most).map(|_| db.acquire())).await) });
    let working = {
        let db = db.clone();
        first.spawn(async move {
            for round in 0..20 {
                put(format!("first{round}"), &db).await?;
            }
            Ok::<_, covet_orm::Error>(())
        })
    };
    second.block_on(async {
        for round in 0..20 {
            put(format!("second{round}"), &db).await.unwrap();
        }
        working.await.unwrap().unwrap();
        assert_eq!(names(&db).await.unwrap().len(), 40);
    });
    drop(first);
    second.block_on(async {
        let mut lost = 0;
        for round in 0..3 * most {
            let asked = Instant::now();
            match tokio::time::timeout(PATIENCE, put(format!("after{round:02}"), &db)).await.expect("nothing hangs") {
                Ok(()) => {}
                Err(error) => {
                    assert!(error.is_connection_lost(), "{error}");
                    lost += 1;
                }
            }
            assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
        }
        assert!(lost <= most, "{lost} statements were lost to {most} connections of a runtime that is gone");
        let there = count("after", &db).await.unwrap();
        // What is said to be lost may have taken effect.
        assert!(there >= u64::try_from(3 * most - lost).unwrap(), "{there} rows, {lost} lost");
        let status = db.pool_status();
        assert!(status.size <= most && status.in_use == 0, "{status:?}");
    });
}
