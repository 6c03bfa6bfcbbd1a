//! Values to the wire and back.

use mysql_async::consts::ColumnType as Wire;
use mysql_async::{Row as WireRow, Value as WireValue};

use crate::catalog::ColumnType;
use crate::contract::RowSource;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{DAY, Decimal, ValueRef, civil, days, parse_date, parse_datetime, parse_time};

/// What to bind for a value.
///
/// # Errors
/// `OutOfRange` for what MySQL cannot hold.
pub(crate) fn encode(value: ValueRef<'_>) -> Result<WireValue> {
    Ok(match value {
        ValueRef::Null => WireValue::NULL,
        ValueRef::Bool(v) => WireValue::Int(i64::from(v)),
        ValueRef::Int(v) => WireValue::Int(v),
        ValueRef::UInt(v) => WireValue::UInt(v),
        ValueRef::Float32(v) => WireValue::Float(finite(v, v.is_finite())?),
        ValueRef::Float(v) => WireValue::Double(finite(v, v.is_finite())?),
        ValueRef::Text(v) | ValueRef::Json(v) => WireValue::Bytes(v.as_bytes().to_vec()),
        // The server would take a label with blanks behind it for the label without them.
        ValueRef::Label(v) if v.ends_with(' ') => {
            return Err(Error::new(ErrorKind::InvalidInput, "a label that ends in a blank is no label of an enum"));
        }
        ValueRef::Label(v) => WireValue::Bytes(v.as_bytes().to_vec()),
        ValueRef::Bytes(v) => WireValue::Bytes(v.to_vec()),
        ValueRef::Date(v) => moment(i64::from(v).saturating_mul(DAY))?,
        ValueRef::Time(v) => time(v)?,
        ValueRef::DateTime(v) | ValueRef::Timestamp(v) => moment(v)?,
        ValueRef::Uuid(v) => WireValue::Bytes(v.to_vec()),
        ValueRef::Decimal(v) => WireValue::Bytes(v.to_string().into_bytes()),
    })
}

/// The bytes that a bound value takes on the wire, about.
pub(crate) fn weight(value: &WireValue) -> usize {
    match value {
        WireValue::Bytes(bytes) => bytes.len() + 9,
        _ => 13,
    }
}

fn finite<T>(value: T, is_finite: bool) -> Result<T> {
    if is_finite {
        return Ok(value);
    }
    Err(Error::new(ErrorKind::OutOfRange, "MySQL and MariaDB cannot hold NaN or an infinity"))
}

fn moment(micros: i64) -> Result<WireValue> {
    let beyond =
        || Error::new(ErrorKind::OutOfRange, "MySQL and MariaDB hold dates from 0001-01-01 to 9999-12-31 only");
    let (year, month, day) = civil(micros.div_euclid(DAY));
    let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year)).ok_or_else(beyond)?;
    let (hours, minutes, seconds, fraction) = clock(micros.rem_euclid(DAY)).ok_or_else(beyond)?;
    let (Ok(month), Ok(day)) = (u8::try_from(month), u8::try_from(day)) else { return Err(beyond()) };
    Ok(WireValue::Date(year, month, day, hours, minutes, seconds, fraction))
}

fn time(micros: i64) -> Result<WireValue> {
    let beyond = || Error::new(ErrorKind::OutOfRange, "a time of day lies between 00:00:00 and 23:59:59.999999");
    if !(0..DAY).contains(&micros) {
        return Err(beyond());
    }
    let (hours, minutes, seconds, fraction) = clock(micros).ok_or_else(beyond)?;
    Ok(WireValue::Time(false, 0, hours, minutes, seconds, fraction))
}

fn clock(micros: i64) -> Option<(u8, u8, u8, u32)> {
    let seconds = micros / 1_000_000;
    let part = |n: i64| u8::try_from(n).ok();
    Some((
        part(seconds / 3600)?,
        part(seconds / 60 % 60)?,
        part(seconds % 60)?,
        u32::try_from(micros % 1_000_000).ok()?,
    ))
}

