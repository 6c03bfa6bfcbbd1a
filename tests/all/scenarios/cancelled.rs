//! Futures that are dropped at any time, and handles that are used twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::contract::{Command, Reuse};
use covet_drivers::pool::Lease;
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken, ErrorKind, PoolOptions, TxOptions};
use covet_tests::chance::Chance;
use covet_tests::models::Setting;
use covet_tests::proxy::{Bent, Direction, Grain, Proxy};
use covet_tests::{Kind, on_each_database, on_each_server};
use futures_util::TryStreamExt as _;
use futures_util::future::{join_all, try_join_all};
use tokio::sync::Barrier;

use crate::cancellation::poller::Cancellable;
use crate::scenarios::{PATIENCE, count, for_at_most, millis, names, open, open_with, put, torture};

/// Two rows, or none.
async fn two(case: &str, db: &Db) -> covet_orm::Result<()> {
    db.transaction(async |tx| {
        put(format!("{case}-1"), tx).await?;
        put(format!("{case}-2"), tx).await
    })
    .await
}

/// Asks what became of a commit, and whether that is what the database holds.
async fn resolve(token: CommitToken, case: &str, db: &Db) -> covet_orm::Result<bool> {
    let committed = db.outcome_of(token).await? == CommitOutcome::Committed;
    assert_eq!(count(case, db).await? == 1, committed, "{case}: the token and the table differ");
    assert_eq!(db.outcome_of(token).await? == CommitOutcome::Committed, committed, "{case}: it stays so");
    Ok(committed)
}

/// A transaction with a token that stands before its commit.
async fn ready(case: &str, db: &Db) -> covet_orm::Result<(Tx<'static>, CommitToken)> {
    let tx = db.begin_with(TxOptions::new().token()).await?;
    put(case, &tx).await?;
    let token = tx.commit_token().expect("one was asked for");
    Ok((tx, token))
}

/// Commits that race against a time limit. Says how many ended, and how many of the others had been committed.
async fn race(task: usize, rounds: usize, seed: u64, pool: Db) -> covet_orm::Result<(usize, usize)> {
    let mut chance = Chance(seed.wrapping_add(u64::try_from(task).unwrap()));
    let (mut ended, mut committed) = (0, 0);
    for round in 0..rounds {
        let case = format!("r{task}-{round}-");
        let (tx, token) = ready(&case, &pool).await?;
        let limit = Duration::from_micros(u64::try_from(chance.below(1_500)).unwrap());
        match for_at_most(limit, tx.commit()).await {
            Some(done) => {
                done?;
                ended += 1;
                assert_eq!(count(&case, &pool).await?, 1, "{case}: it was said to be committed");
            }
            None => committed += usize::from(resolve(token, &case, &pool).await?),
        }
    }
    Ok((ended, committed))
}

