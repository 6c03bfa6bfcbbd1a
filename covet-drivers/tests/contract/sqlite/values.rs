//! Every type at its bounds, NULL, and just outside.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{Change, Column, ColumnType, EnumType, Schema, Table};
use covet_drivers::contract::Connection;
use covet_drivers::value::{Decimal, Value};

use super::{Place, kind, memory, open, rows, run};

/// A table `v` with the columns `id` and `c`, as the adapter's own DDL makes it.
async fn table(db: &mut dyn Connection, ty: &ColumnType) {
    let mut id = Column::new("id", ColumnType::I64);
    id.auto = true;
    let mut column = Column::new("c", ty.clone());
    column.nullable = true;
    let table =
        Table { name: "v".into(), primary_key: vec!["id".into()], columns: vec![id, column], ..Table::default() };
    let after = Schema::of(vec![table.clone()]);
    let backend = open("sqlite::memory:").unwrap();
    let steps = backend.ddl().plan(&[Change::CreateTable { table }], &Schema::default(), &after).unwrap();
    for step in steps {
        db.script(&step.sql).await.unwrap();
    }
}

async fn back(db: &mut dyn Connection, ty: &ColumnType, value: &Value) -> Value {
    run(db, "DELETE FROM v", &[]).await.unwrap();
    run(db, "INSERT INTO v (c) VALUES (?1)", std::slice::from_ref(value)).await.unwrap();
    let found = rows(db, "SELECT c FROM v", &[], std::slice::from_ref(ty)).await.unwrap();
    let matching =
        rows(db, "SELECT c FROM v WHERE c IS ?1", std::slice::from_ref(value), std::slice::from_ref(ty)).await.unwrap();
    assert_eq!(found, matching, "a value equals itself in the database");
    found[0][0].clone()
}

fn decimal(text: &str, precision: u8, scale: u8) -> Value {
    Value::Decimal(Decimal::parse(text, precision, scale).unwrap())
}

fn text(max_len: Option<u32>) -> ColumnType {
    ColumnType::Text { max_len }
}

fn mood() -> ColumnType {
    ColumnType::Enum(EnumType { name: "mood".into(), labels: vec!["so so".into(), "it's".into()].into() })
}

fn cases() -> Vec<(ColumnType, Vec<Value>)> {
    let day = 86_400_000_000;
    let (first, last) = (-719_528_i64, 2_932_896_i64);
    let moments = [0, -1, first * day, (last + 1) * day - 1];
    let long = ColumnType::Decimal { precision: 38, scale: 10 };
    let most = "9999999999999999999999999999.9999999999";
    vec![
        (ColumnType::Bool, vec![Value::Bool(true), Value::Bool(false)]),
        (ColumnType::I8, [i8::MIN, -1, 0, i8::MAX].map(|v| Value::Int(v.into())).to_vec()),
        (ColumnType::I16, [i16::MIN, i16::MAX].map(|v| Value::Int(v.into())).to_vec()),
        (ColumnType::I32, [i32::MIN, i32::MAX].map(|v| Value::Int(v.into())).to_vec()),
        (ColumnType::I64, [i64::MIN, i64::MAX].map(Value::Int).to_vec()),
        (ColumnType::U8, [0, 255].map(Value::UInt).to_vec()),
        (ColumnType::U16, [0, 65_535].map(Value::UInt).to_vec()),
        (ColumnType::U32, [0, u32::MAX.into()].map(Value::UInt).to_vec()),
        (ColumnType::U64, [0, i64::MAX.unsigned_abs()].map(Value::UInt).to_vec()),
        (ColumnType::F32, [0.1, f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY].map(Value::Float32).to_vec()),
        (
            ColumnType::F64,
            [0.1, -3.0, f64::MIN, f64::MAX, 5e-324, f64::NEG_INFINITY, 9_007_199_254_740_993.0]
                .map(Value::Float)
                .to_vec(),
        ),
        (
            text(None),
            ["", "a'b\"c`d\\e", "été 😀\r\n", "; DROP TABLE v --", " x "].map(|v| Value::Text(v.into())).to_vec(),
        ),
        (text(Some(3)), ["", "abc", "é😀日"].map(|v| Value::Text(v.into())).to_vec()),
        (ColumnType::Bytes, vec![Value::Bytes(vec![]), Value::Bytes((0..=255).collect())]),
        (ColumnType::Date, [0, -1, first as i32, last as i32].map(Value::Date).to_vec()),
        (ColumnType::Time, [0, 1, day - 1].map(Value::Time).to_vec()),
        (ColumnType::DateTime, moments.map(Value::DateTime).to_vec()),
        (ColumnType::Timestamp, moments.map(Value::Timestamp).to_vec()),
        (ColumnType::Uuid, vec![Value::Uuid([0; 16]), Value::Uuid([255; 16])]),
        (
            ColumnType::Decimal { precision: 10, scale: 2 },
            ["0.00", "-0.01", "99999999.99", "-99999999.99"].map(|v| decimal(v, 10, 2)).to_vec(),
        ),
        (
            ColumnType::Decimal { precision: 18, scale: 0 },
            ["999999999999999999", "-999999999999999999"].map(|v| decimal(v, 18, 0)).to_vec(),
        ),
        (long, ["0", most, &format!("-{most}"), "-0.0000000001"].map(|v| decimal(v, 38, 10)).to_vec()),
        (ColumnType::Json, ["null", "{\"a\":[1,\"é\"]}", "1e400"].map(|v| Value::Json(v.into())).to_vec()),
        (mood(), ["so so", "it's"].map(|v| Value::Label(v.into())).to_vec()),
    ]
}