/// A row as the driver holds it.
pub(crate) struct Held(pub(crate) WireRow);

impl RowSource for Held {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        let value = self.0.as_ref(index).ok_or_else(|| {
            Error::new(ErrorKind::Decode, format!("column {index} was asked for and the row has {}", self.0.len()))
        })?;
        let decoded = match column {
            ColumnType::Other(_) => {
                let known = self.0.columns_ref().get(index);
                known.and_then(|known| other(value, known.column_type(), known.character_set() == BINARY))
            }
            column => decode(value, column),
        };
        decoded
            .ok_or_else(|| Error::new(ErrorKind::Decode, format!("{} came for a column of type {column}", kind(value))))
    }

    fn is_null(&self, index: usize) -> bool {
        matches!(self.0.as_ref(index), Some(WireValue::NULL))
    }

    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        match self.0.as_ref(index) {
            Some(WireValue::Int(v)) if *v | 1 == 1 && matches!(column, ColumnType::Bool) => Some(*v == 1),
            _ => None,
        }
    }

    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        match self.0.as_ref(index) {
            Some(WireValue::Int(v)) if matches!(column, ColumnType::I64 | ColumnType::I32) => Some(*v),
            _ => None,
        }
    }

    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        match self.0.as_ref(index) {
            Some(WireValue::Double(v)) if matches!(column, ColumnType::F64) => Some(*v),
            _ => None,
        }
    }

    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        match self.0.as_ref(index) {
            Some(WireValue::Bytes(v)) if matches!(column, ColumnType::Text { .. }) => std::str::from_utf8(v).ok(),
            _ => None,
        }
    }

    fn take_text(&mut self, index: usize, column: &ColumnType) -> Option<String> {
        let (Some(WireValue::Bytes(_)), ColumnType::Text { .. }) = (self.0.as_ref(index), column) else { return None };
        match self.0.take::<WireValue, _>(index)? {
            WireValue::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Some(text),
                Err(error) => {
                    self.0.place(index, WireValue::Bytes(error.into_bytes()));
                    None
                }
            },
            other => {
                self.0.place(index, other);
                None
            }
        }
    }
}

/// The number of the character set `binary`.
const BINARY: u16 = 63;

fn decode<'a>(value: &'a WireValue, column: &ColumnType) -> Option<ValueRef<'a>> {
    if *value == WireValue::NULL {
        return Some(ValueRef::Null);
    }
    Some(match column {
        ColumnType::Bool => match integer(value)? {
            ValueRef::Int(0) | ValueRef::UInt(0) => ValueRef::Bool(false),
            ValueRef::Int(1) | ValueRef::UInt(1) => ValueRef::Bool(true),
            _ => return None,
        },
        ColumnType::I8 | ColumnType::I16 | ColumnType::I32 | ColumnType::I64 => match integer(value)? {
            ValueRef::UInt(v) => i64::try_from(v).map_or(ValueRef::UInt(v), ValueRef::Int),
            other => other,
        },
        ColumnType::U8 | ColumnType::U16 | ColumnType::U32 | ColumnType::U64 => match integer(value)? {
            ValueRef::Int(v) => u64::try_from(v).map_or(ValueRef::Int(v), ValueRef::UInt),
            other => other,
        },
        ColumnType::F32 | ColumnType::F64 => float(value)?,
        ColumnType::Text { .. } => ValueRef::Text(text(value)?),
        ColumnType::Enum(_) => ValueRef::Label(text(value)?),
        ColumnType::Json => ValueRef::Json(text(value)?),
        ColumnType::Bytes => match value {
            WireValue::Bytes(bytes) => ValueRef::Bytes(bytes),
            _ => return None,
        },
        ColumnType::Date => ValueRef::Date(match value {
            WireValue::Date(..) => {
                let micros = instant(value)?;
                (micros.rem_euclid(DAY) == 0).then(|| i32::try_from(micros.div_euclid(DAY)).ok())??
            }
            _ => parse_date(text(value)?)?,
        }),
        ColumnType::Time => ValueRef::Time(match value {
            WireValue::Time(false, 0, hours, minutes, seconds, fraction) => {
                ((i64::from(*hours) * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds)) * 1_000_000
                    + i64::from(*fraction)
            }
            _ => parse_time(text(value)?)?,
        }),
        ColumnType::DateTime => ValueRef::DateTime(instant(value)?),
        ColumnType::Timestamp => ValueRef::Timestamp(instant(value)?),
        ColumnType::Uuid => ValueRef::Uuid(uuid(value)?),
        ColumnType::Decimal { precision, scale } => ValueRef::Decimal(match value {
            WireValue::Int(v) => Decimal::rescale(i128::from(*v), 0, *precision, *scale).ok()?,
            WireValue::UInt(v) => Decimal::rescale(i128::from(*v), 0, *precision, *scale).ok()?,
            _ => Decimal::parse(text(value)?, *precision, *scale).ok()?,
        }),
        ColumnType::Other(_) => return None,
    })
}

