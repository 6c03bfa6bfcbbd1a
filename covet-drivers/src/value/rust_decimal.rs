//! `rust_decimal::Decimal`: 28 digits, in columns whose precision and scale are declared.

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Decimal, Field, Value, ValueRef, ValueWriter};

#[diagnostic::do_not_recommend]
impl ColumnValue for rust_decimal::Decimal {
    /// The derive asks for `decimal(p, s)`; this stands only where no column is named.
    const TYPE: ColumnType = ColumnType::Decimal { precision: 28, scale: 10 };

    #[inline]
    fn into_value(self, column: &ColumnType) -> Result<Value> {
        let ColumnType::Decimal { precision, scale } = *column else {
            return Err(Error::new(ErrorKind::InvalidInput, format!("a Decimal given for a column of type {column}")));
        };
        Decimal::rescale(self.mantissa(), self.scale(), precision, scale).map(Value::Decimal)
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give((*self).into_value(column)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Decimal(v) => short(v.mantissa(), u32::from(v.scale())),
            other => Err(mismatch("Decimal", other)),
        }
    }
}

/// The number in the scale of its column, or in the next smaller one that it fits into: zeros at the end are no digits.
fn short(mut mantissa: i128, mut scale: u32) -> Result<rust_decimal::Decimal> {
    loop {
        match rust_decimal::Decimal::try_from_i128_with_scale(mantissa, scale) {
            Ok(number) => return Ok(number),
            Err(_) if scale > 0 && mantissa % 10 == 0 => (mantissa, scale) = (mantissa / 10, scale - 1),
            Err(_) => {
                return Err(Error::new(ErrorKind::Decode, "the number has more digits than Decimal can hold (28)"));
            }
        }
    }
}

impl Field for rust_decimal::Decimal {
    type Inner = rust_decimal::Decimal;
}
