//! A program with one thread goes on ticking while its statements take long: on a current-thread runtime a
//! tick of 1 ms comes no more than 20 ms late, whatever SQLite has to do meanwhile.
//!
//! Lateness is what the statement causes: time for which the thread was ready and other programs had the
//! processor is taken off. A whole machine may still stand still for a moment, but not each time: a measurement
//! that is late is made again, and what Covet itself holds up is late every time.
//!
//! Each test has a process of its own. Where others free as much memory as these rows take, the allocator would keep
//! whoever shares an arena with them waiting.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind};
use covet_tests::models::Setting;
use covet_tests::{Kind, Outcome, Url};
use futures_util::TryStreamExt as _;

use crate::apart;

const TICK: Duration = Duration::from_millis(1);
const MOST: Duration = Duration::from_millis(20);
/// Where that is not two seconds' work, the file would be large and prove no more.
const MOST_ROWS: u64 = 1_500_000;

/// How long this thread was ready to run and did not, since it began.
fn starved() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0))
}

/// What the work comes to.
type Gave<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What a ticker saw while something else was done.
#[derive(Debug)]
#[allow(dead_code)] // `took` is there to be shown
struct Seen {
    late: Duration,
    ticks: u64,
    took: Duration,
}

/// Does the work beside a task that wakes up each millisecond.
async fn ticking<T>(work: impl Future<Output = T>) -> (T, Seen) {
    let (late, ticks) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let ticker = tokio::spawn({
        let (late, ticks) = (Arc::clone(&late), Arc::clone(&ticks));
        async move {
            loop {
                let (planned, starving) = (Instant::now() + TICK, starved());
                tokio::time::sleep_until(planned.into()).await;
                let over = planned.elapsed().saturating_sub(starved() - starving);
                late.fetch_max(u64::try_from(over.as_micros()).unwrap(), Ordering::Relaxed);
                ticks.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    // Its first tick is planned before the work begins.
    tokio::task::yield_now().await;
    let began = Instant::now();
    let output = work.await;
    let took = began.elapsed();
    tokio::time::sleep(2 * TICK).await;
    ticker.abort();
    let late = Duration::from_micros(late.load(Ordering::Relaxed));
    (output, Seen { late, ticks: ticks.load(Ordering::Relaxed), took })
}

/// The work, until it has been done once without holding the ticker up.
///
/// Each time it gets a connection of its own, which knows nothing of the statements before.
async fn never_late<T>(url: &str, what: &str, work: impl AsyncFn(&Db) -> Gave<T>) -> Outcome {
    for attempt in 1.. {
        let db = Db::connect_with(url, DbOptions::new().max_connections(2)).await?;
        let (result, seen) = ticking(work(&db)).await;
        // It takes its time too to drop many rows, and that is not Covet's to give: nobody ticks any more.
        drop(result?);
        if seen.late <= MOST {
            // A ticker that hardly ran has seen nothing.
            assert!(seen.ticks >= 50, "{what}: {seen:?}");
            return Ok(());
        }
        assert!(attempt < 5, "{what}: late {attempt} times, the last time {seen:?}");
    }
    Ok(())
}

/// A file with rows enough for a statement over all of them to take about two seconds.
async fn filled() -> Gave<(Url, u64)> {
    let url = Url::fresh(Kind::Sqlite).await.ok_or("a file")?;
    let db = Db::connect(&url.url).await?;
    let script = async |sql: &str| db.acquire().await?.script(sql).await;
    script("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT").await?;
    let mut rows = 0;
    let mut step = 20_000;
    loop {
        let last = rows + step;
        script(&format!(
            "INSERT INTO settings WITH RECURSIVE n (i) AS (SELECT {rows} UNION ALL SELECT i + 1 FROM n LIMIT {step})
             SELECT printf('%09d', i), printf('%0100d', i) FROM n"
        ))
        .await?;
        rows = last;
        let began = Instant::now();
        assert_eq!(slow_count(&db).await?, 0);
        let took = began.elapsed();
        if took >= Duration::from_millis(1700) || rows >= MOST_ROWS {
            return Ok((url, rows));
        }
        // Rows for what is missing of two seconds.
        let rate = f64::from(u32::try_from(rows)?) / took.as_secs_f64();
        let missing = Duration::from_secs(2).saturating_sub(took).as_secs_f64() * rate;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // some 100,000 rows
        let missing = missing as u64;
        step = missing.clamp(1000, 2_000_000);
    }
}

/// An aggregate over all rows, which gives no row on the way.
async fn slow_count(db: &Db) -> covet_orm::Result<u64> {
    Setting::query().filter(Setting::value.contains("x") | Setting::value.ends_with("y")).count(db).await
}

fn on_one_thread(case: impl Future<Output = Outcome>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(case).unwrap();
}

#[test]
fn a_scan_of_two_seconds() {
    apart::run("ticker::scan", Kind::Sqlite);
}

#[test]
fn a_lock_that_is_held_for_two_seconds() {
    apart::run("ticker::lock", Kind::Sqlite);
}

#[test]
fn a_long_stream() {
    apart::run("ticker::stream", Kind::Sqlite);
}

#[test]
#[ignore = "a process of its own: a_scan_of_two_seconds runs it"]
fn scan() {
    on_one_thread(async {
        let (url, rows) = filled().await?;
        never_late(&url.url, "an aggregate", async |db| {
            assert_eq!(slow_count(db).await?, 0);
            // The connection knows by now that it takes long.
            assert_eq!(slow_count(db).await?, 0);
            Ok(())
        })
        .await?;
        never_late(&url.url, "rows, all at once", async |db| {
            let found = Setting::query().all(db).await?;
            assert_eq!(found.len() as u64, rows);
            Ok(found)
        })
        .await?;
        never_late(&url.url, "rows in a transaction", async |db| {
            let tx = db.begin().await?;
            let found = Setting::query().select(Setting::name).all(&tx).await?;
            assert_eq!(found.len() as u64, rows);
            tx.commit().await?;
            Ok(found)
        })
        .await
    });
}

#[test]
#[ignore = "a process of its own: a_lock_that_is_held_for_two_seconds runs it"]
fn lock() {
    on_one_thread(async {
        let url = Url::fresh(Kind::Sqlite).await.ok_or("a file")?;
        let holder = Db::connect(&url.url).await?;
        let sql = "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";
        holder.acquire().await?.script(sql).await?;
        let seconds = Duration::from_secs(2);
        let hold = async |name: &str| -> Outcome {
            let tx = holder.begin().await?;
            Setting::create().name(name).value("held").exec(&tx).await?;
            tokio::time::sleep(seconds).await;
            Ok(tx.commit().await?)
        };
        let count = AtomicU64::new(0);
        never_late(&url.url, "a write that waits and is done", async |db| {
            let n = count.fetch_add(1, Ordering::Relaxed);
            let name = format!("h{n}");
            let began = Instant::now();
            let write = async {
                tokio::time::sleep(Duration::from_millis(50)).await; // the lock is taken by now
                Setting::create().name(format!("w{n}")).value("waited").exec(db).await
            };
            let (held, written) = tokio::join!(hold(&name), write);
            held?;
            assert_eq!(written?.value, "waited");
            assert!(began.elapsed() >= seconds);
            Ok(())
        })
        .await?;
        let impatient = format!("{}?busy_timeout=1500", url.url);
        never_late(&impatient, "a write that waits in vain", async |db| {
            let n = count.fetch_add(1, Ordering::Relaxed);
            let name = format!("h{n}");
            let write = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Setting::query().filter(Setting::name.ne("")).delete().exec(db).await
            };
            let (held, written) = tokio::join!(hold(&name), write);
            held?;
            assert_eq!(written.unwrap_err().kind(), ErrorKind::LockTimeout);
            Ok(())
        })
        .await
    });
}

#[test]
#[ignore = "a process of its own: a_long_stream runs it"]
fn stream() {
    on_one_thread(async {
        let (url, rows) = filled().await?;
        never_late(&url.url, "taken as fast as it comes", async |db| {
            let mut stream = Setting::query().stream(db);
            let mut seen = 0;
            while stream.try_next().await?.is_some() {
                seen += 1;
            }
            assert_eq!(seen, rows);
            Ok(())
        })
        .await?;
        never_late(&url.url, "taken slowly", async |db| {
            let mut stream = Setting::query().stream(db);
            let (mut seen, began) = (0_u64, Instant::now());
            while stream.try_next().await?.is_some() {
                seen += 1;
                if seen % 256 == 0 {
                    tokio::time::sleep(2 * TICK).await;
                }
                if began.elapsed() > Duration::from_secs(2) {
                    break;
                }
            }
            assert!(seen >= 256, "{seen}");
            Ok(())
        })
        .await
    });
}
