//! Servers that are killed or frozen while statements and commits are under way, and programs that end.

use std::process::Command as Program;
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken, ErrorKind, TxOptions};
use covet_tests::proxy::{Bent, Direction, Grain, Proxy};
use covet_tests::server::{Server, with_server};
use covet_tests::session;
use covet_tests::{Kind, on_each_database};
use futures_util::future::{join_all, try_join_all};

use crate::scenarios::{PATIENCE, count, make_table, millis, names, open, put, recovered};

/// How soon everybody knows that the server is gone.
const SOON: Duration = Duration::from_secs(1);

async fn slow(db: Db, kind: Kind) -> covet_orm::Result<()> {
    let sql = if kind == Kind::Postgres { "SELECT pg_sleep(30)" } else { "SELECT SLEEP(30)" };
    let mut lease = db.acquire().await?;
    lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut ()).await.map(drop)
}

/// Nothing of a transaction is there that was not committing, whatever is asked of it.
async fn is_lost(name: &str, tx: Tx<'_>) {
    let mut late = 0;
    let error = loop {
        // A process that the server ends may have a moment left.
        match put(format!("late {name} {late}"), &tx).await {
            Ok(()) => {
                late += 1;
                tokio::time::sleep(millis(5)).await;
            }
            Err(error) => break error,
        }
    };
    assert!(error.is_connection_lost() || error.kind() == ErrorKind::TransactionClosed, "{error}");
    let error = tx.commit().await.expect_err("its server is gone");
    assert_eq!(error.kind(), ErrorKind::TransactionClosed, "it never came to the commit: {error}");
}

async fn killed_in_the_middle(server: &mut Server, kind: Kind) -> covet_tests::Outcome {
    let db = open(&server.url(), 6).await?;
    make_table(&db).await?;
    let waits: Vec<_> = (0..3).map(|_| tokio::spawn(slow(db.clone(), kind))).collect();
    let (one, two) = (db.begin().await?, db.begin().await?);
    put("one", &one).await?;
    put("two", &two).await?;
    tokio::time::sleep(millis(200)).await;
    let killed = Instant::now();
    server.crash();
    for wait in waits {
        let error = tokio::time::timeout(SOON, wait).await.map_err(|_| "a statement waits for a dead server")??;
        let error = error.expect_err("its server is gone");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    }
    tokio::time::timeout(SOON, async {
        is_lost("one", one).await;
        is_lost("two", two).await;
    })
    .await?;
    println!("everybody knows after {:?}", killed.elapsed());
    server.up();
    let up = Instant::now();
    let back = recovered(&db).await;
    println!("works again {:?} after it was started", back - up);
    assert_eq!(names(&db).await?, Vec::<String>::new());
    put("three", &db).await?;
    let status = db.pool_status();
    assert!(status.size <= 6 && status.in_use == 0, "{status:?}");
    Ok(())
}

#[test]
fn b1_killed_in_the_middle_of_statements_postgres() {
    with_server(Kind::Postgres, &[], async |server| killed_in_the_middle(server, Kind::Postgres).await);
}

#[test]
fn b1_killed_in_the_middle_of_statements_mysql() {
    let settings = &["innodb-flush-log-at-trx-commit=1"];
    with_server(Kind::Mysql, settings, async |server| killed_in_the_middle(server, Kind::Mysql).await);
}

/// The process of the only connection of a pool.
async fn process(one: &Db) -> covet_orm::Result<i64> {
    session::id(&mut one.acquire().await?).await
}

fn send(signal: &str, process: i64) {
    let sent = Program::new("kill").arg(format!("-{signal}")).arg(process.to_string()).status().unwrap();
    assert!(sent.success(), "{signal} cannot be sent");
}

/// Stops a process, and waits until none of its threads runs any more.
fn stop(process: i64) {
    send("STOP", process);
    let stands = |task: &std::path::Path| {
        let text = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
        text.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    };
    let start = Instant::now();
    loop {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        if tasks.map(Result::unwrap).all(|task| stands(&task.path())) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "it does not stop");
        std::thread::sleep(millis(1));
    }
}

