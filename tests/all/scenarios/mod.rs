//! The scenarios that `docs/scenarios.md` lists and no other file shows; the name of a test begins with the id of its
//! scenario. `COVET_TORTURE=1` runs the long form of those that have one.

mod anomalies;
mod cancelled;
mod clocks;
mod commits;
mod hygiene;
mod isolation;
mod killed;
mod limits;
mod malformed;
mod network;
mod plans;
mod pooler;
mod retries;
mod runtimes;
mod writers;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{DbOptions, PoolOptions};
use covet_tests::models::{Setting, put};
use covet_tests::torture;

/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(10);

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

async fn names(on: &Executor) -> covet_orm::Result<Vec<String>> {
    Setting::query().order_by(Setting::name.asc()).select(Setting::name).all(on).await
}

/// How many names begin so.
async fn count(start: &str, on: &Executor) -> covet_orm::Result<u64> {
    Setting::query().filter(Setting::name.starts_with(start)).count(on).await
}

/// A pool of so many connections, with patience.
async fn open(url: &str, most: usize) -> covet_orm::Result<Db> {
    open_with(url, PoolOptions { max_size: most, acquire_timeout: PATIENCE, ..PoolOptions::default() }).await
}

async fn open_with(url: &str, pool: PoolOptions) -> covet_orm::Result<Db> {
    Db::connect_with(url, DbOptions::new().pool(pool)).await
}

/// Makes the one table that these scenarios need, where the harness has not made it.
async fn make_table(db: &Db) -> covet_orm::Result<()> {
    let sql = "CREATE TABLE settings (name VARCHAR(100) NOT NULL PRIMARY KEY, value TEXT NOT NULL)";
    db.acquire().await?.script(sql).await
}

/// Polls a future for so long and drops it then. The runtime's timers are too coarse for that.
async fn for_at_most<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let end = Instant::now() + limit;
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if Instant::now() >= end => Poll::Ready(None),
        Poll::Pending => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Works until it succeeds.
async fn recovered(db: &Db) -> Instant {
    let start = Instant::now();
    while let Err(error) = db.ping().await {
        assert!(start.elapsed() < Duration::from_secs(60), "no success: {error}, {:?}", db.pool_status());
        tokio::time::sleep(millis(1)).await;
    }
    Instant::now()
}
