//! Rows, decoded value by value from the bytes they hold.

use std::error::Error as StdError;

use tokio_postgres::types::{FromSql, Kind, Type};

use crate::catalog::ColumnType;
use crate::contract::RowSource;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::codec::encode::{base, is_textual};
use crate::postgres::codec::{DAY, DAYS_1970_TO_2000, MICROS_1970_TO_2000, numeric};
use crate::value::{Decimal, ValueRef};

/// A row of the driver.
pub(crate) struct Wire<'a>(pub(crate) &'a tokio_postgres::Row);

/// The bytes of a value, whatever its type.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Wire<'_> {
    /// The type and the bytes of a value that is there.
    #[inline]
    fn raw(&self, index: usize) -> Option<(&Type, &[u8])> {
        let described = self.0.columns().get(index)?;
        let Ok(Raw(Some(bytes))) = self.0.try_get(index) else { return None };
        Some((described.type_(), bytes))
    }
}

impl RowSource for Wire<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        let (Some(described), Ok(raw)) = (self.0.columns().get(index), self.0.try_get::<_, Raw<'_>>(index)) else {
            let text = format!("the row has {} columns, and number {} was asked for", self.0.len(), index + 1);
            return Err(Error::new(ErrorKind::Decode, text));
        };
        match raw.0 {
            None => Ok(ValueRef::Null),
            Some(bytes) => decode(bytes, described.type_(), column),
        }
    }

    // A value of the wrong length has its error from `value`.

    fn is_null(&self, index: usize) -> bool {
        matches!(self.0.try_get::<_, Raw<'_>>(index), Ok(Raw(None)))
    }

    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        match self.raw(index) {
            Some((&Type::BOOL, [byte])) if matches!(column, ColumnType::Bool) => Some(*byte != 0),
            _ => None,
        }
    }

    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        let (ty, bytes) = self.raw(index)?;
        match *ty {
            Type::INT8 if matches!(column, ColumnType::I64) => bytes.try_into().ok().map(i64::from_be_bytes),
            Type::INT4 if matches!(column, ColumnType::I32) => {
                bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).into())
            }
            _ => None,
        }
    }

    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        match self.raw(index) {
            Some((&Type::FLOAT8, bytes)) if matches!(column, ColumnType::F64) => {
                bytes.try_into().ok().map(f64::from_be_bytes)
            }
            _ => None,
        }
    }

    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        match self.raw(index) {
            Some((&(Type::TEXT | Type::VARCHAR), bytes)) if matches!(column, ColumnType::Text { .. }) => {
                std::str::from_utf8(bytes).ok()
            }
            _ => None,
        }
    }
}

fn decode<'a>(bytes: &'a [u8], ty: &Type, column: &ColumnType) -> Result<ValueRef<'a>> {
    let ty = base(ty);
    let value = match column {
        ColumnType::Bool => (*ty == Type::BOOL).then(|| boolean(bytes)),
        ColumnType::I8
        | ColumnType::I16
        | ColumnType::I32
        | ColumnType::I64
        | ColumnType::U8
        | ColumnType::U16
        | ColumnType::U32
        | ColumnType::U64 => integer(bytes, ty),
        ColumnType::F32 | ColumnType::F64 => float(bytes, ty),
        ColumnType::Text { .. } => is_text(ty).then(|| text(bytes, ty).map(ValueRef::Text)),
        ColumnType::Enum(_) => is_textual(ty).then(|| utf8(bytes).map(ValueRef::Label)),
        ColumnType::Bytes => (*ty == Type::BYTEA).then_some(Ok(ValueRef::Bytes(bytes))),
        ColumnType::Date => (*ty == Type::DATE).then(|| date(bytes)),
        ColumnType::Time => (*ty == Type::TIME).then(|| time(bytes)),
        ColumnType::DateTime => (*ty == Type::TIMESTAMP).then(|| instant(bytes).map(ValueRef::DateTime)),
        ColumnType::Timestamp => (*ty == Type::TIMESTAMPTZ).then(|| instant(bytes).map(ValueRef::Timestamp)),
        ColumnType::Uuid => (*ty == Type::UUID).then(|| array(bytes).map(ValueRef::Uuid)),
        ColumnType::Decimal { precision, scale } => decimal(bytes, ty, *precision, *scale),
        ColumnType::Json => json(bytes, ty).map(|json| json.map(ValueRef::Json)),
        ColumnType::Other(_) => natural(bytes, ty),
    };
    value.unwrap_or_else(|| {
        let text = format!("PostgreSQL sent {ty} for a column of type {column}");
        Err(Error::new(ErrorKind::Decode, text).with_help("cast it in the query, or run the migrations"))
    })
}

