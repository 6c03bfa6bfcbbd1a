//! What is run again, how often, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{ErrorKind, Isolation, TxOptions};
use covet_tests::models::{Account, Setting, User};
use covet_tests::server::with_server;
use covet_tests::{Kind, on_each_database, on_each_server, on_postgres};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::crud::email;
use crate::scenarios::{PATIENCE, make_table, millis, names, open, put, torture};

/// Waits for the other one, the first time round, and not for ever: it may be waiting for us.
async fn meet(run: u32, barrier: &Barrier) {
    if run == 0 {
        let _ = tokio::time::timeout(millis(300), barrier.wait()).await;
    }
}

on_each_database! {
    async fn c1_of_two_that_would_skew_one_runs_again(db: &TestDb) -> Outcome {
        let a = User::create().email(email("a@x")).exec(db).await?;
        let b = User::create().email(email("b@x")).exec(db).await?;
        let barrier = Arc::new(Barrier::new(2));
        let runs = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for own in [a.id, b.id] {
            let (db, barrier, all) = ((**db).clone(), Arc::clone(&barrier), Arc::clone(&runs));
            tasks.spawn(async move {
                let run = AtomicU32::new(0);
                let (run, barrier, all) = (&run, &barrier, &all);
                let options = TxOptions::new().isolation(Isolation::Serializable).attempts(10);
                db.transaction_with(options, async |tx| {
                    all.fetch_add(1, Ordering::SeqCst);
                    // Whoever sees that nobody is on duty goes on duty: one of them shall.
                    let on_duty: i32 = User::query().select(User::visits).all(tx).await?.into_iter().sum();
                    meet(run.fetch_add(1, Ordering::SeqCst), barrier).await;
                    if on_duty == 0 {
                        User::query().filter(User::id.eq(own)).update().set(User::visits, 1).exec(tx).await?;
                    }
                    Ok(())
                })
                .await
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let on_duty: i32 = User::query().select(User::visits).all(db).await?.into_iter().sum();
        assert_eq!(on_duty, 1, "both saw nobody");
        let runs = runs.load(Ordering::SeqCst);
        // SQLite lets the second one begin when the first has ended.
        assert!(runs > 2 || db.kind() == Kind::Sqlite, "nothing was run again");
        Ok(())
    }

    async fn c7_read_change_write_with_a_version_loses_nothing(db: &TestDb) -> Outcome {
        const TASKS: usize = 2;
        let rounds: u32 = if torture() { 500 } else { 40 };
        let account = Account::create().owner("a").balance(rust_decimal::Decimal::ZERO).exec(db).await?;
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (db, id) = ((**db).clone(), account.id);
            tasks.spawn(async move {
                let mut stale = 0;
                for _ in 0..rounds {
                    loop {
                        let mut account = Account::find(id).one(&db).await?;
                        account.balance += rust_decimal::Decimal::ONE;
                        tokio::task::yield_now().await;
                        match account.save(&db).await {
                            Ok(()) => break,
                            Err(error) if error.kind() == ErrorKind::StaleWrite => stale += 1,
                            Err(error) if error.is_retryable() => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                Ok::<u32, covet_orm::Error>(stale)
            });
        }
        let mut stale = 0;
        while let Some(done) = tasks.join_next().await {
            stale += done??;
        }
        println!("{}: {stale} stale writes were refused", db.kind().name());
        let account = Account::find(account.id).one(db).await?;
        let all = i64::from(rounds) * i64::try_from(TASKS)?;
        assert_eq!((account.balance, account.version), (all.into(), all + 1));
        Ok(())
    }

    async fn c11_what_always_fails_is_given_up(db: &TestDb) -> Outcome {
        put("held", db).await?;
        let holder = db.begin().await?;
        let write = async |on: &Executor| {
            Setting::query().filter(Setting::name.eq("held")).update().set(Setting::value, "w").exec(on).await.map(drop)
        };
        write(&holder).await?;
        let runs = AtomicU32::new(0);
        let tried = async |options: TxOptions| {
            runs.store(0, Ordering::SeqCst);
            let runs = &runs;
            let start = Instant::now();
            let error = db
                .transaction_with(options, async |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    write(tx).await
                })
                .await
                .unwrap_err();
            (error, runs.load(Ordering::SeqCst), start.elapsed())
        };
        let limits = TxOptions::new().lock_timeout(millis(100));
        let (error, runs, _) = tried(limits.attempts(2)).await;
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "the last cause is kept: {error}");
        // SQLite's BEGIN waits for the lock, so the closure does not get to run.
        assert_eq!(runs, if db.kind() == Kind::Sqlite { 0 } else { 2 });
        let limit = millis(1_300);
        let (error, _, took) = tried(limits.attempts(u32::MAX).deadline(limit)).await;
        assert!(matches!(error.kind(), ErrorKind::Deadline | ErrorKind::LockTimeout), "{error}");
        assert!(took < limit + millis(500), "{took:?}");
        holder.rollback().await?;
        let value = Setting::find("held").one(db).await?.value;
        assert_eq!(value, "v");
        Ok(())
    }

    async fn c15_commits_that_change_nothing(db: &TestDb) -> Outcome {
        put("a", db).await?;
        db.transaction(async |_| Ok(())).await?;
        db.begin().await?.commit().await?;
        let read_only = TxOptions::new().read_only();
        assert_eq!(db.transaction_with(read_only, async |tx| names(tx).await).await?, ["a"]);
        let tx = db.begin_with(read_only).await?;
        assert_eq!(tx.commit_token(), None);
        tx.commit().await?;
        let tx = db.begin().await?;
        assert_eq!(names(&tx).await?, ["a"]);
        tx.commit().await?;
        assert_eq!(db.pool_status().in_use, 0);
        Ok(())
    }
}

on_each_server! {
    async fn what_the_closure_swallows_is_run_again_all_the_same(db: &TestDb) -> Outcome {
        put("held", db).await?;
        let write = async |on: &Executor| {
            Setting::query().filter(Setting::name.eq("held")).update().set(Setting::value, "w").exec(on).await.map(drop)
        };
        let holder = db.begin().await?;
        write(&holder).await?;
        let (runs, again) = (&AtomicU32::new(0), &tokio::sync::Notify::new());
        let limits = TxOptions::new().lock_timeout(millis(200));
        let run = db.transaction_with(limits, async |tx| {
            // The second time the lock comes free.
            if runs.fetch_add(1, Ordering::SeqCst) == 1 {
                again.notify_one();
            }
            // Nobody looks at how it ended.
            let _ = write(tx).await;
            Ok(())
        });
        let release = async {
            let _ = tokio::time::timeout(PATIENCE, again.notified()).await;
            holder.rollback().await
        };
        let (ran, released) = futures_util::future::join(run, release).await;
        ran?;
        released?;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(Setting::find("held").one(db).await?.value, "w");
        Ok(())
    }

    async fn c4_the_victim_of_a_deadlock_goes_no_further(db: &TestDb) -> Outcome {
        the_victim_goes_no_further(db).await
    }
}

async fn the_victim_goes_no_further(db: &Db) -> covet_tests::Outcome {
    put("a", db).await?;
    put("b", db).await?;
    let write = async |name: &str, on: &Executor| {
        Setting::query().filter(Setting::name.eq(name)).update().set(Setting::value, "w").exec(on).await.map(drop)
    };
    let (one, two) = (db.begin().await?, db.begin().await?);
    write("a", &one).await?;
    write("b", &two).await?;
    // The second asks when the first waits.
    let later = async {
        tokio::time::sleep(millis(200)).await;
        write("a", &two).await
    };
    let (first, second) = tokio::time::timeout(PATIENCE, futures_util::future::join(write("b", &one), later)).await?;
    let mut victims = 0;
    for (tx, result) in [(one, first), (two, second)] {
        let Err(error) = result else {
            tx.commit().await?;
            continue;
        };
        victims += 1;
        assert!(error.kind() == ErrorKind::Deadlock && error.is_retryable(), "{error}");
        // MariaDB has rolled all of it back and would run this by itself.
        assert_eq!(put("stray", &tx).await.unwrap_err().kind(), ErrorKind::TransactionClosed);
        assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::TransactionClosed);
    }
    assert_eq!(victims, 1);
    assert_eq!(names(db).await?, ["a", "b"], "nothing ran by itself");
    Ok(())
}

/// This server begins the next transaction wherever one ends, if it is not told otherwise.
#[test]
fn c4_the_victim_of_a_deadlock_where_transactions_are_chained_mysql() {
    with_server(Kind::Mysql, &["completion-type=CHAIN"], async |server| {
        let db = open(&server.url(), 2).await?;
        make_table(&db).await?;
        the_victim_goes_no_further(&db).await?;
        put("later", &db).await?;
        let status = db.pool_status();
        assert_eq!((status.opened, status.closings()), (2, 0), "{status:?}");
        let other = open(&server.url(), 1).await?;
        assert_eq!(names(&other).await?, ["a", "b", "later"]);
        Ok(())
    });
}

/// A conflict within a savepoint: the savepoint is not run again, because it would see the same; the whole is.
async fn within_a_savepoint(db: &Db) -> covet_tests::Outcome {
    put("a", db).await?;
    let (outer, inner) = (AtomicU32::new(0), AtomicU32::new(0));
    let (whole, part) = (&outer, &inner);
    let options = TxOptions::new().isolation(Isolation::RepeatableRead);
    db.transaction_with(options, async |tx| {
        let run = whole.fetch_add(1, Ordering::SeqCst);
        let seen = Setting::find("a").one(tx).await?.value;
        if run == 0 {
            let other = Setting::query().filter(Setting::name.eq("a"));
            other.update().set(Setting::value, "theirs").exec(db).await?;
        }
        let tried = tx
            .transaction(async |savepoint| {
                part.fetch_add(1, Ordering::SeqCst);
                let own = Setting::query().filter(Setting::name.eq("a"));
                own.update().set(Setting::value, format!("{seen}, mine")).exec(savepoint).await.map(drop)
            })
            .await;
        if run == 0 {
            let error = tried.as_ref().expect_err("the row has changed since");
            assert_eq!(error.kind(), ErrorKind::Serialization, "{error}");
        }
        // Ignored or not: this run does not commit without it.
        if run == 0 { Ok(()) } else { tried }
    })
    .await
    .or_else(|error| {
        // Where the closure hides the error, the commit tells.
        if error.kind() == ErrorKind::TransactionClosed { Ok(()) } else { Err(error) }
    })?;
    let (whole, part) = (outer.load(Ordering::SeqCst), inner.load(Ordering::SeqCst));
    assert_eq!(whole, part, "a savepoint was run again by itself");
    Ok(())
}

/// As it is used: the error goes on, and the whole closure runs again and succeeds.
async fn the_whole_runs_again(db: &Db) -> covet_tests::Outcome {
    put("b", db).await?;
    let (outer, inner) = (AtomicU32::new(0), AtomicU32::new(0));
    let (whole, part) = (&outer, &inner);
    let options = TxOptions::new().isolation(Isolation::RepeatableRead);
    db.transaction_with(options, async |tx| {
        let run = whole.fetch_add(1, Ordering::SeqCst);
        let seen = Setting::find("b").one(tx).await?.value;
        if run == 0 {
            let other = Setting::query().filter(Setting::name.eq("b"));
            other.update().set(Setting::value, "theirs").exec(db).await?;
        }
        tx.transaction(async |savepoint| {
            part.fetch_add(1, Ordering::SeqCst);
            let own = Setting::query().filter(Setting::name.eq("b"));
            own.update().set(Setting::value, format!("{seen}, mine")).exec(savepoint).await.map(drop)
        })
        .await
    })
    .await?;
    assert_eq!(Setting::find("b").one(db).await?.value, "theirs, mine");
    assert_eq!((outer.load(Ordering::SeqCst), inner.load(Ordering::SeqCst)), (2, 2));
    Ok(())
}

on_postgres! {
    async fn c2_a_conflict_within_a_savepoint(db: &TestDb) -> Outcome {
        within_a_savepoint(db).await?;
        the_whole_runs_again(db).await
    }
}

#[test]
fn c2_c6_a_conflict_within_a_savepoint_mysql() {
    with_server(Kind::Mysql, &["innodb-snapshot-isolation=ON"], async |server| {
        let db = open(&server.url(), 4).await?;
        make_table(&db).await?;
        within_a_savepoint(&db).await?;
        the_whole_runs_again(&db).await
    });
}

#[test]
fn c6_a_changed_row_is_a_conflict_and_runs_again_mysql() {
    with_server(Kind::Mysql, &["innodb-snapshot-isolation=ON"], async |server| {
        const TASKS: usize = 4;
        const ROUNDS: usize = 15;
        let db = open(&server.url(), TASKS).await?;
        make_table(&db).await?;
        Setting::create().name("counter").value("0").exec(&db).await?;
        let runs = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (db, runs) = (db.clone(), Arc::clone(&runs));
            tasks.spawn(async move {
                for _ in 0..ROUNDS {
                    let runs = &runs;
                    let options = TxOptions::new().isolation(Isolation::RepeatableRead).attempts(1_000);
                    db.transaction_with(options, async |tx| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        let counter = Setting::find("counter").one(tx).await?;
                        let next = counter.value.parse::<u32>().unwrap() + 1;
                        let own = Setting::query().filter(Setting::name.eq("counter"));
                        own.update().set(Setting::value, next.to_string()).exec(tx).await.map(drop)
                    })
                    .await?;
                }
                Ok::<_, covet_orm::Error>(())
            });
        }
        let all = async {
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        tokio::time::timeout(Duration::from_secs(60), all).await??;
        let all = u32::try_from(TASKS * ROUNDS)?;
        assert_eq!(Setting::find("counter").one(&db).await?.value, all.to_string());
        let runs = runs.load(Ordering::SeqCst);
        println!("{runs} runs for {all} increments");
        assert!(runs > all, "nothing was run again");
        Ok(())
    });
}
