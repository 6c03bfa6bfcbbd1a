//! Statements that go in batches: how far they are, how long they wait, and what is refused.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use covet_orm::migrate::Standing;
use covet_tests::Kind;

use crate::dump;
use crate::notation::schema;
use crate::place::{Place, on_each, quote};

on_each! {
    batches_are_told_and_wait
    keys_of_any_type_are_walked_through
    what_is_no_batch_is_refused
    locks_are_waited_for_a_little_while
    a_statement_that_was_begun_is_not_edited
    columns_follow_until_they_are_swapped
    a_table_in_a_schema_goes_in_batches
    an_invalid_index_is_built_again
}

/// A table with keys of this type, and a migration that fills `n` in batches of two.
async fn begin(place: &Place, key: &str, keys: &[&str], more: &str) -> std::path::PathBuf {
    place.wipe().await;
    let (number, strict) = if place.kind == Kind::Sqlite { ("INTEGER", " STRICT") } else { ("BIGINT", "") };
    place.sql(&format!("CREATE TABLE a (k {key} NOT NULL PRIMARY KEY, n {number}){strict}")).await;
    let rows: Vec<String> = keys.iter().map(|key| format!("({key}, NULL)")).collect();
    place.sql(&format!("INSERT INTO a (k, n) VALUES {}", rows.join(", "))).await;
    let path = place.make(&schema("z{id auto}"), &[]).unwrap().unwrap();
    let sql = format!(
        "-- covet:batches 2 of a by k{more}\nUPDATE a SET n = coalesce(n, 0) + 1 WHERE n IS NULL /* covet:range */;\n"
    );
    std::fs::write(place.file(&path, "up"), sql).unwrap();
    place.file(&path, "up")
}

async fn batches_are_told_and_wait(place: &Place) {
    begin(place, if place.kind == Kind::Sqlite { "INTEGER" } else { "INT" }, &["1", "2", "3", "4", "5"], " pause 40")
        .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let migrator = place.migrator().watch(move |batch| {
        told.lock().unwrap().push((batch.statement, batch.table.to_owned(), batch.rows, batch.total, batch.is_done));
    });
    let begun = Instant::now();
    migrator.up(&place.db).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120), "three pauses of 40 ms: {:?}", begun.elapsed());
    let a = || "a".to_owned();
    let wanted = [(1, a(), 2, 5, false), (1, a(), 4, 5, false), (1, a(), 5, 5, false), (1, a(), 5, 5, true)];
    assert_eq!(*seen.lock().unwrap(), wanted);
    assert_eq!(place.number("SELECT sum(n) FROM a").await, 5);

    // What the caller says goes before what the file says.
    begin(place, if place.kind == Kind::Sqlite { "INTEGER" } else { "INT" }, &["1", "2", "3"], " pause 60000").await;
    let count = Arc::new(Mutex::new(0));
    let told = Arc::clone(&count);
    let migrator = place.migrator().batches(Some(1), Some(Duration::ZERO)).watch(move |_| *told.lock().unwrap() += 1);
    migrator.up(&place.db).await.unwrap();
    assert_eq!(*count.lock().unwrap(), 4);
}

