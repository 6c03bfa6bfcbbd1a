//! The pool: who is served and when, what it says, what it keeps open, and how it outlives failures.

mod lending;
mod limits;
mod outages;
mod silence;
mod soak;

use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{DbOptions, PoolOptions};
use covet_tests::session::{self, kill};

/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(10);

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A pool of so many connections, with patience.
fn options(max_size: usize) -> PoolOptions {
    PoolOptions { max_size, acquire_timeout: PATIENCE, ..PoolOptions::default() }
}

async fn open(url: &str, options: PoolOptions) -> covet_orm::Result<Db> {
    Db::connect_with(url, DbOptions::new().pool(options)).await
}

/// Waits until something holds.
async fn soon(what: &str, db: &Db, holds: impl Fn(&covet_orm::PoolStatus) -> bool) {
    let start = Instant::now();
    loop {
        let status = db.pool_status();
        if holds(&status) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: {status:?}");
        tokio::time::sleep(millis(2)).await;
    }
}

/// By how much timers are late now, on a machine that does other things too.
async fn lag(limit: Duration) -> Duration {
    let start = Instant::now();
    tokio::time::sleep(limit).await;
    start.elapsed() - limit
}

/// Borrows until an error, which must come when the time is up and not more than 50 ms later.
async fn ends_in_time(db: &Db, limit: Duration) -> covet_orm::Error {
    let start = Instant::now();
    let (got, lag) = tokio::join!(
        async {
            let got = db.acquire().await.map(drop);
            (got, start.elapsed())
        },
        lag(limit)
    );
    let (got, took) = got;
    let error = got.expect_err("nothing can be borrowed");
    assert!(took <= limit + millis(50) + lag, "{took:?} instead of {limit:?}, timers are late by {lag:?}: {error}");
    error
}
