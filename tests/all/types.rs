//! Every type to its column and back: boundary values, NULL, and order.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use covet_orm::prelude::*;
use covet_tests::models::{Maybe, Role, Sample};
use covet_tests::{Kind, Outcome, TestDb, on_each_database};
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) fn sample() -> Sample {
    Sample {
        id: 0,
        a_bool: true,
        an_i8: 1,
        an_i16: 1,
        an_i32: 1,
        an_i64: 1,
        a_u8: 1,
        a_u16: 1,
        a_u32: 1,
        a_u64: 1,
        an_f32: 1.5,
        an_f64: 1.5,
        text: "text".into(),
        short: "short".into(),
        bytes: vec![1, 2, 3],
        date: NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(),
        time: NaiveTime::from_hms_micro_opt(12, 34, 56, 789_012).unwrap(),
        datetime: NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_micro_opt(12, 34, 56, 789_012).unwrap(),
        timestamp: DateTime::from_timestamp_micros(1_709_210_096_789_012).unwrap(),
        uuid: Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0),
        decimal: "1.05".parse().unwrap(),
        wide: "1.05".parse().unwrap(),
        json: serde_json::json!({"a": [1, 2.5, null, true, "x"], "b": {"c": "d"}}),
        list: Json(vec![1, 2, 3]),
        role: Role::Editor,
    }
}

pub(crate) async fn insert(row: &Sample, db: &TestDb) -> covet_orm::Result<Sample> {
    let row = row.clone();
    Sample::create()
        .a_bool(row.a_bool)
        .an_i8(row.an_i8)
        .an_i16(row.an_i16)
        .an_i32(row.an_i32)
        .an_i64(row.an_i64)
        .a_u8(row.a_u8)
        .a_u16(row.a_u16)
        .a_u32(row.a_u32)
        .a_u64(row.a_u64)
        .an_f32(row.an_f32)
        .an_f64(row.an_f64)
        .text(row.text)
        .short(row.short)
        .bytes(row.bytes)
        .date(row.date)
        .time(row.time)
        .datetime(row.datetime)
        .timestamp(row.timestamp)
        .uuid(row.uuid)
        .decimal(row.decimal)
        .wide(row.wide)
        .json(row.json)
        .list(row.list)
        .role(row.role)
        .exec(db)
        .await
}

