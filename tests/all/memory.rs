//! A million rows, in and out, in a process of its own: other tests would be seen in its memory.

use std::time::Instant;

use covet_orm::prelude::*;
use covet_tests::models::Setting;
use covet_tests::{Kind, TestDb};
use futures_util::TryStreamExt as _;

use crate::apart;

const ROWS: u64 = 1_000_000;

/// The most that the resident memory may grow, in KiB.
const MOST: u64 = 32 * 1024;

/// A number of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// By how much the resident memory was larger while this ran than before.
async fn growth(what: &str, work: impl Future<Output = covet_tests::Outcome>) -> covet_tests::Outcome {
    // The peak begins anew.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (before, begun) = (status("VmRSS:"), Instant::now());
    work.await?;
    let grown = status("VmHWM:").saturating_sub(before);
    println!("{what}: {grown} KiB in {:?}", begun.elapsed());
    assert!(grown < MOST, "{what} took {grown} KiB");
    Ok(())
}

fn setting(number: u64) -> covet_orm::query::Insert<Setting> {
    Setting::create().name(format!("{number:07}")).value("v").into()
}

async fn measure(db: &TestDb) -> covet_tests::Outcome {
    // Whatever is made once is made now.
    <Setting as Model>::insert_many((0..2_100).map(setting)).exec(db).await?;
    let warm: Vec<Setting> = Setting::query().stream(db).try_collect().await?;
    assert_eq!(warm.len(), 2_100);
    drop(warm);
    Setting::query().delete().exec(db).await?;
    growth("insert", async {
        assert_eq!(<Setting as Model>::insert_many((0..ROWS).map(setting)).exec(db).await?, ROWS);
        Ok(())
    })
    .await?;
    growth("stream", async {
        let (mut rows, mut sum) = (Setting::query().stream(db), 0);
        while let Some(row) = rows.try_next().await? {
            sum += row.name.parse::<u64>()?;
        }
        assert_eq!(sum, ROWS * (ROWS - 1) / 2);
        Ok(())
    })
    .await
}

/// Runs in the process that measures; elsewhere there is nothing to do.
#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child() {
    covet_tests::run(apart::database(), |db| Box::pin(measure(db)));
}

fn parent(kind: Kind) {
    let text = apart::run("memory::child", kind);
    assert!(text.contains("1 passed"), "{text}");
    let measured = text.contains("insert:") && text.contains("stream:");
    assert!(measured || !covet_tests::servers().contains(&kind), "{text}");
}

#[test]
fn a_million_rows_on_sqlite() {
    parent(Kind::Sqlite);
}

#[test]
fn a_million_rows_on_postgres() {
    parent(Kind::Postgres);
}

#[test]
fn a_million_rows_on_mysql() {
    parent(Kind::Mysql);
}
