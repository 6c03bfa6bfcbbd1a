//! Servers that stop, start, freeze and are full: each test has a server of its own.

use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{ErrorKind, PoolOptions};
use covet_tests::Kind;
use covet_tests::server::{Server, with_server};

use crate::pool::{PATIENCE, ends_in_time, millis, open, options};

/// How often the server is stopped and started.
fn rounds() -> usize {
    if covet_tests::torture() { 20 } else { 4 }
}

/// Works until it succeeds; gives the time of the first success, and the kinds of error until then.
async fn first_success(db: &Db) -> (Instant, Vec<ErrorKind>) {
    let (start, mut kinds) = (Instant::now(), Vec::new());
    loop {
        match db.ping().await {
            Ok(()) => return (Instant::now(), kinds),
            Err(error) => {
                if !kinds.contains(&error.kind()) {
                    kinds.push(error.kind());
                }
            }
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no success: {kinds:?}, {:?}", db.pool_status());
        tokio::time::sleep(millis(1)).await;
    }
}

async fn restarts(server: &mut Server) -> covet_tests::Outcome {
    let settings = PoolOptions { acquire_timeout: Duration::from_secs(2), ..options(5) };
    let db = open(&server.url(), settings).await?;
    let (mut delays, mut attempts) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        drop(futures_util::future::try_join_all((0..5).map(|_| db.acquire())).await?);
        let down = Instant::now();
        if round % 2 == 0 {
            server.down()
        } else {
            server.kill()
        }
        // Ten tasks want to work all the time, and are told why they cannot.
        let before = db.pool_status().failed;
        let workers: Vec<_> = (0..10)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { first_success(&db).await })
            })
            .collect();
        tokio::time::sleep(millis(400)).await;
        let dead = down.elapsed();
        let tried = db.pool_status().failed - before;
        server.up();
        let accepts = server.lets_in().await;
        let mut first = None;
        for worker in workers {
            let (success, kinds) = worker.await?;
            assert!(!kinds.contains(&ErrorKind::PoolTimeout), "a bare timeout: {kinds:?}");
            first = Some(first.map_or(success, |first: Instant| first.min(success)));
        }
        delays.push(first.ok_or("nobody succeeded")?.saturating_duration_since(accepts));
        attempts.push((tried, dead));
    }
    delays.sort();
    println!("first success after {delays:?}; attempts {attempts:?}");
    assert!(delays[delays.len() / 2] <= millis(250), "{delays:?}");
    assert!(delays.iter().all(|delay| *delay <= millis(1000)), "{delays:?}");
    for (tried, dead) in attempts {
        let most = 20 + u64::try_from(dead.as_millis() / 100)?;
        assert!(tried <= most, "{tried} attempts while the server was down for {dead:?}");
    }
    let status = db.pool_status();
    assert!(status.size <= 5 && status.in_use == 0 && status.waiting == 0, "{status:?}");
    Ok(())
}

async fn frozen(server: &mut Server) -> covet_tests::Outcome {
    let limit = millis(400);
    let settings = PoolOptions { acquire_timeout: limit, ping_after: millis(10), ..options(4) };
    let db = open(&server.url(), settings).await?;
    drop(futures_util::future::try_join_all((0..3).map(|_| db.acquire())).await?);
    tokio::time::sleep(millis(20)).await;
    server.freeze();
    for _ in 0..3 {
        let many = (0..12).map(|_| ends_in_time(&db, limit));
        for error in futures_util::future::join_all(many).await {
            assert!(matches!(error.kind(), ErrorKind::PoolTimeout | ErrorKind::Unreachable), "{error}");
        }
    }
    server.thaw();
    let thawed = Instant::now();
    let (success, _) = first_success(&db).await;
    assert!(success - thawed < millis(1000), "{:?}", success - thawed);
    let all = futures_util::future::try_join_all((0..4).map(|_| db.acquire()));
    drop(tokio::time::timeout(PATIENCE, all).await??);
    let status = db.pool_status();
    assert!(status.size <= 4 && status.in_use == 0, "{status:?}");
    Ok(())
}

/// The server has ten connections (MariaDB one more), one of them is somebody else's, and the pool may have twenty.
async fn full(server: &mut Server) -> covet_tests::Outcome {
    let other = open(&server.url(), options(1)).await?;
    let others = other.acquire().await?;
    let db = open(&server.url(), options(20)).await?;
    let work = (0..30).map(|_| async {
        for _ in 0..10 {
            db.ping().await?;
        }
        Ok::<_, covet_orm::Error>(())
    });
    futures_util::future::try_join_all(work).await?;
    let status = db.pool_status();
    assert!(status.size <= 10, "{status:?}");
    assert!(status.failed < 60, "{status:?}");
    drop(others);
    other.close();
    // Nobody has failed, and nobody had to wait for the deadline.
    assert_eq!(status.timeouts, 0, "{status:?}");
    assert!(status.waits.p99 < Duration::from_secs(5), "{status:?}");
    Ok(())
}

#[test]
fn after_a_restart_the_first_success_comes_soon_postgres() {
    with_server(Kind::Postgres, &[], restarts);
}

#[test]
fn after_a_restart_the_first_success_comes_soon_mysql() {
    with_server(Kind::Mysql, &[], restarts);
}

#[test]
fn deadlines_hold_while_the_server_is_frozen_postgres() {
    with_server(Kind::Postgres, &[], frozen);
}

#[test]
fn deadlines_hold_while_the_server_is_frozen_mysql() {
    with_server(Kind::Mysql, &[], frozen);
}

#[test]
fn a_server_that_is_full_serves_in_turn_postgres() {
    with_server(Kind::Postgres, &["max_connections=10", "max_wal_senders=0"], full);
}

#[test]
fn a_server_that_is_full_serves_in_turn_mysql() {
    with_server(Kind::Mysql, &["max_connections=10"], full);
}
