//! Every type: its boundary values come back, what lies outside is refused.

use covet_drivers::ErrorKind;
use covet_drivers::catalog::{Column, ColumnType, EnumType, Table};
use covet_drivers::contract::{Command, Reuse};
use covet_drivers::value::{Decimal, Value};

use crate::mysql::{exec, number, on_mysql, query, text};

/// A column type, values that come back, and values that are refused.
fn cases() -> Vec<(ColumnType, Vec<Value>, Vec<Value>)> {
    let int = |lo: i64, hi: i64| vec![Value::Int(lo), Value::Int(0), Value::Int(hi)];
    let beside = |lo: i64, hi: i64| vec![Value::Int(lo - 1), Value::Int(hi + 1)];
    let uint = |hi: u64| vec![Value::UInt(0), Value::UInt(hi)];
    let decimal = |text: &str, p, s| Value::Decimal(Decimal::parse(text, p, s).unwrap());
    let day = 86_400_000_000_i64;
    let (first, last) = (-719_162, 2_932_896);
    let moments = |make: fn(i64) -> Value| {
        (
            vec![make(i64::from(first) * day), make(-1), make(0), make((i64::from(last) + 1) * day - 1)],
            vec![make(i64::from(first) * day - 1), make((i64::from(last) + 1) * day), make(i64::MAX), make(i64::MIN)],
        )
    };
    let (datetimes, no_datetimes) = moments(Value::DateTime);
    let (timestamps, no_timestamps) = moments(Value::Timestamp);
    let kind = EnumType { name: "kind".into(), labels: vec!["a".into(), "it's".into(), "é\\".into()].into() };
    let odd = "'\"`\\%_\0\n\r\t\u{1a}é日本😀 ";
    vec![
        (ColumnType::Bool, vec![Value::Bool(false), Value::Bool(true)], vec![]),
        (ColumnType::I8, int(-128, 127), beside(-128, 127)),
        (ColumnType::I16, int(-32_768, 32_767), beside(-32_768, 32_767)),
        (ColumnType::I32, int(i32::MIN.into(), i32::MAX.into()), beside(i32::MIN.into(), i32::MAX.into())),
        (ColumnType::I64, int(i64::MIN, i64::MAX), vec![Value::UInt(u64::MAX)]),
        (ColumnType::U8, uint(255), vec![Value::UInt(256), Value::Int(-1)]),
        (ColumnType::U16, uint(65_535), vec![Value::UInt(65_536), Value::Int(-1)]),
        (ColumnType::U32, uint(u32::MAX.into()), vec![Value::UInt(1 << 32), Value::Int(-1)]),
        (ColumnType::U64, uint(u64::MAX), vec![Value::Int(-1)]),
        (
            ColumnType::F32,
            vec![
                Value::Float32(f32::MIN),
                Value::Float32(0.1),
                Value::Float32(f32::MIN_POSITIVE),
                Value::Float32(f32::MAX),
            ],
            vec![Value::Float32(f32::NAN), Value::Float32(f32::INFINITY), Value::Float(1e39)],
        ),
        (
            ColumnType::F64,
            vec![Value::Float(f64::MIN), Value::Float(0.1), Value::Float(f64::MIN_POSITIVE), Value::Float(f64::MAX)],
            vec![Value::Float(f64::NAN), Value::Float(f64::NEG_INFINITY)],
        ),
        (ColumnType::Text { max_len: None }, vec![text(""), text(odd), text(&"日".repeat(70_000))], vec![]),
        (
            ColumnType::Text { max_len: Some(3) },
            vec![text(""), text("日本😀"), text("a  ")],
            vec![text("abcd"), text("日本語x")],
        ),
        (ColumnType::Text { max_len: Some(20_000) }, vec![text(&"é".repeat(20_000))], vec![text(&"é".repeat(20_001))]),
        (ColumnType::Bytes, vec![Value::Bytes(vec![]), Value::Bytes((0..=255).collect())], vec![]),
        (
            ColumnType::Date,
            vec![Value::Date(first), Value::Date(-1), Value::Date(0), Value::Date(last)],
            vec![Value::Date(first - 1), Value::Date(last + 1), Value::Date(i32::MIN), Value::Date(i32::MAX)],
        ),
        (
            ColumnType::Time,
            vec![Value::Time(0), Value::Time(1), Value::Time(day - 1)],
            vec![Value::Time(-1), Value::Time(day)],
        ),
        (ColumnType::DateTime, datetimes, no_datetimes),
        (ColumnType::Timestamp, timestamps, no_timestamps),
        (
            ColumnType::Uuid,
            vec![Value::Uuid([0; 16]), Value::Uuid([255; 16]), Value::Uuid(*b"0123456789abcdef")],
            vec![Value::Bytes(vec![1; 17])],
        ),
        (
            ColumnType::Decimal { precision: 10, scale: 2 },
            vec![decimal("-99999999.99", 10, 2), decimal("0", 10, 2), decimal("99999999.99", 10, 2)],
            vec![decimal("100000000.00", 12, 2)],
        ),
        (
            ColumnType::Decimal { precision: 38, scale: 10 },
            vec![decimal("9999999999999999999999999999.9999999999", 38, 10), decimal("-0.0000000001", 38, 10)],
            vec![],
        ),
        (
            ColumnType::Json,
            vec![Value::Json(r#"{"a":[1,null,"é"]}"#.into()), Value::Json("null".into())],
            vec![Value::Json("{".into())],
        ),
        (
            ColumnType::Enum(kind),
            vec![Value::Label("a".into()), Value::Label("it's".into()), Value::Label("é\\".into())],
            vec![Value::Label("A".into()), Value::Label("".into())],
        ),
    ]
}

#[test]
fn boundaries_come_back_and_what_lies_outside_is_refused() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        let mut table = Table {
            name: "every".into(),
            primary_key: vec!["id".into()],
            columns: vec![Column::new("id", ColumnType::I64)],
            ..Table::default()
        };
        for (index, (ty, ..)) in cases().into_iter().enumerate() {
            table.columns.push(Column { nullable: true, ..Column::new(format!("c{index}"), ty) });
        }
        crate::mysql::ddl::create(conn, &[table]).await;
        let mut id = 0;
        for (index, (ty, good, bad)) in cases().into_iter().enumerate() {
            let insert = format!("INSERT INTO every (id, c{index}) VALUES (?, ?)");
            let select = format!("SELECT c{index} FROM every WHERE id = ?");
            for value in good.into_iter().chain([Value::Null]) {
                id += 1;
                let done = exec(conn, &insert, &[Value::Int(id), value.clone()]).await;
                assert!(done.is_ok(), "{ty}: {value:?}: {done:?}");
                let rows = query(conn, &select, &[Value::Int(id)], std::slice::from_ref(&ty)).await.unwrap();
                assert!(rows == [[value.clone()]], "{ty}: another value came back");
                if !matches!(ty, ColumnType::Json) && value != Value::Null {
                    let found = query(
                        conn,
                        &format!("SELECT id FROM every WHERE c{index} = ? AND id = ?"),
                        &[value.clone(), Value::Int(id)],
                        &[ColumnType::I64],
                    )
                    .await
                    .unwrap();
                    assert_eq!(found.len(), 1, "{ty}: {value:?} is not found by itself");
                }
            }
            for value in bad {
                id += 1;
                let error = exec(conn, &insert, &[Value::Int(id), value.clone()])
                    .await
                    .expect_err(&format!("{ty}: {value:?} was taken"));
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::OutOfRange | ErrorKind::InvalidInput | ErrorKind::Check),
                    "{ty}: {error:?}"
                );
            }
        }
    });
}

