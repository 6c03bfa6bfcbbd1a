//! How distributed transactions end, and what recovery finds of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::contract::{BranchId, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, Coordinator, Error, ErrorKind, Event, TxOptions};
use covet_tests::models::Setting;
use covet_tests::session;
use futures_util::FutureExt as _;
use tokio::sync::Barrier;

use crate::two_phase::servers::{Pair, database, observed, on_both};
use crate::two_phase::{has, nothing_happened, put, put_both};

/// Runs it on a thread and in a runtime of its own: an observer is called in the middle of the program's.
pub(crate) fn aside<T: Send>(run: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread =
            scope.spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run));
        thread.join().unwrap()
    })
}

#[test]
fn all_or_none_with_the_log_in_a_file_or_in_either_database() {
    on_both(async |both| {
        for (log, name) in [(&both.log, "file"), (&both.orders, "orders"), (&both.stock, "stock")] {
            let c =
                Coordinator::open(&format!("{}-{name}", both.name), log, [&both.orders, &both.stock]).await.unwrap();
            let seven = c.transaction(async |[orders, stock]| {
                put(&format!("{name} both"), orders).await?;
                put(&format!("{name} both"), stock).await?;
                // A savepoint that is undone is no part of it.
                let undone = orders.transaction(async |tx| put(&format!("{name} both"), tx).await).await;
                assert_eq!(undone.unwrap_err().kind(), ErrorKind::Unique);
                Ok(7)
            });
            assert_eq!(seven.await.unwrap().everywhere().unwrap(), 7);
            assert!(both.both_have(&format!("{name} both")).await);
            // The closure's own error, an error of either database, one that the closure swallows, and a panic.
            let mine = || Error::new(ErrorKind::NotFound, "mine");
            let error = c.transaction(async |[orders, stock]| {
                put(&format!("{name} error"), orders).await?;
                put(&format!("{name} error"), stock).await?;
                Err::<(), _>(mine())
            });
            assert_eq!(error.await.map(drop).unwrap_err().kind(), ErrorKind::NotFound);
            assert!(!both.both_have(&format!("{name} error")).await);
            for fails in [0, 1] {
                let row = format!("{name} fails {fails}");
                let error = c.transaction(async |branches| {
                    for (at, tx) in branches.into_iter().enumerate() {
                        put(&row, tx).await?;
                        if at == fails {
                            put(&row, tx).await?;
                        }
                    }
                    Ok(())
                });
                assert_eq!(error.await.map(drop).unwrap_err().kind(), ErrorKind::Unique);
                assert!(!both.both_have(&row).await);
            }
            let row = format!("{name} swallowed");
            let swallowed = c.transaction(async |[orders, stock]| {
                put(&row, stock).await?;
                put(&row, orders).await?;
                let _ = put(&row, orders).await;
                Ok(())
            });
            assert_eq!(swallowed.await.map(drop).unwrap_err().kind(), ErrorKind::TransactionClosed);
            assert!(!both.both_have(&row).await);
            let row = format!("{name} panic");
            let panics = std::panic::AssertUnwindSafe(c.transaction(async |[orders, stock]| {
                put(&row, stock).await?;
                put(&row, orders).await?;
                if name.is_empty() { Ok(()) } else { panic!("the closure panics") }
            }));
            assert!(panics.catch_unwind().await.is_err());
            assert!(!both.both_have(&row).await);
            // One of them alone, none at all.
            let row = format!("{name} one");
            c.transaction(async |[_, stock]| put(&row, stock).await).await.unwrap().everywhere().unwrap();
            assert!(has(&row, &both.stock).await && !has(&row, &both.orders).await);
            c.transaction(async |_| Ok(())).await.unwrap().everywhere().unwrap();
            nothing_happened(&c.recover().await.unwrap());
        }
        assert_eq!(both.prepared().await, 0);
        both.nobody_holds_a_connection().await;
    });
}

