//! Many checkouts with faults among them leave nothing behind: no connection, no file, no task, no memory. Each
//! measurement runs in a process of its own. `COVET_TORTURE=1` makes it a million.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use covet_drivers::contract::{Command, Reuse, TransactionOptions};
use covet_orm::PoolOptions;
use covet_tests::{Kind, TestDb};

use crate::apart;
use crate::pool::{kill, millis, open, options, session, soon};

const TASKS: u64 = 16;
const CONNECTIONS: usize = 8;

fn checkouts() -> u64 {
    if covet_tests::torture() { 1_000_000 } else { 20_000 }
}

/// Open files, and resident memory in KiB.
fn files_and_memory() -> (usize, u64) {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (files, line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap())
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// One checkout in a hundred goes wrong, each time in another way.
async fn checkout(number: u64, kind: Kind, pool: &covet_orm::Db, outside: &TestDb) -> covet_orm::Result<()> {
    let mut lease = pool.acquire().await?;
    if !number.is_multiple_of(100) {
        return Ok(());
    }
    match number / 100 % 6 {
        0 => lease.discard(),
        1 => {
            let sql = Command { sql: "SELECT name FROM settings", args: &[], reuse: Reuse::Once };
            let mut sink = ();
            let statement = lease.run(sql, &mut sink);
            // Dropped when it was sent, or before it was answered.
            let _ = tokio::time::timeout(std::time::Duration::ZERO, statement).await;
        }
        2 => {
            lease.begin(&TransactionOptions::default()).await?;
            lease.savepoint(1).await?;
        }
        3 => lease.script("SELECT 1").await?,
        4 if kind != Kind::Sqlite => {
            let id = session::id(&mut lease).await?;
            kill(id, outside).await?;
        }
        _ => {
            let _ = tokio::time::timeout(std::time::Duration::ZERO, pool.acquire()).await;
        }
    }
    Ok(())
}

async fn soak(db: &TestDb, checkouts: u64, pool: &covet_orm::Db) -> covet_tests::Outcome {
    let number = AtomicU64::new(0);
    let lost = Arc::new(AtomicU64::new(0));
    let work = (0..TASKS).map(|_| async {
        loop {
            let number = number.fetch_add(1, Ordering::Relaxed);
            if number >= checkouts {
                return Ok::<_, covet_orm::Error>(());
            }
            match checkout(number, db.kind(), pool, db).await {
                // A connection that was killed may be lent before anybody knows.
                Err(error) if error.is_connection_lost() => {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
                other => other?,
            }
            if number.is_multiple_of(7) {
                tokio::task::yield_now().await;
            }
        }
    });
    futures_util::future::try_join_all(work).await?;
    assert!(lost.load(Ordering::Relaxed) <= checkouts / 50, "{} were lost", lost.load(Ordering::Relaxed));
    soon("all is back", pool, |status| status.in_use + status.returning + status.opening == 0).await;
    Ok(())
}

/// Fills the pool with connections that stay. One that was killed may be noticed only after it was lent again: a
/// server ends a session when it comes to it.
async fn refill(pool: &covet_orm::Db) -> covet_tests::Outcome {
    for _ in 0..20 {
        drop(futures_util::future::try_join_all((0..CONNECTIONS).map(|_| pool.acquire())).await?);
        tokio::time::sleep(millis(300)).await;
        let status = pool.pool_status();
        assert_eq!(status.opened, status.closings() + u64::try_from(status.size)?, "{status:?}");
        if status.size == CONNECTIONS {
            return Ok(());
        }
    }
    Err(format!("connections go on ending: {:?}", pool.pool_status()).into())
}

async fn measure(db: &TestDb) -> covet_tests::Outcome {
    let pool = open(db.url(), PoolOptions { monitor_interval: millis(50), ..options(CONNECTIONS) }).await?;
    // Whatever is made once is made now.
    soak(db, checkouts() / 5, &pool).await?;
    refill(&pool).await?;
    let ((files, memory), tasks_before) = (files_and_memory(), tasks());
    soak(db, checkouts(), &pool).await?;
    refill(&pool).await?;
    let ((files_after, memory_after), tasks_after) = (files_and_memory(), tasks());
    let status = pool.pool_status();
    println!(
        "{files} and {files_after} files, {tasks_before} and {tasks_after} tasks, {memory} and {memory_after} KiB, {status:?}"
    );
    assert!(files_after <= files + 4, "{files} files before, {files_after} after");
    assert!(tasks_after <= tasks_before + 4, "{tasks_before} tasks before, {tasks_after} after");
    assert!(memory_after <= memory + 8 * 1024, "{memory} KiB before, {memory_after} after");
    println!("measured");
    Ok(())
}

/// Runs in the process that measures; elsewhere there is nothing to do.
#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child() {
    covet_tests::run(apart::database(), |db| Box::pin(measure(db)));
}

fn parent(kind: Kind) {
    let text = apart::run("pool::soak::child", kind);
    assert!(text.contains("measured") || !covet_tests::servers().contains(&kind), "{text}");
}

#[test]
fn faults_among_many_checkouts_leave_nothing_behind_sqlite() {
    parent(Kind::Sqlite);
}

#[test]
fn faults_among_many_checkouts_leave_nothing_behind_postgres() {
    parent(Kind::Postgres);
}

#[test]
fn faults_among_many_checkouts_leave_nothing_behind_mysql() {
    parent(Kind::Mysql);
}
