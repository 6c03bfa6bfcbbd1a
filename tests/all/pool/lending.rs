//! Who is served and when, and what is said of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use covet_drivers::pool::CloseReason;
use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, Event, Leak, Observer, PoolOptions};
use covet_tests::models::Setting;
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{on_each_database, on_each_server};

use crate::cancellation::poller::Cancellable;
use crate::pool::{ends_in_time, millis, open, options, soon};

/// Keeps the leaks that it was told of.
#[derive(Clone, Default)]
struct Leaks(Arc<Mutex<Vec<String>>>);

impl Observer for Leaks {
    fn statement(&self, _: &Event<'_>) {}

    fn leak(&self, leak: &Leak<'_>) {
        self.0.lock().unwrap().push(leak.holder.to_owned());
    }
}

on_each_database! {
    async fn whoever_has_used_up_the_time_of_a_task_finds_what_is_idle(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(3)).await?;
        let both = (pool.acquire().await?, pool.acquire().await?);
        drop(both);
        for used in 0..=130 {
            // Whoever borrows after a pause begins with a share of time of its own.
            tokio::task::yield_now().await;
            let first = pool.acquire().await?;
            let other = tokio::sync::Semaphore::new(used + 1);
            for _ in 0..used {
                other.acquire().await?.forget();
            }
            let second = pool.acquire().await?;
            drop((first, second));
            assert_eq!(pool.pool_status().opened, 2, "after {used}: {:?}", pool.pool_status());
        }
        Ok(())
    }

    async fn who_waits_is_served_in_the_order_of_asking(db: &TestDb) -> Outcome {
        let one = open(db.url(), options(1)).await?;
        let lease = one.acquire().await?;
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..50 {
            let (one2, served) = (one.clone(), Arc::clone(&served));
            tasks.push(tokio::spawn(async move {
                let lease = one2.acquire().await?;
                served.lock().unwrap().push(number);
                tokio::task::yield_now().await;
                drop(lease);
                Ok::<_, covet_orm::Error>(())
            }));
            soon("it waits", &one, |status| status.waiting == number + 1).await;
        }
        drop(lease);
        for task in tasks {
            task.await??;
        }
        assert_eq!(*served.lock().unwrap(), (0..50).collect::<Vec<_>>());
        let status = one.pool_status();
        // Who opened the connection waited too.
        assert_eq!((status.waits.count, status.waiting, status.idle, status.opened), (51, 0, 1, 1), "{status:?}");
        assert!(status.waits.p50 > millis(0) && status.waits.p50 <= status.waits.p95 && status.waits.p95 <= status.waits.p99);
        Ok(())
    }

    async fn who_waits_too_long_is_told_who_holds_the_connections(db: &TestDb) -> Outcome {
        let limit = millis(200);
        let three = open(db.url(), PoolOptions { acquire_timeout: limit, ..options(3) }).await?;
        let mut named = three.acquire().await?;
        named.set_name("the night's report");
        let tx = three.begin().await?;
        let place = line!() - 1;
        let third = three.acquire().await?;
        for _ in 0..3 {
            let error = ends_in_time(&three, limit).await;
            assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
            let text = error.to_string();
            assert!(text.contains("all 3 are in use by the night's report at tests/all/pool/lending.rs:"), "{text}");
            assert!(text.contains(&format!("lending.rs:{place}:")), "{text}");
            assert!(error.help().is_some_and(|help| help.contains("max_size")), "{text}");
        }
        assert_eq!(three.pool().holders().len(), 3);
        assert_eq!(three.pool_status().timeouts, 3);
        drop((named, third));
        tx.rollback().await?;
        three.ping().await?;
        Ok(())
    }

    async fn a_connection_that_is_held_for_long_is_reported_once(db: &TestDb) -> Outcome {
        let leaks = Leaks::default();
        let pool = PoolOptions { leak_after: Some(millis(400)), monitor_interval: millis(10), ..options(2) };
        let two = Db::connect_with(db.url(), DbOptions::new().pool(pool).observe(leaks.clone())).await?;
        let held = two.acquire().await?;
        let place = format!("lending.rs:{}:", line!() - 1);
        for _ in 0..5 {
            // Short ones are none.
            two.ping().await?;
            tokio::time::sleep(millis(5)).await;
        }
        soon("it is reported", &two, |status| status.leaks == 1).await;
        tokio::time::sleep(millis(500)).await;
        assert_eq!(two.pool_status().leaks, 1);
        let told = leaks.0.lock().unwrap().clone();
        assert!(told.len() == 1 && told[0].contains(&place), "{told:?}");
        drop(held);
        let _again = two.acquire().await?;
        soon("the next one is reported", &two, |status| status.leaks == 2).await;
        Ok(())
    }