/// Numbers beyond what a float holds, texts with quotes, bytes, decimals: each row is met once.
async fn keys_of_any_type_are_walked_through(place: &Place) {
    let whole: &[&str] = &["-9007199254740993", "0", "9007199254740992", "9007199254740993", "9223372036854775807"];
    let texts: &[&str] = &["''", "'a'", "'it''s'", "'z \"q\"'", "'é'", "'日本'"];
    let cases: Vec<(&str, &[&str])> = match place.kind {
        Kind::Postgres => vec![
            ("BIGINT", whole),
            ("TEXT", texts),
            ("BYTEA", &["'\\x00'", "'\\x27'", "'\\xff'"]),
            (
                "UUID",
                &[
                    "'00000000-0000-0000-0000-000000000001'",
                    "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
                    "gen_random_uuid()",
                ],
            ),
            ("NUMERIC(30,4)", &["1.5", "12345678901234567890.0001", "12345678901234567890.0002"]),
            ("TIMESTAMPTZ", &["now()", "'2020-01-01 00:00:00.000001+00'", "'2020-01-01 00:00:00.000002+00'"]),
        ],
        Kind::Mysql => vec![
            ("BIGINT", whole),
            ("VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", texts),
            ("BINARY(2)", &["x'0000'", "x'2700'", "x'5c27'", "x'ffff'"]),
            ("DECIMAL(30,4)", &["1.5", "12345678901234567890.0001", "12345678901234567890.0002"]),
            ("DATETIME(6)", &["'2020-01-01 00:00:00.000001'", "'2020-01-01 00:00:00.000002'", "'2021-01-01'"]),
        ],
        Kind::Sqlite => vec![
            ("INTEGER", whole),
            ("TEXT", texts),
            ("BLOB", &["x'00'", "x'27'", "x'ff'"]),
            ("REAL", &["0.1", "0.30000000000000004", "1e300"]),
        ],
    };
    for (key, keys) in cases {
        begin(place, key, keys, " pause 0").await;
        place.up().await.unwrap_or_else(|error| panic!("{key}: {error}"));
        let rows = i64::try_from(keys.len()).unwrap();
        assert_eq!(place.number("SELECT count(*) FROM a WHERE n = 1").await, rows, "{key}");
    }
}

async fn what_is_no_batch_is_refused(place: &Place) {
    let file = begin(place, if place.kind == Kind::Sqlite { "INTEGER" } else { "INT" }, &["1", "2"], "").await;
    let fills = "UPDATE a SET n = 1 WHERE n IS NULL /* covet:range */";
    for (mark, sql, word) in [
        ("-- covet:batches", fills, "is not understood"),
        ("-- covet:batches 1000", fills, "is not understood"),
        ("-- covet:batches 0 of a by k", fills, "is not understood"),
        ("-- covet:batches 2000000 of a by k", fills, "is not understood"),
        ("-- covet:batches many of a by k", fills, "is not understood"),
        ("-- covet:batches 2 of a", fills, "is not understood"),
        ("-- covet:batches 2 of a by k pause long", fills, "is not understood"),
        ("-- covet:batches 2 of a b by k", fills, "is not understood"),
        ("-- covet:batches 2 of a by k; DROP TABLE a", fills, "is not understood"),
        ("-- covet:batches 2 of a by k", "UPDATE a SET n = 1", "covet:range"),
        ("-- covet:alone\n-- covet:batches 2 of a by k", fills, "does not stand alone"),
        ("-- covet:batches 2 of a by nothing", fills, "nothing"),
        ("-- covet:batches 2 of nowhere by k", fills, "nowhere"),
    ] {
        std::fs::write(&file, format!("{mark}\n{sql};\n")).unwrap();
        let error = place.up().await.unwrap_err();
        let told = format!("{error} {}", error.help().unwrap_or_default());
        assert!(told.contains(word), "{mark}: {told}");
    }
    // Names in quotes, with the words of the mark in them.
    let (table, key) = (quote(place.kind.name(), "a by b"), quote(place.kind.name(), "k pause 1"));
    let number = if place.kind == Kind::Sqlite { "INTEGER" } else { "INT" };
    place.sql(&format!("CREATE TABLE {table} ({key} {number} NOT NULL PRIMARY KEY, n {number})")).await;
    place.sql(&format!("INSERT INTO {table} VALUES (1, NULL), (2, NULL), (3, NULL)")).await;
    let mark = format!("-- covet:batches 2 of {table} by {key} pause 0");
    std::fs::write(&file, format!("{mark}\nUPDATE {table} SET n = 1 WHERE n IS NULL /* covet:range */;\n")).unwrap();
    place.up().await.unwrap();
    assert_eq!(place.number(&format!("SELECT sum(n) FROM {table}")).await, 3);
}

