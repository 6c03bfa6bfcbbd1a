//! What became of a transaction: committed, not committed, or not known, and then a token tells.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use covet_drivers::contract::{Command, Reuse, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken, DbOptions, ErrorKind, PoolOptions, TxOptions};
use covet_tests::models::{Setting, put};
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{TestDb, on_each_database, on_each_server};
use futures_util::future::try_join_all;

/// The statements of a transaction.
const STATEMENTS: usize = 12;

static WARM: AtomicU32 = AtomicU32::new(0);

/// Everything of a transaction that meets a fault has ended by then.
const DEADLINE: Duration = Duration::from_millis(400);

async fn count(case: &str, on: &Executor) -> covet_orm::Result<usize> {
    let found = Setting::query().filter(Setting::name.starts_with(case)).count(on).await?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

/// A proxy, and a pool of one connection behind it that has run all that comes.
async fn behind_proxy(db: &TestDb) -> covet_orm::Result<(Proxy, Db)> {
    let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
    let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() };
    let one = Db::connect_with(proxy.url(), DbOptions::new().pool(pool)).await?;
    warm_up(&one).await?;
    Ok((proxy, one))
}

/// What is prepared once is not on the wire later, and neither is connecting.
async fn warm_up(one: &Db) -> covet_orm::Result<()> {
    let tx = one.begin_with(TxOptions::new().token()).await?;
    let warm = format!("warm {}", WARM.fetch_add(1, Ordering::SeqCst));
    put(warm.clone(), &tx).await?;
    count(&warm, &tx).await?;
    tx.commit().await?;
    Setting::query().filter(Setting::name.eq(warm)).delete().exec(one).await.map(drop)
}

/// A transaction in front of which a trap is set. Says whether the fault was met, and what was found wrong.
async fn met(db: &TestDb, proxy: &Proxy, one: &Db, trap: Trap) -> covet_orm::Result<bool> {
    let case = format!("{:?}-{}-{:?}-", trap.direction, trap.after, trap.then);
    warm_up(one).await?;
    proxy.set(trap);
    let options = TxOptions::new().token().attempts(1).deadline(DEADLINE);
    let ended = one
        .transaction_with(options, async |tx| {
            for n in 0..STATEMENTS {
                put(format!("{case}{n}"), tx).await?;
            }
            Ok(())
        })
        .await;
    let untouched = proxy.is_untouched();
    proxy.release();
    match ended {
        Ok(()) => assert_eq!(count(&case, db).await?, STATEMENTS, "{case}: it was said to be committed"),
        Err(error) => {
            assert!(!untouched, "{case}: {error}");
            match CommitToken::of(&error) {
                Some(token) => {
                    let there = db.outcome_of(token).await? == CommitOutcome::Committed;
                    assert_eq!(count(&case, db).await?, if there { STATEMENTS } else { 0 }, "{case}: the token");
                    assert_eq!(db.outcome_of(token).await? == CommitOutcome::Committed, there, "{case}: it stays so");
                }
                None => {
                    assert_ne!(error.kind(), ErrorKind::CommitUnknown, "{case}: {error}");
                    assert_eq!(count(&case, db).await?, 0, "{case}: it was said not to be: {error}");
                }
            }
        }
    }
    Ok(!untouched)
}

on_each_server! {
    async fn whatever_happens_to_any_frame_the_outcome_is_the_truth(db: &TestDb) -> Outcome {
        db.prepare_commit_tokens().await?;
        // Every frame by `cargo xtask torture`, a slice of them else.
        let step = if covet_tests::torture() { 1 } else { 5 };
        let faults = [Then::Cut, Then::Reset, Then::Swallow, Then::Hold];
        let sweeps = Direction::BOTH.into_iter().flat_map(|direction| faults.map(|then| (direction, then)));
        let swept = try_join_all(sweeps.zip(0_usize..).map(async |((direction, then), number)| {
            let (proxy, one) = behind_proxy(db).await?;
            let mut cases = 0;
            // Each begins at another frame, so that the slice sees all of them over time.
            for after in (number % step..).step_by(step) {
                cases += 1;
                if !met(db, &proxy, &one, Trap { direction, after, then, reach: Reach::Present }).await? {
                    break;
                }
            }
            one.close();
            Ok::<_, covet_orm::Error>(cases)
        }))
        .await?;
        println!("{}: {} faulted transactions of {STATEMENTS} statements", db.kind().name(), swept.iter().sum::<usize>());
        assert!(swept.iter().all(|cases| *cases > 12 / step), "{swept:?}");
        Ok(())
    }

    async fn a_closure_with_a_token_learns_what_became_of_its_commit(db: &TestDb) -> Outcome {
        db.prepare_commit_tokens().await?;
        let (proxy, one) = behind_proxy(db).await?;
        let proxy = &proxy;
        // How many frames come before the commit when there is a token.
        let frames = async |name: &str, options: TxOptions| {
            let tx = one.begin_with(options).await?;
            put(name.to_owned(), &tx).await?;
            proxy.count_anew();
            tx.commit().await?;
            Ok::<_, covet_orm::Error>(proxy.position())
        };
        let (with, without) = (frames("x", TxOptions::new().token()).await?, frames("y", TxOptions::new()).await?);
        for (direction, name) in [(Direction::ToClient, "answer"), (Direction::ToServer, "request")] {
            let runs = &AtomicU32::new(0);
            one.transaction_with(TxOptions::new().token(), async |tx| {
                put(format!("{name}{}", runs.fetch_add(1, Ordering::SeqCst)), tx).await?;
                // The token's insert and its answer pass, and then the commit or its answer is lost.
                if runs.load(Ordering::SeqCst) == 1 {
                    proxy.set(Trap { direction, after: with.of(direction) - without.of(direction), then: Then::Cut, reach: Reach::Present });
                }
                Ok(())
            })
            .await?;
            // Run again only where nothing of the first run is there.
            let found = Setting::query().filter(Setting::name.starts_with(name)).count(db).await?;
            assert_eq!(found, 1, "{name}");
            proxy.release();
        }
        Ok(())
    }
}

