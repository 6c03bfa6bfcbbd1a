//! Booleans, integers and floats.

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::convert::{mismatch, out_of_range};
use crate::value::{ColumnValue, Field, RowSource, Value, ValueRef, ValueWriter};

#[diagnostic::do_not_recommend]
impl ColumnValue for bool {
    const TYPE: ColumnType = ColumnType::Bool;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Bool(self))
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.bool(*self)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Bool(v) => Ok(v),
            other => Err(mismatch("bool", other)),
        }
    }

    #[inline]
    fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
        row.bool(index, column)
    }
}

impl Field for bool {
    type Inner = bool;
}

macro_rules! integer {
    ($($rust:ident $column:ident $variant:ident $method:ident as $wide:ident;)+) => {$(
        #[diagnostic::do_not_recommend]
        impl ColumnValue for $rust {
            const TYPE: ColumnType = ColumnType::$column;

            #[inline]
            fn into_value(self, _: &ColumnType) -> Result<Value> {
                Ok(Value::$variant($wide::from(self)))
            }

            #[inline]
            fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
                to.$method($wide::from(*self))
            }

            fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
                let fits = match value {
                    ValueRef::Int(v) => $rust::try_from(v).ok(),
                    ValueRef::UInt(v) => $rust::try_from(v).ok(),
                    other => return Err(mismatch(stringify!($rust), other)),
                };
                fits.ok_or_else(|| out_of_range(ErrorKind::Decode, stringify!($rust)))
            }

            #[inline]
            fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
                row.int(index, column)?.try_into().ok()
            }
        }

        impl Field for $rust {
            type Inner = $rust;
        }
    )+};
}

integer! {
    i8 I8 Int int as i64;
    i16 I16 Int int as i64;
    i32 I32 Int int as i64;
    i64 I64 Int int as i64;
    u8 U8 UInt uint as u64;
    u16 U16 UInt uint as u64;
    u32 U32 UInt uint as u64;
    u64 U64 UInt uint as u64;
}

#[diagnostic::do_not_recommend]
impl ColumnValue for f64 {
    const TYPE: ColumnType = ColumnType::F64;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Float(self))
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.float(*self)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Float(v) => Ok(v),
            ValueRef::Float32(v) => Ok(f64::from(v)),
            other => Err(mismatch("f64", other)),
        }
    }

    #[inline]
    fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
        row.float(index, column)
    }
}

impl Field for f64 {
    type Inner = f64;
}

#[diagnostic::do_not_recommend]
impl ColumnValue for f32 {
    const TYPE: ColumnType = ColumnType::F32;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Float32(self))
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.lend(ValueRef::Float32(*self))
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Float32(v) => Ok(v),
            ValueRef::Float(v) => narrow(v),
            other => Err(mismatch("f32", other)),
        }
    }
}

impl Field for f32 {
    type Inner = f32;
}

/// An f64 as the f32 that it came from; a value between two f32 is refused.
#[allow(clippy::cast_possible_truncation)] // the check below is the point
fn narrow(value: f64) -> Result<f32> {
    let narrowed = value as f32;
    if value.is_nan() || f64::from(narrowed) == value {
        Ok(narrowed)
    } else {
        Err(Error::new(ErrorKind::Decode, "the number does not fit f32"))
    }
}
