//! What is kept open and for how long.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use covet_drivers::contract::TransactionOptions;
use covet_drivers::pool::CloseReason;
use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions};
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{Kind, on_each_database, on_each_server};
use tokio::runtime::Builder;

use crate::pool::{PATIENCE, kill, millis, open, options, session, soon};

/// Borrows so many at a time, so that as many are open.
async fn borrow(count: usize, db: &Db) -> covet_orm::Result<()> {
    futures_util::future::try_join_all((0..count).map(|_| db.acquire())).await.map(drop)
}

on_each_database! {
    async fn a_pool_grows_and_shrinks_back_to_its_least_size(db: &TestDb) -> Outcome {
        let settings = PoolOptions {
            min_size: 2,
            warm_up: true,
            idle_timeout: Some(millis(200)),
            monitor_interval: millis(20),
            ..options(6)
        };
        let pool = open(db.url(), settings).await?;
        assert_eq!(pool.pool_status().size, 2, "two are open when the handle is there");
        borrow(6, &pool).await?;
        assert_eq!(pool.pool_status().size, 6);
        soon("it has shrunk", &pool, |status| status.size == 2).await;
        tokio::time::sleep(millis(300)).await;
        let status = pool.pool_status();
        assert_eq!((status.size, status.idle, status.closed_for(CloseReason::Idle)), (2, 2, 4), "{status:?}");
        // What is missing is opened again without anybody asking.
        pool.acquire().await?.discard();
        soon("it is filled", &pool, |status| status.size == 2).await;
        Ok(())
    }

    async fn a_connection_that_is_too_old_is_never_lent(db: &TestDb) -> Outcome {
        let lifetime = millis(250);
        let settings = PoolOptions {
            max_lifetime: Some(lifetime),
            idle_timeout: None,
            // The monitor does not do it: the borrower itself must not get it.
            monitor_interval: Duration::from_secs(3600),
            ..options(3)
        };
        let pool = open(db.url(), settings).await?;
        let mut first_seen: HashMap<i64, Instant> = HashMap::new();
        let start = Instant::now();
        while start.elapsed() < millis(1500) {
            let asked = Instant::now();
            let mut lease = pool.acquire().await?;
            if db.kind() != Kind::Sqlite {
                let id = session::id(&mut lease).await?;
                let age = asked.saturating_duration_since(*first_seen.entry(id).or_insert_with(Instant::now));
                assert!(age < lifetime, "a connection is lent that is older than {age:?}");
            }
            drop(lease);
            tokio::time::sleep(millis(3)).await;
        }
        let status = pool.pool_status();
        let closed = status.closed_for(CloseReason::Lifetime);
        assert!((4..=8).contains(&closed), "{status:?}");
        Ok(())
    }

    async fn lives_that_begin_together_do_not_end_together(db: &TestDb) -> Outcome {
        let settings = PoolOptions {
            max_lifetime: Some(millis(1000)),
            idle_timeout: None,
            monitor_interval: millis(10),
            ..options(8)
        };
        let pool = open(db.url(), settings).await?;
        borrow(8, &pool).await?;
        let (start, mut ends) = (Instant::now(), Vec::new());
        while ends.len() < 8 {
            let closed = pool.pool_status().closed_for(CloseReason::Lifetime);
            while u64::try_from(ends.len())? < closed {
                ends.push(start.elapsed());
            }
            assert!(start.elapsed() < millis(5000), "{ends:?}");
            tokio::time::sleep(millis(2)).await;
        }
        let between = ends[7] - ends[0];
        assert!(between > millis(50), "all ended within {between:?}: {ends:?}");
        assert!(ends[0] > millis(700), "{ends:?}");
        Ok(())
    }

    async fn the_monitor_ends_with_its_pool(db: &TestDb) -> Outcome {
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = alive();
        let settings = || PoolOptions { min_size: 1, monitor_interval: millis(5), ..options(2) };
        for _ in 0..20 {
            let pool = open(db.url(), settings()).await?;
            pool.ping().await?;
            tokio::time::sleep(millis(10)).await;
            drop(pool);
            let closed = open(db.url(), settings()).await?;
            closed.close();
        }
        let start = Instant::now();
        while alive() > before {
            assert!(start.elapsed() < millis(5000), "{} tasks, and {before} before", alive());
            tokio::time::sleep(millis(5)).await;
        }
        Ok(())
    }
}