#[test]
fn b3_one_backend_killed() {
    with_server(Kind::Postgres, &[], async |server| {
        let (db, one) = (open(&server.url(), 5).await?, open(&server.url(), 1).await?);
        make_table(&db).await?;
        put("before", &db).await?;
        let victim = process(&one).await?;
        let own = one.begin().await?;
        put("victim", &own).await?;
        let others = try_join_all((0..3).map(|_| db.begin())).await?;
        for (number, tx) in others.iter().enumerate() {
            put(format!("other{number}"), tx).await?;
        }
        let idle = db.acquire().await?;
        drop(idle);
        send("KILL", victim);
        // The server ends all sessions with that one, because it might have spoilt what they share.
        let start = Instant::now();
        for (number, tx) in others.into_iter().chain([own]).enumerate() {
            tokio::time::timeout(SOON, is_lost(&number.to_string(), tx)).await?;
        }
        println!("everybody knows after {:?}", start.elapsed());
        recovered(&db).await;
        recovered(&one).await;
        assert_eq!(names(&db).await?, ["before"]);
        assert_eq!(names(&one).await?, ["before"]);
        let status = db.pool_status();
        assert!(status.size <= 5 && status.in_use == 0, "{status:?}");
        Ok(())
    });
}

/// A process that stands still: the one of the session, or where there are none the server's.
async fn stands(kind: Kind, one: &Db) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    if kind == Kind::Postgres {
        return Ok(process(one).await?);
    }
    let mut file = String::new();
    let mut sink = |row: &mut Row<'_>| {
        file = row.get(0, &ColumnType::Text { max_len: None })?;
        Ok(Flow::Continue)
    };
    let command = Command { sql: "SELECT @@pid_file", args: &[], reuse: Reuse::Once };
    one.acquire().await?.run(command, &mut sink).await?;
    Ok(std::fs::read_to_string(file)?.trim().parse()?)
}

/// The commit arrives, and nobody answers until later. Whoever asks by the token meanwhile waits, and is not told
/// something that turns out wrong.
async fn frozen_at_the_commit(server: &mut Server, kind: Kind) -> covet_tests::Outcome {
    let limit = millis(500);
    let proxy = Proxy::start(kind, &server.url(), Grain::Message).await;
    let db = open(&server.url(), 3).await?;
    make_table(&db).await?;
    db.prepare_commit_tokens().await?;
    let one = open(proxy.url(), 1).await?;
    let options = TxOptions::new().token().deadline(limit);
    for round in 0..3 {
        let case = format!("r{round}");
        // What is prepared once is sent at once later.
        one.transaction_with(TxOptions::new().token(), async |tx| put(format!("first{round}"), tx).await).await?;
        let frozen = stands(kind, &one).await?;
        proxy.bend(move |passing| {
            if passing.direction == Direction::ToServer && passing.bytes.windows(6).any(|part| part == b"COMMIT") {
                stop(frozen);
            }
            Bent::Same
        });
        let tx = one.begin_with(options).await?;
        let start = Instant::now();
        put(case.clone(), &tx).await?;
        let error = tx.commit().await.expect_err("nobody answers");
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        assert!(start.elapsed() < limit + millis(300), "{:?} instead of {limit:?}", start.elapsed());
        let token = CommitToken::of(&error).ok_or("one was asked for")?;
        proxy.straighten();
        let asking = tokio::spawn({
            let db = db.clone();
            async move { db.outcome_of(token).await }
        });
        tokio::time::sleep(millis(300)).await;
        let early = asking.is_finished();
        send("CONT", frozen);
        assert!(!early, "it was told before it could be known");
        let outcome = tokio::time::timeout(Duration::from_secs(20), asking).await???;
        let there = count(&case, &db).await? == 1;
        assert_eq!(outcome == CommitOutcome::Committed, there, "the token and the table differ");
        assert_eq!(db.outcome_of(token).await?, outcome, "it stays so");
        println!("round {round}: {outcome:?}");
        recovered(&one).await;
    }
    Ok(())
}