#[test]
fn decimals_are_compared_exactly() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (d DECIMAL(38, 4), e DECIMAL(38, 0))").await.unwrap();
        let d = |text: &str| Value::Decimal(Decimal::parse(text, 38, 4).unwrap());
        let e = |text: &str| Value::Decimal(Decimal::parse(text, 38, 0).unwrap());
        exec(
            conn,
            "INSERT INTO t VALUES (?, ?)",
            &[d("1234567890123456789012345678.0001"), e("12345678901234567890123456789012345678")],
        )
        .await
        .unwrap();
        for (condition, value, found) in [
            ("d = ?", d("1234567890123456789012345678.0001"), 1),
            ("d = ?", d("1234567890123456789012345678.0002"), 0),
            ("d < ?", d("1234567890123456789012345678.0002"), 1),
            ("d > ?", d("1234567890123456789012345678.0000"), 1),
            ("e = ?", e("12345678901234567890123456789012345679"), 0),
            ("e IN (?, 1)", e("12345678901234567890123456789012345679"), 0),
            ("d + ? = 0", d("-1234567890123456789012345678.0001"), 1),
            ("d + ? = 0", d("-1234567890123456789012345678.0002"), 0),
            ("e BETWEEN ? AND e", e("12345678901234567890123456789012345679"), 0),
        ] {
            let rows =
                query(conn, &format!("SELECT 1 FROM t WHERE {condition}"), &[value], &[ColumnType::I64]).await.unwrap();
            assert_eq!(rows.len(), found, "{condition}");
        }
    });
}

