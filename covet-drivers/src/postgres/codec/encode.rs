//! Parameters, encoded straight from the values they lend.

use std::error::Error as StdError;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::codec::{DAY, DAYS_1970_TO_2000, MICROS_1970_TO_2000, numeric};
use crate::value::{Value, ValueRef, has_nul};

/// One parameter: the value, and its place among the others for errors. Its `Debug` shows no content,
/// which the driver's log depends on.
#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    pub(crate) value: &'a Value,
    pub(crate) index: usize,
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        encode(self.value.lend(), base(ty), out).map_err(|error| error.with_argument(self.index).into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        match self.value {
            Value::Text(_) | Value::Label(_) if is_foreign(base(ty)) => Format::Text,
            _ => Format::Binary,
        }
    }
}

/// The type beneath a domain.
pub(crate) fn base(ty: &Type) -> &Type {
    let mut ty = ty;
    while let Kind::Domain(inner) = ty.kind() {
        ty = inner;
    }
    ty
}

/// Whether text in any form may be the value: the text types and enums.
pub(super) fn is_textual(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)
        || matches!(ty.kind(), Kind::Enum(_))
        || ty.name() == "citext"
}

/// Whether Covet has no value of the type, so that its text form is the only way.
pub(crate) fn is_foreign(ty: &Type) -> bool {
    !is_textual(ty)
        && !matches!(
            *ty,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::OID
                | Type::FLOAT4
                | Type::FLOAT8
                | Type::NUMERIC
                | Type::BYTEA
                | Type::DATE
                | Type::TIME
                | Type::TIMESTAMP
                | Type::TIMESTAMPTZ
                | Type::UUID
                | Type::JSON
                | Type::JSONB
        )
}

/// Writes a value in the binary format of the type.
///
/// # Errors
/// `OutOfRange` and `InvalidInput` when the type cannot hold it.
fn encode(value: ValueRef<'_>, ty: &Type, out: &mut BytesMut) -> Result<IsNull> {
    match value {
        ValueRef::Null => return Ok(IsNull::Yes),
        ValueRef::Bool(v) if *ty == Type::BOOL => out.put_u8(u8::from(v)),
        ValueRef::Int(v) => integer(i128::from(v), ty, out)?,
        ValueRef::UInt(v) => integer(i128::from(v), ty, out)?,
        ValueRef::Float(v) => match *ty {
            Type::FLOAT8 => out.put_f64(v),
            Type::FLOAT4 => out.put_f32(narrow(v)?),
            _ => return Err(mismatch(value, ty)),
        },
        ValueRef::Float32(v) => match *ty {
            Type::FLOAT4 => out.put_f32(v),
            Type::FLOAT8 => out.put_f64(f64::from(v)),
            _ => return Err(mismatch(value, ty)),
        },
        ValueRef::Text(v) => text(v, value, ty, out)?,
        ValueRef::Label(v) => text(v, value, ty, out)?,
        ValueRef::Bytes(v) if *ty == Type::BYTEA => out.put_slice(v),
        ValueRef::Date(v) if *ty == Type::DATE => out.put_i32(date(v)?),
        ValueRef::Time(v) if *ty == Type::TIME => {
            if !(0..DAY).contains(&v) {
                return Err(beyond(ty));
            }
            out.put_i64(v);
        }
        ValueRef::DateTime(v) if *ty == Type::TIMESTAMP => out.put_i64(instant(v, ty)?),
        ValueRef::Timestamp(v) if *ty == Type::TIMESTAMPTZ => out.put_i64(instant(v, ty)?),
        ValueRef::Uuid(v) if *ty == Type::UUID => out.put_slice(&v),
        ValueRef::Decimal(v) if *ty == Type::NUMERIC => numeric::write(v.mantissa(), v.scale(), out),
        ValueRef::Json(v) if *ty == Type::JSONB => {
            out.put_u8(1); // the version of the format
            out.put_slice(v.as_bytes());
        }
        ValueRef::Json(v) if *ty == Type::JSON => out.put_slice(v.as_bytes()),
        _ => return Err(mismatch(value, ty)),
    }
    Ok(IsNull::No)
}

