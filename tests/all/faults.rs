//! Servers and networks that fail: what is said then is the truth, and the pool recovers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions};
use covet_tests::models::Setting;
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{TestDb, on_each_server, session};

async fn put(name: &str, on: &Executor) -> covet_orm::Result<Setting> {
    Setting::create().name(name).value("v").exec(on).await
}

async fn names(on: &Executor) -> covet_orm::Result<Vec<String>> {
    Setting::query().order_by(Setting::name.asc()).select(Setting::name).all(on).await
}

fn pool(most: usize) -> PoolOptions {
    PoolOptions { max_size: most, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() }
}

/// A proxy, and a pool of one connection behind it that has been used.
async fn behind_proxy(db: &TestDb) -> covet_orm::Result<(Proxy, Db)> {
    let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
    let one = Db::connect_with(proxy.url(), DbOptions::new().pool(pool(1))).await?;
    names(&one).await?;
    Ok((proxy, one))
}

fn trap(direction: Direction, after: usize, then: Then) -> Trap {
    Trap { direction, after, then, reach: Reach::Present }
}

/// How long the server may take to do what it was asked to, or to see that somebody has gone.
const SOON: Duration = Duration::from_secs(1);

/// Waits until so many rows are there.
async fn rows_soon(wanted: usize, on: &Db) -> covet_orm::Result<()> {
    let start = Instant::now();
    while names(on).await?.len() != wanted {
        assert!(start.elapsed() < SOON, "{:?} are there, and {wanted} are awaited", names(on).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Waits until there are so many other sessions.
async fn others_soon(wanted: usize, on: &Db) -> covet_orm::Result<()> {
    let start = Instant::now();
    while others(on).await?.len() != wanted {
        assert!(start.elapsed() < SOON, "{:?} are there, and {wanted} are awaited", others(on).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// The other sessions of the test's database, asked on one of them.
async fn others(on: &Db) -> covet_orm::Result<Vec<i64>> {
    let sql = match on.server().product {
        "PostgreSQL" => {
            "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() \
             AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        }
        _ => "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()",
    };
    let mut found = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        found.push(row.get(0, &ColumnType::I64)?);
        Ok(Flow::Continue)
    };
    on.acquire().await?.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut sink).await?;
    Ok(found)
}

/// Ends sessions as an administrator does.
async fn kill(sessions: &[i64], on: &Db) -> covet_orm::Result<()> {
    for session in sessions {
        session::kill(*session, on).await?;
    }
    Ok(())
}

on_each_server! {
    async fn a_statement_that_was_cut_is_lost_and_the_next_one_works(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        put("a", db).await?;
        for direction in Direction::BOTH {
            for after in 0..3 {
                proxy.set(trap(direction, after, Then::Cut));
                let Err(error) = names(&one).await else {
                    assert!(after > 0, "nothing got through, and it ended well");
                    // It was too short for this place.
                    proxy.release();
                    continue;
                };
                assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{direction:?} {after}: {error}");
                assert_eq!(names(&one).await?, ["a"]);
            }
        }
        Ok(())
    }

    async fn an_insert_that_was_cut_is_not_sent_again(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        put("seen before", &one).await?;
        proxy.set(trap(Direction::ToClient, 0, Then::Swallow));
        let insert = put("a", &one);
        let cut = async {
            // It has taken effect, and the answer never comes.
            rows_soon(2, db).await?;
            proxy.cut();
            Ok::<_, covet_orm::Error>(())
        };
        let (result, cut) = tokio::join!(insert, cut);
        cut?;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert_eq!(names(&one).await?, ["a", "seen before"]);
        Ok(())
    }

    async fn a_transaction_that_was_cut_leaves_nothing(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        let tx = one.begin().await?;
        put("a", &tx).await?;
        proxy.set(trap(Direction::ToServer, 0, Then::Cut));
        let error = put("b", &tx).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        let error = put("c", &tx).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TransactionClosed, "{error}");
        let error = tx.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TransactionClosed, "it never came to the commit: {error}");
        assert_eq!(names(&one).await?, Vec::<String>::new());
        Ok(())
    }

    async fn a_commit_without_an_answer_is_unknown_and_not_run_again(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        let runs = AtomicU32::new(0);
        let (runs, proxy) = (&runs, &proxy);
        let transaction = one.transaction(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            put("a", tx).await?;
            put("b", tx).await?;
            // From here on the commit is all that is sent.
            proxy.set(trap(Direction::ToClient, 0, Then::Swallow));
            Ok(())
        });
        let cut = async {
            rows_soon(2, db).await?;
            proxy.cut();
            Ok::<_, covet_orm::Error>(())
        };
        let (result, cut) = tokio::join!(transaction, cut);
        cut?;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        assert!(!error.is_retryable());
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert_eq!(names(&one).await?, ["a", "b"]);
        Ok(())
    }

    async fn a_commit_whose_answer_stops_half_way_is_never_well(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        for after in 0..4 {
            let tx = one.begin().await?;
            put(&format!("a{after}"), &tx).await?;
            proxy.set(trap(Direction::ToClient, after, Then::Cut));
            match tx.commit().await {
                Ok(()) => {
                    assert!(after > 0);
                    proxy.release();
                    return Ok(());
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{after}: {error}"),
            }
            rows_soon(after + 1, db).await?;
        }
        Ok(())
    }

    async fn a_commit_that_never_arrived_is_an_error_and_leaves_nothing(db: &TestDb) -> Outcome {
        let (proxy, one) = behind_proxy(db).await?;
        let runs = AtomicU32::new(0);
        let (runs, proxy) = (&runs, &proxy);
        let error = one.transaction(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            put("a", tx).await?;
            proxy.set(trap(Direction::ToServer, 0, Then::Cut));
            Ok(())
        }).await.unwrap_err();
        // This side cannot tell a request that was lost from an answer that was.
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        others_soon(1, &one).await?;
        assert_eq!(names(db).await?, Vec::<String>::new());
        Ok(())
    }

    async fn a_session_that_was_killed_before_the_commit_leaves_nothing(db: &TestDb) -> Outcome {
        let outside = Db::connect_with(db.url(), DbOptions::new().max_connections(1)).await?;
        let present = others(&outside).await?;
        let one = Db::connect_with(db.url(), DbOptions::new().pool(pool(1))).await?;
        let tx = one.begin().await?;
        put("a", &tx).await?;
        let mut victims = others(&outside).await?;
        victims.retain(|session| !present.contains(session));
        assert_eq!(victims.len(), 1);
        kill(&victims, &outside).await?;
        others_soon(present.len(), &outside).await?;
        let error = tx.commit().await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::CommitUnknown | ErrorKind::TransactionClosed | ErrorKind::ConnectionLost),
            "{error}"
        );
        assert_eq!(names(&one).await?, Vec::<String>::new());
        Ok(())
    }

    async fn a_server_that_falls_silent_while_connecting_is_given_up_in_time(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let before = others(db).await?.len();
        let limit = Duration::from_millis(200);
        let mut after = 0;
        loop {
            proxy.set(Trap { direction: Direction::ToClient, after, then: Then::Hold, reach: Reach::All });
            let start = Instant::now();
            let options = DbOptions::new().pool(PoolOptions { connect_timeout: limit, ..pool(1) });
            match Db::connect_with(proxy.url(), options).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unreachable, "after {after}: {error}"),
            }
            assert!(start.elapsed() < limit * 3, "after {after}: {:?}", start.elapsed());
            // Nothing of it stays open, although the network is still silent.
            others_soon(before, db).await?;
            after += if after < 2 { 1 } else { 4 };
        }
        assert!(after > 5, "the connection stands after {after} messages");
        proxy.release();
        let start = Instant::now();
        proxy.set(Trap { direction: Direction::ToClient, after: 0, then: Then::Hold, reach: Reach::All });
        let error = Db::connect(&format!("{}&connect_timeout=1", proxy.url())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
        Ok(())
    }

    async fn a_connection_that_falls_silent_while_it_is_made_ready_is_replaced(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let limit = Duration::from_millis(200);
        let options = PoolOptions { recycle_timeout: limit, ping_after: Duration::ZERO, ..pool(1) };
        let one = Db::connect_with(proxy.url(), DbOptions::new().pool(options)).await?;
        let before = others(&one).await?.len();
        for what in ["ping", "reset", "rollback"] {
            let mut lease = one.acquire().await?;
            match what {
                "reset" => lease.script("SELECT 1").await?,
                "rollback" => {
                    lease.begin(&covet_drivers::contract::TransactionOptions::default()).await?;
                    // BEGIN may have been waiting for it.
                    lease.savepoint(1).await?;
                }
                _ => {}
            }
            proxy.set(trap(Direction::ToClient, 0, Then::Hold));
            drop(lease);
            let start = Instant::now();
            assert_eq!(names(&one).await?, Vec::<String>::new(), "{what}");
            assert!(start.elapsed() < limit * 4, "{what}: {:?}", start.elapsed());
            assert!(start.elapsed() >= limit, "{what} did not wait for an answer: {:?}", start.elapsed());
            others_soon(before, &one).await?;
            proxy.release();
        }
        assert_eq!(one.pool_status().size, 1);
        Ok(())
    }

    async fn a_pool_recovers_when_the_server_has_killed_its_idle_connections(db: &TestDb) -> Outcome {
        let outside = Db::connect_with(db.url(), DbOptions::new().max_connections(1)).await?;
        let present = others(&outside).await?;
        let four = Db::connect_with(db.url(), DbOptions::new().pool(pool(4))).await?;
        let all = futures_util::future::try_join_all((0..4).map(|_| four.acquire())).await?;
        drop(all);
        let mut victims = others(&outside).await?;
        victims.retain(|session| !present.contains(session));
        assert_eq!(victims.len(), 4);
        kill(&victims, &outside).await?;
        others_soon(present.len(), &outside).await?;
        let mut lost = 0;
        for number in 0..12 {
            match put(&format!("n{number:02}"), &four).await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
                    lost += 1;
                }
            }
        }
        assert!(lost <= 4, "{lost} statements were lost to 4 dead connections");
        assert_eq!(names(&four).await?.len(), 12 - lost);
        Ok(())
    }
}