/// What the wire says by itself, for a type that Covet has no word for.
fn other(value: &WireValue, wire: Wire, binary: bool) -> Option<ValueRef<'_>> {
    Some(match value {
        WireValue::NULL => ValueRef::Null,
        WireValue::Int(v) => ValueRef::Int(*v),
        WireValue::UInt(v) => ValueRef::UInt(*v),
        WireValue::Float(v) => ValueRef::Float32(*v),
        WireValue::Double(v) => ValueRef::Float(*v),
        WireValue::Date(..) if wire == Wire::MYSQL_TYPE_DATE => {
            ValueRef::Date(i32::try_from(instant(value)?.div_euclid(DAY)).ok()?)
        }
        WireValue::Date(..) => ValueRef::DateTime(instant(value)?),
        WireValue::Time(..) => decode(value, &ColumnType::Time)?,
        WireValue::Bytes(bytes) if binary && !matches!(wire, Wire::MYSQL_TYPE_NEWDECIMAL) => ValueRef::Bytes(bytes),
        WireValue::Bytes(bytes) => ValueRef::Text(std::str::from_utf8(bytes).ok()?),
    })
}

/// An integer, also from the decimal text that `SUM` gives.
fn integer(value: &WireValue) -> Option<ValueRef<'_>> {
    match value {
        WireValue::Int(v) => Some(ValueRef::Int(*v)),
        WireValue::UInt(v) => Some(ValueRef::UInt(*v)),
        _ => {
            let text = text(value)?;
            text.parse().map(ValueRef::Int).or_else(|_| text.parse().map(ValueRef::UInt)).ok()
        }
    }
}

/// A float, also from the decimal text that `AVG` gives, and from an integer that a float holds exactly.
fn float(value: &WireValue) -> Option<ValueRef<'_>> {
    const EXACT: i64 = 1 << f64::MANTISSA_DIGITS;
    #[allow(clippy::cast_precision_loss)] // up to EXACT there is none
    let whole = |v: i64| (-EXACT..=EXACT).contains(&v).then_some(ValueRef::Float(v as f64));
    match value {
        WireValue::Float(v) => Some(ValueRef::Float32(*v)),
        WireValue::Double(v) => Some(ValueRef::Float(*v)),
        WireValue::Int(v) => whole(*v),
        WireValue::UInt(v) => i64::try_from(*v).ok().and_then(whole),
        _ => text(value)?.parse().map(ValueRef::Float).ok(),
    }
}