/// The closure has run, and the whole server falls silent. When the deadline comes nobody waits for longer: neither for
/// the rollback nor for what became of the commit.
async fn frozen_altogether(server: &mut Server, kind: Kind) -> covet_tests::Outcome {
    let (limit, late) = (millis(400), millis(400));
    let db = open(&server.url(), 2).await?;
    make_table(&db).await?;
    db.prepare_commit_tokens().await?;
    let options = TxOptions::new().token().deadline(limit);
    for (name, waits) in [("waits", true), ("commits", false)] {
        let (start, frozen) = (Instant::now(), &*server);
        let run = db.transaction_with(options, async |tx| {
            put(name, tx).await?;
            frozen.freeze();
            if waits {
                tokio::time::sleep(limit * 2).await;
            }
            Ok(())
        });
        let error = run.await.expect_err("nobody answers");
        let took = start.elapsed();
        server.thaw();
        assert!(took < limit + late, "{name}: {took:?}: {error}");
        // The token is written before the commit, and already that has no answer.
        assert_eq!(error.kind(), ErrorKind::Deadline, "{name}: {error}");
        recovered(&db).await;
        assert_eq!(count(name, &db).await?, 0);
    }
    // The closure itself gives up, before its time is over: its rollback does not wait for longer either.
    for name in ["all", "savepoint"] {
        let (start, frozen) = (Instant::now(), &*server);
        let own = || covet_orm::Error::new(ErrorKind::InvalidInput, "the test's own");
        let run = db.transaction_with(options, async |tx| {
            put(name, tx).await?;
            if name == "all" {
                frozen.freeze();
                return Err::<(), _>(own());
            }
            tx.transaction(async |savepoint| {
                put("inner", savepoint).await?;
                frozen.freeze();
                Err(own())
            })
            .await
        });
        let error = run.await.expect_err("it gave up");
        let took = start.elapsed();
        server.thaw();
        assert!(took < limit + late, "{name}: {took:?}: {error}");
        // The deadline is over when the savepoint is, and either of them may be noticed first.
        let is_late = name == "savepoint" && error.kind() == ErrorKind::Deadline;
        assert!(is_late || error.kind() == ErrorKind::InvalidInput, "{name}: {error}");
        recovered(&db).await;
        assert_eq!(count(name, &db).await?, 0);
    }
    // So with guards.
    for savepoint in [false, true] {
        let start = Instant::now();
        let mut tx = db.begin_with(options).await?;
        put(format!("guard {savepoint}"), &tx).await?;
        let error = if savepoint {
            let inner = tx.begin().await?;
            put("inner guard", &inner).await?;
            server.freeze();
            let error = inner.rollback().await.expect_err("nobody answers");
            let closed = tx.rollback().await;
            assert!(closed.is_ok(), "there is nothing left to roll back: {closed:?}");
            error
        } else {
            server.freeze();
            tx.rollback().await.expect_err("nobody answers")
        };
        let took = start.elapsed();
        server.thaw();
        assert!(took < limit + late, "guard: {took:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        recovered(&db).await;
        assert_eq!(count("guard", &db).await?, 0);
    }
    // The commit is on its way when nothing arrives any more.
    let proxy = Proxy::start(kind, &server.url(), Grain::Message).await;
    let one = open(proxy.url(), 2).await?;
    proxy.bend(|passing| {
        let commits = passing.bytes.windows(6).any(|part| part == b"COMMIT");
        if passing.direction == Direction::ToServer && commits { Bent::Into(Vec::new()) } else { Bent::Same }
    });
    let start = Instant::now();
    let error = one.transaction_with(options, async |tx| put("sent", tx).await).await.expect_err("nobody answers");
    assert!(start.elapsed() < limit + late, "{:?}: {error}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
    let token = CommitToken::of(&error).ok_or("one was asked for")?;
    proxy.straighten();
    assert_eq!(db.outcome_of(token).await?, CommitOutcome::NotCommitted);
    assert_eq!(count("sent", &db).await?, 0);
    Ok(())
}

#[test]
fn b4_frozen_altogether_postgres() {
    with_server(Kind::Postgres, &[], async |server| frozen_altogether(server, Kind::Postgres).await);
}

#[test]
fn b4_frozen_altogether_mysql() {
    with_server(Kind::Mysql, &[], async |server| frozen_altogether(server, Kind::Mysql).await);
}

/// A statement in a frozen server ends with the deadline of its transaction, and nothing of that is there.
async fn frozen_at_a_statement(server: &mut Server) -> covet_tests::Outcome {
    let limit = millis(400);
    let db = open(&server.url(), 2).await?;
    make_table(&db).await?;
    put("before", &db).await?;
    let start = Instant::now();
    let freezes = &*server;
    let ended = db
        .transaction_with(TxOptions::new().deadline(limit), async |tx| {
            put("a", tx).await?;
            freezes.freeze();
            put("b", tx).await
        })
        .await;
    let took = start.elapsed();
    server.thaw();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Deadline);
    assert!(took < limit + millis(300), "{took:?} instead of {limit:?}");
    recovered(&db).await;
    let start = Instant::now();
    // The server may need a moment to see that nobody is there any more.
    while names(&db).await?.len() > 1 || put("b", &db).await.is_err() {
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(names(&db).await?, ["b", "before"]);
    Ok(())
}

#[test]
fn b4_frozen_at_the_commit_postgres() {
    with_server(Kind::Postgres, &[], async |server| frozen_at_the_commit(server, Kind::Postgres).await);
}

#[test]
fn b4_frozen_at_the_commit_mysql() {
    with_server(Kind::Mysql, &[], async |server| frozen_at_the_commit(server, Kind::Mysql).await);
}

#[test]
fn b4_frozen_at_a_statement_postgres() {
    with_server(Kind::Postgres, &[], frozen_at_a_statement);
}

#[test]
fn b4_frozen_at_a_statement_mysql() {
    with_server(Kind::Mysql, &[], frozen_at_a_statement);
}

on_each_database! {
    async fn b25_a_program_ends_while_transactions_run(db: &TestDb) -> Outcome {
        // SQLite lets one write at a time.
        let running = if db.kind() == Kind::Sqlite { 1 } else { 50 };
        let pool = open(db.url(), running).await?;
        let mut begun = Vec::new();
        for number in 0..running {
            let tx = pool.begin().await?;
            put(format!("r{number:02}"), &tx).await?;
            begun.push(tx);
        }
        let working: Vec<_> = begun
            .into_iter()
            .enumerate()
            .map(|(number, tx)| tokio::spawn(async move {
                tokio::time::sleep(millis(20 + 5 * u64::try_from(number).unwrap())).await;
                put(format!("s{number:02}"), &tx).await?;
                tx.commit().await
            }))
            .collect();
        let waits = tokio::spawn({
            let pool = pool.clone();
            async move { put("late", &pool).await }
        });
        tokio::time::sleep(millis(5)).await;
        let drained = pool.drain(PATIENCE).await;
        assert_eq!(drained.left, []);
        assert_eq!(pool.begin().await.map(drop).unwrap_err().kind(), ErrorKind::PoolClosed);
        assert_eq!(waits.await?.unwrap_err().kind(), ErrorKind::PoolClosed);
        for ended in join_all(working).await {
            ended??;
        }
        let all = u64::try_from(running)?;
        assert_eq!((count("r", db).await?, count("s", db).await?), (all, all));
        let status = pool.pool_status();
        assert_eq!((status.size, status.in_use), (0, 0), "{status:?}");
        Ok(())
    }
}
