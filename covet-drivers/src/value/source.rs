//! A row that lends its values.

use crate::catalog::ColumnType;
use crate::error::Result;
use crate::value::ValueRef;

/// A row of one database, which lends its values by position; implemented by its adapter.
///
/// [`value`](RowSource::value) can give every value. The methods for values of the common kinds give the same
/// where it is of that kind and fits the column's type without a second look, else `None`, which is always right:
/// most values are, and this is asked for every value of every row.
pub trait RowSource {
    /// The number of columns.
    fn len(&self) -> usize;

    /// Whether it has no columns.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at this position, which belongs to a column of this type: a text that stands
    /// for a date on this database comes out as a date.
    ///
    /// # Errors
    /// `Decode` when what is there cannot be a value of the type, and when there is no such position.
    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>>;

    /// Whether there is certainly NULL at this position.
    fn is_null(&self, index: usize) -> bool {
        let _ = index;
        false
    }

    /// The truth value at this position.
    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        let _ = (index, column);
        None
    }

    /// The integer at this position, for a column of signed integers.
    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        let _ = (index, column);
        None
    }

    /// The float at this position, for a column of 64 bits.
    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        let _ = (index, column);
        None
    }

    /// The text at this position.
    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        let _ = (index, column);
        None
    }

    /// The text at this position as one's own. It may be gone from the row then.
    fn take_text(&mut self, index: usize, column: &ColumnType) -> Option<String> {
        self.text(index, column).map(str::to_owned)
    }
}
