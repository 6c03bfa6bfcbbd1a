//! Others write while an index is built, a constraint is checked and rows are filled: how long they wait is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use covet_orm::drivers::contract::adapter_for;
use covet_orm::{Db, DbOptions};
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, on_each};

on_each! { others_write_meanwhile }

/// Rows of the table.
const ROWS: usize = 40_000;

/// The longest that a writer may wait: the runner gives up waiting for a lock, and lets others pass, sooner.
const LONGEST: Duration = Duration::from_secs(4);

async fn others_write_meanwhile(place: &Place) {
    place.make(&schema("a{id auto; n i32?; m i32} b{id auto}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO b (id) VALUES (1)").await;
    for _ in 0..ROWS / 2000 {
        let rows = vec!["(NULL, 1)"; 2000].join(", ");
        place.sql(&format!("INSERT INTO a (n, m) VALUES {rows}")).await;
    }
    let (after, decide) = match place.kind {
        // There an index is a write as any other, and only the batches let others pass.
        Kind::Sqlite => ("a{id auto; n i32?; m i32} b{id auto}", &[][..]),
        _ => ("a{id auto; n i32; m i32 ix; b_id i64? ->b.id} b{id auto}", &["backfill a.n with 7"][..]),
    };
    if place.kind == Kind::Sqlite {
        let path = place.make(&schema(&format!("{after} z{{id auto}}")), &[]).unwrap().unwrap();
        let sql = "-- covet:batches 1000 of a by id\nUPDATE a SET n = 7 WHERE n IS NULL /* covet:range */;\n";
        std::fs::write(place.file(&path, "up"), sql).unwrap();
    } else {
        assert!(place.make_online(&[place.kind], &schema(after), decide).unwrap().len() > 1);
    }

    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(place.url.url.clone(), Arc::clone(&stop)));
    let begun = Instant::now();
    place.up().await.unwrap();
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let (writes, longest) = writer.await.unwrap();
    println!("{}: {writes} writes in {took:.1?}, the longest took {longest:.1?}", place.kind.name());
    assert!(writes > 10, "{writes} writes in {took:?}");
    assert!(longest < LONGEST, "a writer waited {longest:?}");
    assert_eq!(place.number("SELECT count(*) FROM a WHERE n IS NULL").await, 0);
}

/// Writes one row after the other until it is told to stop: how many, and how long the longest took.
async fn write(url: String, stop: Arc<AtomicBool>) -> (usize, Duration) {
    let url = url.parse::<covet_orm::drivers::contract::ConnectUrl>().unwrap();
    let backend = adapter_for(url.scheme()).unwrap().open(&url).unwrap();
    let db = Db::open(backend, DbOptions::new().max_connections(1)).await.unwrap();
    let (mut writes, mut longest) = (0_usize, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let id = writes * 37 % ROWS + 1;
        db.acquire().await.unwrap().script(&format!("UPDATE a SET m = m + 1 WHERE id = {id}")).await.unwrap();
        longest = longest.max(begun.elapsed());
        writes += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    db.close();
    (writes, longest)
}
