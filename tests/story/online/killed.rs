//! `kill -9` in a statement that goes in batches: the next run goes on behind the last batch, and no batch runs twice.
//! And while a column makes room for another: whoever writes meanwhile finds a column, and nothing is lost.

use std::os::unix::process::ExitStatusExt;

use covet_orm::migrate::{Goal, Standing};
use covet_tests::Kind;

use crate::killed::deadly::Moment;
use crate::killed::{NEVER, worker};
use crate::notation::schema;
use crate::place::{Place, on_each};

on_each! { no_batch_runs_twice a_column_is_swapped_whole }

/// Rows, and rows of a batch.
const ROWS: i64 = 23;
const SIZE: i64 = 5;

/// A table, and a migration that counts each row up by one, which shows whether a row was met more than once.
async fn begin(place: &Place, way: &str) {
    place.wipe().await;
    let (number, strict) = if place.kind == Kind::Sqlite { ("INTEGER", " STRICT") } else { ("BIGINT", "") };
    place.sql(&format!("CREATE TABLE a (id {number} NOT NULL PRIMARY KEY, n {number} NOT NULL){strict}")).await;
    let rows: Vec<String> = (1..=ROWS).map(|id| format!("({}, 0)", id * 7)).collect();
    place.sql(&format!("INSERT INTO a (id, n) VALUES {}", rows.join(", "))).await;
    let path = place.make(&schema("z{id auto}"), &[]).unwrap().unwrap();
    for (way, sign, first) in [("up", '+', "CREATE TABLE z (id INT)"), ("down", '-', "DROP TABLE z")] {
        let mark = format!("-- covet:batches {SIZE} of a by id pause 0");
        let sql = format!("{first};\n\n{mark}\nUPDATE a SET n = n {sign} 1 WHERE n < 9 /* covet:range */;\n");
        std::fs::write(place.file(&path, way), sql).unwrap();
    }
    if way == "down" {
        place.up().await.unwrap();
    }
}

async fn no_batch_runs_twice(place: &Place) {
    for (way, number, standing) in [("up", 1, Standing::Applied), ("down", 0, Standing::Pending)] {
        begin(place, way).await;
        let output = worker(place, way, NEVER, Moment::After);
        assert!(output.status.success(), "{output:?}");
        let calls: usize = std::fs::read_to_string(place.dir.path().join("calls")).unwrap().parse().unwrap();
        let stride = if std::env::var_os("COVET_TORTURE").is_some() { 1 } else { 5 };
        let mut gone_on = 0;
        for at in (0..calls).step_by(stride) {
            for moment in Moment::ALL.into_iter().filter(|moment| stride == 1 || *moment as usize == at / stride % 3) {
                begin(place, way).await;
                let output = worker(place, way, at, moment);
                let told = format!("{way}, killed {} call {at} of {calls}", moment.name());
                assert_eq!(output.status.signal(), Some(9), "{told}: {output:?}");
                let done = place.number(&format!("SELECT count(*) FROM a WHERE n = {number}")).await;
                assert!(done % SIZE == 0 || done == ROWS, "{told}: a part of a batch was kept: {done}");
                gone_on += usize::from(done > 0 && done < ROWS);
                let ran = if way == "up" { place.up().await } else { place.down(Goal::All).await };
                ran.unwrap_or_else(|error| panic!("{told}: {error}"));
                let all = place.number(&format!("SELECT count(*) FROM a WHERE n = {number}")).await;
                assert_eq!(all, ROWS, "{told}: a row was met twice, or never");
                assert_eq!(place.standings().await, [standing], "{told}");
            }
        }
        assert!(gone_on > 1, "{way}: no run was killed between two batches");
    }
}

/// A table, and the parts in which its column gets another type, none of which has run.
async fn begin_swap(place: &Place) {
    place.wipe().await;
    place.make(&schema("a{id auto; n i32}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO a (n) VALUES (1), (2), (3)").await;
    assert_eq!(place.make_online(&[place.kind], &schema("a{id auto; n i64}"), &[]).unwrap().len(), 3);
}

async fn a_column_is_swapped_whole(place: &Place) {
    if place.kind == Kind::Sqlite {
        return;
    }
    begin_swap(place).await;
    let output = worker(place, "up", NEVER, Moment::After);
    assert!(output.status.success(), "{output:?}");
    let calls: usize = std::fs::read_to_string(place.dir.path().join("calls")).unwrap().parse().unwrap();
    let stride = if std::env::var_os("COVET_TORTURE").is_some() { 1 } else { 7 };
    for at in (0..calls).step_by(stride) {
        for moment in Moment::ALL.into_iter().filter(|moment| stride == 1 || *moment as usize == at / stride % 3) {
            begin_swap(place).await;
            let output = worker(place, "up", at, moment);
            let told = format!("killed {} call {at} of {calls}", moment.name());
            assert_eq!(output.status.signal(), Some(9), "{told}: {output:?}");
            // The program of the last release is still there.
            place.try_sql("INSERT INTO a (n) VALUES (100)").await.unwrap_or_else(|error| panic!("{told}: {error}"));
            place.up().await.unwrap_or_else(|error| panic!("{told}: {error}"));
            assert_eq!(place.number("SELECT SUM(n) FROM a").await, 1 + 2 + 3 + 100, "{told}");
            place.sql("INSERT INTO a (n) VALUES (9000000000)").await;
            assert_eq!(place.number("SELECT COUNT(*) FROM a WHERE n > 8000000000").await, 1, "{told}");
            assert!(place.standings().await.iter().all(|standing| *standing == Standing::Applied), "{told}");
        }
    }
}