on_each_database! {
    async fn a3_a_dropped_commit_is_told_by_its_token(db: &TestDb) -> Outcome {
        db.prepare_commit_tokens().await?;
        let one = open(db.url(), 1).await?;
        let (mut committed, mut polls, mut ended) = (0, 0, false);
        while !ended {
            let case = format!("p{polls}");
            let (tx, token) = ready(&case, &one).await?;
            let mut commit = Cancellable::new(Box::pin(tx.commit()));
            ended = commit.until(polls).await.is_some();
            drop(commit);
            let there = resolve(token, &case, &one).await?;
            assert!(there || !ended, "it ended well and is not there");
            committed += usize::from(there);
            polls += 1;
        }
        println!("{committed} of {polls} were committed");
        assert!(polls > 1, "the commit ended with its first poll");
        one.close();
        Ok(())
    }

    async fn a6_a_dropped_stream_of_a_transaction_hides_nothing(db: &TestDb) -> Outcome {
        let rows = (0..20_000).map(|n| Setting::create().name(format!("s{n:06}")).value("x".repeat(100)));
        Setting::insert_many(rows).exec(db).await?;
        let one = open(db.url(), 1).await?;
        for round in 0..5 {
            let tx = one.begin().await?;
            put(format!("r{round}"), &tx).await?;
            let mut rows = Setting::query().filter(Setting::name.starts_with("s")).stream(&tx);
            assert!(rows.try_next().await?.is_some());
            drop(rows);
            let start = Instant::now();
            let committed = tx.commit().await;
            let there = count(&format!("r{round}"), &one).await? == 1;
            match committed {
                Ok(()) => assert!(there, "it was said to be committed"),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::TransactionClosed | ErrorKind::CommitUnknown), "{error}");
                    assert!(error.kind() == ErrorKind::CommitUnknown || !there, "{error}");
                }
            }
            // Opening a connection is the most that it costs.
            assert!(start.elapsed() < millis(1_000), "{:?}", start.elapsed());
        }
        one.close();
        Ok(())
    }

    async fn a13_a_time_limit_around_a_transaction(db: &TestDb) -> Outcome {
        // What runs on the thread that polls it ends in one poll on a quick disk, and cannot be cut.
        let aside = if db.kind() == Kind::Sqlite { "?inline_budget=0" } else { "" };
        let one = open(&format!("{}{aside}", db.url()), 1).await?;
        let mut usual = Duration::ZERO;
        for round in 0..8 {
            let start = Instant::now();
            two(&format!("usual{round}"), &one).await?;
            usual = usual.max(start.elapsed());
        }
        let steps = if torture() { 400 } else { 60 };
        let (mut cut, mut whole) = (0, 0);
        for step in 0..steps {
            let case = format!("t{step:03}");
            let limit = usual * 2 * step / steps;
            let ended = for_at_most(limit, two(&case, &one)).await;
            // The next borrower gets its own answers, in a session that is clean.
            let rows = count(&case, &one).await?;
            match ended {
                Some(done) => {
                    done?;
                    assert_eq!(rows, 2, "{case}: it was said to be committed");
                    whole += 1;
                }
                None => {
                    assert!(rows == 0 || rows == 2, "{case} left {rows} rows");
                    cut += 1;
                }
            }
            put(format!("after{step}"), &one).await?;
        }
        println!("{}: at most {usual:?}; {cut} were cut, {whole} ended", db.kind().name());
        assert!(cut > 0, "nothing was cut");
        assert_eq!(count("after", db).await?, u64::from(steps));
        assert_eq!(one.pool_status().size, 1);
        one.close();
        Ok(())
    }

    async fn a14_a_commit_races_against_whoever_drops_it(db: &TestDb) -> Outcome {
        const TASKS: usize = 4;
        db.prepare_commit_tokens().await?;
        let rounds = if torture() { 250 } else { 50 };
        let seed = Chance::seed();
        println!("COVET_SEED={seed}");
        let pool = open(db.url(), TASKS).await?;
        let racing = (0..TASKS).map(|task| race(task, rounds, seed, pool.clone()));
        let all = try_join_all(racing).await?;
        let (ended, committed) = all.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        println!("{}: {ended} of {} ended, {committed} of the dropped ones were committed", db.kind().name(), TASKS * rounds);
        let status = pool.pool_status();
        assert!(status.size <= TASKS && status.in_use == 0, "{status:?}");
        Ok(())
    }

    async fn a16_two_statements_of_one_transaction_at_once(db: &TestDb) -> Outcome {
        put("taken", db).await?;
        let tx = db.begin().await?;
        let both = futures_util::future::join(put("a", &tx), put("b", &tx)).await;
        both.0.and(both.1)?;
        // One of them fails: the other runs in the transaction or not at all.
        let (failed, other) = futures_util::future::join(put("taken", &tx), put("c", &tx)).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unique);
        match (db.kind(), other) {
            (Kind::Postgres, Err(error)) => assert_eq!(error.kind(), ErrorKind::TransactionClosed, "{error}"),
            (Kind::Postgres, Ok(())) => panic!("it ran in a transaction that had failed"),
            (_, other) => other?,
        }
        tx.rollback().await?;
        assert_eq!(names(db).await?, ["taken"]);
        Ok(())
    }

    async fn a17_everybody_holds_one_and_wants_another(db: &TestDb) -> Outcome {
        const TASKS: usize = 4;
        let limit = millis(300);
        let settings = PoolOptions { max_size: TASKS, acquire_timeout: limit, ..PoolOptions::default() };
        let pool = open_with(db.url(), settings).await?;
        drop(try_join_all((0..TASKS).map(|_| pool.acquire())).await?);
        let barrier = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (pool, barrier) = (pool.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    let _held = pool.acquire().await?;
                    barrier.wait().await;
                    let start = Instant::now();
                    let second = pool.acquire().await.map(drop);
                    Ok::<_, covet_orm::Error>((second, start.elapsed()))
                })
            })
            .collect();
        let ended = tokio::time::timeout(PATIENCE, join_all(tasks)).await?;
        let mut refused = 0;
        for task in ended {
            let (second, took) = task??;
            // On a machine that does other things too, timers are late.
            assert!(took < limit + millis(200), "{took:?}");
            if let Err(error) = second {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
                assert!(error.to_string().contains("cancelled.rs:") && error.help().is_some(), "{error}");
            }
        }
        assert!(refused > 0, "nobody was refused");
        pool.ping().await?;
        Ok(())
    }
}

