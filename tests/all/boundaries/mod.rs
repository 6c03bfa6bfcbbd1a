//! The range of every type, to its last value and one beyond, on every path and every database.
//!
//! `docs/types.md` says what a type holds. Here each type has a line: what its column gives back as it was
//! put in, and what is refused with an error that names model and field. `paths.rs` and `keys.rs` run each
//! value through everything that takes or gives one.

mod behind;
mod defaults;
mod keys;
mod models;
mod paths;
mod reckoned;
mod values;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use covet_orm::ErrorKind::{InvalidInput, OutOfRange};
use covet_orm::Json;
use covet_orm::prelude::*;
use covet_tests::Kind::{Mysql, Postgres, Sqlite};
use covet_tests::{Kind, TestDb, on_each_database};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use models::{Edge, EdgeKey, EdgeLink, EdgePair, Email, Mood};
use values::Values;

/// A column of the wide model, by the name of its field.
macro_rules! check {
    ($db:expr, $($field:ident: $values:expr;)+) => {$(
        let field = paths::OfEdge { column: Edge::$field, get: |row| &row.$field, set: |row, value| row.$field = value };
        let result = paths::check($db, &field, $values).await;
        result.map_err(|error| format!("{}: {error}", stringify!($field)))?;
    )+};
}

/// A column that can be a key, by the names of its field, of the function that finds by it, and of the relation.
macro_rules! check_keys {
    ($db:expr, $($field:ident $find:ident $related:ident: $values:expr;)+) => {$(
        let key = keys::Key {
            column: EdgeKey::$field,
            get: |row| &row.$field,
            find: |value| EdgeKey::$find(value),
            link: EdgeLink::$field,
            set: |row, value| row.$field = value,
            related: EdgeLink::$related,
            loaded: |row| Ok(row.$related.get()?.map(|row| row.id)),
        };
        let result = keys::check($db, &key, $values).await;
        result.map_err(|error| format!("{}: {error}", stringify!($field)))?;
    )+};
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn time(hour: u32, minute: u32, second: u32, nano: u32) -> NaiveTime {
    NaiveTime::from_hms_nano_opt(hour, minute, second, nano).unwrap()
}

/// The first and the last day that a database holds, and the days beside them.
fn days(kind: Kind) -> Values<NaiveDate> {
    let last = day(9999, 12, 31);
    Values::of(kind)
        .holds([day(1970, 1, 1), day(1969, 12, 31), day(2000, 2, 29), last])
        .on(&[Postgres])
        .holds([day(-4713, 11, 24), day(0, 1, 1), NaiveDate::MAX])
        .refuses(OutOfRange, [day(-4713, 11, 23), NaiveDate::MIN])
        .on(&[Mysql])
        .holds([day(1, 1, 1)])
        .refuses(OutOfRange, [day(0, 12, 31), day(10_000, 1, 1), NaiveDate::MIN, NaiveDate::MAX])
        .on(&[Sqlite])
        .holds([day(0, 1, 1)])
        .refuses(OutOfRange, [day(-1, 12, 31), day(10_000, 1, 1), NaiveDate::MIN, NaiveDate::MAX])
}

fn times(kind: Kind) -> Values<NaiveTime> {
    Values::of(kind)
        .holds([NaiveTime::MIN, time(0, 0, 0, 1000), time(12, 0, 0, 0), time(23, 59, 59, 999_999_000)])
        .turns([(time(1, 2, 3, 999_999_999), time(1, 2, 3, 999_999_000))])
        .refuses(OutOfRange, [time(23, 59, 59, 1_000_000_000), time(23, 59, 59, 1_999_999_999)])
}

fn datetimes(kind: Kind) -> Values<NaiveDateTime> {
    let (first, last) = (NaiveTime::MIN, time(23, 59, 59, 999_999_000));
    let (end, leap) = (day(9999, 12, 31).and_time(last), day(2016, 12, 31).and_time(time(23, 59, 59, 1_000_000_000)));
    let fine = day(1969, 12, 31).and_time(time(23, 59, 59, 999_999_999));
    Values::of(kind)
        .holds([day(1970, 1, 1).and_time(first), end, day(1969, 12, 31).and_time(time(23, 59, 59, 999_998_000))])
        // Finer digits are cut off towards the past, also before 1970.
        .turns([(fine, day(1969, 12, 31).and_time(last))])
        .refuses(OutOfRange, [leap])
        .on(&[Postgres])
        .holds([day(-4713, 11, 24).and_time(first), day(262_142, 12, 31).and_time(last)])
        .refuses(OutOfRange, [day(-4713, 11, 23).and_time(last), NaiveDateTime::MIN])
        .on(&[Mysql])
        .holds([day(1, 1, 1).and_time(first)])
        .refuses(OutOfRange, [day(0, 12, 31).and_time(last), day(10_000, 1, 1).and_time(first), NaiveDateTime::MIN])
        .on(&[Sqlite])
        .holds([day(0, 1, 1).and_time(first)])
        .refuses(OutOfRange, [day(-1, 12, 31).and_time(last), day(10_000, 1, 1).and_time(first), NaiveDateTime::MIN])
}

fn timestamps(kind: Kind) -> Values<DateTime<Utc>> {
    let local = datetimes(kind);
    let utc = |value: NaiveDateTime| value.and_utc();
    let mut values = Values::of(kind).turns(local.held.into_iter().map(|(put, wanted)| (utc(put), utc(wanted))));
    values.refused = local.refused.into_iter().map(|(kind, value)| (kind, utc(value))).collect();
    values
}

/// Decimals by their texts.
struct Numbers(Values<Decimal>);

impl Numbers {
    fn of(kind: Kind) -> Self {
        Numbers(Values::of(kind))
    }

    fn hold(self, texts: &[&str]) -> Self {
        Numbers(self.0.holds(texts.iter().map(|text| text.parse().unwrap())))
    }

    fn refuse(self, texts: &[&str]) -> Values<Decimal> {
        self.0.refuses(OutOfRange, texts.iter().map(|text| text.parse().unwrap()))
    }
}

fn decimals(kind: Kind) -> Values<Decimal> {
    Numbers::of(kind)
        .hold(&["0.000000", "0.000001", "-0.000001", "999999999999.999999", "-999999999999.999999", "123.450000"])
        .refuse(&[
            "1000000000000",
            "-1000000000000",
            "0.0000001",
            "-0.0000001",
            "1.0000001",
            "79228162514264337593543950335",
        ])
}

fn wide(kind: Kind) -> Values<Decimal> {
    Numbers::of(kind)
        .hold(&["0.0000000001", "-0.0000000001", "999999999999999999.9999999999", "-999999999999999999.9999999999"])
        .refuse(&["1000000000000000000", "-1000000000000000000", "0.00000000001", "0.0000000000000000000000000001"])
}

fn bounded(kind: Kind) -> Values<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Values::of(kind)
        .holds(texts(&[
            "",
            " ",
            "a",
            "a ",
            "a  ",
            " a",
            "é",
            "e\u{301}",
            "0123456789",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
            "a         ",
        ]))
        .does_not_write(
            OutOfRange,
            texts(&["0123456789x", "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀", "0123456789 ", "a          ", "           "]),
        )
        .on(&[Mysql])
        .holds(texts(&["a\0", "\0"]))
        .on(&[Postgres, Sqlite])
        .refuses(InvalidInput, texts(&["\0", "a\0", "\0b"]))
}