on_each_database! {
    async fn a_token_tells_and_fences(db: &TestDb) -> Outcome {
        let tx = db.begin_with(TxOptions::new().token()).await?;
        let error = tx.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UndefinedTable, "{error}");
        assert!(error.to_string().contains("prepare_commit_tokens"), "{error}");
        db.prepare_commit_tokens().await?;
        db.prepare_commit_tokens().await?;
        // A token that nobody has written is fenced, and stays so.
        let token: CommitToken = "000102030405060708090a0b0c0d0e0f".parse()?;
        assert_eq!(db.outcome_of(token).await?, CommitOutcome::NotCommitted);
        assert_eq!(db.outcome_of(token).await?, CommitOutcome::NotCommitted);
        let tokens = async || Ok::<_, covet_orm::Error>(db.raw_rows("SELECT 'x' FROM _covet_commits").await?.len());
        assert_eq!(tokens().await?, 1);
        db.transaction_with(TxOptions::new().token(), async |tx| put("a".to_owned(), tx).await).await?;
        assert_eq!(tokens().await?, 2);
        // A transaction that is rolled back leaves no token.
        let tx = db.begin_with(TxOptions::new().token()).await?;
        put("b".to_owned(), &tx).await?;
        tx.rollback().await?;
        assert_eq!(tokens().await?, 2);
        assert_eq!(db.forget_commits(Duration::from_secs(3600)).await?, 0);
        assert_eq!(db.forget_commits(Duration::ZERO).await?, 2);
        assert_eq!(Setting::query().count(db).await?, 1);
        Ok(())
    }

    async fn options_that_make_no_sense_are_refused(db: &TestDb) -> Outcome {
        let millis = Duration::from_millis;
        for (options, says) in [
            (TxOptions::new().attempts(0), "0 attempts"),
            (TxOptions::new().deadline(Duration::ZERO), "deadline of zero"),
            (TxOptions::new().token().read_only(), "only reads"),
            (TxOptions::new().deferrable(), "read only and serializable"),
            (TxOptions::new().statement_timeout(Duration::ZERO), "statement timeout"),
            (TxOptions::new().lock_timeout(Duration::from_micros(999)), "lock timeout"),
            (TxOptions::new().lock_timeout(Duration::MAX), "lock timeout"),
        ] {
            let guard = db.begin_with(options).await.map(drop).unwrap_err();
            let closure = db.transaction_with(options, async |_| Ok(())).await.unwrap_err();
            for error in [guard, closure] {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
                assert!(error.to_string().contains(says) && error.help().is_some(), "{says}: {error}");
            }
        }
        let fine = TxOptions::new().lock_timeout(millis(1)).statement_timeout(millis(5_000)).deadline(millis(5_000));
        db.transaction_with(fine, async |tx| put("a".to_owned(), tx).await).await?;
        let waits = TxOptions::new().isolation(covet_orm::Isolation::Serializable).read_only().deferrable();
        match db.transaction_with(waits, async |tx| count("a", tx).await).await {
            Ok(found) => assert_eq!((found, db.kind()), (1, covet_tests::Kind::Postgres)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        }
        Ok(())
    }

    async fn a_deadline_ends_the_closure_and_its_repetitions(db: &TestDb) -> Outcome {
        let limit = Duration::from_millis(200);
        let start = std::time::Instant::now();
        let error = db
            .transaction_with(TxOptions::new().deadline(limit), async |tx| {
                put("a".to_owned(), tx).await?;
                std::future::pending::<covet_orm::Result<()>>().await
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert!(start.elapsed() >= limit && start.elapsed() < limit * 10, "{:?}", start.elapsed());
        // Always told to try again.
        let runs = &AtomicU32::new(0);
        let again = TxOptions::new().deadline(limit).attempts(u32::MAX);
        let error = db
            .transaction_with(again, async |_| {
                runs.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>(covet_orm::Error::new(ErrorKind::Serialization, "the test's own"))
            })
            .await
            .unwrap_err();
        // What the closure itself says is no word of the database.
        assert_eq!((error.kind(), runs.load(Ordering::SeqCst)), (ErrorKind::Serialization, 1), "{error}");
        // As a guard it is looked at when it is committed.
        let tx = db.begin_with(TxOptions::new().deadline(limit)).await?;
        put("b".to_owned(), &tx).await?;
        tokio::time::sleep(limit).await;
        let error = tx.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert_eq!(Setting::query().count(db).await?, 0);
        // One that lies beyond all time is none.
        let never = TxOptions::new().deadline(Duration::MAX);
        db.transaction_with(never, async |tx| put("c".to_owned(), tx).await).await?;
        db.begin_with(never).await?.commit().await?;
        assert_eq!(Setting::query().count(db).await?, 1);
        Ok(())
    }

    async fn a_dropped_write_is_told_as_unknown(db: &TestDb) -> Outcome {
        let told = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&told);
        let options = DbOptions::new().observe(move |event: &covet_orm::Event<'_>| {
            theirs.lock().unwrap().push((event.sql.to_owned(), event.error));
        });
        let watched = Db::connect_with(db.url(), options).await?;
        // SQLite's own writes end within their first poll, so this one waits for somebody's lock.
        let holder = db.begin().await?;
        put("a".to_owned(), &holder).await?;
        let write = put("a".to_owned(), &watched);
        let in_memory = db.kind() == covet_tests::Kind::Sqlite && db.url().contains("memory");
        assert!(!in_memory, "two handles of a database in memory are two databases");
        assert!(tokio::time::timeout(Duration::from_millis(300), write).await.is_err());
        holder.rollback().await?;
        let events = told.lock().unwrap().clone();
        assert!(events.iter().any(|(sql, error)| sql.starts_with("INSERT") && *error == Some(ErrorKind::Dropped)), "{events:?}");
        watched.close();
        Ok(())
    }

    async fn timeouts_hold_for_their_transaction_alone(db: &TestDb) -> Outcome {
        let slow = match db.kind() {
            covet_tests::Kind::Postgres => "SELECT pg_sleep(5)",
            covet_tests::Kind::Mysql => "SELECT SLEEP(5)",
            covet_tests::Kind::Sqlite => {
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
            }
        };
        let limit = Duration::from_millis(100);
        let mut lease = db.acquire().await?;
        let options = TransactionOptions { statement_timeout: Some(limit), ..TransactionOptions::DEFAULT };
        lease.begin(&options).await?;
        let start = std::time::Instant::now();
        let command = Command { sql: slow, args: &[], reuse: Reuse::Once };
        let error = lease.run(command, &mut ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error}");
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        lease.rollback().await?;
        // The same session, without the limit: one that lasted would end this.
        lease.begin(&TransactionOptions::DEFAULT).await?;
        let short = slow.replace("(5)", "(0.3)");
        lease.run(Command { sql: &short, args: &[], reuse: Reuse::Once }, &mut ()).await?;
        lease.commit().await?;
        drop(lease);
        db.transaction(async |tx| put("a".to_owned(), tx).await).await?;
        assert_eq!(count("a", db).await?, 1);
        Ok(())
    }
}

on_each_server! {
    async fn a_dropped_statement_is_ended_on_the_server(db: &TestDb) -> Outcome {
        let (slow, running) = match db.kind() {
            covet_tests::Kind::Postgres => {
                ("SELECT pg_sleep(30)", "SELECT 'x' FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(30%'")
            }
            _ => ("SELECT SLEEP(30)", "SELECT 'x' FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(30%'"),
        };
        for _ in 0..3 {
            let mut lease = db.acquire().await?;
            let command = Command { sql: slow, args: &[], reuse: Reuse::Once };
            let limit = Duration::from_millis(300);
            assert!(tokio::time::timeout(limit, lease.run(command, &mut ())).await.is_err());
            assert_eq!(db.raw_rows(running).await?.len(), 1);
            drop(lease);
            let start = std::time::Instant::now();
            while !db.raw_rows(running).await?.is_empty() {
                assert!(start.elapsed() < Duration::from_secs(3), "it still runs");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }
}
