//! Texts that become floats: their digits are there afterwards, or the migration stops.

use covet_orm::ErrorKind;
use covet_tests::Kind;

use crate::notation::schema;
use crate::place::{Place, on};

/// What a float has as it is, and what it would round.
const HELD: [&str; 6] = ["0.1", "-2.50", "1e300", "0.30000000000000004", "007", "12345678901234568"];
const ROUNDED: [&str; 4] = ["12345678901234567", "9007199254740993", "1e400", "1e-400"];

async fn becomes(place: &Place, ty: &str, texts: &[&str]) -> covet_orm::Result<usize> {
    place.wipe().await;
    place.make(&schema("t{id auto; a text(40)?}"), &[]).unwrap();
    place.up().await.unwrap();
    let rows: Vec<String> = texts.iter().map(|text| format!("('{text}')")).collect();
    place.sql(&format!("INSERT INTO t (a) VALUES {}, (NULL)", rows.join(", "))).await;
    place.make(&schema(&format!("t{{id auto; a {ty}?}}")), &["narrow t.a"]).unwrap();
    place.up().await
}

async fn all(place: &Place) {
    assert_eq!(becomes(place, "f64", &HELD).await.unwrap(), 1);
    assert_eq!(place.number("SELECT count(*) FROM t WHERE a IN (0.1, -2.5, 1e300, 7)").await, 4);
    for text in ROUNDED {
        let error = becomes(place, "f64", &[HELD[0], text]).await.unwrap_err().to_string();
        assert!(error.contains("(1 row)"), "{text}: {error}");
        assert_eq!(place.number(&format!("SELECT count(*) FROM t WHERE a = '{text}'")).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    on(Kind::Postgres, async |place| {
        all(place).await;
        assert_eq!(becomes(place, "f32", &["0.1", "16777216", "3.4028235e38", "NaN", "-Infinity"]).await.unwrap(), 1);
        for text in ["123456789", "16777217", "3.5e38", "1e-46", "1e999999"] {
            let error = becomes(place, "f32", &["0.1", text]).await.unwrap_err().to_string();
            assert!(error.contains("(1 row)"), "{text}: {error}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mysql() {
    on(Kind::Mysql, all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    on(Kind::Sqlite, async |place| {
        place.make(&schema("t{id auto; a text(40)?}"), &[]).unwrap();
        let error = place.make(&schema("t{id auto; a f64?}"), &["narrow t.a"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    })
    .await;
}