/// The value by the type that it was sent as, for columns that Covet has no word for.
fn natural<'a>(bytes: &'a [u8], ty: &Type) -> Option<Result<ValueRef<'a>>> {
    Some(match *ty {
        Type::BOOL => boolean(bytes),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => return integer(bytes, ty),
        Type::FLOAT4 | Type::FLOAT8 => return float(bytes, ty),
        Type::BYTEA => Ok(ValueRef::Bytes(bytes)),
        Type::DATE => date(bytes),
        Type::TIME => time(bytes),
        Type::TIMESTAMP => instant(bytes).map(ValueRef::DateTime),
        Type::TIMESTAMPTZ => instant(bytes).map(ValueRef::Timestamp),
        Type::UUID => array(bytes).map(ValueRef::Uuid),
        Type::NUMERIC => numeric::read(bytes).and_then(|(mantissa, scale)| {
            let scale = u8::try_from(scale).unwrap_or(u8::MAX);
            Decimal::new(mantissa, Decimal::MAX_PRECISION, scale).map(ValueRef::Decimal)
        }),
        Type::JSON | Type::JSONB => return json(bytes, ty).map(|json| json.map(ValueRef::Json)),
        _ if matches!(ty.kind(), Kind::Enum(_)) => utf8(bytes).map(ValueRef::Label),
        _ if is_text(ty) => text(bytes, ty).map(ValueRef::Text),
        _ => return None,
    })
}

fn is_text(ty: &Type) -> bool {
    is_textual(ty) || matches!(*ty, Type::JSON | Type::JSONB | Type::XML | Type::CHAR)
}

fn boolean<'a>(bytes: &[u8]) -> Result<ValueRef<'a>> {
    match array(bytes)? {
        [0] => Ok(ValueRef::Bool(false)),
        [_] => Ok(ValueRef::Bool(true)),
    }
}

fn integer<'a>(bytes: &[u8], ty: &Type) -> Option<Result<ValueRef<'a>>> {
    Some(match *ty {
        Type::INT8 => array(bytes).map(|bytes| ValueRef::Int(i64::from_be_bytes(bytes))),
        Type::INT4 => array(bytes).map(|bytes| ValueRef::Int(i32::from_be_bytes(bytes).into())),
        Type::INT2 => array(bytes).map(|bytes| ValueRef::Int(i16::from_be_bytes(bytes).into())),
        Type::OID => array(bytes).map(|bytes| ValueRef::Int(u32::from_be_bytes(bytes).into())),
        // Sums of bigint are numeric.
        Type::NUMERIC => numeric::read(bytes).and_then(|(mantissa, scale)| {
            let whole = || Error::new(ErrorKind::Decode, "the number does not fit an integer");
            if scale > 0 {
                return Err(whole());
            }
            i64::try_from(mantissa)
                .map(ValueRef::Int)
                .or_else(|_| u64::try_from(mantissa).map(ValueRef::UInt))
                .map_err(|_| whole())
        }),
        _ => return None,
    })
}

fn float<'a>(bytes: &[u8], ty: &Type) -> Option<Result<ValueRef<'a>>> {
    Some(match *ty {
        Type::FLOAT8 => array(bytes).map(|bytes| ValueRef::Float(f64::from_be_bytes(bytes))),
        Type::FLOAT4 => array(bytes).map(|bytes| ValueRef::Float32(f32::from_be_bytes(bytes))),
        _ => return None,
    })
}

fn decimal<'a>(bytes: &[u8], ty: &Type, precision: u8, scale: u8) -> Option<Result<ValueRef<'a>>> {
    if *ty == Type::NUMERIC {
        return Some(numeric::read_decimal(bytes, precision, scale).map(ValueRef::Decimal));
    }
    Some(integer(bytes, ty)?.and_then(|value| {
        match value {
            ValueRef::Int(v) => Decimal::rescale(v.into(), 0, precision, scale)
                .map(ValueRef::Decimal)
                .map_err(|error| Error::new(ErrorKind::Decode, error.message().to_owned())),
            _ => Err(malformed()),
        }
    }))
}

fn json<'a>(bytes: &'a [u8], ty: &Type) -> Option<Result<&'a str>> {
    match *ty {
        Type::JSON => Some(utf8(bytes)),
        Type::JSONB => Some(match bytes {
            [1, text @ ..] => utf8(text),
            _ => Err(Error::new(ErrorKind::Decode, "PostgreSQL sent jsonb of an unknown version")),
        }),
        _ => None,
    }
}

fn text<'a>(bytes: &'a [u8], ty: &Type) -> Result<&'a str> {
    json(bytes, ty).unwrap_or_else(|| utf8(bytes))
}

fn date<'a>(bytes: &[u8]) -> Result<ValueRef<'a>> {
    match i32::from_be_bytes(array(bytes)?) {
        i32::MIN | i32::MAX => Err(infinite()),
        days => days.checked_add(DAYS_1970_TO_2000).map(ValueRef::Date).ok_or_else(malformed),
    }
}

fn time<'a>(bytes: &[u8]) -> Result<ValueRef<'a>> {
    match i64::from_be_bytes(array(bytes)?) {
        DAY => Err(Error::new(ErrorKind::Decode, "the time is 24:00, which belongs to the next day")),
        micros => Ok(ValueRef::Time(micros)),
    }
}

fn instant(bytes: &[u8]) -> Result<i64> {
    match i64::from_be_bytes(array(bytes)?) {
        i64::MIN | i64::MAX => Err(infinite()),
        micros => micros
            .checked_add(MICROS_1970_TO_2000)
            .ok_or_else(|| Error::new(ErrorKind::Decode, "the time is later than microseconds since 1970 can count")),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::Decode, "the text is not UTF-8"))
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| malformed())
}

#[cold]
fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "PostgreSQL sent a value of the wrong length")
}

#[cold]
fn infinite() -> Error {
    Error::new(ErrorKind::Decode, "the date is infinite, which no date can be")
}
