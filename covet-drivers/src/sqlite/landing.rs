//! Where the rows of a statement go while it runs: into the sink at once, or into a buffer.
//!
//! A statement may have to begin anew as long as it has not ended, so a sink sees its rows at once only
//! when it can forget them again.

use rusqlite::types::ValueRef as Stored;

use crate::catalog::ColumnType;
use crate::contract::{Flow, Row, RowSink, RowSource};
use crate::error::Result;
use crate::sqlite::codec::{self, Raw};
use crate::sqlite::rows::{Rows, no_column, not_utf8};
use crate::value::ValueRef;

/// Takes the rows of one statement.
pub(super) struct Landing<'a> {
    to: To<'a>,
    rows: usize,
    /// The sink wants no more, or has failed.
    end: Option<Result<()>>,
}

enum To<'a> {
    Sink(&'a mut dyn RowSink),
    Buffer(&'a mut Rows),
}

impl<'a> Landing<'a> {
    /// In a sink that can be rewound.
    pub(super) fn sink(sink: &'a mut dyn RowSink) -> Self {
        Landing { to: To::Sink(sink), rows: 0, end: None }
    }

    /// In a buffer, which is emptied.
    pub(super) fn buffer(rows: &'a mut Rows) -> Self {
        rows.clear();
        Landing { to: To::Buffer(rows), rows: 0, end: None }
    }

    /// How many rows have come.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Whether rows are kept, all at a time.
    pub(super) fn keeps(&self) -> bool {
        matches!(self.to, To::Buffer(_))
    }

    /// Whether nobody wants another row.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Takes a row.
    pub(super) fn take(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        self.rows += 1;
        match &mut self.to {
            To::Buffer(rows) => rows.push(row)?,
            To::Sink(_) if self.end.is_some() => {}
            To::Sink(sink) => match sink.row(&mut Row::new(&mut Live(row))) {
                Ok(Flow::Stop) => self.end = Some(Ok(())),
                // Asked once: it is for those who look for one row, and another step would only find the end.
                Ok(_) if self.rows == 1 && sink.is_full() => self.end = Some(Ok(())),
                Ok(_) => {}
                Err(error) => self.end = Some(Err(error)),
            },
        }
        Ok(())
    }

    /// What the sink said in the end.
    pub(super) fn end(self) -> Result<()> {
        self.end.unwrap_or(Ok(()))
    }
}

/// A row that SQLite holds.
struct Live<'a, 'b>(&'a rusqlite::Row<'b>);

impl Live<'_, '_> {
    #[inline]
    fn stored(&self, index: usize) -> Option<Stored<'_>> {
        match self.0.get_ref(index) {
            Ok(stored) => Some(stored),
            // Moved and dropped here, so that nothing is dropped where there is no error.
            Err(error) => {
                drop(error);
                None
            }
        }
    }
}

impl RowSource for Live<'_, '_> {
    fn len(&self) -> usize {
        self.0.as_ref().column_count()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        let raw = match self.0.get_ref(index) {
            Ok(Stored::Null) => Raw::Null,
            Ok(Stored::Integer(v)) => Raw::Integer(v),
            Ok(Stored::Real(v)) => Raw::Real(v),
            Ok(Stored::Text(v)) => Raw::Text(std::str::from_utf8(v).map_err(|_| not_utf8())?),
            Ok(Stored::Blob(v)) => Raw::Blob(v),
            Err(_) => return Err(no_column(self.len(), index)),
        };
        codec::decode(raw, column)
    }

    fn is_null(&self, index: usize) -> bool {
        matches!(self.stored(index), Some(Stored::Null))
    }

    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        match self.stored(index)? {
            Stored::Integer(v) if v | 1 == 1 && matches!(column, ColumnType::Bool) => Some(v == 1),
            _ => None,
        }
    }

    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        match self.stored(index)? {
            Stored::Integer(v) if matches!(column, ColumnType::I64 | ColumnType::I32) => Some(v),
            _ => None,
        }
    }

    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        match self.stored(index)? {
            Stored::Real(v) if matches!(column, ColumnType::F64) => Some(v),
            _ => None,
        }
    }

    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        match self.stored(index)? {
            Stored::Text(v) if matches!(column, ColumnType::Text { .. }) => std::str::from_utf8(v).ok(),
            _ => None,
        }
    }
}
