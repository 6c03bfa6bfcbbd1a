//! What tin stores for each type, both ways, and the condition that keeps everything else out.

use covet_drivers::catalog::{ColumnDefault, ColumnType};
use covet_drivers::contract::RowSource;
use covet_drivers::render::ansi;
use covet_drivers::value::{
    Decimal, Value, ValueRef, date_text, datetime_text, parse_date, parse_datetime, parse_time, time_text,
};
use covet_drivers::{Error, ErrorKind, Result};
use rusqlite::types::Value as Stored;

/// The type in SQL and the condition for a column; which of the two words ends the condition's name
/// says what kind of error it is when it does not hold.
pub(crate) fn spelled(ty: &ColumnType, c: &str) -> (&'static str, &'static str, Option<String>) {
    if let Some((low, high)) = ty.integer_range() {
        let high = high.min(i64::MAX.into());
        return ("INTEGER", "range", Some(format!("{c} BETWEEN {low} AND {high}")));
    }
    let is = |text: String| Some(format!("{text} IS {c}"));
    match ty {
        ColumnType::Bool => ("INTEGER", "range", Some(format!("{c} IN (0, 1)"))),
        ColumnType::F32 | ColumnType::F64 => ("REAL", "range", None),
        ColumnType::Text { max_len } => ("TEXT", "range", max_len.map(|most| format!("length({c}) <= {most}"))),
        ColumnType::Uuid => ("BLOB", "form", Some(format!("length({c}) = 16"))),
        ColumnType::Decimal { precision, .. } => {
            ("INTEGER", "range", Some(format!("abs({c}) < 1{}", "0".repeat((*precision).into()))))
        }
        ColumnType::Json => ("TEXT", "form", Some(format!("json_valid({c})"))),
        ColumnType::Enum(ty) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| quoted(label)).collect();
            ("TEXT", "form", Some(format!("{c} IN ({})", labels.join(", "))))
        }
        ColumnType::Date => ("TEXT", "form", is(format!("date({c})"))),
        ColumnType::Time => ("TEXT", "form", is(format!("strftime('%H:%M:%S', {c}) || substr({c}, 9, 7)"))),
        ColumnType::DateTime | ColumnType::Timestamp => {
            ("TEXT", "form", is(format!("strftime('%Y-%m-%d %H:%M:%S', substr({c}, 1, 19)) || substr({c}, 20, 7)")))
        }
        _ => ("BLOB", "form", None),
    }
}

/// The default of a column in SQL; `None` when tin has no such default.
pub(crate) fn default(default: &ColumnDefault, ty: &ColumnType) -> Option<String> {
    Some(match (default, ty) {
        (ColumnDefault::Bool(v), ColumnType::Bool) => u8::from(*v).to_string(),
        (ColumnDefault::Int(v), ty) if ty.integer_range().is_some() => v.to_string(),
        (ColumnDefault::Number(v), ColumnType::F64 | ColumnType::F32) => v.parse::<f64>().ok()?.to_string(),
        (ColumnDefault::Number(v), ColumnType::Decimal { precision, scale }) => {
            Decimal::parse(v, *precision, *scale).ok()?.mantissa().to_string()
        }
        (ColumnDefault::Text(v), ColumnType::Text { .. }) => quoted(v),
        (ColumnDefault::Text(v), ColumnType::Enum(ty)) if ty.labels.contains(v) => quoted(v),
        (ColumnDefault::Now, ColumnType::DateTime | ColumnType::Timestamp) => {
            String::from("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))")
        }
        (ColumnDefault::Now, ColumnType::Date) => String::from("(date('now'))"),
        (ColumnDefault::Now, ColumnType::Time) => String::from("(strftime('%H:%M:%f000', 'now'))"),
        _ => return None,
    })
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    ansi::literal(text, &mut out);
    out
}