#[tokio::test]
async fn every_value_comes_back_as_it_went() {
    for (ty, values) in cases() {
        let mut db = memory().await;
        table(&mut *db, &ty).await;
        for value in values.into_iter().chain([Value::Null]) {
            let found = back(&mut *db, &ty, &value).await;
            assert!(found == value, "{ty}: {value:?} came back as {found:?}");
        }
    }
}

#[tokio::test]
async fn minus_zero_is_zero() {
    let mut db = memory().await;
    table(&mut *db, &ColumnType::F64).await;
    assert!(back(&mut *db, &ColumnType::F64, &Value::Float(-0.0)).await == Value::Float(0.0));
}

#[tokio::test]
async fn values_just_outside_are_refused_and_nothing_is_stored() {
    let day = 86_400_000_000;
    let cases = [
        (ColumnType::Bool, Value::Int(2), ErrorKind::OutOfRange),
        (ColumnType::I8, Value::Int(128), ErrorKind::OutOfRange),
        (ColumnType::I8, Value::Int(-129), ErrorKind::OutOfRange),
        (ColumnType::I16, Value::Int(32_768), ErrorKind::OutOfRange),
        (ColumnType::I32, Value::Int(1 << 31), ErrorKind::OutOfRange),
        (ColumnType::U8, Value::UInt(256), ErrorKind::OutOfRange),
        (ColumnType::U8, Value::Int(-1), ErrorKind::OutOfRange),
        (ColumnType::U32, Value::UInt(1 << 32), ErrorKind::OutOfRange),
        (ColumnType::U64, Value::UInt(1 << 63), ErrorKind::OutOfRange),
        (ColumnType::U64, Value::Int(-1), ErrorKind::OutOfRange),
        (ColumnType::F32, Value::Float(1e39), ErrorKind::OutOfRange),
        (ColumnType::F64, Value::Float(f64::NAN), ErrorKind::OutOfRange),
        (ColumnType::I64, Value::Float(1.5), ErrorKind::InvalidInput),
        (ColumnType::I64, Value::Text("x".into()), ErrorKind::InvalidInput),
        (ColumnType::Bytes, Value::Text("x".into()), ErrorKind::InvalidInput),
        (text(Some(3)), Value::Text("abcd".into()), ErrorKind::OutOfRange),
        (text(None), Value::Text("a\0b".into()), ErrorKind::InvalidInput),
        (ColumnType::Date, Value::Date(2_932_897), ErrorKind::OutOfRange),
        (ColumnType::Date, Value::Text("2023-02-31".into()), ErrorKind::InvalidInput),
        (ColumnType::Date, Value::Text("now".into()), ErrorKind::Database),
        (ColumnType::Time, Value::Time(day), ErrorKind::OutOfRange),
        (ColumnType::Time, Value::Text("24:00:00.000000".into()), ErrorKind::InvalidInput),
        (ColumnType::DateTime, Value::DateTime(i64::MAX), ErrorKind::OutOfRange),
        (ColumnType::DateTime, Value::Text("2023-01-01 00:00:60.000000".into()), ErrorKind::InvalidInput),
        (ColumnType::Timestamp, Value::Text("2023-01-01T00:00:00.000000".into()), ErrorKind::InvalidInput),
        (ColumnType::Timestamp, Value::Text("2023-01-01 00:00:00".into()), ErrorKind::InvalidInput),
        (ColumnType::Uuid, Value::Bytes(vec![1; 15]), ErrorKind::InvalidInput),
        (ColumnType::Decimal { precision: 4, scale: 2 }, Value::Int(10_000), ErrorKind::OutOfRange),
        (ColumnType::Decimal { precision: 20, scale: 2 }, Value::Text("012".into()), ErrorKind::OutOfRange),
        (ColumnType::Json, Value::Text("{".into()), ErrorKind::InvalidInput),
        (mood(), Value::Label("so-so".into()), ErrorKind::InvalidInput),
    ];
    for (ty, value, want) in cases {
        let mut db = memory().await;
        table(&mut *db, &ty).await;
        let error = run(&mut *db, "INSERT INTO v (c) VALUES (?1)", std::slice::from_ref(&value)).await.err();
        assert_eq!(error.as_ref().map(|error| error.kind()), Some(want), "{ty} {value:?}: {error:?}");
        let left = rows(&mut *db, "SELECT c FROM v", &[], &[ColumnType::Bytes]).await.unwrap();
        assert!(left.is_empty(), "{ty} {value:?}");
    }
}