#[test]
fn what_is_over_is_forgotten() {
    on_both(async |both| {
        let c = both.coordinator().await;
        let begun = Instant::now();
        for n in 0..130 {
            put_both(&c, &format!("{n}")).await.unwrap().everywhere().unwrap();
        }
        println!("{:?} a transaction, on servers on this machine", begun.elapsed() / 130);
        let (decisions, traces) = both.kept().await;
        assert!(decisions < 70 && traces < 140, "{decisions} decisions and {traces} traces are kept");
        nothing_happened(&c.recover().await.unwrap());
        assert_eq!(both.kept().await, (0, 0));
        // What another process has left undeleted is no reason to worry. A coordinator recovers by itself a quarter of a
        // second after it was opened and forgets what is over: one that took as long is followed by another.
        let (mut round, mut before) = (0, (0, 0));
        loop {
            let opened = Instant::now();
            let other = both.coordinator().await;
            for n in 0..5 {
                put_both(&other, &format!("{round} again {n}")).await.unwrap().everywhere().unwrap();
            }
            drop(other);
            if opened.elapsed() < Duration::from_millis(250) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            (round, before) = (round + 1, both.kept().await);
        }
        nothing_happened(&both.coordinator().await.recover().await.unwrap());
        assert_eq!(both.kept().await, (before.0 + 5, before.1 + 10));
    });
}

/// What was prepared or decided on the old server is not known on the new one for certain.
#[test]
fn a_database_that_was_moved_asks_for_a_new_coordinator() {
    on_both(async |both| {
        let moved = Db::connect(&both.urls[0]).await.unwrap();
        for (log, databases, says) in
            [(&both.log, [&moved, &both.stock], "a database"), (&moved, [&both.orders, &both.stock], "the log")]
        {
            let open = async || Coordinator::open(&both.name, log, databases).await.unwrap();
            let c = open().await;
            put_both(&c, &format!("{says} before")).await.unwrap().everywhere().unwrap();
            // To the same server, which is a move all the same.
            moved.switch_to(&both.urls[0]).await.unwrap();
            let error = put_both(&c, &format!("{says} moved")).await.map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().contains("moved") && error.help().is_some(), "{error}");
            assert!(!both.both_have(&format!("{says} moved")).await);
            put_both(&open().await, &format!("{says} after")).await.unwrap().everywhere().unwrap();
            assert!(both.both_have(&format!("{says} after")).await);
            both.nothing_left(Duration::from_secs(10)).await;
        }
    });
}

#[test]
fn many_at_once_on_tasks_of_their_own() {
    on_both(async |both| {
        let c = both.coordinator().await;
        let begun = Instant::now();
        let tasks = (0..8).map(|task| {
            let c = c.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    put_both(&c, &format!("{task} {n}")).await?.everywhere()?;
                }
                Ok::<_, Error>(())
            })
        });
        for task in futures_util::future::join_all(tasks).await {
            task.unwrap().unwrap();
        }
        println!("{:?} a transaction, eight at a time", begun.elapsed() / 80);
        for db in [&both.orders, &both.stock] {
            assert_eq!(Setting::query().count(db).await.unwrap(), 80);
        }
        assert_eq!(both.prepared().await, 0);
    });
}

#[test]
fn a_closure_runs_again_where_a_database_says_so_and_deadlines_hold() {
    on_both(async |both| {
        let c = both.coordinator().await;
        for db in [&both.orders, &both.stock] {
            put("n", db).await.unwrap();
        }
        let (runs, both_hold) = (&AtomicU32::new(0), &Barrier::new(2));
        // They take the same two rows in opposite orders, and both have one before either wants the other.
        let limited = TxOptions::new().lock_timeout(Duration::from_secs(1)).attempts(10);
        let turn = async |order: [usize; 2]| {
            let first = &AtomicBool::new(true);
            c.transaction_with(limited, async |branches| {
                runs.fetch_add(1, Ordering::SeqCst);
                for at in order {
                    let tx: &Executor = branches[at];
                    Setting::query().filter(Setting::name.eq("n")).update().set(Setting::value, "w").exec(tx).await?;
                    if first.swap(false, Ordering::SeqCst) {
                        both_hold.wait().await;
                    }
                }
                Ok(())
            })
            .await
        };
        // No database can see this deadlock: each holds what the other one waits for.
        let (one, other) = tokio::join!(turn([0, 1]), turn([1, 0]));
        one.unwrap().everywhere().unwrap();
        other.unwrap().everywhere().unwrap();
        assert!(runs.load(Ordering::SeqCst) > 2);
        let limit = TxOptions::new().deadline(Duration::from_millis(200));
        let late = c.transaction_with(limit, async |[orders, stock]| {
            put("late", orders).await?;
            put("late", stock).await?;
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(())
        });
        assert_eq!(late.await.map(drop).unwrap_err().kind(), ErrorKind::Deadline);
        assert!(!both.both_have("late").await);
    });
}