async fn run(lease: &mut Lease, sql: &str) -> covet_orm::Result<()> {
    lease.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut ()).await.map(drop)
}

on_each_server! {
    async fn a15_what_ends_a_dropped_statement_never_hits_another(db: &TestDb) -> Outcome {
        let sql = match db.kind() {
            Kind::Postgres => "SELECT pg_sleep(0.001)",
            _ => "SELECT SLEEP(0.001)",
        };
        let pool = open(db.url(), 3).await?;
        let seed = Chance::seed();
        println!("COVET_SEED={seed}");
        let mut chance = Chance(seed);
        let rounds = if torture() { 1_000 } else { 150 };
        let mut dropped = 0;
        for round in 0..rounds {
            let mut lease = pool.acquire().await?;
            // About as long as it takes.
            let limit = Duration::from_micros(u64::try_from(500 + chance.below(2_500))?);
            dropped += usize::from(for_at_most(limit, run(&mut lease, sql)).await.is_none());
            drop(lease);
            // Whoever comes next is not what the cancel or the kill was meant for.
            let next = async {
                let mut lease = pool.acquire().await?;
                run(&mut lease, sql).await
            };
            let (first, second) = futures_util::future::join(next, put(format!("n{round}"), &pool)).await;
            first?;
            second?;
        }
        println!("{}: {dropped} of {rounds} were dropped", db.kind().name());
        assert!(dropped > rounds / 10, "{dropped} of {rounds} were dropped");
        assert_eq!(count("n", db).await?, u64::try_from(rounds)?);
        Ok(())
    }
}

/// Behind one address another server answers by now, where the session's number is somebody else's.
#[test]
fn what_ends_a_dropped_statement_asks_first_whose_server_it_is_mysql() {
    covet_tests::run(Kind::Mysql, |db| {
        Box::pin(async move {
            let proxy = Proxy::start(Kind::Mysql, db.url(), Grain::Message).await;
            let one = open(proxy.url(), 1).await?;
            let authority = db.url().split_once('@').and_then(|(_, rest)| rest.split_once('/')).ok_or("a host")?.0;
            let port = authority.rsplit_once(':').ok_or("a port")?.1;
            let (own, other) = (format!(":{port}:"), format!(":{:0>1$}:", 7, port.len()));
            let asked = Arc::new(AtomicU32::new(0));
            let theirs = Arc::clone(&asked);
            // Every connection behind the first one is told of another port.
            proxy.bend(move |passing| {
                let at = passing.bytes.windows(own.len()).position(|part| part == own.as_bytes());
                match at.filter(|_| passing.connection > 0 && passing.direction == Direction::ToClient) {
                    Some(at) => {
                        theirs.fetch_add(1, Ordering::SeqCst);
                        let mut bytes = passing.bytes.to_vec();
                        bytes.splice(at..at + own.len(), other.bytes());
                        Bent::Into(bytes)
                    }
                    None => Bent::Same,
                }
            });
            let running = async || {
                db.raw_rows("SELECT 'x' FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(1.9%'").await
            };
            let mut lease = one.acquire().await?;
            assert!(tokio::time::timeout(millis(300), run(&mut lease, "SELECT SLEEP(1.9)")).await.is_err());
            drop(lease);
            let start = Instant::now();
            while asked.load(Ordering::SeqCst) == 0 {
                assert!(start.elapsed() < millis(1_000), "nobody asked who the server is");
                tokio::time::sleep(millis(5)).await;
            }
            tokio::time::sleep(millis(300)).await;
            assert_eq!(running().await?.len(), 1, "it was ended on a server that may be another one");
            while !running().await?.is_empty() {
                assert!(start.elapsed() < PATIENCE);
                tokio::time::sleep(millis(20)).await;
            }
            // The same server ends it.
            proxy.straighten();
            let mut lease = one.acquire().await?;
            assert!(tokio::time::timeout(millis(300), run(&mut lease, "SELECT SLEEP(1.95)")).await.is_err());
            drop(lease);
            let start = Instant::now();
            while !running().await?.is_empty() {
                assert!(start.elapsed() < millis(1_000), "it still runs");
                tokio::time::sleep(millis(10)).await;
            }
            Ok(())
        })
    });
}
