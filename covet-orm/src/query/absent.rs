//! The default of a column as a value, so that a row may have it beside rows that give the column.

use std::sync::Arc;

use covet_drivers::catalog::{ColumnDefault, ColumnType};
use covet_drivers::sql::{Function, Many, Node};
use covet_drivers::value::{Decimal, Value, parse_date, parse_datetime, parse_time, parse_uuid};
use covet_drivers::{Error, ErrorKind};

use crate::model::ColumnMeta;
use crate::query::insert::now;

/// What a row of a bulk insert writes into a column that it was not given.
pub(super) fn absent(column: &'static ColumnMeta) -> Node {
    match column.default {
        None if column.auto || column.is_generated() => Node::Default,
        None => Node::Value(Value::Null),
        Some(default) => default_node(default, column),
    }
}

/// The time of the insert, for a column of dates or times: the database's own expression gives a timestamp.
fn part_of_now(column: &ColumnMeta) -> Option<Value> {
    const DAY: i64 = 86_400_000_000;
    let now = now();
    match column.ty {
        ColumnType::Date => Some(Value::Date(i32::try_from(now.div_euclid(DAY)).unwrap_or(i32::MAX))),
        ColumnType::Time => Some(Value::Time(now.rem_euclid(DAY))),
        _ => None,
    }
}

/// The default as a node, so that a row may have it beside rows that give the column.
fn default_node(default: &ColumnDefault, column: &'static ColumnMeta) -> Node {
    let value = match (default, column.ty) {
        (ColumnDefault::Now, _) => match part_of_now(column) {
            Some(value) => value,
            None => return Node::Call(Function::Now, Many::EMPTY),
        },
        (ColumnDefault::Bool(v), _) => Value::Bool(*v),
        (ColumnDefault::Int(v), ColumnType::F64) => Value::Float(whole(*v)),
        (ColumnDefault::Int(v), ColumnType::F32) => Value::Float32(short(whole(*v))),
        (ColumnDefault::Int(v), ColumnType::Decimal { precision, scale }) => {
            return decimal(&v.to_string(), *precision, *scale, column);
        }
        // As a given value would be: one column, one kind of value.
        (ColumnDefault::Int(v), ColumnType::U8 | ColumnType::U16 | ColumnType::U32 | ColumnType::U64) => {
            u64::try_from(*v).map_or(Value::Int(*v), Value::UInt)
        }
        (ColumnDefault::Int(v), _) => Value::Int(*v),
        (ColumnDefault::Number(text), ColumnType::Decimal { precision, scale }) => {
            return decimal(text, *precision, *scale, column);
        }
        (ColumnDefault::Number(text), ColumnType::F32) => match text.parse() {
            Ok(number) => Value::Float32(number),
            Err(_) => return malformed(column),
        },
        // An `i64` holds the other half.
        (ColumnDefault::Number(text), ColumnType::U64) => match text.parse() {
            Ok(number) => Value::UInt(number),
            Err(_) => return malformed(column),
        },
        (ColumnDefault::Number(text), _) => match text.parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return malformed(column),
        },
        (ColumnDefault::Text(text), ColumnType::Enum(_)) => Value::Label(text.clone()),
        (ColumnDefault::Text(text), ColumnType::Json) => Value::Json(text.clone().into_owned()),
        (ColumnDefault::Text(text), ColumnType::Text { .. }) => Value::Text(text.clone().into_owned()),
        (ColumnDefault::Text(text), ty) => match read(text, ty) {
            Some(value) => value,
            // In words that the database understands and Covet does not.
            None => return Node::Default,
        },
        (ColumnDefault::Expression(_), _) => return Node::Default,
    };
    Node::Value(value)
}

/// A value that the default says as a text.
fn read(text: &str, ty: &ColumnType) -> Option<Value> {
    Some(match ty {
        ColumnType::Date => Value::Date(parse_date(text)?),
        ColumnType::Time => Value::Time(parse_time(text)?),
        ColumnType::DateTime => Value::DateTime(parse_datetime(text)?),
        ColumnType::Timestamp => Value::Timestamp(parse_datetime(text)?),
        ColumnType::Uuid => Value::Uuid(parse_uuid(text)?),
        // What begins an escape on one database is a character on another.
        ColumnType::Bytes if !text.contains('\\') => Value::Bytes(text.as_bytes().to_vec()),
        _ => return None,
    })
}

fn decimal(text: &str, precision: u8, scale: u8, column: &'static ColumnMeta) -> Node {
    match Decimal::parse(text, precision, scale) {
        Ok(decimal) => Node::Value(Value::Decimal(decimal)),
        Err(error) => Node::Refused(Arc::new(column.at(error))),
    }
}

#[cold]
fn malformed(column: &'static ColumnMeta) -> Node {
    let error = Error::new(ErrorKind::InvalidInput, "the default is no number");
    Node::Refused(Arc::new(column.at(error)))
}

#[allow(clippy::cast_precision_loss)] // a default written as an integer for a float column
fn whole(number: i64) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation)] // the column's own precision
fn short(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::read;
    use covet_drivers::catalog::ColumnType;
    use covet_drivers::value::Value;

    #[test]
    fn a_default_that_is_said_as_a_text_is_a_value_of_its_type() {
        let day = || Value::DateTime(86_400_000_001);
        for (text, ty, wanted) in [
            ("1970-01-02", ColumnType::Date, Some(Value::Date(1))),
            ("00:00:01.000002", ColumnType::Time, Some(Value::Time(1_000_002))),
            ("1970-01-02 00:00:00.000001", ColumnType::DateTime, Some(day())),
            ("1970-01-02 00:00:00.000001", ColumnType::Timestamp, Some(Value::Timestamp(86_400_000_001))),
            ("00000000-0000-0000-0000-0000000000ff", ColumnType::Uuid, Some(Value::Uuid(255_u128.to_be_bytes()))),
            ("ab", ColumnType::Bytes, Some(Value::Bytes(b"ab".to_vec()))),
            ("\\x00", ColumnType::Bytes, None),
            ("yesterday", ColumnType::Date, None),
            ("+0000000000000000000000000000000", ColumnType::Uuid, None),
        ] {
            assert_eq!(read(text, &ty), wanted, "{text} {ty}");
        }
    }
}
