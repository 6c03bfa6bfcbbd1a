//! The trait between a Rust type and a column, and what an `Option` does to it.

use smallvec::SmallVec;

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{RowSource, Value, ValueRef, ValueWriter};

/// A Rust type that a column can hold.
///
/// `TYPE` is the column type when no attribute says otherwise; both directions are told the
/// column's real type, because some values need it (a decimal its scale).
/// A value outside the type's documented range is an error, never another value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can have",
    label = "not a column type",
    note = "for an enum derive `DbEnum`, for a newtype derive `DbNewtype`; the types that work are listed in docs/types.md"
)]
pub trait ColumnValue: Sized + Send + Sync + 'static {
    /// The column type when no attribute says otherwise.
    const TYPE: ColumnType;
    /// Whether the column allows NULL.
    const NULLABLE: bool = false;
    /// Labels of an enum that were called otherwise: how, and how they are called now.
    const RELABELS: &'static [(&'static str, &'static str)] = &[];
    /// `TYPE` by reference, for looking at it while compiling.
    #[doc(hidden)]
    const TYPE_REF: &'static ColumnType = &Self::TYPE;

    /// The value to bind for a column of this type.
    ///
    /// # Errors
    /// `OutOfRange` when the column cannot hold the value.
    fn into_value(self, column: &ColumnType) -> Result<Value>;

    /// Writes the value for a column of this type, without a copy where it can be lent: the same that
    /// [`into_value`](ColumnValue::into_value) gives.
    ///
    /// # Errors
    /// `OutOfRange` when the column cannot hold the value, and the writer's.
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()>;

    /// The Rust value of what a row holds.
    ///
    /// # Errors
    /// `Decode` when the type cannot hold what came, NULL included.
    fn from_value(value: ValueRef<'_>, column: &ColumnType) -> Result<Self>;

    /// The Rust value of what a row holds at this position, where that needs no second look; `None` asks
    /// [`from_value`](ColumnValue::from_value), which must give the same.
    fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
        let _ = (row, index, column);
        None
    }
}

/// The type that a nullable column is about: `T` for `T` and for `Option<T>`.
pub trait Field: ColumnValue {
    /// The type without its `Option`.
    type Inner: ColumnValue;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnValue> ColumnValue for Option<T> {
    const TYPE: ColumnType = T::TYPE;
    const NULLABLE: bool = true;
    const RELABELS: &'static [(&'static str, &'static str)] = T::RELABELS;

    #[inline]
    fn into_value(self, column: &ColumnType) -> Result<Value> {
        match self {
            Some(value) => value.into_value(column),
            None => Ok(Value::Null),
        }
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        match self {
            Some(value) => value.write_to(column, to),
            None => to.null(),
        }
    }

    fn from_value(value: ValueRef<'_>, column: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value, column).map(Some),
        }
    }

    #[inline]
    fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
        match T::from_row(row, index, column) {
            Some(value) => Some(Some(value)),
            None if row.is_null(index) => Some(None),
            None => None,
        }
    }
}

impl<T: ColumnValue> Field for Option<T> {
    type Inner = T;
}

/// A primary key: one column's type, or a tuple of them.
pub trait Key: Send + Sync + 'static {
    /// The values to bind for the key's columns, in their order, of which `ty` tells the types.
    ///
    /// # Errors
    /// The first that its column cannot hold, with the column's position in the key.
    fn into_values<'a>(self, ty: impl Fn(usize) -> &'a ColumnType) -> Result<KeyValues<Value>, (usize, Error)>;
}

/// What belongs to the columns of a key: mostly there is one, and it needs no allocation.
pub type KeyValues<T> = SmallVec<[T; 1]>;

impl<T: ColumnValue> Key for T {
    #[inline]
    fn into_values<'a>(self, ty: impl Fn(usize) -> &'a ColumnType) -> Result<KeyValues<Value>, (usize, Error)> {
        match self.into_value(ty(0)) {
            Ok(value) => Ok(KeyValues::from_buf([value])),
            Err(error) => Err((0, error)),
        }
    }
}

macro_rules! tuple_key {
    ($(($($name:ident $index:tt)+))+) => {$(
        impl<$($name: ColumnValue),+> Key for ($($name,)+) {
            fn into_values<'a>(self, ty: impl Fn(usize) -> &'a ColumnType) -> Result<KeyValues<Value>, (usize, Error)> {
                let values = vec![$(self.$index.into_value(ty($index)).map_err(|error| ($index, error))?),+];
                Ok(KeyValues::from_vec(values))
            }
        }
    )+};
}

tuple_key! {
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
}

/// What came does not fit the field.
#[cold]
pub(crate) fn mismatch(want: &str, came: ValueRef<'_>) -> Error {
    if matches!(came, ValueRef::Null) {
        return Error::new(ErrorKind::Decode, format!("NULL came for {want}"))
            .with_help("make the field an Option, or the column NOT NULL");
    }
    Error::new(ErrorKind::Decode, format!("{} came for {want}", came.kind()))
}

/// The number does not fit the type.
#[cold]
pub(crate) fn out_of_range(kind: ErrorKind, want: &str) -> Error {
    Error::new(kind, format!("the number does not fit {want}"))
}