    async fn what_a_borrower_leaves_is_gone_for_the_next_one(db: &TestDb) -> Outcome {
        let one = open(db.url(), options(1)).await?;
        let mut lease = one.acquire().await?;
        lease.script("CREATE TEMPORARY TABLE left_behind (id INT)").await?;
        lease.script("INSERT INTO left_behind VALUES (1)").await?;
        drop(lease);
        let error = one.acquire().await?.script("SELECT * FROM left_behind").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UndefinedTable, "{error}");
        // It is the same session, made as good as new, and not another one.
        assert_eq!(one.pool_status().opened, 1, "{}", one.pool_status());
        Ok(())
    }

    async fn a_pool_is_resized_under_load(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(4)).await?;
        let (lent, end) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (pool, lent, end) = (pool.clone(), Arc::clone(&lent), Arc::clone(&end));
                tokio::spawn(async move {
                    while end.load(Ordering::SeqCst) == 0 {
                        let mut lease = pool.acquire().await?;
                        lent.fetch_add(1, Ordering::SeqCst);
                        lease.ping().await?;
                        tokio::task::yield_now().await;
                        lent.fetch_sub(1, Ordering::SeqCst);
                    }
                    Ok::<_, covet_orm::Error>(())
                })
            })
            .collect();
        for size in [8, 2, 6, 1, 3] {
            pool.resize(size)?;
            soon("it has shrunk", &pool, |status| status.size <= size && status.in_use <= size).await;
            for _ in 0..20 {
                tokio::time::sleep(millis(1)).await;
                assert!(lent.load(Ordering::SeqCst) <= size);
                assert!(pool.pool_status().size <= size, "{}", pool.pool_status());
            }
            soon("it has grown", &pool, |status| status.size == size).await;
        }
        end.store(1, Ordering::SeqCst);
        for task in tasks {
            task.await??;
        }
        let status = pool.pool_status();
        assert_eq!((status.size, status.idle, status.max_size, status.waiting), (3, 3, 3, 0), "{status:?}");
        assert!(status.closed_for(CloseReason::Resized) > 0, "{status:?}");
        assert_eq!(status.opened, status.closings() + 3, "{status:?}");
        for wrong in [0, usize::MAX] {
            let error = pool.resize(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
        Ok(())
    }

    async fn while_it_is_paused_nobody_is_served(db: &TestDb) -> Outcome {
        let limit = millis(150);
        let pool = open(db.url(), PoolOptions { acquire_timeout: limit, ..options(2) }).await?;
        let mut lent = pool.acquire().await?;
        drop(pool.acquire().await?);
        pool.pause();
        pool.pause();
        let error = ends_in_time(&pool, limit).await;
        assert!(error.kind() == ErrorKind::PoolTimeout && error.to_string().contains("paused"), "{error}");
        assert!(pool.pool_status().paused);
        // What is lent goes on, comes back, and is not lent either.
        lent.ping().await?;
        drop(lent);
        ends_in_time(&pool, limit).await;
        let waits = tokio::spawn({
            let pool = pool.clone();
            async move { pool.ping().await }
        });
        soon("it waits", &pool, |status| status.waiting == 1).await;
        pool.resume();
        pool.resume();
        waits.await??;
        let all = (pool.acquire().await?, pool.acquire().await?);
        ends_in_time(&pool, limit).await;
        drop(all);
        let status = pool.pool_status();
        assert_eq!((status.idle, status.opened, status.paused), (2, 2, false), "{status:?}");
        Ok(())
    }

    async fn whoever_has_waited_is_told_that_a_pause_ends_or_there_are_more_seats(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(1)).await?;
        pool.pause();
        let mut waiting = Vec::new();
        for number in 1..=3 {
            let another = pool.clone();
            waiting.push(tokio::spawn(async move { another.ping().await }));
            soon("it waits", &pool, |status| status.waiting == number).await;
        }
        pool.resume();
        for told in waiting.drain(..) {
            tokio::time::timeout(millis(2000), told).await???;
        }
        let lease = pool.acquire().await?;
        let told = tokio::spawn({
            let pool = pool.clone();
            async move { pool.ping().await }
        });
        soon("it waits", &pool, |status| status.waiting == 1).await;
        pool.resize(2)?;
        tokio::time::timeout(millis(2000), told).await???;
        drop(lease);
        Ok(())
    }

    async fn a_pool_is_drained_before_a_deadline(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(2)).await?;
        let held = pool.acquire().await?;
        let tx = pool.begin().await?;
        Setting::create().name("a").value("b").exec(&tx).await?;
        let waits = tokio::spawn({
            let pool = pool.clone();
            async move { pool.ping().await }
        });
        soon("it waits", &pool, |status| status.waiting == 1).await;
        let drained = pool.drain(millis(50)).await;
        assert_eq!(drained.left.len(), 2, "{drained:?}");
        assert!(drained.left.iter().all(|holder| holder.place.to_string().contains("lending.rs")), "{drained:?}");
        assert_eq!(waits.await?.unwrap_err().kind(), ErrorKind::PoolClosed);
        assert_eq!(pool.ping().await.unwrap_err().kind(), ErrorKind::PoolClosed);
        let (drained, committed, ()) = tokio::join!(
            pool.drain(crate::pool::PATIENCE),
            async {
                tokio::time::sleep(millis(20)).await;
                tx.commit().await
            },
            async {
                tokio::time::sleep(millis(40)).await;
                drop(held);
            }
        );
        committed?;
        assert_eq!(drained.left, []);
        let status = pool.pool_status();
        assert_eq!((status.size, status.closed_for(CloseReason::PoolClosed), status.closed), (0, 2, true), "{status:?}");
        assert_eq!(Setting::query().count(db).await?, 1);
        Ok(())
    }

    async fn who_gives_up_leaves_every_connection_to_others(db: &TestDb) -> Outcome {
        const MOST: usize = 4;
        let pool = open(db.url(), options(MOST)).await?;
        let mut drops = 0;
        while drops < 10_000 {
            // Once nothing is open, once something is idle, once all is lent.
            for lent in [0, 1, MOST] {
                let mut leases = Vec::new();
                for _ in 0..lent {
                    leases.push(pool.acquire().await?);
                }
                if drops % 500 == 0 {
                    leases.drain(..).for_each(covet_drivers::pool::Lease::discard);
                }
                for polls in 0..4 {
                    let acquire = pool.acquire();
                    let mut future = Cancellable::new(Box::pin(acquire));
                    if polls > 0 && let Ok(Some(got)) =
                        tokio::time::timeout(millis(1), future.until(polls)).await
                    {
                        got?;
                    }
                    drops += 1;
                }
            }
        }
        let start = Instant::now();
        let all = futures_util::future::try_join_all((0..MOST).map(|_| pool.acquire())).await?;
        assert!(start.elapsed() < millis(1000), "{:?}", start.elapsed());
        drop(all);
        let status = pool.pool_status();
        assert_eq!((status.in_use, status.waiting), (0, 0), "{status:?}");
        assert!(status.size <= MOST, "{status:?}");
        Ok(())
    }

    async fn what_came_for_whoever_gives_up_goes_to_the_next(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(1)).await?;
        for round in 0..20 {
            let lease = pool.acquire().await?;
            let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(pool.acquire())).collect();
            for future in &mut waiting {
                assert!(futures_util::FutureExt::now_or_never(future).is_none(), "the only connection is lent");
            }
            assert_eq!(pool.pool_status().waiting, 4);
            // In some rounds one who is not the next has gone before, and in some the connection does not come back.
            if round % 2 == 0 {
                drop(waiting.remove(2));
            }
            if round % 3 == 0 { lease.discard() } else { drop(lease) }
            // It is the first one's now, who does not come for it.
            drop(waiting.remove(0));
            let next = waiting.remove(0);
            let lease = tokio::time::timeout(millis(1000), next).await??;
            drop(waiting);
            drop(lease);
            let status = pool.pool_status();
            assert_eq!((status.in_use, status.waiting, status.size), (0, 0, 1), "{status:?}");
        }
        Ok(())
    }

    async fn what_nobody_has_come_for_is_closed_with_the_pool(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(1)).await?;
        let lease = pool.acquire().await?;
        let mut first = Box::pin(pool.acquire());
        let mut second = Box::pin(pool.acquire());
        for future in [&mut first, &mut second] {
            assert!(futures_util::FutureExt::now_or_never(future).is_none(), "the only connection is lent");
        }
        drop(lease);
        assert_eq!(pool.pool_status().waiting, 1, "one was given it");
        assert_eq!(pool.drain(millis(1000)).await.left, []);
        assert_eq!(first.await.unwrap_err().kind(), ErrorKind::PoolClosed);
        assert_eq!(second.await.unwrap_err().kind(), ErrorKind::PoolClosed);
        let status = pool.pool_status();
        assert_eq!((status.in_use, status.waiting, status.size), (0, 0, 0), "{status:?}");
        assert_eq!(status.closed_for(CloseReason::PoolClosed), 1, "{status:?}");
        Ok(())
    }

    async fn every_connection_is_counted_from_its_opening_to_its_end(db: &TestDb) -> Outcome {
        let pool = open(db.url(), options(3)).await?;
        let (a, mut b, c) = (pool.acquire().await?, pool.acquire().await?, pool.acquire().await?);
        let status = pool.pool_status();
        assert_eq!((status.size, status.in_use, status.idle, status.opened), (3, 3, 0, 3), "{status:?}");
        b.begin(&covet_drivers::contract::TransactionOptions::default()).await?;
        b.savepoint(1).await?;
        drop(b);
        a.discard();
        drop(c);
        soon("all is back", &pool, |status| status.idle == 2 && status.returning == 0).await;
        let status = pool.pool_status();
        assert_eq!((status.size, status.in_use, status.closed_for(CloseReason::Discarded)), (2, 0, 1), "{status:?}");
        // The database asks once when it is connected to.
        assert_eq!(status.lent, 4, "{status:?}");
        assert_eq!(status.to_string(), "2 of 3 connections (2 idle, 0 in use), 0 waiting");
        pool.close();
        let status = pool.pool_status();
        assert_eq!((status.size, status.opened, status.closings()), (0, 3, 3), "{status:?}");
        Ok(())
    }
}