#[test]
fn aggregates_and_what_does_not_decode() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (a INT, d DATE, b VARBINARY(9)) ; INSERT INTO t VALUES (1, '2024-02-29', x'ff'), (2, NULL, '')").await.unwrap();
        assert_eq!(number(conn, "SELECT SUM(a) FROM t").await, 3);
        let rows = query(conn, "SELECT AVG(a) FROM t", &[], &[ColumnType::F64]).await.unwrap();
        assert!(rows == [[Value::Float(1.5)]]);
        for (sql, ty) in [
            ("SELECT b FROM t WHERE a = 1", ColumnType::Text { max_len: None }),
            ("SELECT a FROM t WHERE a = 2", ColumnType::Bool),
            ("SELECT 1.5", ColumnType::I64),
            ("SELECT 'x'", ColumnType::Date),
            ("SELECT CAST('25:00:00' AS TIME)", ColumnType::Time),
        ] {
            let error = query(conn, sql, &[], &[ty]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{sql}");
        }
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, 2, "in step after a sink's error");
    });
}

#[test]
fn as_many_values_as_the_protocol_has() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let one = Value::Int(1);
        for (count, fits) in [(65_535, true), (65_536, false)] {
            let sql = format!("SELECT {}", vec!["?"; count].join(" + "));
            let sql = if count > 4_000 { format!("SELECT 1 WHERE 1 IN ({})", vec!["?"; count].join(",")) } else { sql };
            let args = vec![&one; count];
            let result = conn.run(Command { sql: &sql, args: &args, reuse: Reuse::Once }, &mut ()).await;
            assert_eq!(result.is_ok(), fits, "{count}");
            assert_eq!(number(conn.as_mut(), "SELECT 1").await, 1);
        }
    });
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent() {
    on_mysql(async |db| {
        let mut conn = db.connect().await;
        let conn = conn.as_mut();
        conn.script("CREATE TABLE t (b LONGBLOB)").await.unwrap();
        let most = usize::try_from(number(conn, "SELECT @@max_allowed_packet").await).unwrap();
        let error = exec(conn, "INSERT INTO t VALUES (?)", &[Value::Bytes(vec![7; most])]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange, "{error}");
        let half = Value::Bytes(vec![7; most / 2]);
        exec(conn, "INSERT INTO t VALUES (?)", std::slice::from_ref(&half)).await.unwrap();
        exec(conn, "INSERT INTO t VALUES (?), (?), (?)", &[half.clone(), half.clone(), half]).await.unwrap();
        assert_eq!(number(conn, "SELECT COUNT(*) FROM t").await, 4);
    });
}
