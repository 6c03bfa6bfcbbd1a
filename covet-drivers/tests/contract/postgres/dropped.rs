//! Futures dropped at every await, sinks that stop, and what the session is worth afterwards.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, ConnectionState as State, Flow, Reuse, Row};
use covet_drivers::{Error, ErrorKind};

use crate::postgres::{Place, kind, number, run};

/// Polls so many times at most.
struct Impatient<F> {
    future: F,
    left: u32,
}

impl<F: Future + Unpin> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Pin::new(&mut self.future).poll(context).map(Some)
    }
}

async fn polled<F: Future>(times: u32, future: F) -> Option<F::Output> {
    Impatient { future: pin!(future), left: times }.await
}

#[tokio::test]
async fn at_every_await_of_every_method_the_session_knows() {
    let Some(place) = Place::new().await else { return };
    place.connect().await.script("CREATE TABLE t (id int)").await.unwrap();
    for method in 0..6 {
        for times in 0..50 {
            let mut connection = place.connect().await;
            let c = connection.as_mut();
            if method > 0 {
                c.begin(&Default::default()).await.unwrap();
            }
            let insert = Command { sql: "INSERT INTO t VALUES (1)", args: &[], reuse: Reuse::Once };
            let ended = match method {
                0 => polled(times, c.begin(&Default::default())).await.is_some(),
                1 => polled(times, c.run(insert, &mut ())).await.is_some(),
                2 => polled(times, c.commit()).await.is_some(),
                3 => polled(times, c.rollback()).await.is_some(),
                4 => polled(times, c.savepoint(1)).await.is_some(),
                _ => polled(times, c.reset()).await.is_some(),
            };
            if ended {
                assert_ne!(c.state(), State::Broken, "method {method}");
                break;
            }
            let untouched = times == 0 && c.state() != State::Broken;
            assert!(untouched || c.state() == State::Broken, "method {method} after {times} polls: {:?}", c.state());
            if !untouched {
                assert!(run(c, "SELECT 1", &[]).await.is_err());
                assert!(c.commit().await.is_err());
            }
            assert!(times < 49);
        }
    }
}

#[tokio::test]
async fn a_dropped_statement_does_not_go_on_in_the_server() {
    let Some(place) = Place::new().await else { return };
    let (mut connection, mut other) = (place.connect().await, place.connect().await);
    let sleep = run(connection.as_mut(), "SELECT pg_sleep(60) /* dropped */", &[]);
    assert!(tokio::time::timeout(Duration::from_millis(100), sleep).await.is_err());
    assert_eq!(connection.state(), State::Broken);
    drop(connection);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%dropped%' \
                   AND pid <> pg_backend_pid() AND datname = current_database()";
    for _ in 0..100 {
        if number(other.as_mut(), running).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the statement still runs");
}

async fn series(
    c: &mut dyn Connection,
    count: u32,
    sink: &mut (dyn FnMut(i64) -> covet_drivers::Result<Flow> + Send),
) -> covet_drivers::Result<()> {
    let sql = format!("SELECT generate_series(1, {count})::bigint");
    let mut rows = |row: &mut Row<'_>| sink(row.get(0, &ColumnType::I64)?);
    c.run(Command { sql: &sql, args: &[], reuse: Reuse::Once }, &mut rows).await.map(|_| ())
}

#[tokio::test]
async fn a_sink_that_stops_leaves_the_session_in_step_or_broken() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let c = connection.as_mut();
    series(c, 100, &mut |n| Ok(if n == 3 { Flow::Stop } else { Flow::Continue })).await.unwrap();
    assert_eq!((c.state(), number(c, "SELECT 7").await), (State::Idle, 7));
    let refused = series(c, 100, &mut |_| Err(Error::new(ErrorKind::NotFound, "no"))).await;
    assert_eq!(kind(refused), Some(ErrorKind::NotFound));
    assert_eq!((c.state(), number(c, "SELECT 8").await), (State::Idle, 8));
    // In a transaction the rest is read, however much it is: an error may come behind it.
    c.begin(&Default::default()).await.unwrap();
    series(c, 50_000, &mut |_| Ok(Flow::Stop)).await.unwrap();
    assert_eq!(c.state(), State::InTransaction);
    let sql = "SELECT 1 / (5 - n) FROM generate_series(1, 10) AS s (n)";
    let mut stop = |_: &mut Row<'_>| Ok(Flow::Stop);
    let late = c.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut stop).await;
    assert_eq!((kind(late), c.state()), (Some(ErrorKind::InvalidInput), State::Failed));
    c.rollback().await.unwrap();
    series(c, 1_000_000, &mut |_| Ok(Flow::Stop)).await.unwrap();
    assert_eq!(c.state(), State::Broken);
}
