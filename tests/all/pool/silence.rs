//! Networks that are silent, slow or cut, and servers that refuse: deadlines hold, and the cause is told.

use std::time::{Duration, Instant};

use covet_orm::{ErrorKind, PoolOptions};
use covet_tests::proxy::{Bent, Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{Kind, TestDb, on_each_server};

use crate::pool::{PATIENCE, ends_in_time, kill, millis, open, options, session, soon};

fn all(direction: Direction, then: Then) -> Trap {
    Trap { direction, after: 0, then, reach: Reach::All }
}

/// A user of its own, with its password, and the URL that it connects by.
async fn stranger(db: &TestDb, limit: u32) -> covet_orm::Result<(String, String)> {
    let name = format!(
        "covet_s{}_{limit}",
        db.url().rsplit_once("covet_t_").map_or("", |(_, rest)| rest.split('?').next().unwrap_or(""))
    );
    match db.kind() {
        Kind::Postgres => {
            db.raw(&format!("CREATE ROLE {name} LOGIN PASSWORD 'old' CONNECTION LIMIT {limit}")).await?;
        }
        _ => {
            db.raw(&format!("CREATE USER {name} IDENTIFIED BY 'old' WITH MAX_USER_CONNECTIONS {limit}")).await?;
            db.raw(&format!("GRANT ALL ON *.* TO {name}")).await?;
        }
    }
    let (scheme, rest) = db.url().split_once("://").unwrap();
    let (_, rest) = rest.split_once('@').unwrap();
    Ok((format!("{scheme}://{name}:old@{rest}"), name))
}

async fn forget(db: &TestDb, name: &str) -> covet_orm::Result<()> {
    let kind = if db.kind() == Kind::Postgres { "ROLE" } else { "USER" };
    db.raw(&format!("DROP {kind} {name}")).await
}

on_each_server! {
    async fn deadlines_hold_before_a_silent_network(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let limit = millis(300);
        let settings = PoolOptions {
            acquire_timeout: limit,
            ping_after: Duration::ZERO,
            monitor_interval: Duration::from_secs(3600),
            ..options(4)
        };
        let pool = open(proxy.url(), settings).await?;
        for direction in Direction::BOTH {
            // Idle connections are tested, and then new ones opened, all in vain.
            let leases = futures_util::future::try_join_all((0..3).map(|_| pool.acquire())).await?;
            drop(leases);
            proxy.set(all(direction, Then::Hold));
            let many = (0..20).map(|_| ends_in_time(&pool, limit));
            for error in futures_util::future::join_all(many).await {
                assert!(matches!(error.kind(), ErrorKind::PoolTimeout | ErrorKind::Unreachable), "{error}");
            }
            proxy.cut();
            let start = Instant::now();
            while pool.ping().await.is_err() {
                assert!(start.elapsed() < millis(1000), "the network is back: {:?}", pool.pool_status());
            }
        }
        let status = pool.pool_status();
        assert!(status.size <= 4 && status.waiting == 0, "{status:?}");
        Ok(())
    }

    async fn a_connection_that_fell_silent_costs_its_borrower_half_a_second(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions { ping_after: millis(20), monitor_interval: Duration::from_secs(3600), ..options(5) };
        let pool = open(proxy.url(), settings).await?;
        let leases = futures_util::future::try_join_all((0..5).map(|_| pool.acquire())).await?;
        drop(leases);
        tokio::time::sleep(millis(40)).await;
        // Those that are there are dead without a word; new ones are well.
        proxy.set(Trap { direction: Direction::ToServer, after: 0, then: Then::Hold, reach: Reach::Present });
        let start = Instant::now();
        pool.ping().await?;
        let took = start.elapsed();
        assert!(took < millis(900), "five dead connections took {took:?}");
        Ok(())
    }

    async fn while_every_connection_is_cut_attempts_are_few_and_errors_come_in_time(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let limit = millis(500);
        let pool = open(proxy.url(), PoolOptions { acquire_timeout: limit, ..options(10) }).await?;
        proxy.set(all(Direction::ToServer, Then::Cut));
        let start = Instant::now();
        let storm = (0..30).map(|_| async {
            let mut slowest = Duration::ZERO;
            while start.elapsed() < millis(1500) {
                let asked = Instant::now();
                let error = pool.ping().await.expect_err("everything is cut");
                assert!(error.kind() != ErrorKind::PoolClosed, "{error}");
                slowest = slowest.max(asked.elapsed());
            }
            slowest
        });
        let slowest = futures_util::future::join_all(storm).await.into_iter().max().unwrap();
        assert!(slowest <= limit + millis(50), "{slowest:?}");
        let failed = pool.pool_status().failed;
        // One attempt at pauses of 112 to 150 ms, after those that were under way at once and the short pauses first.
        assert!((5..=40).contains(&failed), "{failed} attempts in 1.5 s");
        proxy.release();
        let back = Instant::now();
        while pool.ping().await.is_err() {
            assert!(back.elapsed() < millis(1000));
        }
        Ok(())
    }

    async fn connecting_goes_on_when_its_borrower_gives_up(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(2)).await?;
        pool.acquire().await?.discard();
        let mut tries = 0;
        // A login takes longer than that. Nothing is asked of the server: an answer may take longer too.
        while tokio::time::timeout(millis(1), pool.acquire()).await.is_err() {
            tries += 1;
            assert!(tries < 2000, "the pool stays empty: {:?}", pool.pool_status());
        }
        let status = pool.pool_status();
        assert!(status.opened <= 3 && status.size <= 2, "after {tries} tries: {status:?}");
        Ok(())
    }

    async fn what_is_opened_while_the_pool_is_paused_is_lent_afterwards(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let pool = open(proxy.url(), options(2)).await?;
        pool.acquire().await?.discard();
        proxy.bend(|passing| {
            if passing.direction == Direction::ToServer {
                std::thread::sleep(millis(50));
            }
            Bent::Same
        });
        let mut borrower = tokio::spawn({
            let pool = pool.clone();
            async move { pool.acquire().await.map(drop) }
        });
        soon("it is opened", &pool, |status| status.opening == 1).await;
        pool.pause();
        soon("it is there", &pool, |status| status.opening == 0).await;
        let early = tokio::time::timeout(millis(300), &mut borrower).await;
        assert!(early.is_err(), "it was lent during the pause");
        assert_eq!(pool.pool_status().waiting, 1, "one borrower waits, wherever it does");
        pool.resume();
        tokio::time::timeout(PATIENCE, borrower).await???;
        assert_eq!(pool.pool_status().opened, 2);
        Ok(())
    }

    async fn a_password_that_was_changed_is_told_at_once(db: &TestDb) -> Outcome {
        let (url, name) = stranger(db, 10).await?;
        let pool = open(&url, options(3)).await?;
        let mut lease = pool.acquire().await?;
        let id = session::id(&mut lease).await?;
        drop(lease);
        match db.kind() {
            Kind::Postgres => db.raw(&format!("ALTER ROLE {name} PASSWORD 'new'")).await?,
            _ => db.raw(&format!("ALTER USER {name} IDENTIFIED BY 'new'")).await?,
        }
        kill(id, db).await?;
        let start = Instant::now();
        let mut last = None;
        for _ in 0..20 {
            let all = futures_util::future::join_all((0..20).map(|_| pool.ping())).await;
            last = all.into_iter().find_map(Result::err).filter(|error| error.kind() == ErrorKind::Authentication);
            if last.is_some() {
                break;
            }
        }
        let error = last.expect("nobody gets in with the old password");
        assert!(start.elapsed() < millis(2000), "{:?}: {error}", start.elapsed());
        let (start, failed) = (Instant::now(), pool.pool_status().failed);
        while start.elapsed() < millis(500) {
            assert_eq!(pool.ping().await.unwrap_err().kind(), ErrorKind::Authentication);
            tokio::task::yield_now().await;
        }
        let attempts = pool.pool_status().failed - failed;
        assert!(attempts < 15, "{attempts} attempts in half a second");
        // The administrator takes it back.
        match db.kind() {
            Kind::Postgres => db.raw(&format!("ALTER ROLE {name} PASSWORD 'old'")).await?,
            _ => db.raw(&format!("ALTER USER {name} IDENTIFIED BY 'old'")).await?,
        }
        let start = Instant::now();
        while pool.ping().await.is_err() {
            assert!(start.elapsed() < millis(1000));
            tokio::time::sleep(millis(2)).await;
        }
        assert_eq!(pool.drain(PATIENCE).await.left, []);
        forget(db, &name).await?;
        Ok(())
    }

    async fn a_user_with_few_connections_makes_do_with_them(db: &TestDb) -> Outcome {
        let (url, name) = stranger(db, 3).await?;
        let limit = millis(400);
        let pool = open(&url, PoolOptions { acquire_timeout: limit, ..options(10) }).await?;
        // Twenty tasks share the three that there are, and nobody fails.
        let work = (0..20).map(|_| async {
            for _ in 0..5 {
                pool.ping().await?;
            }
            Ok::<_, covet_orm::Error>(())
        });
        futures_util::future::try_join_all(work).await?;
        let status = pool.pool_status();
        assert!(status.size <= 3, "{status:?}");
        assert!(status.failed < 40, "{status:?}");
        let mut leases = Vec::new();
        for _ in 0..3 {
            leases.push(pool.acquire().await?);
        }
        let error = ends_in_time(&pool, limit).await;
        assert_eq!(error.kind(), ErrorKind::TooManyConnections, "{error}");
        assert!(error.to_string().contains("in use: tests/all/pool/silence.rs:"), "{error}");
        // A pool that has none at all says so at once.
        let start = Instant::now();
        let error = open(&url, options(2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyConnections, "{error}");
        assert!(start.elapsed() < millis(1000), "{:?}", start.elapsed());
        drop((leases, pool));
        forget(db, &name).await?;
        Ok(())
    }
}
