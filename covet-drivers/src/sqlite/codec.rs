//! Values as SQLite stores them, both ways: integers, reals, texts and blobs.

use std::borrow::Cow;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef as Stored};

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{
    self, Decimal, ValueRef, date_text, datetime_text, parse_date, parse_datetime, parse_time, time_text,
};

/// A decimal of so many digits is stored as an integer; a longer one as text that sorts as it does.
pub(super) const INTEGER_DIGITS: u8 = 18;

/// What SQLite hands out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A value as it is bound.
pub(super) enum Bound<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
    /// A blob that needs no room of its own.
    Uuid([u8; 16]),
}

impl Bound<'_> {
    /// The same, owned, so that it can go to another thread.
    pub(super) fn into_owned(self) -> Bound<'static> {
        match self {
            Bound::Null => Bound::Null,
            Bound::Integer(v) => Bound::Integer(v),
            Bound::Real(v) => Bound::Real(v),
            Bound::Text(v) => Bound::Text(Cow::Owned(v.into_owned())),
            Bound::Blob(v) => Bound::Blob(Cow::Owned(v.into_owned())),
            Bound::Uuid(v) => Bound::Uuid(v),
        }
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Bound::Null => Stored::Null,
            Bound::Integer(v) => Stored::Integer(*v),
            Bound::Real(v) => Stored::Real(*v),
            Bound::Text(v) => Stored::Text(v.as_bytes()),
            Bound::Blob(v) => Stored::Blob(v),
            Bound::Uuid(v) => Stored::Blob(v),
        }))
    }
}

