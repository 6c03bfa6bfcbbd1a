//! Every type's boundary values go in and come back; what lies outside is refused before it is sent.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{Column, ColumnType, EnumType};
use covet_drivers::contract::ConnectionState;
use covet_drivers::value::{Decimal, Value};

use crate::postgres::types::make;
use crate::postgres::{Place, kind, rows, run};

fn decimal(text: &str, precision: u8, scale: u8) -> Value {
    Value::Decimal(Decimal::parse(text, precision, scale).unwrap())
}

fn mood() -> ColumnType {
    ColumnType::Enum(EnumType { name: "mood".into(), labels: vec!["fine".into(), "it's".into(), "\\".into()].into() })
}

/// Type, values that fit, values that do not.
fn cases() -> Vec<(ColumnType, Vec<Value>, Vec<Value>)> {
    let day = 86_400_000_000_i64;
    let text = |max_len| ColumnType::Text { max_len };
    let long = "ü".repeat(200_000);
    let most = "9".repeat(38);
    vec![
        (ColumnType::Bool, vec![Value::Bool(true), Value::Bool(false)], vec![Value::Int(1)]),
        (ColumnType::I16, vec![Value::Int(-32_768), Value::Int(32_767)], vec![Value::Int(32_768), Value::Int(-32_769)]),
        (
            ColumnType::I32,
            vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())],
            vec![Value::Int(1 << 31), Value::Int(-(1 << 31) - 1), Value::UInt(u64::MAX)],
        ),
        (ColumnType::I64, vec![Value::Int(i64::MIN), Value::Int(i64::MAX)], vec![Value::UInt(1 << 63)]),
        (
            ColumnType::F32,
            vec![Value::Float32(f32::MIN), Value::Float32(f32::MIN_POSITIVE), Value::Float32(f32::INFINITY)],
            vec![Value::Float(0.1), Value::Float(1e300)],
        ),
        (
            ColumnType::F64,
            vec![Value::Float(f64::MAX), Value::Float(-0.0), Value::Float(5e-324), Value::Float(f64::NEG_INFINITY)],
            vec![Value::Int((1 << 53) + 1), Value::Bool(true)],
        ),
        (
            text(None),
            vec![
                Value::Text(String::new()),
                Value::Text("it's \\ \"x\" $1 % _ 日本 🎉\n\u{1}".into()),
                Value::Text(long),
            ],
            vec![Value::Text("a\0b".into()), Value::Int(1)],
        ),
        (text(Some(3)), vec![Value::Text("日本語".into()), Value::Text("a  ".into())], Vec::new()),
        (
            ColumnType::Bytes,
            vec![Value::Bytes(Vec::new()), Value::Bytes((0..=255).collect()), Value::Bytes(vec![0; 1 << 20])],
            vec![Value::Text("x".into())],
        ),
        (
            ColumnType::Date,
            vec![Value::Date(0), Value::Date(-2_440_588), Value::Date(2_145_042_905), Value::Date(-719_528)],
            vec![Value::Date(-2_440_589), Value::Date(2_145_042_906), Value::Date(i32::MIN), Value::Date(i32::MAX)],
        ),
        (ColumnType::Time, vec![Value::Time(0), Value::Time(day - 1)], vec![Value::Time(day), Value::Time(-1)]),
        (
            ColumnType::DateTime,
            vec![Value::DateTime(0), Value::DateTime(-1), Value::DateTime(-210_866_803_200_000_000)],
            vec![Value::DateTime(-210_866_803_200_000_001), Value::DateTime(i64::MIN), Value::Timestamp(0)],
        ),
        (
            ColumnType::Timestamp,
            vec![Value::Timestamp(0), Value::Timestamp(1_700_000_000_123_456), Value::Timestamp(i64::MAX)],
            vec![Value::Timestamp(i64::MIN), Value::DateTime(0)],
        ),
        (ColumnType::Uuid, vec![Value::Uuid([0; 16]), Value::Uuid([255; 16])], vec![Value::Bytes(vec![0; 16])]),
        (
            ColumnType::Decimal { precision: 38, scale: 0 },
            vec![decimal(&most, 38, 0), decimal(&format!("-{most}"), 38, 0), decimal("0", 38, 0)],
            vec![Value::Float(1.5)],
        ),
        (
            ColumnType::Decimal { precision: 38, scale: 38 },
            vec![decimal(&format!("0.{most}"), 38, 38), decimal("-0.00000000000000000000000000000000000001", 38, 38)],
            Vec::new(),
        ),
        (
            ColumnType::Decimal { precision: 10, scale: 2 },
            vec![decimal("99999999.99", 10, 2), decimal("-0.01", 10, 2), decimal("100.00", 10, 2)],
            Vec::new(),
        ),
        (
            ColumnType::Json,
            vec![Value::Json("null".into()), Value::Json("{\"a\": [1, \"é\"]}".into())],
            vec![Value::Text("{}".into())],
        ),
        (mood(), vec![Value::Label("it's".into()), Value::Label("\\".into())], vec![Value::Int(1)]),
    ]
}

