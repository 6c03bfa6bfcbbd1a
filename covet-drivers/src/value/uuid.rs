//! `uuid::Uuid`.

use uuid::Uuid;

use crate::catalog::ColumnType;
use crate::error::Result;
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Field, Value, ValueRef, ValueWriter};

#[diagnostic::do_not_recommend]
impl ColumnValue for Uuid {
    const TYPE: ColumnType = ColumnType::Uuid;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Uuid(self.into_bytes()))
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.lend(ValueRef::Uuid(self.into_bytes()))
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Uuid(bytes) => Ok(Uuid::from_bytes(bytes)),
            other => Err(mismatch("Uuid", other)),
        }
    }
}

impl Field for Uuid {
    type Inner = Uuid;
}
