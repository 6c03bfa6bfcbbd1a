//! Every column type: its boundary values and NULL come back, and what lies outside is refused or
//! comes back too, but never as another value.

use crate::catalog::{ColumnType, EnumType, Schema};
use crate::conformance::bed::left_out;
use crate::conformance::bulk;
use crate::conformance::compare::{has_equality, refuses, same, show};
use crate::conformance::fixture::{insert, int, is, nullable, schema, select, table, update};
use crate::conformance::session::{Applied, Session};
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::sql::{BinaryOp, Node, Ref, Select};
use crate::value::{Decimal, Value, parse_date};

/// A type, values that it must hold, and values that are refused where they cannot be held.
struct Family {
    ty: ColumnType,
    fits: Vec<Value>,
    doubtful: Vec<Value>,
}

const DAY: i64 = 86_400_000_000;

fn family(ty: ColumnType, fits: impl Into<Vec<Value>>, doubtful: impl Into<Vec<Value>>) -> Family {
    Family { ty, fits: fits.into(), doubtful: doubtful.into() }
}

fn only(ty: &ColumnType) -> Schema {
    schema([table("t", [nullable("c", ty.clone())])])
}

async fn hold(bed: &Bed, families: Vec<Family>) -> Outcome {
    let mut session = bed.connect().await?;
    for Family { ty, fits, doubtful } in families {
        let schema = only(&ty);
        match session.try_make(&schema).await? {
            Applied::Done => {}
            Applied::Unsupported => continue,
            Applied::Refused(why) => return Err(Failure::new(why)),
        }
        let mut id = 0;
        for value in fits.iter().chain([&Value::Null]) {
            id += 1;
            let given = insert("t", &["id", "c"], [vec![int(id), Node::Value(value.clone())]]);
            let inserted = session.exec(given).await;
            check!(inserted.is_ok(), "{ty}: {} was refused: {:?}", show(value), inserted.err());
            comes_back(&mut session, &ty, id, value).await?;
        }
        for value in &doubtful {
            id += 1;
            let given = insert("t", &["id", "c"], [vec![int(id), Node::Value(value.clone())]]);
            match session.exec(given).await {
                Ok(_) => comes_back(&mut session, &ty, id, value).await?,
                Err(error) => {
                    check!(refuses(&error, &ty), "{ty}: {} was refused as {error:?}", show(value));
                    let kept = session.numbers(select("t", "id", Some(is("id", int(id))))).await?;
                    check!(kept.is_empty(), "{ty}: {} was refused and kept", show(value));
                }
            }
        }
        bulk::hold(&mut session, &ty, &fits, &doubtful).await?;
        session.unmake(&schema).await?;
    }
    Ok(())
}

/// The value is what comes back, and the row is found by it.
async fn comes_back(session: &mut Session, ty: &ColumnType, id: i64, value: &Value) -> Outcome {
    let filter = is("id", int(id));
    let column = Select { filter: Some(filter.clone()), ..Select::new("t", vec![Node::column("c")]) };
    let found = session.rows(column, std::slice::from_ref(ty)).await?;
    match found.as_slice() {
        [row] => match row.as_slice() {
            [came] => check!(same(value, came), "{ty}: {} came back as {}", show(value), show(came)),
            _ => return Err(Failure::new("a row of one column came back as another")),
        },
        _ => return Err(Failure::new(format_args!("{ty}: {} rows came back for one", found.len()))),
    }
    if has_equality(ty) && *value != Value::Null && same(value, value) && !is_nan(value) {
        let itself = filter.and(is("c", Node::Value(value.clone())));
        let found = session.numbers(select("t", "id", Some(itself))).await?;
        check!(found == [Some(id)], "{ty}: {} is not found by itself", show(value));
    }
    Ok(())
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(v) if v.is_nan()) || matches!(value, Value::Float32(v) if v.is_nan())
}

/// true and false.
pub async fn booleans(bed: &Bed) -> Outcome {
    hold(bed, vec![family(ColumnType::Bool, [Value::Bool(true), Value::Bool(false)], [])]).await
}

