//! What the derive asks of a field's type: one trait, so that a type that no column can have is one message,
//! and functions that are called by path, which costs rustc less than anything that it must infer.

use covet_drivers::Result;
use covet_drivers::contract::Row;
use covet_drivers::value::{ColumnValue, ValueRef, ValueWriter};

use crate::model::{ColumnKind, ColumnMeta};

/// A field that is a column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can have",
    label = "not a column type",
    note = "for an enum derive `DbEnum`, for a newtype derive `DbNewtype`; the types that work are listed in docs/types.md"
)]
pub trait Stored: Sized {
    /// What it says of the column.
    const KIND: ColumnKind;

    /// The field of a column, from the value at this position of the row.
    ///
    /// # Errors
    /// `Decode`, naming model and field.
    fn decode(row: &mut Row<'_>, at: usize, column: &'static ColumnMeta) -> Result<Self>;

    /// The same, from a row whose columns of the model begin at this position.
    ///
    /// # Errors
    /// `Decode`, naming model and field.
    #[inline]
    fn decode_from(row: &mut Row<'_>, at: usize, column: &'static ColumnMeta) -> Result<Self> {
        Self::decode(row, at + column.index, column)
    }

    /// Writes the value of a field, for binding.
    ///
    /// # Errors
    /// `OutOfRange`, naming model and field, and the writer's.
    fn read(field: &Self, column: &'static ColumnMeta, to: &mut dyn ValueWriter) -> Result<()>;

    /// Changes a field to a value.
    ///
    /// # Errors
    /// `Decode`, naming model and field.
    fn write(field: &mut Self, value: ValueRef<'_>, column: &'static ColumnMeta) -> Result<()>;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnValue> Stored for T {
    const KIND: ColumnKind = ColumnKind { ty: T::TYPE_REF, nullable: T::NULLABLE, relabels: T::RELABELS };

    #[inline]
    fn decode(row: &mut Row<'_>, at: usize, column: &'static ColumnMeta) -> Result<T> {
        column.place(row.get(at, column.ty))
    }

    #[inline]
    fn read(field: &T, column: &'static ColumnMeta, to: &mut dyn ValueWriter) -> Result<()> {
        column.place(field.write_to(column.ty, to))
    }

    fn write(field: &mut T, value: ValueRef<'_>, column: &'static ColumnMeta) -> Result<()> {
        *field = column.place(T::from_value(value, column.ty))?;
        Ok(())
    }
}