#[test]
fn what_is_not_its_own_is_left_alone() {
    on_both(async |both| {
        let c = both.coordinator().await;
        let foreign = [BranchId::new("another", [3; 16], 0).unwrap(), BranchId::new(&both.name, [3; 16], 0).unwrap()];
        // Of another name, and of this name with another log.
        for (id, row) in foreign.iter().zip(["foreign", "lost"]) {
            let mut lease = both.orders.acquire().await.unwrap();
            lease.two_phase().unwrap().begin_branch(id, &TransactionOptions::DEFAULT).await.unwrap();
            let insert = format!("INSERT INTO settings (name, value) VALUES ('{row}', 'v')");
            lease.script(&insert).await.unwrap();
            assert!(lease.two_phase().unwrap().prepare(id).await.unwrap());
        }
        both.orders
            .acquire()
            .await
            .unwrap()
            .script("BEGIN; SELECT 1; PREPARE TRANSACTION 'somebody''s'")
            .await
            .unwrap();
        let report = c.recover().await.unwrap();
        nothing_happened(&report);
        assert!(report.left >= 3, "{report:?}");
        nothing_happened(&both.coordinator().await.recover().await.unwrap());
        let mut lease = both.orders.acquire().await.unwrap();
        let found = lease.two_phase().unwrap().prepared().await.unwrap();
        assert!(foreign.iter().all(|id| found.branches.contains(id)) && found.others == 1, "{found:?}");
        for id in &foreign {
            lease.two_phase().unwrap().rollback_prepared(id).await.unwrap();
        }
        lease.script("ROLLBACK PREPARED 'somebody''s'").await.unwrap();
    });
}

/// The insert of a decision, in any of the dialects.
fn is_decision(sql: &str) -> bool {
    sql.starts_with("INSERT INTO") && sql.contains("_covet_decisions")
}

#[test]
fn what_was_ended_by_hand_is_told_as_mixed() {
    on_both(async |both| {
        for side in [0, 1] {
            let row = format!("mixed {side}");
            let (urls, name) = (both.urls.clone(), both.name.clone());
            // The session of MariaDB's branch, once it is known.
            let session = Arc::new(AtomicI64::new(0));
            let observer = {
                let session = Arc::clone(&session);
                move |event: &Event<'_>| {
                    if is_decision(event.sql) && session.load(Ordering::SeqCst) > 0 {
                        let session = session.swap(0, Ordering::SeqCst);
                        aside(end_by_hand(&urls[side], &name, side, session));
                    }
                }
            };
            let (c, [_, stock, _]) = both.observed(1, observer).await;
            let id = session::id(&mut stock.acquire().await.unwrap()).await.unwrap();
            session.store(id, Ordering::SeqCst);
            let error = put_both(&c, &row).await.map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CommitMixed, "{error}");
            assert!(error.help().is_some() && error.to_string().contains("rolled back by hand"), "{error}");
            let there = [has(&row, &both.orders).await, has(&row, &both.stock).await];
            assert_eq!(there, [side != 0, side != 1]);
            // Recovery tells it as often as it is asked, also in another process, until somebody has seen to it.
            for c in [c.clone(), both.coordinator().await] {
                let report = c.recover().await.unwrap();
                let [mixed] = &report.mixed[..] else { panic!("{report:?}") };
                assert_eq!((mixed.decided, mixed.branches.len()), (CommitOutcome::Committed, 1));
                assert_eq!(usize::from(mixed.branches[0].id.number()), side);
            }
            let token = c.recover().await.unwrap().mixed[0].transaction;
            assert_eq!(covet_orm::CommitToken::of(&error), Some(token));
            if side == 0 {
                // Without its decision a branch that is prepared would be rolled back.
                let id = c.recover().await.unwrap().mixed[0].branches[0].id.clone();
                let mut lease = both.orders.acquire().await.unwrap();
                lease.two_phase().unwrap().begin_branch(&id, &TransactionOptions::DEFAULT).await.unwrap();
                lease.script("INSERT INTO settings (name, value) VALUES ('again', 'v')").await.unwrap();
                assert!(lease.two_phase().unwrap().prepare(&id).await.unwrap());
                // The recovery in the background may be quicker.
                if let Err(error) = c.forget(token).await {
                    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
                    assert!(error.to_string().contains("still prepared"), "{error}");
                }
                c.recover().await.unwrap();
                assert!(has("again", &both.orders).await, "it ends as it was decided");
            }
            c.forget(token).await.unwrap();
            nothing_happened(&c.recover().await.unwrap());
        }
    });
}