#[tokio::test]
async fn a_check_that_stands_for_a_type_names_table_and_column() {
    let mut db = memory().await;
    table(&mut *db, &ColumnType::I8).await;
    let error = run(&mut *db, "INSERT INTO v (c) VALUES (?1)", &[Value::Int(300)]).await.unwrap_err();
    assert_eq!((error.table(), error.column(), error.constraint()), (Some("v"), Some("c"), Some("v_c_check")));
    assert!(!error.to_string().contains("300"), "{error}");
}

#[tokio::test]
async fn texts_order_and_differ_by_code_point() {
    let mut db = memory().await;
    table(&mut *db, &text(None)).await;
    db.script("CREATE UNIQUE INDEX u ON v (c)").await.unwrap();
    for word in ["a", "A", "ä", "a ", "Z", "😀", "\u{ffff}"] {
        run(&mut *db, "INSERT INTO v (c) VALUES (?1)", &[Value::Text(word.into())]).await.unwrap();
    }
    let found = super::texts(&mut *db, "SELECT c FROM v ORDER BY c", &[]).await;
    assert_eq!(found, ["A", "Z", "a", "a ", "ä", "\u{ffff}", "😀"]);
}

#[tokio::test]
async fn decimals_of_both_kinds_order_as_numbers() {
    for (precision, scale) in [(10, 2), (30, 2)] {
        let ty = ColumnType::Decimal { precision, scale };
        let mut db = memory().await;
        table(&mut *db, &ty).await;
        let sorted = ["-100.00", "-99.99", "-1.50", "-0.01", "0.00", "0.01", "2.00", "10.00"];
        for number in sorted.iter().rev() {
            run(&mut *db, "INSERT INTO v (c) VALUES (?1)", &[decimal(number, precision, scale)]).await.unwrap();
        }
        let found = rows(&mut *db, "SELECT c FROM v ORDER BY c", &[], std::slice::from_ref(&ty)).await.unwrap();
        let want: Vec<Vec<Value>> = sorted.iter().map(|number| vec![decimal(number, precision, scale)]).collect();
        assert!(found == want);
        let least = decimal("-0.01", precision, scale);
        let found = rows(&mut *db, "SELECT c FROM v WHERE c < ?1", &[least], &[ty]).await.unwrap();
        assert_eq!(found.len(), 3);
    }
}

#[tokio::test]
async fn what_is_no_value_of_the_type_is_a_decode_error() {
    let mut db = memory().await;
    for (sql, ty) in [
        ("SELECT 9223372036854775807 + 1", ColumnType::I64),
        ("SELECT CAST(x'fffe' AS TEXT)", text(None)),
        ("SELECT 'true'", ColumnType::Bool),
        ("SELECT -1", ColumnType::U8),
    ] {
        assert_eq!(kind(rows(&mut *db, sql, &[], &[ty]).await), Some(ErrorKind::Decode), "{sql}");
    }
    assert_eq!(super::number(&mut *db, "SELECT 1").await, 1);
}

#[tokio::test]
async fn as_many_parameters_as_it_says_and_no_more() {
    let place = Place::new();
    let mut db = place.connect().await;
    let most = db.capabilities().max_parameters;
    assert!(most >= 32_766, "{most}");
    let sql = |n: usize| format!("SELECT count(*) FROM (VALUES {})", vec!["(?)"; n].join(", "));
    let values = vec![Value::Int(1); most + 1];
    let found = rows(&mut *db, &sql(most), &values[..most], &[ColumnType::I64]).await.unwrap();
    assert!(found == [[Value::Int(i64::try_from(most).unwrap())]]);
    assert_eq!(kind(run(&mut *db, &sql(most + 1), &values).await), Some(ErrorKind::InvalidInput));
    assert_eq!(kind(run(&mut *db, "SELECT ?1, ?2", &values[..1]).await), Some(ErrorKind::InvalidInput));
}