/// Somebody holds a lock: the runner gives up after two attempts, and the next run goes on where this one stopped.
async fn locks_are_waited_for_a_little_while(place: &Place) {
    if place.kind == Kind::Sqlite {
        // It waits as long as `busy_timeout` says, as any statement does.
        return;
    }
    let impatient = || place.migrator().lock_timeout(Duration::from_millis(200), 2);
    begin(place, "INT", &["1", "2", "3", "4", "5"], " pause 0").await;
    let mut other = place.db.acquire().await.unwrap();
    other.script("BEGIN; UPDATE a SET n = n WHERE k = 5").await.unwrap();
    let error = impatient().up(&place.db).await.unwrap_err();
    assert_eq!(error.kind(), covet_orm::ErrorKind::LockTimeout, "{error}");
    assert!(error.to_string().contains("tried 2 times"), "{error}");
    other.script("ROLLBACK").await.unwrap();
    // InnoDB locks the key behind a range as well, so there the second batch waits, and here the third.
    let done = if place.kind == Kind::Mysql { 2 } else { 4 };
    assert_eq!(place.number("SELECT sum(n) FROM a").await, done, "what is done stays");
    impatient().up(&place.db).await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM a WHERE n = 1").await, 5);

    place.wipe().await;
    place.make(&schema("a{id auto; b_id i64?} b{id auto}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO b (id) VALUES (1)").await;
    place.make_online(&[place.kind], &schema("a{id auto; b_id i64? ->b.id} b{id auto}"), &[]).unwrap();
    other.script("BEGIN; INSERT INTO b (id) VALUES (7); INSERT INTO a (b_id) VALUES (1)").await.unwrap();
    let error = impatient().up(&place.db).await.unwrap_err();
    assert_eq!(error.kind(), covet_orm::ErrorKind::LockTimeout, "{error}");
    other.script("COMMIT").await.unwrap();
    drop(other);
    impatient().up(&place.db).await.unwrap();
    assert!(place.try_sql("INSERT INTO a (b_id) VALUES (99)").await.is_err());
}

async fn a_statement_that_was_begun_is_not_edited(place: &Place) {
    let number = if place.kind == Kind::Sqlite { "INTEGER" } else { "INT" };
    let file = begin(place, number, &["1", "2", "3", "4", "5"], " pause 0").await;
    let good = std::fs::read_to_string(&file).unwrap();
    // The second batch meets a row that it cannot count up.
    place.sql("UPDATE a SET n = 9223372036854775807 WHERE k = 3").await;
    let fails = good.replace("n IS NULL", "(n IS NULL OR n > 9)");
    std::fs::write(&file, &fails).unwrap();
    let fails_here = place.kind != Kind::Sqlite;
    let failed = place.up().await;
    if !fails_here {
        // SQLite's numbers become floats, which a strict table refuses.
        assert!(failed.is_err());
    }
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("statement 1 of 1 failed"), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM a WHERE n = 1").await, 2);
    std::fs::write(&file, &good).unwrap();
    let error = place.up().await.unwrap_err().to_string();
    assert!(error.contains("edited after a part of it was done"), "{error}");
    std::fs::write(&file, &fails).unwrap();
    place.sql("UPDATE a SET n = NULL WHERE k = 3").await;
    place.up().await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM a WHERE n = 1").await, 5);
    assert_eq!(place.standings().await, [Standing::Applied]);
}

/// A program of the last release writes between the parts, and nothing that it writes is lost.
async fn columns_follow_until_they_are_swapped(place: &Place) {
    if place.kind == Kind::Sqlite {
        return;
    }
    place.make(&schema("a{id auto; n i32}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO a (n) VALUES (1), (2), (3)").await;
    let made = place.make_online(&[place.kind], &schema("a{id auto; n i64}"), &[]).unwrap();
    assert_eq!(made.len(), 3);
    let next = async || place.migrator().up_to(&place.db, covet_orm::migrate::Goal::Count(1)).await.unwrap();
    next().await;
    place.sql("INSERT INTO a (n) VALUES (4)").await;
    place.sql("UPDATE a SET n = 10 WHERE id = 1").await;
    next().await;
    place.sql("UPDATE a SET n = 20 WHERE id = 2").await;
    place.sql("INSERT INTO a (n) VALUES (5)").await;
    next().await;
    assert_eq!(place.number("SELECT sum(n) FROM a").await, 10 + 20 + 3 + 4 + 5);
    place.sql("INSERT INTO a (n) VALUES (9000000000)").await;
    assert_eq!(place.number("SELECT count(*) FROM a WHERE n = 9000000000").await, 1);
}

/// `-- covet:batches` names the table as SQL does, with what it is in before it. A foreign key that waits for the end of
/// the transaction is in nobody's way.
async fn a_table_in_a_schema_goes_in_batches(place: &Place) {
    match place.kind {
        Kind::Sqlite => {}
        Kind::Postgres => {
            let before = "p{id auto} billing.a{id auto; plan text(20)?; p_id i64? ->p.id deferred}";
            place.make(&schema(before), &[]).unwrap();
            place.up().await.unwrap();
            place.sql("INSERT INTO p DEFAULT VALUES").await;
            place.sql("INSERT INTO billing.a (plan) VALUES ('paid'), (NULL), (NULL)").await;
            let decisions = ["backfill billing.a.plan with 'free'", "backfill billing.a.p_id with 1"];
            let after = schema(&before.replace("(20)?", "(20)").replace("i64?", "i64"));
            let made = place.make_online(&[place.kind], &after, &decisions).unwrap();
            let script = std::fs::read_to_string(place.file(&made[0].1, "up")).unwrap();
            assert!(script.contains("-- covet:batches 1000 of \"billing\".\"a\" by \"id\""), "{script}");
            place.up().await.unwrap();
            assert_eq!(place.number("SELECT count(*) FROM billing.a WHERE plan = 'free' AND p_id = 1").await, 2);
            assert!(place.make(&after, &[]).unwrap().is_none());
        }
        // The server asks of the type of the key where the table is.
        Kind::Mysql => {
            let file = begin(place, "INT", &["1", "2", "3"], " pause 0").await;
            let name = dump::texts(&place.db, "SELECT DATABASE()", 0).await.concat();
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace("2 of a by", &format!("2 of `{name}`.a by"))).unwrap();
            place.up().await.unwrap();
            assert_eq!(place.number("SELECT sum(n) FROM a").await, 3);
        }
    }
}

/// An index that a failed build left behind is dropped, and built again.
async fn an_invalid_index_is_built_again(place: &Place) {
    if place.kind != Kind::Postgres {
        return;
    }
    place.make(&schema("a{id auto; n i32}"), &[]).unwrap();
    place.up().await.unwrap();
    place.sql("INSERT INTO a (n) VALUES (1), (1)").await;
    let made = place.make_online(&[place.kind], &schema("a{id auto; n i32 uq}"), &[]).unwrap();
    let file = place.file(&made[0].1, "up");
    let good = std::fs::read_to_string(&file).unwrap();
    // Without the guard the build itself meets the rows.
    let (guard, build) = good.split_once(";\n").unwrap();
    assert!(guard.contains("covet:guard"), "{good}");
    std::fs::write(&file, build.trim_start()).unwrap();
    assert!(place.up().await.is_err());
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(place.number(invalid).await, 1);
    place.sql("UPDATE a SET n = id").await;
    place.up().await.unwrap();
    assert_eq!(place.number(invalid).await, 0);
    assert!(place.try_sql("INSERT INTO a (n) VALUES (1)").await.is_err());
}
