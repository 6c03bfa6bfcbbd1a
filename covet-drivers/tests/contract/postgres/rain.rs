//! A rain of cancels: whatever they hit, what was reported committed is there, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use covet_drivers::contract::{Connection, ConnectionState as State};
use covet_drivers::value::Value;

use crate::postgres::{Place, number, run};

/// How many times BEGIN has to be hit before the rain has shown anything.
fn enough() -> (u64, u64, Duration) {
    if std::env::var("COVET_TORTURE").is_ok_and(|value| value == "1") {
        (200, 50_000, Duration::from_secs(300))
    } else {
        (20, 3_000, Duration::from_secs(15))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_rain_of_cancels_what_is_there_was_committed() {
    let Some(place) = Place::new().await else { return };
    let mut other = place.connect().await;
    other.script("CREATE TABLE t (id bigint)").await.unwrap();
    let (target, stop, drops) =
        (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut rain = Vec::new();
    for _ in 0..2 {
        let mut cloud = place.connect().await;
        let (target, stop, drops) = (Arc::clone(&target), Arc::clone(&stop), Arc::clone(&drops));
        rain.push(tokio::spawn(async move {
            while !stop.load(Relaxed) {
                let pid = Value::Int(target.load(Relaxed));
                run(cloud.as_mut(), "SELECT pg_cancel_backend($1)", &[pid]).await.unwrap();
                drops.fetch_add(1, Relaxed);
            }
        }));
    }
    let (hits, most, limit) = enough();
    let began = Instant::now();
    let mut connection = connected(&place, &target).await;
    let (mut tried, mut committed, mut hit) = (0, 0, 0);
    while (hit < hits || tried < most) && began.elapsed() < limit {
        tried += 1;
        let c = connection.as_mut();
        let done = async {
            c.begin(&Default::default()).await?;
            run(c, r#"INSERT INTO "t" ("id") VALUES ($1)"#, &[Value::Int(1)]).await?;
            c.commit().await
        };
        match done.await {
            Ok(()) => committed += 1,
            Err(error) => {
                assert_eq!(error.code(), Some("57014"), "{error}");
                hit += u64::from(error.to_string().starts_with("BEGIN"));
                if connection.state() != State::Idle && connection.rollback().await.is_err() {
                    // The rollback itself was hit.
                    connection = connected(&place, &target).await;
                }
            }
        }
    }
    stop.store(true, Relaxed);
    for cloud in rain {
        cloud.await.unwrap();
    }
    let rows = number(other.as_mut(), "SELECT count(*) FROM t").await;
    let drops = drops.load(Relaxed);
    eprintln!("{tried} transactions under {drops} cancels: {committed} committed, {rows} rows, BEGIN hit {hit} times");
    assert_eq!(rows, committed, "rows, and transactions that were reported committed; BEGIN was hit {hit} times");
    assert!(hit > 0 && committed > 0, "BEGIN was hit {hit} times in {tried} transactions under {drops} cancels");
}

async fn connected(place: &Place, target: &AtomicI64) -> Box<dyn Connection> {
    let mut connection = place.connect().await;
    let pid = number(connection.as_mut(), "SELECT pg_backend_pid()").await;
    target.store(pid, Relaxed);
    connection
}
