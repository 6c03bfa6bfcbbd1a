//! Text and bytes.

use crate::catalog::ColumnType;
use crate::error::Result;
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Field, Plain, Value, ValueRef};

#[diagnostic::do_not_recommend]
impl ColumnValue for String {
    const TYPE: ColumnType = ColumnType::Text { max_len: None };

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Text(self))
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Text(v) => Ok(v.to_owned()),
            other => Err(mismatch("String", other)),
        }
    }

    #[inline]
    fn from_plain(value: Plain<'_>) -> Option<Self> {
        if let Plain::Text(v) = value { Some(v.to_owned()) } else { None }
    }
}

impl Field for String {
    type Inner = String;
}

#[diagnostic::do_not_recommend]
impl ColumnValue for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Bytes(self))
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Bytes(v) => Ok(v.to_owned()),
            other => Err(mismatch("Vec<u8>", other)),
        }
    }
}

impl Field for Vec<u8> {
    type Inner = Vec<u8>;
}
