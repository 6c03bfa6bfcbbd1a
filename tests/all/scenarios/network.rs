//! Networks that are slow, and connections that are reset or fail while they are opened.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{ErrorKind, PoolOptions, TxOptions};
use covet_tests::chance::Chance;
use covet_tests::models::Setting;
use covet_tests::proxy::{Bent, Direction, Grain, Proxy, Reach, Then, Trap, Weather};
use covet_tests::{on_each_server, on_postgres};
use futures_util::future::{join_all, try_join_all};
use tokio::net::TcpListener;

use crate::scenarios::{PATIENCE, count, millis, names, open, open_with, put, recovered, torture};

/// A byte now and then.
const DRIBBLE: Weather = Weather { latency: Duration::ZERO, jitter: Duration::ZERO, piece: 1, pause: millis(200) };

on_each_server! {
    async fn b9_a_byte_now_and_then(db: &TestDb) -> Outcome {
        let limit = millis(500);
        let slack = millis(200);
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions { max_size: 2, acquire_timeout: limit, ping_timeout: millis(100), ..PoolOptions::default() };
        let pool = open_with(proxy.url(), settings).await?;
        put("before", &pool).await?;
        proxy.weather(Some(DRIBBLE));
        // A transaction ends with its deadline, wherever it is.
        let start = Instant::now();
        let deadline = TxOptions::new().deadline(limit);
        let ended = pool.transaction_with(deadline, async |tx| put("a", tx).await).await.unwrap_err();
        assert!(matches!(ended.kind(), ErrorKind::Deadline | ErrorKind::PoolTimeout), "{ended}");
        assert!(start.elapsed() < limit + slack, "{:?}", start.elapsed());
        // Connecting ends with the deadline of whoever borrows.
        let held = pool.acquire().await.ok();
        for _ in 0..2 {
            let start = Instant::now();
            let (first, second) = futures_util::future::join(pool.acquire(), pool.acquire()).await;
            assert!(first.is_err() || second.is_err(), "a login has more than a hundred bytes");
            assert!(start.elapsed() < limit + slack, "{:?}", start.elapsed());
        }
        drop(held);
        proxy.weather(None);
        proxy.cut();
        let start = Instant::now();
        recovered(&pool).await;
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(names(&pool).await?, ["before"]);
        Ok(())
    }

    async fn b10_a_long_way_and_a_narrow_one(db: &TestDb) -> Outcome {
        const TASKS: usize = 8;
        // A tenth of a network that takes 200 ms, more or less 100 ms.
        let part = if torture() { 1 } else { 10 };
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let pool = open(proxy.url(), 4).await?;
        drop(try_join_all((0..4).map(|_| pool.acquire())).await?);
        // Eight kilobytes a second.
        let weather = Weather { latency: millis(100) / part, jitter: millis(200) / part, piece: 256, pause: millis(31) };
        proxy.weather(Some(weather));
        let work = (0..TASKS).map(async |task| {
            for round in 0..3 {
                let case = format!("w{task}-{round}");
                let case = &case;
                pool.transaction(async |tx| {
                    put(format!("{case}-a"), tx).await?;
                    put(format!("{case}-b"), tx).await
                })
                .await?;
            }
            Ok::<_, covet_orm::Error>(())
        });
        // Slow is no fault: nobody gets an error, and nothing is sent twice.
        try_join_all(work).await?;
        proxy.weather(None);
        assert_eq!(count("w", db).await?, u64::try_from(TASKS * 3 * 2)?);
        let status = pool.pool_status();
        assert_eq!((status.timeouts, status.failed, status.closings()), (0, 0, 0), "{status:?}");
        assert!(status.waits.p99 <= status.waits.p50 * 5, "{:?}", status.waits);
        Ok(())
    }

    async fn b11_a_storm_of_resets(db: &TestDb) -> Outcome {
        let time = if torture() { Duration::from_secs(30) } else { millis(1_500) };
        let seed = Chance::seed();
        println!("COVET_SEED={seed}");
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions { max_size: 6, acquire_timeout: PATIENCE, ..PoolOptions::default() };
        let pool = open_with(proxy.url(), settings).await?;
        let (over, written) = (AtomicBool::new(false), Mutex::new(HashSet::new()));
        let (over, written) = (&over, &written);
        let work = (0..10).map(async |task| {
            let mut number = 0;
            let mut lost = 0;
            while !over.load(Ordering::SeqCst) {
                let name = format!("w{task}-{number}");
                number += 1;
                let case = &name;
                match pool.transaction(async |tx| put(case.clone(), tx).await).await {
                    Ok(()) => drop(written.lock().unwrap().insert(name)),
                    Err(error) => {
                        assert!(error.is_connection_lost() || error.kind() == ErrorKind::TransactionClosed, "{error}");
                        lost += 1;
                    }
                }
            }
            lost
        });
        let storm = async {
            let mut chance = Chance(seed);
            let start = Instant::now();
            while start.elapsed() < time {
                let direction = if chance.below(2) == 0 { Direction::ToServer } else { Direction::ToClient };
                proxy.set(Trap { direction, after: chance.below(150), then: Then::Reset, reach: Reach::All });
                tokio::time::sleep(chance.millis(10, 60)).await;
            }
            proxy.release();
            over.store(true, Ordering::SeqCst);
        };
        let (lost, ()) = tokio::time::timeout(time + PATIENCE, futures_util::future::join(join_all(work), storm)).await?;
        recovered(&pool).await;
        let there: HashSet<String> = names(db).await?.into_iter().collect();
        let written = written.lock().unwrap().clone();
        let missing: Vec<_> = written.difference(&there).collect();
        assert!(missing.is_empty(), "acknowledged and not there: {missing:?}");
        let status = pool.pool_status();
        println!("{}: {} acknowledged, {lost:?} lost, {} opened, {} failed", db.kind().name(), written.len(), status.opened, status.failed);
        assert!(lost.iter().sum::<u64>() > 0, "the storm hit nobody");
        assert!(status.size <= 6 && status.in_use == 0, "{status:?}");
        assert_eq!(status.opened, status.closings() + u64::try_from(status.size)?, "{status:?}");
        // While everything is refused one attempt is made at a time, with pauses.
        let most = 50 + time.as_millis() / 5;
        assert!(u128::from(status.failed) < most, "{} attempts failed in {time:?}", status.failed);
        Ok(())
    }

    async fn d7_opening_a_connection_fails_half_of_the_time(db: &TestDb) -> Outcome {
        const MOST: usize = 4;
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions { max_size: MOST, acquire_timeout: Duration::from_secs(3), ..PoolOptions::default() };
        let pool = open_with(proxy.url(), settings).await?;
        // Every second one is cut somewhere in its login or set-up.
        proxy.bend(|passing| {
            let late = passing.connection % 6 + 1;
            let answers = passing.direction == Direction::ToClient && passing.bytes.len() > late;
            if passing.connection % 2 == 1 && answers { Bent::Cut } else { Bent::Same }
        });
        let mut failed = 0;
        for _ in 0..30 {
            match pool.acquire().await {
                Ok(lease) => lease.discard(),
                Err(error) => {
                    assert!(error.is_connection_lost(), "{error}");
                    failed += 1;
                }
            }
        }
        assert!(failed > 0, "nothing failed");
        proxy.straighten();
        // No seat is lost.
        let start = Instant::now();
        let all = try_join_all((0..MOST).map(|_| pool.acquire())).await?;
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        drop(all);
        let status = pool.pool_status();
        assert_eq!((status.size, status.in_use, status.opening), (MOST, 0, 0), "{status:?}");
        Ok(())
    }
}

on_postgres! {
    async fn b15_the_first_host_of_a_list_is_down(db: &TestDb) -> Outcome {
        let (login, rest) = db.url().strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let (place, rest) = rest.split_once('/').unwrap();
        let (name, parameters) = rest.split_once('?').unwrap();
        let port = place.rsplit_once(':').unwrap().1;
        // Nobody listens where somebody did.
        let gone = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        for (ports, hosts) in [(format!("{gone},{port}"), "127.0.0.1,127.0.0.1"), (format!("{port},{gone}"), "localhost,127.0.0.1")] {
            let url = format!("postgres:///{name}?host={hosts}&port={ports}&user={user}&password={password}&{parameters}");
            let start = Instant::now();
            let pool = open(&url, 3).await?;
            for number in 0..6 {
                Setting::create().name(format!("{hosts}-{number}")).value("v").exec(&pool).await?;
            }
            drop(try_join_all((0..3).map(|_| pool.acquire())).await?);
            assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        }
        assert_eq!(names(db).await?.len(), 12);
        Ok(())
    }
}