/// The value as it is bound.
pub(crate) fn encode(value: &Value) -> Result<Stored> {
    let beyond = |what: &'static str| Error::new(ErrorKind::OutOfRange, format!("Tin cannot hold {what}"));
    let moment = |text: Option<String>| text.map(Stored::Text).ok_or_else(|| beyond("a date outside 0000 to 9999"));
    let real = |v: f64| if v.is_nan() { Err(beyond("NaN")) } else { Ok(Stored::Real(v)) };
    let text = |v: &str| match v.contains('\0') {
        true => Err(Error::new(ErrorKind::InvalidInput, "Tin cannot hold a text with a NUL in it")),
        false => Ok(Stored::Text(v.to_owned())),
    };
    Ok(match value {
        Value::Null => Stored::Null,
        Value::Bool(v) => Stored::Integer((*v).into()),
        Value::Int(v) => Stored::Integer(*v),
        Value::UInt(v) => Stored::Integer(i64::try_from(*v).map_err(|_| beyond("an integer of more than 63 bits"))?),
        Value::Float32(v) => real((*v).into())?,
        Value::Float(v) => real(*v)?,
        Value::Text(v) | Value::Json(v) => text(v)?,
        Value::Label(v) => text(v)?,
        Value::Bytes(v) => Stored::Blob(v.clone()),
        Value::Date(v) => moment(date_text(*v))?,
        Value::Time(v) => time_text(*v).map(Stored::Text).ok_or_else(|| beyond("a time outside one day"))?,
        Value::DateTime(v) | Value::Timestamp(v) => moment(datetime_text(*v))?,
        Value::Uuid(v) => Stored::Blob(v.to_vec()),
        Value::Decimal(v) => {
            Stored::Integer(i64::try_from(v.mantissa()).map_err(|_| beyond("a decimal of more than 18 digits"))?)
        }
    })
}

/// A row that was taken out of its statement.
pub(crate) struct OwnRow(pub(crate) Vec<Stored>);

impl RowSource for OwnRow {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        let wrong = || Error::new(ErrorKind::Decode, format!("no value of type {column} came"));
        decode(self.0.get(index).ok_or_else(wrong)?, column).ok_or_else(wrong)
    }
}

#[allow(clippy::cast_possible_truncation)] // the comparison is the point
fn decode<'a>(stored: &'a Stored, column: &ColumnType) -> Option<ValueRef<'a>> {
    Some(match (stored, column) {
        (Stored::Null, _) => ValueRef::Null,
        (Stored::Integer(v), ColumnType::Bool) => ValueRef::Bool(*v != 0),
        (Stored::Integer(v), ColumnType::Decimal { precision, scale }) => {
            ValueRef::Decimal(Decimal::new((*v).into(), *precision, *scale).ok()?)
        }
        (Stored::Integer(v), ty) if ty.integer_range().is_some() => ValueRef::Int(*v),
        (Stored::Real(v), ColumnType::F32) if f64::from(*v as f32) == *v => ValueRef::Float32(*v as f32),
        (Stored::Real(v), ColumnType::F64) => ValueRef::Float(*v),
        (Stored::Text(v), ColumnType::Text { .. }) => ValueRef::Text(v),
        (Stored::Text(v), ColumnType::Json) => ValueRef::Json(v),
        (Stored::Text(v), ColumnType::Enum(_)) => ValueRef::Label(v),
        (Stored::Text(v), ColumnType::Date) => ValueRef::Date(parse_date(v)?),
        (Stored::Text(v), ColumnType::Time) => ValueRef::Time(parse_time(v)?),
        (Stored::Text(v), ColumnType::DateTime) => ValueRef::DateTime(parse_datetime(v)?),
        (Stored::Text(v), ColumnType::Timestamp) => ValueRef::Timestamp(parse_datetime(v)?),
        (Stored::Blob(v), ColumnType::Bytes) => ValueRef::Bytes(v),
        (Stored::Blob(v), ColumnType::Uuid) => ValueRef::Uuid(v.as_slice().try_into().ok()?),
        _ => return None,
    })
}