/// Rolls back the branches of a coordinator in one database, as an operator does.
async fn end_by_hand(url: &str, name: &str, at: usize, session: i64) {
    let db = Db::connect(url).await.unwrap();
    let mut lease = db.acquire().await.unwrap();
    let found = lease.two_phase().unwrap().prepared().await.unwrap().branches;
    let ids = found.into_iter().filter(|id| id.coordinator() == name && usize::from(id.number()) == at);
    let ids: Vec<BranchId> = ids.collect();
    assert!(!ids.is_empty(), "there is nothing to end by hand");
    for id in ids {
        while let Err(error) = lease.two_phase().unwrap().rollback_prepared(&id).await {
            // It is bound to its session, so the operator ends that first.
            assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            let _ = lease.script(&format!("KILL {session}")).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Two processes of one name: the second one recovers while the first one is between its prepares and its decision.
#[test]
fn a_recovery_never_tears_a_transaction_that_runs_in_another_process() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(pair) = Pair::get() else { return };
        let urls = [database(&pair.postgres).await, database(&pair.postgres).await];
        let folder = tempfile::tempdir().unwrap();
        let log = format!("sqlite://{}", folder.path().join("log.db").display());
        let urls = [urls[0].clone(), urls[1].clone(), log];
        let prepared = Arc::new(AtomicUsize::new(0));
        let recovered = Arc::new(AtomicUsize::new(0));
        let observer = {
            let (prepared, recovered, urls) = (Arc::clone(&prepared), Arc::clone(&recovered), urls.clone());
            move |event: &Event<'_>| {
                if event.sql == "PREPARE TRANSACTION" && prepared.fetch_add(1, Ordering::SeqCst) == 1 {
                    let urls = urls.clone();
                    let report = aside(async move {
                        let [one, two, log] = &urls;
                        let (one, two) = (Db::connect(one).await.unwrap(), Db::connect(two).await.unwrap());
                        let log = Db::connect(log).await.unwrap();
                        // Opening has recovered already.
                        Coordinator::open("shop", &log, [&one, &two]).await.unwrap();
                        let mut lease = one.acquire().await.unwrap();
                        lease.two_phase().unwrap().prepared().await.unwrap().branches.len()
                    });
                    recovered.store(1 + report, Ordering::SeqCst);
                }
            }
        };
        let (c, [one, two, _log]) = observed("shop", urls, 4, observer).await.unwrap();
        let runs = AtomicU32::new(0);
        c.transaction(async |[one, two]| {
            runs.fetch_add(1, Ordering::SeqCst);
            put("fenced", one).await?;
            put("fenced", two).await
        })
        .await
        .unwrap()
        .everywhere()
        .unwrap();
        // The other process has rolled the first run back as a whole, and it was run again.
        assert_eq!((recovered.load(Ordering::SeqCst), runs.load(Ordering::SeqCst)), (1, 2));
        assert!(has("fenced", &one).await && has("fenced", &two).await);
    });
}