/// The value as it is bound.
pub(super) fn encode(value: ValueRef<'_>) -> Result<Bound<'_>> {
    Ok(match value {
        ValueRef::Null => Bound::Null,
        ValueRef::Bool(v) => Bound::Integer(v.into()),
        ValueRef::Int(v) => Bound::Integer(v),
        ValueRef::UInt(v) => Bound::Integer(i64::try_from(v).map_err(|_| {
            Error::new(
                ErrorKind::OutOfRange,
                "SQLite holds integers up to 9223372036854775807, and the number is larger",
            )
        })?),
        ValueRef::Float32(v) => real(f64::from(v))?,
        ValueRef::Float(v) => real(v)?,
        ValueRef::Text(v) => text(v)?,
        ValueRef::Label(v) => text(v)?,
        ValueRef::Bytes(v) => Bound::Blob(Cow::Borrowed(v)),
        ValueRef::Date(v) => time(date_text(v), "the date")?,
        ValueRef::Time(v) => time(time_text(v), "the time")?,
        ValueRef::DateTime(v) => time(datetime_text(v), "the date")?,
        ValueRef::Timestamp(v) => time(datetime_text(v), "the timestamp")?,
        ValueRef::Uuid(v) => Bound::Uuid(v),
        ValueRef::Decimal(v) => decimal(v)?,
        ValueRef::Json(v) => text(v)?,
    })
}

/// The value for a column of this type.
pub(super) fn decode<'a>(raw: Raw<'a>, column: &ColumnType) -> Result<ValueRef<'a>> {
    match (raw, column) {
        (Raw::Null, _) => return Ok(ValueRef::Null),
        // Most columns are one of these, and this is done for every value of every row.
        (Raw::Integer(v), ColumnType::I64 | ColumnType::I32) => return Ok(ValueRef::Int(v)),
        (Raw::Text(v), ColumnType::Text { .. }) => return Ok(ValueRef::Text(v)),
        (Raw::Real(v), ColumnType::F64) => return Ok(ValueRef::Float(v)),
        _ => {}
    }
    let value = match (column, raw) {
        (ColumnType::Bool, Raw::Integer(v @ 0..=1)) => Some(ValueRef::Bool(v == 1)),
        (ColumnType::I8 | ColumnType::I16, Raw::Integer(v)) => Some(ValueRef::Int(v)),
        (ColumnType::U8 | ColumnType::U16 | ColumnType::U32 | ColumnType::U64, Raw::Integer(v)) => {
            u64::try_from(v).ok().map(ValueRef::UInt)
        }
        (ColumnType::F32, Raw::Real(v)) => Some(single(v)),
        (ColumnType::F32 | ColumnType::F64, Raw::Integer(v)) => exact(v).map(ValueRef::Float),
        (ColumnType::Bytes, Raw::Blob(v)) => Some(ValueRef::Bytes(v)),
        (ColumnType::Date, Raw::Text(v)) => parse_date(v).map(ValueRef::Date),
        (ColumnType::Time, Raw::Text(v)) => parse_time(v).map(ValueRef::Time),
        (ColumnType::DateTime, Raw::Text(v)) => parse_datetime(v).map(ValueRef::DateTime),
        (ColumnType::Timestamp, Raw::Text(v)) => parse_datetime(v).map(ValueRef::Timestamp),
        (ColumnType::Uuid, Raw::Blob(v)) => v.try_into().ok().map(ValueRef::Uuid),
        (ColumnType::Decimal { precision, scale }, Raw::Integer(v)) if *precision <= INTEGER_DIGITS => {
            Decimal::new(v.into(), *precision, *scale).ok().map(ValueRef::Decimal)
        }
        (ColumnType::Decimal { precision, scale }, Raw::Text(v)) if *precision > INTEGER_DIGITS => {
            unsort(v, *precision, *scale).map(ValueRef::Decimal)
        }
        (ColumnType::Json, Raw::Text(v)) => Some(ValueRef::Json(v)),
        (ColumnType::Enum(_), Raw::Text(v)) => Some(ValueRef::Label(v)),
        (ColumnType::Other(_), raw) => Some(match raw {
            Raw::Null => ValueRef::Null,
            Raw::Integer(v) => ValueRef::Int(v),
            Raw::Real(v) => ValueRef::Float(v),
            Raw::Text(v) => ValueRef::Text(v),
            Raw::Blob(v) => ValueRef::Bytes(v),
        }),
        _ => None,
    };
    value.ok_or_else(|| {
        let came = match raw {
            Raw::Null => "NULL",
            Raw::Integer(_) => "an INTEGER",
            Raw::Real(_) => "a REAL",
            Raw::Text(_) => "a TEXT",
            Raw::Blob(_) => "a BLOB",
        };
        Error::new(ErrorKind::Decode, format!("{came} came that is no value of type {column}"))
    })
}

/// `0` and the digits, or `-` and the digits' complements to 9: the order of the texts is that of the numbers.
pub(super) fn sortable(mantissa: i128, precision: u8) -> String {
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = usize::from(precision));
    if mantissa < 0 {
        let complement = digits.bytes().map(|digit| char::from(b'0' + (b'9' - digit)));
        std::iter::once('-').chain(complement).collect()
    } else {
        format!("0{digits}")
    }
}

pub(super) fn unsort(text: &str, precision: u8, scale: u8) -> Option<Decimal> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('0')?),
    };
    if digits.len() != usize::from(precision) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mantissa = digits.bytes().try_fold(0_i128, |sum, digit| {
        let digit = if negative { b'9' - digit } else { digit - b'0' };
        sum.checked_mul(10)?.checked_add(digit.into())
    })?;
    Decimal::new(if negative { -mantissa } else { mantissa }, precision, scale).ok()
}

fn decimal(value: Decimal) -> Result<Bound<'static>> {
    if value.precision() > INTEGER_DIGITS {
        return Ok(Bound::Text(Cow::Owned(sortable(value.mantissa(), value.precision()))));
    }
    i64::try_from(value.mantissa())
        .map(Bound::Integer)
        .map_err(|_| Error::new(ErrorKind::OutOfRange, "the number does not fit its decimal column"))
}

fn real(value: f64) -> Result<Bound<'static>> {
    if value.is_nan() {
        return Err(Error::new(ErrorKind::OutOfRange, "SQLite cannot hold NaN: it would become NULL"));
    }
    Ok(Bound::Real(value))
}

