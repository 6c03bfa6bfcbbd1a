//! Rows that SQLite has given and the sink has not seen yet, in three flat buffers.
//!
//! They are copies, even on the caller's thread: a statement that turns out to be long begins anew on
//! the connection's thread, and that is only right as long as the sink has seen none of its rows.

use rusqlite::types::ValueRef as Stored;

use crate::catalog::ColumnType;
use crate::contract::RowSource;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::codec::{self, Raw};
use crate::value::ValueRef;

/// Some rows, owned.
#[derive(Debug, Default)]
pub(super) struct Rows {
    width: usize,
    count: usize,
    cells: Vec<Cell>,
    text: String,
    bytes: Vec<u8>,
}

/// Room for so many bytes is not kept.
const LARGE: usize = 64 * 1024;

/// A value; text and bytes are ranges of the buffers.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(usize, usize),
    NotUtf8,
    Blob(usize, usize),
}

impl Rows {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Forgets the rows; keeps the room for the next ones, unless it is very large.
    pub(super) fn clear(&mut self) {
        if self.text.capacity() + self.bytes.capacity() > LARGE || self.cells.capacity() > LARGE / size_of::<Cell>() {
            *self = Rows::default();
            return;
        }
        self.count = 0;
        self.cells.clear();
        self.text.clear();
        self.bytes.clear();
    }

    /// Takes a copy of a row.
    pub(super) fn push(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        if self.count == 0 {
            // Only now: the first step prepares a statement anew whose table has changed.
            self.width = row.as_ref().column_count();
        }
        for index in 0..self.width {
            let cell = match row.get_ref(index)? {
                Stored::Null => Cell::Null,
                Stored::Integer(v) => Cell::Integer(v),
                Stored::Real(v) => Cell::Real(v),
                Stored::Text(v) => match std::str::from_utf8(v) {
                    Ok(v) => {
                        let start = self.text.len();
                        self.text.push_str(v);
                        Cell::Text(start, self.text.len())
                    }
                    Err(_) => Cell::NotUtf8,
                },
                Stored::Blob(v) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(v);
                    Cell::Blob(start, self.bytes.len())
                }
            };
            self.cells.push(cell);
        }
        self.count += 1;
        Ok(())
    }

    /// A row, by its number.
    pub(super) fn row(&self, number: usize) -> OneRow<'_> {
        let first = number * self.width;
        OneRow { rows: self, cells: self.cells.get(first..first + self.width).unwrap_or_default() }
    }
}

/// One of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneRow<'a> {
    rows: &'a Rows,
    cells: &'a [Cell],
}

impl RowSource for OneRow<'_> {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        let raw = match self.cells.get(index) {
            Some(Cell::Null) => Raw::Null,
            Some(Cell::Integer(v)) => Raw::Integer(*v),
            Some(Cell::Real(v)) => Raw::Real(*v),
            Some(Cell::Text(start, end)) => Raw::Text(self.rows.text.get(*start..*end).unwrap_or_default()),
            Some(Cell::NotUtf8) => return Err(not_utf8()),
            Some(Cell::Blob(start, end)) => Raw::Blob(self.rows.bytes.get(*start..*end).unwrap_or_default()),
            None => return Err(no_column(self.cells.len(), index)),
        };
        codec::decode(raw, column)
    }

    fn is_null(&self, index: usize) -> bool {
        matches!(self.cells.get(index), Some(Cell::Null))
    }

    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        match (self.cells.get(index), column) {
            (Some(Cell::Integer(v @ 0..=1)), ColumnType::Bool) => Some(*v == 1),
            _ => None,
        }
    }

    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        match (self.cells.get(index), column) {
            (Some(Cell::Integer(v)), ColumnType::I64 | ColumnType::I32) => Some(*v),
            _ => None,
        }
    }

    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        match (self.cells.get(index), column) {
            (Some(Cell::Real(v)), ColumnType::F64) => Some(*v),
            _ => None,
        }
    }

    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        match (self.cells.get(index), column) {
            (Some(Cell::Text(start, end)), ColumnType::Text { .. }) => self.rows.text.get(*start..*end),
            _ => None,
        }
    }
}

#[cold]
pub(super) fn not_utf8() -> Error {
    Error::new(ErrorKind::Decode, "a text came that is not UTF-8")
}

#[cold]
pub(super) fn no_column(width: usize, index: usize) -> Error {
    Error::new(ErrorKind::Decode, format!("the row has {width} columns and none at position {index}"))
}