fn text(value: &WireValue) -> Option<&str> {
    match value {
        WireValue::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Microseconds since 1970. A zero date (0000-00-00) is none.
fn instant(value: &WireValue) -> Option<i64> {
    let WireValue::Date(year, month, day, hours, minutes, seconds, fraction) = *value else {
        let text = text(value)?;
        return parse_datetime(text).or_else(|| Some(i64::from(parse_date(text)?) * DAY));
    };
    if month == 0 || day == 0 {
        return None;
    }
    let day = days(year.into(), month.into(), day.into());
    let seconds = (i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    Some(day * DAY + seconds * 1_000_000 + i64::from(fraction))
}

/// Sixteen bytes, or the text that MariaDB's own `uuid` type gives.
fn uuid(value: &WireValue) -> Option<[u8; 16]> {
    let WireValue::Bytes(bytes) = value else { return None };
    if bytes.len() == 36 {
        return crate::value::parse_uuid(text(value)?);
    }
    bytes.as_slice().try_into().ok()
}

/// The kind in words: never the content.
fn kind(value: &WireValue) -> &'static str {
    match value {
        WireValue::NULL => "NULL",
        WireValue::Bytes(bytes) if std::str::from_utf8(bytes).is_err() => "text or bytes that are not UTF-8",
        WireValue::Bytes(_) => "text or bytes",
        WireValue::Int(_) | WireValue::UInt(_) => "an integer",
        WireValue::Float(_) | WireValue::Double(_) => "a float",
        WireValue::Date(_, 0, ..) | WireValue::Date(_, _, 0, ..) => "a zero date",
        WireValue::Date(..) => "a date and time",
        WireValue::Time(..) => "a time or interval",
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::Value as WireValue;

    use super::{decode, encode};
    use crate::catalog::ColumnType;
    use crate::value::{Value, ValueRef};

    #[test]
    fn what_is_out_of_range_is_refused() {
        for value in [
            Value::Float(f64::NAN),
            Value::Float32(f32::INFINITY),
            Value::Time(-1),
            Value::Time(86_400_000_000),
            Value::Date(-719_529 + 366),
            Value::Date(i32::MAX),
            Value::Date(i32::MIN),
            Value::Timestamp(i64::MAX),
            Value::DateTime(i64::MIN),
        ] {
            assert!(encode(value.lend()).is_err(), "{value:?}");
        }
        assert!(encode(ValueRef::Date(-719_162)).is_ok(), "0001-01-01");
        assert!(encode(ValueRef::Date(2_932_896)).is_ok(), "9999-12-31");
    }

    #[test]
    fn moments_come_back() {
        for micros in [-62_135_596_800_000_000, -1, 0, 1, 253_402_300_799_999_999] {
            let wire = encode(ValueRef::Timestamp(micros)).unwrap_or(WireValue::NULL);
            let back = decode(&wire, &ColumnType::Timestamp);
            assert_eq!(back, Some(ValueRef::Timestamp(micros)));
        }
    }

    #[test]
    fn what_does_not_fit_is_no_value() {
        let none = |value: WireValue, ty: ColumnType| assert_eq!(decode(&value, &ty), None, "{ty}");
        none(WireValue::Int(2), ColumnType::Bool);
        none(WireValue::Bytes(vec![0xff]), ColumnType::Text { max_len: None });
        none(WireValue::Date(0, 0, 0, 0, 0, 0, 0), ColumnType::Date);
        none(WireValue::Date(2024, 1, 1, 12, 0, 0, 0), ColumnType::Date);
        none(WireValue::Time(true, 0, 1, 0, 0, 0), ColumnType::Time);
        none(WireValue::Time(false, 1, 1, 0, 0, 0), ColumnType::Time);
        none(WireValue::Bytes(vec![0; 15]), ColumnType::Uuid);
        none(WireValue::Bytes(b"1.5".to_vec()), ColumnType::I32);
        none(WireValue::Bytes(b"1.234".to_vec()), ColumnType::Decimal { precision: 10, scale: 2 });
        none(WireValue::Int(i64::MAX), ColumnType::F64);
    }
}