on_each_server! {
    async fn what_is_tested_while_the_pool_is_drained_is_not_lent_afterwards(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let settings = PoolOptions { ping_after: millis(1), ping_timeout: crate::pool::PATIENCE, ..options(1) };
        let pool = open(proxy.url(), settings).await?;
        tokio::time::sleep(millis(20)).await;
        proxy.set(Trap { direction: Direction::ToClient, after: 0, then: Then::Hold, reach: Reach::All });
        let waits = tokio::spawn({
            let pool = pool.clone();
            async move { pool.acquire().await.map(drop) }
        });
        soon("it is tested", &pool, |status| status.testing == 1).await;
        // It is in nobody's hands.
        assert_eq!(pool.drain(millis(100)).await.left, []);
        proxy.release();
        assert_eq!(waits.await?.unwrap_err().kind(), ErrorKind::PoolClosed);
        let status = pool.pool_status();
        assert_eq!((status.size, status.in_use, status.testing), (0, 0, 0), "{status:?}");
        assert_eq!(status.closed_for(CloseReason::PoolClosed), 1, "{status:?}");
        Ok(())
    }

    async fn a_pool_is_drained_when_what_was_left_behind_is_undone(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        for _ in 0..20 {
            let pool = open(proxy.url(), options(1)).await?;
            let tx = pool.begin().await?;
            Setting::create().name("a").value("b").exec(&tx).await?;
            proxy.set(Trap { direction: Direction::ToClient, after: 0, then: Then::Hold, reach: Reach::All });
            let (draining, dropping) = (pool.clone(), tokio::spawn(async move { drop(tx) }));
            let drained = tokio::spawn(async move { draining.drain(crate::pool::PATIENCE).await });
            dropping.await?;
            tokio::time::sleep(millis(10)).await;
            assert!(!drained.is_finished(), "the rollback is not answered yet");
            proxy.release();
            assert_eq!(drained.await?.left, []);
            assert_eq!(pool.pool_status().returning, 0);
        }
        Ok(())
    }
}

#[tokio::test]
async fn impossible_settings_say_what_to_change() {
    let wrong = PoolOptions { min_size: 3, max_size: 2, ..PoolOptions::default() };
    let error = Db::connect_with("sqlite::memory:", DbOptions::new().pool(wrong)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("min_size") && error.help().is_some(), "{error}");
}