/// Both ends of every integer type, and one beyond.
pub async fn integers(bed: &Bed) -> Outcome {
    let mut families = Vec::new();
    for ty in [ColumnType::I8, ColumnType::I16, ColumnType::I32] {
        let (low, high) = ends(&ty)?;
        families.push(family(
            ty,
            [Value::Int(low), Value::Int(-1), Value::Int(0), Value::Int(high)],
            [Value::Int(low - 1), Value::Int(high + 1), Value::UInt(u64::MAX), Value::Int(i64::MIN)],
        ));
    }
    families.push(family(
        ColumnType::I64,
        [Value::Int(i64::MIN), Value::Int(0), Value::Int(i64::MAX), Value::Int((1 << 53) + 1)],
        [Value::UInt(1 << 63), Value::UInt(u64::MAX)],
    ));
    for ty in [ColumnType::U8, ColumnType::U16, ColumnType::U32] {
        let (_, high) = ends(&ty)?;
        let high = high.unsigned_abs();
        families.push(family(
            ty,
            [Value::UInt(0), Value::UInt(1), Value::UInt(high)],
            [Value::Int(-1), Value::UInt(high + 1), Value::UInt(u64::MAX), Value::Int(i64::MIN)],
        ));
    }
    families.push(family(
        ColumnType::U64,
        [Value::UInt(0), Value::UInt(i64::MAX.unsigned_abs())],
        [Value::Int(-1), Value::UInt(1 << 63), Value::UInt(u64::MAX)],
    ));
    hold(bed, families).await
}

fn ends(ty: &ColumnType) -> Result<(i64, i64), Failure> {
    let (low, high) = ty.integer_range().ok_or_else(|| Failure::new("an integer type has a range"))?;
    Ok((i64::try_from(low).map_err(Failure::new)?, i64::try_from(high).map_err(Failure::new)?))
}

/// The largest, the smallest and the finest; infinities and NaN where they can be held.
pub async fn floats(bed: &Bed) -> Outcome {
    let singles = [f32::MIN, f32::MAX, f32::MIN_POSITIVE, 0.1, -0.5, 0.0, 16_777_217.0].map(Value::Float32);
    let doubles = [f64::MIN, f64::MAX, f64::MIN_POSITIVE, 0.1, -0.5, 0.0, 9_007_199_254_740_993.0].map(Value::Float);
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    hold(
        bed,
        vec![
            family(ColumnType::F32, singles, [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-45].map(Value::Float32)),
            family(ColumnType::F64, doubles, odd.into_iter().chain([5e-324]).map(Value::Float).collect::<Vec<_>>()),
        ],
    )
    .await
}

/// Empty, long, odd and foreign text; lengths count code points.
pub async fn texts(bed: &Bed) -> Outcome {
    let text = |text: &str| Value::Text(text.into());
    let odd = "'\"`\\%_!\n\r\t\u{1a}\u{7f} $1 ? :a ¿é日本😀\u{10ffff} ";
    let nul = text("a\0b");
    hold(
        bed,
        vec![
            family(
                ColumnType::Text { max_len: None },
                [text(""), text(" a "), text(odd), text(&"日".repeat(100_000))],
                [nul.clone()],
            ),
            family(
                ColumnType::Text { max_len: Some(4) },
                [text(""), text("日本😀é"), text("a   "), text("    ")],
                [text("abcde"), text("日本語日本"), nul],
            ),
        ],
    )
    .await
}

/// Nothing, every byte, and a megabyte.
pub async fn bytes(bed: &Bed) -> Outcome {
    let values = [Vec::new(), vec![0], (0..=255).collect(), vec![0x5c; 1 << 20]];
    hold(bed, vec![family(ColumnType::Bytes, values.map(Value::Bytes), [])]).await
}