fn text(value: &str) -> Result<Bound<'_>> {
    if value::has_nul(value.as_bytes()) { Err(has_nul()) } else { Ok(Bound::Text(Cow::Borrowed(value))) }
}

/// SQLite's own functions would take the text to end there.
#[cold]
pub(super) fn has_nul() -> Error {
    Error::new(ErrorKind::InvalidInput, "a text with a NUL in it cannot be stored")
        .with_help("keep such data in a column of bytes")
}

fn time(text: Option<String>, what: &str) -> Result<Bound<'static>> {
    text.map(|text| Bound::Text(Cow::Owned(text))).ok_or_else(|| {
        let range = if what == "the time" { "one day" } else { "the years 0000 to 9999" };
        Error::new(ErrorKind::OutOfRange, format!("{what} is outside {range}, which is what SQLite can hold"))
    })
}

/// A real that came from an f32 goes back as one.
#[allow(clippy::cast_possible_truncation)] // the comparison is the point
fn single(value: f64) -> ValueRef<'static> {
    let narrowed = value as f32;
    if f64::from(narrowed) == value { ValueRef::Float32(narrowed) } else { ValueRef::Float(value) }
}

/// An integer as a float, where that is the same number.
#[allow(clippy::cast_precision_loss)] // within the bounds nothing is lost
fn exact(value: i64) -> Option<f64> {
    (value.unsigned_abs() <= 1 << 53).then_some(value as f64)
}

#[cfg(test)]
mod tests {
    use super::{Raw, decode, encode, sortable, unsort};
    use crate::catalog::ColumnType;
    use crate::error::ErrorKind;
    use crate::value::Value;

    #[test]
    fn long_decimals_sort_as_their_texts() {
        let most = 10_i128.pow(38) - 1;
        let numbers = [-most, -most + 1, -1_000_000, -11, -10, -9, -1, 0, 1, 9, 10, 11, 1_000_000, most - 1, most];
        let texts: Vec<String> = numbers.iter().map(|number| sortable(*number, 38)).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        for (number, text) in numbers.iter().zip(&texts) {
            assert_eq!(unsort(text, 38, 10).map(|decimal| decimal.mantissa()), Some(*number));
        }
        for text in ["", "0", "01", "-", "1".repeat(39).as_str(), "é"] {
            assert_eq!(unsort(text, 38, 10), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for (value, kind) in [
            (Value::UInt(u64::MAX), ErrorKind::OutOfRange),
            (Value::Float(f64::NAN), ErrorKind::OutOfRange),
            (Value::Float32(f32::NAN), ErrorKind::OutOfRange),
            (Value::Text("a\0b".into()), ErrorKind::InvalidInput),
            (Value::Date(i32::MAX), ErrorKind::OutOfRange),
            (Value::Time(86_400_000_000), ErrorKind::OutOfRange),
            (Value::Timestamp(i64::MIN), ErrorKind::OutOfRange),
        ] {
            assert_eq!(encode(value.lend()).err().map(|error| error.kind()), Some(kind), "{value:?}");
        }
    }

    #[test]
    fn what_does_not_fit_the_type_is_an_error() {
        for (raw, column) in [
            (Raw::Integer(2), ColumnType::Bool),
            (Raw::Text("true"), ColumnType::Bool),
            (Raw::Integer(-1), ColumnType::U64),
            (Raw::Real(1e300), ColumnType::I64),
            (Raw::Text("2023-02-31"), ColumnType::Date),
            (Raw::Blob(&[1; 15]), ColumnType::Uuid),
            (Raw::Integer(1000), ColumnType::Decimal { precision: 3, scale: 0 }),
            (Raw::Integer(1), ColumnType::Text { max_len: None }),
            (Raw::Integer(i64::MAX), ColumnType::F64),
        ] {
            let error = decode(raw, &column).err();
            assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Decode), "{raw:?} as {column}");
        }
    }
}