on_each_server! {
    async fn the_monitor_opens_nothing_once_its_pool_is_drained(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions {
            min_size: 1,
            warm_up: true,
            ping_after: millis(1),
            ping_timeout: PATIENCE,
            monitor_interval: millis(10),
            ..options(2)
        };
        let pool = open(proxy.url(), settings).await?;
        proxy.set(Trap { direction: Direction::ToClient, after: 0, then: Then::Hold, reach: Reach::All });
        soon("the monitor tests it", &pool, |status| status.testing == 1).await;
        let opened = pool.pool_status().opened;
        assert_eq!(pool.drain(millis(100)).await.left, []);
        proxy.release();
        soon("the test has ended", &pool, |status| status.testing == 0).await;
        tokio::time::sleep(millis(200)).await;
        let status = pool.pool_status();
        assert_eq!((status.size, status.opened, status.opening), (0, opened, 0), "{status:?}");
        Ok(())
    }

    async fn a_drain_is_told_when_nobody_cleans_the_last_connection_any_more(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let pool = open(proxy.url(), PoolOptions { recycle_timeout: PATIENCE, ..options(2) }).await?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let borrower = pool.clone();
        let lease = runtime.spawn(async move {
            let mut lease = borrower.acquire().await?;
            lease.begin(&TransactionOptions::default()).await?;
            session::id(&mut lease).await.map(|_| lease)
        });
        let lease = lease.await.unwrap()?;
        proxy.set(Trap { direction: Direction::ToServer, after: 0, then: Then::Hold, reach: Reach::All });
        runtime.spawn(async move { drop(lease) }).await.unwrap();
        soon("it is cleaned", &pool, |status| status.returning == 1).await;
        let start = Instant::now();
        let (drained, ()) = tokio::join!(pool.drain(PATIENCE), async {
            tokio::time::sleep(millis(100)).await;
            runtime.shutdown_background();
        });
        let (took, status) = (start.elapsed(), pool.pool_status());
        assert_eq!((drained.left, status.size, status.returning), (Vec::new(), 0, 0), "{status:?}");
        assert!(took < PATIENCE / 2, "it was told nothing for {took:?}");
        Ok(())
    }

    async fn the_monitor_replaces_killed_sessions(db: &TestDb) -> Outcome {
        let settings = PoolOptions {
            min_size: 3,
            warm_up: true,
            ping_after: millis(30),
            monitor_interval: millis(10),
            ..options(3)
        };
        let pool = open(db.url(), settings).await?;
        let mut leases = futures_util::future::try_join_all((0..3).map(|_| pool.acquire())).await?;
        let mut ids = Vec::new();
        for lease in &mut leases {
            ids.push(session::id(lease).await?);
        }
        drop(leases);
        for id in &ids {
            kill(*id, db).await?;
        }
        soon("the dead are replaced", &pool, |status| status.closings() >= 3 && status.idle == 3).await;
        // Nobody notices.
        for _ in 0..10 {
            let mut lease = pool.acquire().await?;
            assert!(!ids.contains(&session::id(&mut lease).await?));
        }
        let status = pool.pool_status();
        assert!(status.closed_for(CloseReason::Dead) >= 1, "{status:?}");
        Ok(())
    }
}

/// A database in memory goes with its connection.
#[tokio::test]
async fn the_one_connection_of_a_database_in_memory_is_never_closed() {
    let settings = PoolOptions {
        min_size: 1,
        idle_timeout: Some(millis(5)),
        max_lifetime: Some(millis(10)),
        ping_after: Duration::ZERO,
        leak_after: Some(millis(10)),
        monitor_interval: millis(2),
        ..options(10)
    };
    let db = Db::connect_with("sqlite::memory:", DbOptions::new().pool(settings)).await.unwrap();
    db.acquire().await.unwrap().script("CREATE TABLE here (a INTEGER)").await.unwrap();
    tokio::time::sleep(millis(60)).await;
    let insert = "INSERT INTO here VALUES (1)";
    db.acquire().await.unwrap().script(insert).await.unwrap();
    // What is given back in a transaction is rolled back, and stays.
    let mut lease = db.acquire().await.unwrap();
    lease.begin(&TransactionOptions::default()).await.unwrap();
    lease.script(insert).await.unwrap();
    drop(lease);
    assert_eq!(db.resize(2).unwrap_err().kind(), ErrorKind::Config);
    db.resize(1).unwrap();
    db.pause();
    db.resume();
    let mut lease = db.acquire().await.unwrap();
    assert_eq!(session::number(&mut lease, "SELECT COUNT(*) FROM here").await.unwrap(), 1);
    tokio::time::sleep(millis(40)).await;
    drop(lease);
    let status = db.pool_status();
    assert_eq!((status.size, status.opened, status.closings(), status.max_size), (1, 1, 0, 1), "{status:?}");
    assert!(status.leaks >= 1, "{status:?}");
}

/// Nor is it when its cleaning fails again and again, because what was dropped goes on: whoever asks waits, as long as
/// `acquire_timeout` allows.
#[tokio::test]
async fn the_one_connection_of_a_database_in_memory_outlives_a_long_cleaning() {
    let settings = PoolOptions { recycle_timeout: millis(5), acquire_timeout: millis(40), ..options(1) };
    let db = Db::connect_with("sqlite::memory:", DbOptions::new().pool(settings)).await.unwrap();
    let mut lease = db.acquire().await.unwrap();
    lease.script("CREATE TABLE here (a INTEGER)").await.unwrap();
    let long = "INSERT INTO here WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                SELECT i FROM n";
    tokio::time::timeout(millis(10), lease.script(long)).await.expect_err("it takes longer");
    drop(lease);
    let mut refused = 0;
    let mut lease = loop {
        match db.acquire().await {
            Ok(lease) => break lease,
            Err(error) => assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}"),
        }
        refused += 1;
    };
    assert!(refused > 0, "nobody had to wait");
    assert_eq!(session::number(&mut lease, "SELECT COUNT(*) FROM here").await.unwrap(), 1_000_000);
    assert_eq!((db.pool_status().opened, db.pool_status().closings()), (1, 0));
}