/// The row comes back as it went, on every path.
async fn round_trip(row: Sample, db: &TestDb) -> Outcome {
    let made = insert(&row, db).await?;
    assert_eq!(Sample { id: 0, ..made.clone() }, row);
    let mut found = Sample::find(made.id).one(db).await?;
    assert_eq!(found, made);
    found.save(db).await?;
    assert_eq!(Sample::find(made.id).one(db).await?, made, "saved as it was");
    Ok(())
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn last_moment(date: NaiveDate) -> NaiveDateTime {
    date.and_hms_micro_opt(23, 59, 59, 999_999).unwrap()
}

on_each_database! {
    async fn an_ordinary_row(db: &TestDb) -> Outcome {
        round_trip(sample(), db).await
    }

    async fn the_smallest_values(db: &TestDb) -> Outcome {
        let first = date(1000, 1, 1);
        round_trip(Sample {
            a_bool: false,
            an_i8: i8::MIN, an_i16: i16::MIN, an_i32: i32::MIN, an_i64: i64::MIN,
            a_u8: 0, a_u16: 0, a_u32: 0, a_u64: 0,
            an_f32: f32::MIN, an_f64: f64::MIN,
            text: String::new(), short: String::new(), bytes: Vec::new(),
            date: first, time: NaiveTime::MIN, datetime: first.and_time(NaiveTime::MIN), timestamp: first.and_time(NaiveTime::MIN).and_utc(),
            uuid: Uuid::nil(),
            decimal: "-999999999999.999999".parse()?, wide: "-999999999999999999.9999999999".parse()?,
            json: serde_json::Value::Null, list: Json(Vec::new()),
            role: Role::Reader,
            ..sample()
        }, db).await
    }

    async fn the_largest_values(db: &TestDb) -> Outcome {
        let last = date(9999, 12, 31);
        round_trip(Sample {
            an_i8: i8::MAX, an_i16: i16::MAX, an_i32: i32::MAX, an_i64: i64::MAX,
            a_u8: u8::MAX, a_u16: u16::MAX, a_u32: u32::MAX,
            a_u64: if db.kind() == Kind::Mysql { u64::MAX } else { i64::MAX as u64 },
            an_f32: f32::MAX, an_f64: f64::MAX,
            text: "é🦀\u{10ffff}".repeat(30_000), short: "🦀".repeat(10), bytes: (0..=255).collect::<Vec<u8>>().repeat(1000),
            date: last, time: NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap(), datetime: last_moment(last), timestamp: last_moment(last).and_utc(),
            uuid: Uuid::max(),
            decimal: "999999999999.999999".parse()?, wide: "999999999999999999.9999999999".parse()?,
            json: serde_json::json!(["é🦀", i64::MAX, i64::MIN, 1e300, "\\\"'"]), list: Json(vec![i32::MIN, i32::MAX]),
            role: Role::Admin,
            ..sample()
        }, db).await
    }

    async fn small_and_odd_numbers(db: &TestDb) -> Outcome {
        round_trip(Sample { an_f32: f32::MIN_POSITIVE, an_f64: f64::MIN_POSITIVE, ..sample() }, db).await?;
        round_trip(Sample { an_f32: 0.1, an_f64: 0.1, ..sample() }, db).await?;
        round_trip(Sample { an_f32: -0.0, an_f64: -0.0, ..sample() }, db).await?;
        round_trip(Sample { an_f32: 16_777_217.0, an_f64: 9_007_199_254_740_993.0, ..sample() }, db).await?;
        round_trip(Sample { decimal: "0.000001".parse()?, wide: "-0.0000000001".parse()?, ..sample() }, db).await?;
        round_trip(Sample { decimal: Decimal::ZERO, wide: Decimal::ZERO, ..sample() }, db).await
    }

    async fn null_in_every_column_and_a_value_in_every_column(db: &TestDb) -> Outcome {
        let none = Maybe::create().exec(db).await?;
        let back = Maybe::find(none.id).one(db).await?;
        assert_eq!(none, back);
        assert_eq!((back.a_bool, back.an_i64, back.text.as_deref(), back.role), (None, None, None, None));
        assert!(back.json.is_none() && back.decimal.is_none() && back.timestamp.is_none() && back.uuid.is_none());
        let row = sample();
        let mut some = Maybe::create()
            .a_bool(row.a_bool).an_i8(row.an_i8).an_i16(row.an_i16).an_i32(row.an_i32).an_i64(row.an_i64)
            .a_u8(row.a_u8).a_u16(row.a_u16).a_u32(row.a_u32).a_u64(row.a_u64).an_f32(row.an_f32).an_f64(row.an_f64)
            .text(row.text.clone()).bytes(row.bytes.clone()).date(row.date).time(row.time).datetime(row.datetime).timestamp(row.timestamp)
            .uuid(row.uuid).decimal(row.decimal).wide(row.wide).json(row.json.clone()).role(row.role)
            .exec(db).await?;
        assert_eq!((some.text.as_ref(), some.decimal, some.role, some.timestamp), (Some(&row.text), Some(row.decimal), Some(row.role), Some(row.timestamp)));
        some = Maybe { id: some.id, ..none };
        some.save(db).await?;
        assert_eq!(Maybe::find(some.id).one(db).await?, some, "and NULL again");
        Ok(())
    }

    async fn every_type_can_be_compared_and_ordered(db: &TestDb) -> Outcome {
        let low = insert(&sample(), db).await?;
        let row = sample();
        let high = insert(&Sample {
            an_i8: 2, an_i64: 2, a_u64: 10, an_f64: 10.5, date: date(2024, 3, 1), time: NaiveTime::from_hms_opt(13, 0, 0).unwrap(),
            datetime: date(2024, 3, 1).and_hms_opt(0, 0, 0).unwrap(), timestamp: row.timestamp + chrono::Duration::microseconds(1),
            uuid: Uuid::from_u128(row.uuid.as_u128() + 1), decimal: "10.5".parse()?, wide: "10.5".parse()?, bytes: vec![1, 2, 4],
            ..row.clone()
        }, db).await?;
        let only = async |condition: Expr<Sample, bool>| -> covet_orm::Result<i64> { Ok(Sample::query().filter(condition).one(db).await?.id) };
        assert_eq!(only(Sample::an_i8.gt(row.an_i8)).await?, high.id);
        assert_eq!(only(Sample::a_u64.gt(row.a_u64)).await?, high.id);
        assert_eq!(only(Sample::an_f64.eq(1.5)).await?, low.id);
        assert_eq!(only(Sample::an_f32.eq(1.5) & Sample::an_f64.lt(2.0)).await?, low.id);
        assert_eq!(only(Sample::date.eq(row.date)).await?, low.id);
        assert_eq!(only(Sample::date.gt(row.date)).await?, high.id);
        assert_eq!(only(Sample::time.le(row.time)).await?, low.id);
        assert_eq!(only(Sample::datetime.gt(row.datetime)).await?, high.id);
        assert_eq!(only(Sample::timestamp.gt(row.timestamp)).await?, high.id);
        assert_eq!(only(Sample::timestamp.eq(row.timestamp)).await?, low.id);
        assert_eq!(only(Sample::uuid.eq(row.uuid)).await?, low.id);
        assert_eq!(only(Sample::decimal.gt(row.decimal)).await?, high.id, "by number, not by text");
        assert_eq!(only(Sample::decimal.eq(row.decimal)).await?, low.id);
        assert_eq!(only(Sample::wide.gt(row.wide)).await?, high.id);
        assert_eq!(only(Sample::wide.eq("10.50".parse::<Decimal>()?)).await?, high.id);
        assert_eq!(only(Sample::bytes.eq(vec![1, 2, 4])).await?, high.id);
        assert_eq!(Sample::query().filter(Sample::role.eq(Role::Editor) & Sample::a_bool.eq(true)).count(db).await?, 2);
        Ok(())
    }

    async fn json_that_could_not_be_read_back_is_not_stored(db: &TestDb) -> Outcome {
        let nested = |levels: usize| (0..levels).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let error = insert(&Sample { json: nested(200), ..sample() }, db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (covet_orm::ErrorKind::InvalidInput, Some("json")), "{error}");
        assert_eq!(Sample::query().count(db).await?, 0);
        round_trip(Sample { json: nested(25), ..sample() }, db).await
    }

    async fn decimals_sort_as_numbers(db: &TestDb) -> Outcome {
        let numbers = ["-100.5", "-20", "-3.25", "-0.000001", "0", "0.000001", "1", "2.5", "10", "200", "999999999999.999999"];
        for text in numbers.iter().rev() {
            insert(&Sample { decimal: text.parse()?, wide: text.parse()?, ..sample() }, db).await?;
        }
        let wanted: Vec<Decimal> = numbers.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(Sample::query().order_by(Sample::decimal.asc()).select(Sample::decimal).all(db).await?, wanted);
        assert_eq!(Sample::query().order_by(Sample::wide.asc()).select(Sample::wide).all(db).await?, wanted);
        Ok(())
    }

    async fn decimals_can_be_reckoned_with(db: &TestDb) -> Outcome {
        let row = insert(&Sample { decimal: "0.1".parse()?, ..sample() }, db).await?;
        let step: Decimal = "0.2".parse()?;
        Sample::query().update().set(Sample::decimal, Sample::decimal + step).exec(db).await?;
        assert_eq!(Sample::find(row.id).one(db).await?.decimal, "0.3".parse::<Decimal>()?, "exactly");
        let wide = Sample::query().update().set(Sample::wide, Sample::wide - step).exec(db).await;
        match wide {
            Ok(_) => assert_eq!(Sample::find(row.id).one(db).await?.wide, "0.85".parse::<Decimal>()?),
            Err(error) => assert_eq!((error.kind(), db.kind()), (covet_orm::ErrorKind::Unsupported, Kind::Sqlite), "{error}"),
        }
        Ok(())
    }

    async fn times_are_utc_whatever_the_servers_zone(db: &TestDb) -> Outcome {
        let instant: DateTime<Utc> = "2024-07-01T00:30:00Z".parse()?;
        let row = insert(&Sample { timestamp: instant, datetime: instant.naive_utc(), ..sample() }, db).await?;
        let (sql, wanted) = match db.kind() {
            Kind::Postgres => ("SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM samples", "2024-07-01 00:30"),
            Kind::Mysql => ("SELECT DATE_FORMAT(timestamp, '%Y-%m-%d %H:%i') FROM samples", "2024-07-01 00:30"),
            Kind::Sqlite => ("SELECT substr(timestamp, 1, 16) FROM samples", "2024-07-01 00:30"),
        };
        assert_eq!(db.raw_rows(sql).await?, [[Some(wanted.to_owned())]]);
        assert_eq!(Sample::find(row.id).one(db).await?.timestamp, instant);
        Ok(())
    }

    async fn finer_than_a_microsecond_is_cut(db: &TestDb) -> Outcome {
        let fine = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let row = insert(&Sample { timestamp: fine, datetime: fine.naive_utc(), ..sample() }, db).await?;
        assert_eq!(row.timestamp, DateTime::from_timestamp(1_700_000_000, 123_456_000).unwrap());
        assert_eq!(row.datetime, row.timestamp.naive_utc());
        Ok(())
    }
}
