//! Runners that wait for another one which builds an index concurrently.

use std::time::{Duration, Instant};

use covet_orm::Db;
use covet_orm::drivers::contract::TransactionOptions;
use covet_orm::migrate::Standing;
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::Place;

/// How long what must come may take to come.
const SOON: Duration = Duration::from_secs(60);

/// The build waits for everybody who had a transaction when it began. Runners that wait for the lock have none, so that
/// nobody waits for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x13_an_index_is_built_while_others_wait() {
    let Some(place) = Place::new(Kind::Postgres).await else { return };
    place.make(&schema("t{id auto; a i32}"), &[]).unwrap().unwrap();
    place.up().await.unwrap();
    let second = place.make(&schema("t{id auto; a i32 ix}"), &[]).unwrap().unwrap();
    let script = "-- covet:alone\nCREATE INDEX CONCURRENTLY t_a_idx ON t (a);\n";
    std::fs::write(place.file(&second, "up"), script).unwrap();
    // The build lasts until this transaction ends.
    let mut writer = place.db.backend().connect().await.unwrap();
    writer.begin(&TransactionOptions::DEFAULT).await.unwrap();
    writer.script("INSERT INTO t (a) VALUES (1)").await.unwrap();
    let builds = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
        AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
    let tries = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND pid <> pg_backend_pid() AND query LIKE '%pg\\_try\\_advisory%'";
    let mut runners = vec![runner(&place)];
    until(&place, builds, 1).await;
    runners.extend([runner(&place), runner(&place)]);
    until(&place, tries, 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'active' \
        AND (state <> 'idle' OR backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)";
    assert_eq!(place.number(open).await, 1, "the writer alone has a transaction");
    assert!(runners.iter().all(|runner| !runner.is_finished()));
    writer.rollback().await.unwrap();
    writer.close().await.unwrap();
    let mut done = Vec::new();
    for runner in runners {
        let ended = tokio::time::timeout(SOON, runner).await.expect("they wait for each other");
        done.push(ended.unwrap());
    }
    assert_eq!(done, [1, 0, 0]);
    assert_eq!(place.standings().await, [Standing::Applied, Standing::Applied]);
    let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 't_a_idx'::regclass AND indisvalid";
    assert_eq!(place.number(valid).await, 1);
    place.end().await;
}

/// A program that migrates at its start, and how many migrations it applied.
fn runner(place: &Place) -> tokio::task::JoinHandle<usize> {
    let (migrator, url) = (place.migrator(), place.url.url.clone());
    tokio::spawn(async move {
        let db = Db::connect(&url).await.unwrap();
        let report = migrator.up(&db).await.unwrap();
        db.close();
        report.done.len()
    })
}

async fn until(place: &Place, question: &str, wanted: i64) {
    let begin = Instant::now();
    while place.number(question).await < wanted {
        assert!(begin.elapsed() < SOON, "{question}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