/// Writes a value behind its length, as fields of rows and elements of arrays stand.
///
/// # Errors
/// Those of [`encode`].
pub(crate) fn put(value: ValueRef<'_>, ty: &Type, out: &mut BytesMut) -> Result<()> {
    // Arrays hold very many values, and most are one of these.
    match value {
        ValueRef::Null => out.put_i32(-1),
        ValueRef::Int(v) if *ty == Type::INT8 => out.extend_from_slice(&long(v.to_be_bytes())),
        ValueRef::Float(v) if *ty == Type::FLOAT8 => out.extend_from_slice(&long(v.to_be_bytes())),
        ValueRef::Timestamp(v) if *ty == Type::TIMESTAMPTZ => {
            out.extend_from_slice(&long(instant(v, ty)?.to_be_bytes()));
        }
        ValueRef::Text(v) if (*ty == Type::VARCHAR || *ty == Type::TEXT) && v.len() < SHORT => {
            let bytes = valid(v)?;
            let length = u32::try_from(bytes.len()).unwrap_or(0);
            out.reserve(4 + bytes.len());
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
        value => return put_any(value, ty, out),
    }
    Ok(())
}

/// A text of fewer bytes is short.
pub(crate) const SHORT: usize = 1 << 20;

/// A value of eight bytes behind its length.
#[inline]
pub(crate) fn long([a, b, c, d, e, f, g, h]: [u8; 8]) -> [u8; 12] {
    [0, 0, 0, 8, a, b, c, d, e, f, g, h]
}

fn put_any(value: ValueRef<'_>, ty: &Type, out: &mut BytesMut) -> Result<()> {
    let at = out.len();
    out.put_i32(-1);
    if let IsNull::No = encode(value, ty, out)? {
        let length = i32::try_from(out.len() - at - 4)
            .map_err(|_| Error::new(ErrorKind::OutOfRange, "PostgreSQL holds values of up to 1 GiB"))?;
        if let Some(place) = out.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

fn integer(v: i128, ty: &Type, out: &mut BytesMut) -> Result<()> {
    match *ty {
        Type::INT2 => out.put_i16(i16::try_from(v).map_err(|_| beyond(ty))?),
        Type::INT4 => out.put_i32(i32::try_from(v).map_err(|_| beyond(ty))?),
        Type::INT8 => out.put_i64(i64::try_from(v).map_err(|_| beyond(ty))?),
        Type::OID => out.put_u32(u32::try_from(v).map_err(|_| beyond(ty))?),
        Type::NUMERIC => numeric::write(v, 0, out),
        // Every integer up to here is a float of its own.
        Type::FLOAT4 if v.unsigned_abs() <= 1 << 24 => {
            #[allow(clippy::cast_precision_loss)] // bounded above
            out.put_f32(v as f32);
        }
        Type::FLOAT8 if v.unsigned_abs() <= 1 << 53 => {
            #[allow(clippy::cast_precision_loss)] // bounded above
            out.put_f64(v as f64);
        }
        Type::FLOAT4 | Type::FLOAT8 => return Err(beyond(ty)),
        _ => return Err(mismatch(ValueRef::Int(0), ty)),
    }
    Ok(())
}

fn text(v: &str, value: ValueRef<'_>, ty: &Type, out: &mut BytesMut) -> Result<()> {
    if !is_textual(ty) && !is_foreign(ty) {
        return Err(mismatch(value, ty));
    }
    out.put_slice(valid(v)?);
    Ok(())
}

/// The bytes of a text that PostgreSQL can hold.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn valid(v: &str) -> Result<&[u8]> {
    if has_nul(v.as_bytes()) {
        return Err(Error::new(ErrorKind::InvalidInput, "PostgreSQL's text cannot hold a NUL character"));
    }
    Ok(v.as_bytes())
}

#[allow(clippy::cast_possible_truncation)] // the check below is the point
fn narrow(v: f64) -> Result<f32> {
    let narrowed = v as f32;
    if v.is_nan() || f64::from(narrowed) == v { Ok(narrowed) } else { Err(beyond(&Type::FLOAT4)) }
}

/// 4714-11-24 BC to 5874897-12-31.
fn date(days: i32) -> Result<i32> {
    days.checked_sub(DAYS_1970_TO_2000)
        .filter(|days| (-2_451_545..2_145_031_949).contains(days))
        .ok_or_else(|| beyond(&Type::DATE))
}

/// 4714-11-24 BC to 294276-12-31.
fn instant(micros: i64, ty: &Type) -> Result<i64> {
    micros
        .checked_sub(MICROS_1970_TO_2000)
        .filter(|micros| (-211_813_488_000_000_000..9_223_371_331_200_000_000).contains(micros))
        .ok_or_else(|| beyond(ty))
}

#[cold]
fn beyond(ty: &Type) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("outside the range of {ty}"))
}

#[cold]
fn mismatch(value: ValueRef<'_>, ty: &Type) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{} where PostgreSQL takes {ty}", value.kind()))
}
