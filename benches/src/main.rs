//! One job of a database client, done so many times: by Covet, or by the raw driver as its own
//! documentation would do it.
//!
//! `cargo xtask bench` runs it under callgrind at two counts, so that the slope is the cost of one.

mod case;
mod covet;
mod model;
mod mysql;
mod postgres;
mod sqlite;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use crate::case::{Case, Side};
use crate::covet::Covet;

/// What can go wrong in a benchmark ends it.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows that the scan reads.
pub(crate) const ROWS: usize = 10_000;
/// The rows of one bulk insert.
pub(crate) const BULK: usize = 1_000;
/// The most connections of a pool.
pub(crate) const CONNECTIONS: usize = 8;
/// Who competes for them.
pub(crate) const TASKS: usize = 64;
/// The authors of the eager load, each with so many posts.
pub(crate) const AUTHORS: usize = 100;
/// See there.
pub(crate) const POSTS: usize = 10;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut word =
        |name: &str| words.next().ok_or_else(|| format!("usage: covet-benches SIDE CASE TIMES, without {name}"));
    let (side, case, times) = (word("SIDE")?, word("CASE")?, word("TIMES")?.parse::<usize>()?);
    let url = std::env::var("COVET_BENCH_URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if side == "prepare" {
            return covet::prepare(&url).await;
        }
        let case: Case = case.parse()?;
        match (side.as_str(), url.split_once(':').map_or("", |(scheme, _)| scheme)) {
            ("covet", _) => repeat(Covet::open(&url).await?, case, times).await,
            ("raw", "postgres") => repeat(postgres::Raw::open(&url).await?, case, times).await,
            ("raw", "mysql") => repeat(mysql::Raw::open(&url).await?, case, times).await,
            ("raw", "sqlite") => repeat(sqlite::Raw::open(&url)?, case, times).await,
            (side, scheme) => Err(format!("no side {side} for {scheme}").into()),
        }
    })
}

/// Does the case so many times and prints the nanoseconds of one.
async fn repeat<S: Side>(mut side: S, case: Case, times: usize) -> Result<()> {
    side.clear().await?;
    let rows = model::rows(BULK);
    side.fill().await?;
    let start = Instant::now();
    if let Case::PoolContended = case {
        side.contend(times).await?;
    }
    for turn in 0..times {
        let id = i64::try_from(turn % ROWS)? + 1;
        match case {
            Case::Find => drop(black_box(side.find(id).await?)),
            Case::Insert => drop(black_box(side.insert(&rows[turn % BULK]).await?)),
            Case::InsertMany => side.insert_many(&rows).await?,
            Case::Scan => {
                let rows = side.scan().await?;
                assert_eq!(rows.len(), ROWS);
                drop(black_box(rows));
            }
            Case::Eager => assert_eq!(black_box(side.eager().await?), AUTHORS * POSTS),
            Case::Pool => side.cycle().await?,
            Case::PoolContended => break,
        }
    }
    println!("{}", start.elapsed().as_nanos() / u128::try_from(times.max(1))?);
    Ok(())
}
