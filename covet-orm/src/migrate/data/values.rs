//! Values of a statement and of a row, as tuples.

use covet_drivers::Result;
use covet_drivers::contract::Row;
use covet_drivers::value::{ColumnValue, Value};

/// What `$1`, `$2` … stand for: a tuple of values of any type that a column can have.
pub trait Values: Send {
    /// The values.
    ///
    /// # Errors
    /// `OutOfRange` for one that no column can hold.
    fn values(self) -> Result<Vec<Value>>;
}

/// What a row becomes: a tuple of types that a column can have.
pub trait FromRow: Send + Sized {
    /// The row.
    ///
    /// # Errors
    /// `Decode` when one of the types cannot hold what came.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

impl Values for () {
    fn values(self) -> Result<Vec<Value>> {
        Ok(Vec::new())
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))+) => {$(
        impl<$($name: ColumnValue),+> Values for ($($name,)+) {
            fn values(self) -> Result<Vec<Value>> {
                Ok(vec![$(self.$index.into_value(&$name::TYPE)?),+])
            }
        }

        impl<$($name: ColumnValue),+> FromRow for ($($name,)+) {
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.get::<$name>($index, &$name::TYPE)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