/// The years 1 to 9999 to the microsecond; the ends of what a value can say where they can be held.
pub async fn days_and_times(bed: &Bed) -> Outcome {
    let day = |text| parse_date(text).ok_or_else(|| Failure::new("a date of the suite's own"));
    let (first, leap, last) = (day("0001-01-01")?, day("2024-02-29")?, day("9999-12-31")?);
    let moments = |make: fn(i64) -> Value| {
        let (first, leap, last) = (i64::from(first) * DAY, i64::from(leap) * DAY, i64::from(last) * DAY);
        let fits = [first, -1, 0, 1, 1_700_000_000_123_456, leap, last + DAY - 1].map(make);
        (fits, [first - 1, last + DAY, i64::MIN, i64::MAX].map(make))
    };
    let (datetimes, doubtful_datetimes) = moments(Value::DateTime);
    let (timestamps, doubtful_timestamps) = moments(Value::Timestamp);
    hold(
        bed,
        vec![
            family(
                ColumnType::Date,
                [first, -1, 0, leap, last].map(Value::Date),
                [first - 1, last + 1, i32::MIN, i32::MAX].map(Value::Date),
            ),
            family(
                ColumnType::Time,
                [0, 1, DAY / 2, DAY - 1].map(Value::Time),
                [-1, DAY, i64::MIN, i64::MAX].map(Value::Time),
            ),
            family(ColumnType::DateTime, datetimes, doubtful_datetimes),
            family(ColumnType::Timestamp, timestamps, doubtful_timestamps),
        ],
    )
    .await
}

/// All zeros, all ones, and one with bytes that text would change.
pub async fn uuids(bed: &Bed) -> Outcome {
    let odd = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x5c, 0x27, 0x22, 0xff, 0xfe];
    let values = [[0; 16], [255; 16], odd].map(Value::Uuid);
    hold(bed, vec![family(ColumnType::Uuid, values, [Value::Bytes(vec![1; 17])])]).await
}

/// All digits before the point, all behind it, and one more than there may be.
pub async fn decimals(bed: &Bed) -> Outcome {
    let mut families = Vec::new();
    for (precision, scale) in [(1, 0), (10, 2), (18, 18), (19, 0), (38, 0), (38, 10), (38, 38)] {
        let most = 10_i128.pow(u32::from(precision)) - 1;
        let mut fits = Vec::new();
        for mantissa in [most, -most, 0, 1, -1] {
            fits.push(Value::Decimal(Decimal::new(mantissa, precision, scale)?));
        }
        let doubtful = if precision < Decimal::MAX_PRECISION {
            vec![Value::Decimal(Decimal::new(most + 1, precision + 1, scale)?)]
        } else {
            Vec::new()
        };
        families.push(family(ColumnType::Decimal { precision, scale }, fits, doubtful));
    }
    hold(bed, families).await
}