#[tokio::test]
async fn boundaries_come_back_and_what_is_outside_is_refused() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    for (number, (ty, fits, refused)) in cases().into_iter().enumerate() {
        let table = format!("t{number}");
        let column = Column { nullable: true, ..Column::new("c", ty.clone()) };
        make(connection.as_mut(), &table, column).await;
        let insert = format!("INSERT INTO {table} (c) VALUES ($1) RETURNING c");
        for value in fits.into_iter().chain([Value::Null]) {
            let back =
                rows(connection.as_mut(), &insert, std::slice::from_ref(&value), std::slice::from_ref(&ty)).await;
            assert!(back.is_ok_and(|rows| rows == vec![vec![value.clone()]]), "{ty}: {value:?} did not come back");
        }
        connection.begin(&Default::default()).await.unwrap();
        for value in refused {
            let kind = kind(run(connection.as_mut(), &insert, std::slice::from_ref(&value)).await);
            let refused = matches!(kind, Some(ErrorKind::OutOfRange | ErrorKind::InvalidInput));
            assert!(refused, "{ty}: {value:?} gave {kind:?}");
            // It never reached the server.
            assert_eq!(connection.state(), ConnectionState::InTransaction, "{ty}: {value:?}");
        }
        connection.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn integers_stay_in_the_range_of_their_column() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    for (ty, least, most) in [
        (ColumnType::I8, -128_i64, 127_i64),
        (ColumnType::U8, 0, 255),
        (ColumnType::U16, 0, 65_535),
        (ColumnType::U32, 0, 4_294_967_295),
        (ColumnType::U64, 0, i64::MAX),
    ] {
        let table = format!("t_{ty}");
        make(connection.as_mut(), &table, Column::new("c", ty.clone())).await;
        let insert = format!("INSERT INTO {table} (c) VALUES ($1) RETURNING c");
        for value in [least, most] {
            let back =
                rows(connection.as_mut(), &insert, &[Value::Int(value)], std::slice::from_ref(&ty)).await.unwrap();
            assert_eq!(back, [[Value::Int(value)]], "{ty}");
        }
        for value in [least - 1, most.saturating_add(1)] {
            let refused = kind(run(connection.as_mut(), &insert, &[Value::Int(value)]).await);
            let over = value == i64::MAX;
            assert!(over || matches!(refused, Some(ErrorKind::Check | ErrorKind::OutOfRange)), "{ty} {refused:?}");
        }
        assert_eq!(kind(run(connection.as_mut(), &insert, &[Value::UInt(1 << 63)]).await), Some(ErrorKind::OutOfRange));
    }
}

#[tokio::test]
async fn what_no_value_can_be_is_a_decode_error() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    for (sql, ty) in [
        ("SELECT 'infinity'::date", ColumnType::Date),
        ("SELECT '-infinity'::timestamptz", ColumnType::Timestamp),
        ("SELECT '294276-12-31'::timestamp", ColumnType::DateTime),
        ("SELECT '24:00'::time", ColumnType::Time),
        ("SELECT 'NaN'::numeric", ColumnType::Decimal { precision: 10, scale: 2 }),
        ("SELECT 1.005::numeric", ColumnType::Decimal { precision: 10, scale: 2 }),
        ("SELECT 1.5::numeric", ColumnType::I64),
        ("SELECT 1", ColumnType::Text { max_len: None }),
        ("SELECT '1'::text", ColumnType::I32),
        ("SELECT point(1, 2)", ColumnType::Other("point".into())),
    ] {
        let result = rows(connection.as_mut(), sql, &[], &[ty]).await;
        assert_eq!(kind(result), Some(ErrorKind::Decode), "{sql}");
        assert_eq!(connection.state(), ConnectionState::Idle);
    }
    let sum =
        rows(connection.as_mut(), "SELECT sum(x) FROM (VALUES (1::bigint), (2)) AS v (x)", &[], &[ColumnType::I64]);
    assert_eq!(sum.await.unwrap(), [[Value::Int(3)]]);
}

#[tokio::test]
async fn text_reaches_types_that_covet_has_no_value_for() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let sql = "SELECT host($1::inet) || ' ' || ($2::interval)::text";
    let args = [Value::Text("10.0.0.1/8".into()), Value::Text("1 day".into())];
    let back = rows(connection.as_mut(), sql, &args, &[ColumnType::Text { max_len: None }]).await.unwrap();
    assert_eq!(back, [[Value::Text("10.0.0.1 P1D".into())]]);
    run(connection.as_mut(), "CREATE DOMAIN age AS integer", &[]).await.unwrap();
    let back = rows(connection.as_mut(), "SELECT $1::age", &[Value::Int(7)], &[ColumnType::I32]).await.unwrap();
    assert_eq!(back, [[Value::Int(7)]]);
}

#[tokio::test]
async fn a_wrong_number_of_values_is_refused() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    assert_eq!(kind(run(connection.as_mut(), "SELECT $1::int", &[]).await), Some(ErrorKind::InvalidInput));
    let many: Vec<Value> = (0..65_535).map(Value::Int).collect();
    let list = |n: usize| (1..=n).map(|n| format!("${n}")).collect::<Vec<_>>().join(",");
    let sql = format!("SELECT 1 WHERE 70000 IN ({})", list(65_535));
    run(connection.as_mut(), &sql, &many).await.unwrap();
    let more: Vec<Value> = (0..65_536).map(Value::Int).collect();
    let sql = format!("SELECT 1 WHERE 70000 IN ({})", list(65_536));
    assert_eq!(kind(run(connection.as_mut(), &sql, &more).await), Some(ErrorKind::InvalidInput));
    assert_eq!(connection.state(), ConnectionState::Idle);
    connection.ping().await.unwrap();
}