fn unsigned(kind: Kind) -> Values<u64> {
    const LARGEST: u64 = i64::MAX as u64;
    Values::of(kind)
        .holds([0, 1, LARGEST])
        .on(&[Mysql])
        .holds([LARGEST + 1, u64::MAX])
        .on(&[Postgres, Sqlite])
        .refuses(OutOfRange, [LARGEST + 1, u64::MAX])
}

fn nested(levels: usize) -> serde_json::Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

/// What comes back for −0.0: SQLite keeps no sign of zero, and newer MariaDB does not either.
async fn minus_zero(db: &TestDb) -> covet_orm::Result<f64> {
    Ok(match db.kind() {
        Postgres => -0.0,
        Sqlite => 0.0,
        Mysql => {
            let rows = db.raw_rows("SELECT CAST(-0e0 AS CHAR)").await?;
            if rows[0][0].as_deref() == Some("-0") { -0.0 } else { 0.0 }
        }
    })
}

on_each_database! {
    async fn numbers(db: &TestDb) -> Outcome {
        let on = db.kind();
        let zero = minus_zero(db).await?;
        check! { db,
            a_bool: Values::of(on).holds([true, false]);
            an_i8: Values::of(on).holds([i8::MIN, -1, 0, 1, i8::MAX]);
            an_i16: Values::of(on).holds([i16::MIN, -1, 0, 1, i16::MAX]);
            an_i32: Values::of(on).holds([i32::MIN, -1, 0, 1, i32::MAX]);
            an_i64: Values::of(on).holds([i64::MIN, -(1 << 53) - 1, -1, 0, 1, (1 << 53) + 1, i64::MAX]);
            a_u8: Values::of(on).holds([0, 1, 128, u8::MAX]);
            a_u16: Values::of(on).holds([0, 1, 32_768, u16::MAX]);
            a_u32: Values::of(on).holds([0, 1, 1 << 31, u32::MAX]);
            a_u64: unsigned(on);
            an_f32: Values::of(on)
                .holds([f32::MIN, -1.5, 0.0, 0.1, f32::MIN_POSITIVE, f32::from_bits(1), 16_777_217.0, f32::MAX])
                .turns([(-0.0, if zero.is_sign_negative() { -0.0 } else { 0.0 })])
                .on(&[Sqlite]).refuses(OutOfRange, [f32::NAN])
                .on(&[Postgres, Sqlite]).holds([f32::INFINITY, f32::NEG_INFINITY])
                .on(&[Postgres]).holds([f32::NAN])
                .on(&[Mysql]).refuses(OutOfRange, [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
            an_f64: Values::of(on)
                .holds([f64::MIN, -1.5, 0.0, 0.1, f64::MIN_POSITIVE, f64::from_bits(1), 9_007_199_254_740_993.0, f64::MAX])
                .turns([(-0.0, zero)])
                .on(&[Sqlite]).refuses(OutOfRange, [f64::NAN])
                .on(&[Postgres, Sqlite]).holds([f64::INFINITY, f64::NEG_INFINITY])
                .on(&[Postgres]).holds([f64::NAN])
                .on(&[Mysql]).refuses(OutOfRange, [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
            digit: Numbers::of(on).hold(&["0", "9", "-9"]).refuse(&["10", "-10", "0.1", "9.9"]);
            fraction: Numbers::of(on)
                .hold(&["0.000000000000000001", "-0.000000000000000001", "0.999999999999999999", "-0.999999999999999999"])
                .refuse(&["1", "-1", "0.0000000000000000001"]);
            decimal: decimals(on);
            wide: wide(on);
            huge: Numbers::of(on)
                .hold(&["0", "1", "79228162514264337593543950335", "-79228162514264337593543950335"])
                .refuse(&["0.1", "1.5"]);
        }
        Ok(())
    }

    async fn times_of_all_kinds(db: &TestDb) -> Outcome {
        let on = db.kind();
        check! { db,
            date: days(on);
            time: times(on);
            datetime: datetimes(on);
            timestamp: timestamps(on);
        }
        Ok(())
    }

    async fn texts_and_bytes(db: &TestDb) -> Outcome {
        let on = db.kind();
        let of = |part: &str, times: usize| part.repeat(times);
        let anything = || ["", " ", "a  ", "'\"`\\", "\u{feff}", "\u{10ffff}", "e\u{301}"].map(str::to_owned);
        let large = if on == Mysql { vec![vec![7; 17 << 20]] } else { Vec::new() };
        check! { db,
            text: Values::of(on)
                .holds(anything()).holds([of("é🦀", 20_000)])
                .on(&[Mysql]).holds(["a\0b".to_owned()])
                .on(&[Postgres, Sqlite]).refuses(InvalidInput, ["a\0b".to_owned(), "\0".to_owned()]);
            short: bounded(on);
            long: Values::of(on)
                .holds(anything()).holds([of("🦀", 20_000), of(" ", 20_000)])
                .does_not_write(OutOfRange, [of("x", 20_001), format!("{} ", of("🦀", 20_000))]);
            email: Values::of(on)
                .holds(["", "a@b", &of("é", 20)].map(|text| Email(text.to_owned())))
                .does_not_write(OutOfRange, [Email(of("a", 21)), Email(of("a", 20) + " ")])
                .on(&[Postgres, Sqlite]).refuses(InvalidInput, [Email("\0".to_owned())]);
            bytes: Values::of(on)
                .holds([vec![], vec![0], vec![0xff, 0xfe, 0], (0..=255).collect(), b"'; --".to_vec(), vec![b' '; 3]])
                .refuses(OutOfRange, large);
            uuid: Values::of(on).holds([Uuid::nil(), Uuid::max(), Uuid::from_u128(1), Uuid::from_u128(0x2027 << 112)]);
            mood: Values::of(on).holds([Mood::Low, Mood::High]);
        }
        Ok(())
    }

    async fn documents(db: &TestDb) -> Outcome {
        let on = db.kind();
        let nul = || [json!("\0"), json!({"a\0": 1}), json!(["\\\0"])];
        check! { db,
            json: Values::of(on)
                .holds([
                    json!(null), json!(true), json!(""), json!("\\u0000"), json!([]), json!({}), json!({"": {"a": [1, "é🦀"]}}),
                    json!(i64::MIN), json!(u64::MAX), json!(0.1), json!(1e300), json!(f64::MIN_POSITIVE), json!(-2.5e-300),
                    json!(123_456_789.123_456_79), json!(2.638_344_616_030_823e-256), nested(31),
                ])
                .refuses(InvalidInput, [nested(128), nested(500)])
                .on(&[Postgres, Sqlite]).holds([nested(127)])
                .on(&[Postgres]).refuses(InvalidInput, nul())
                .on(&[Sqlite, Mysql]).holds(nul())
                .on(&[Mysql]).does_not_write(InvalidInput, [nested(32), nested(127)]);
            list: Values::of(on).holds([Json(vec![]), Json(vec![i32::MIN, 0, i32::MAX])]);
        }
        Ok(())
    }

    async fn keys_of_all_types(db: &TestDb) -> Outcome {
        let on = db.kind();
        // A trailing blank is another text, but a key of blanks alone and the empty one are no rows of other keys.
        check_keys! { db,
            a_bool find_by_a_bool to_a_bool: Values::of(on).holds([true, false]);
            an_i8 find_by_an_i8 to_an_i8: Values::of(on).holds([i8::MIN, 0, i8::MAX]);
            an_i16 find_by_an_i16 to_an_i16: Values::of(on).holds([i16::MIN, 0, i16::MAX]);
            an_i32 find_by_an_i32 to_an_i32: Values::of(on).holds([i32::MIN, 0, i32::MAX]);
            an_i64 find_by_an_i64 to_an_i64: Values::of(on).holds([i64::MIN, 0, i64::MAX - 1, i64::MAX]);
            a_u8 find_by_a_u8 to_a_u8: Values::of(on).holds([0, u8::MAX]);
            a_u16 find_by_a_u16 to_a_u16: Values::of(on).holds([0, u16::MAX]);
            a_u32 find_by_a_u32 to_a_u32: Values::of(on).holds([0, u32::MAX]);
            a_u64 find_by_a_u64 to_a_u64: unsigned(on);
            short find_by_short to_short: bounded(on);
            date find_by_date to_date: days(on);
            time find_by_time to_time: times(on);
            datetime find_by_datetime to_datetime: datetimes(on);
            timestamp find_by_timestamp to_timestamp: timestamps(on);
            uuid find_by_uuid to_uuid: Values::of(on).holds([Uuid::nil(), Uuid::max()]);
            decimal find_by_decimal to_decimal: decimals(on);
            wide find_by_wide to_wide: wide(on);
            mood find_by_mood to_mood: Values::of(on).holds([Mood::Low, Mood::High]);
            email find_by_email to_email: Values::of(on).holds(["", "a", "A", "a "].map(|text| Email(text.to_owned())));
        }
        Ok(())
    }

    async fn each_part_of_a_primary_key(db: &TestDb) -> Outcome {
        let (date, number) = (day(2024, 2, 29), i64::MAX as u64);
        let mut row = EdgePair::create().date(date).number(number).note("n").exec(db).await?;
        assert_eq!(EdgePair::find((date, number)).one(db).await?, row);
        let (early, large) = (NaiveDate::MIN, u64::MAX);
        let wanted = |field| (OutOfRange, "EdgePair", field);
        let mut refused = vec![((early, number), "date")];
        if db.kind() != Mysql {
            refused.push(((date, large), "number"));
        }
        for (key, field) in refused {
            paths::assert_refused("find", EdgePair::find(key).optional(db).await.map(drop), wanted(field));
            paths::assert_refused("exists", EdgePair::find(key).exists(db).await.map(drop), wanted(field));
            let mut gone = EdgePair { date: key.0, number: key.1, note: String::new() };
            paths::assert_refused("save", gone.save(db).await, wanted(field));
            paths::assert_refused("delete", gone.delete(db).await, wanted(field));
            paths::assert_refused("update", gone.update().set(EdgePair::note, "x").exec(db).await, wanted(field));
            let to = row.update().set(EdgePair::date, key.0).set(EdgePair::number, key.1).exec(db).await;
            paths::assert_refused("update of the key", to, wanted(field));
        }
        assert_eq!(EdgePair::query().all(db).await?, [row]);
        Ok(())
    }
}