/// Documents of every kind, and what is none.
pub async fn json(bed: &Bed) -> Outcome {
    let good = ["null", "true", "-1.5", "\"é \\\" \\n\"", "[]", r#"{"a":[1,null,"日 😀",{"b":false}]}"#];
    let bad = ["{", "", "nul", "[1,]"];
    let value = |text: &str| Value::Json(text.into());
    hold(bed, vec![family(ColumnType::Json, good.map(value), bad.map(value))]).await
}

/// Every label, and no other.
pub async fn enums(bed: &Bed) -> Outcome {
    let labels = ["fine", "it's", "back\\slash", "com,ma", "é日", "two words"];
    let all: Vec<_> = labels.iter().map(|label| (*label).into()).collect();
    let ty = ColumnType::Enum(EnumType { name: "mood".into(), labels: all.into() });
    let label = |label: &'static str| Value::Label(label.into());
    hold(bed, vec![family(ty, labels.map(label), ["", "FINE", "fine ", "other"].map(label))]).await
}

/// `ORDER BY`, `<` and `BETWEEN` go by the value, whatever it is stored as.
pub async fn order_is_that_of_the_values(bed: &Bed) -> Outcome {
    let decimal = |mantissa| Decimal::new(mantissa, 38, 4).map(Value::Decimal);
    let most = 10_i128.pow(38) - 1;
    let mut decimals = Vec::new();
    for mantissa in [-most, -10_000, -9_999, -1, 0, 1, 99, 100, most] {
        decimals.push(decimal(mantissa)?);
    }
    let mut session = bed.connect().await?;
    for (ty, sorted) in [
        (ColumnType::I64, [i64::MIN, -10, -9, -1, 0, 1, 9, 10, i64::MAX].map(Value::Int).to_vec()),
        (ColumnType::U32, [0, 1, 9, 10, 4_294_967_295].map(Value::UInt).to_vec()),
        (ColumnType::F64, [-1e300, -10.0, -9.0, -1e-9, 0.0, 1e-9, 9.0, 10.0, 1e300].map(Value::Float).to_vec()),
        (ColumnType::Decimal { precision: 38, scale: 4 }, decimals),
        (ColumnType::Date, [-700_000, -1, 0, 1, 2_900_000].map(Value::Date).to_vec()),
        (ColumnType::Time, [0, 1, DAY / 2, DAY - 1].map(Value::Time).to_vec()),
        (ColumnType::DateTime, [-DAY * 700_000, -DAY, -1, 0, 1, DAY].map(Value::DateTime).to_vec()),
        (ColumnType::Timestamp, [-DAY * 700_000, -DAY, -1, 0, 1, DAY].map(Value::Timestamp).to_vec()),
        (
            ColumnType::Bytes,
            [vec![], vec![0], vec![0, 1], vec![0x7f], vec![0x80], vec![255]].map(Value::Bytes).to_vec(),
        ),
    ] {
        let schema = only(&ty);
        match session.try_make(&schema).await? {
            Applied::Done => {}
            Applied::Unsupported => continue,
            Applied::Refused(why) => return Err(Failure::new(why)),
        }
        // Largest first, so that the order of the inserts is not the one that is asked for.
        let rows = sorted.iter().rev().zip(1..).map(|(value, id)| vec![int(id), Node::Value(value.clone())]);
        session.exec(insert("t", &["id", "c"], rows)).await?;
        let found = session.rows(select("t", "c", None), std::slice::from_ref(&ty)).await?;
        let same = found.len() == sorted.len() && sorted.iter().zip(found.iter().flatten()).all(|(a, b)| same(a, b));
        check!(same, "{ty} sorts as {:?}", found.iter().flatten().map(show).collect::<Vec<_>>());
        for (place, value) in (0..).zip(&sorted) {
            let below = Node::binary(BinaryOp::Lt, Node::column("c"), Node::Value(value.clone()));
            let found = session.numbers(select("t", "id", Some(below))).await?.len();
            check!(found == place, "{ty}: {found} values are below {}, and not {place}", show(value));
        }
        if let [low, .., high] = sorted.as_slice() {
            let ends = [Node::column("c"), Node::Value(low.clone()), Node::Value(high.clone())];
            let found = session.numbers(select("t", "id", Some(Node::Between(Ref::new(ends))))).await?.len();
            check!(found == sorted.len(), "{ty}: {found} values lie between the ends, and not all");
        }
        session.unmake(&schema).await?;
    }
    Ok(())
}

/// Decimals of as many digits as the dialect says are added without a rounding, and longer ones are refused.
pub async fn decimals_are_reckoned_exactly(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    let digits = bed.backend.dialect().decimal_digits();
    for precision in [digits, digits.saturating_add(1)].into_iter().filter(|digits| *digits <= Decimal::MAX_PRECISION) {
        let ty = ColumnType::Decimal { precision, scale: 2 };
        let schema = only(&ty);
        let Applied::Done = session.try_make(&schema).await? else {
            left_out(format_args!("reckoning with {ty}"));
            continue;
        };
        let most = 10_i128.pow(u32::from(precision)) - 1;
        let value = |mantissa| Decimal::new(mantissa, precision, 2).map(|decimal| Node::Value(Value::Decimal(decimal)));
        session.exec(insert("t", &["id", "c"], [vec![int(1), value(most - 1)?]])).await?;
        let sum = Node::Decimal(BinaryOp::Add, precision, Ref::new([Node::column("c"), value(1)?]));
        let added = session.exec(update("t", "c", sum, None)).await;
        if precision > digits {
            let refused = added.err().map(|error| error.kind());
            check!(refused == Some(crate::ErrorKind::Unsupported), "{ty} can be reckoned with: {refused:?}");
        } else {
            added?;
            comes_back(&mut session, &ty, 1, &Value::Decimal(Decimal::new(most, precision, 2)?)).await?;
        }
        session.unmake(&schema).await?;
    }
    Ok(())
}
