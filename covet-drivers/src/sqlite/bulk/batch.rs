//! Rows on their way into the database, in flat buffers.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef as Stored};
use rusqlite::{Connection, Statement as Prepared, ToSql};

use crate::contract::{Bulk, in_row};
use crate::error::{Error, ErrorKind, Result};
use crate::render::ansi;
use crate::sql::Many;
use crate::sqlite::codec::{self, Bound};
use crate::value::{Value, ValueRef, ValueWriter};

/// The rows of one statement: more of them gain nothing.
pub(super) const TOGETHER: usize = 50;

/// Room for so many bytes of text is made for each row that is known to come.
const ROOM: usize = 64;

/// The texts for rows of one part.
#[derive(Debug)]
pub(super) struct Texts {
    /// The table, as it stands in SQL.
    table: String,
    pub(super) columns: Many<&'static str>,
    /// Of one row.
    pub(super) one: String,
    /// Of `together` rows.
    many: String,
    pub(super) together: usize,
}

/// Rows, one behind the other.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) texts: Arc<Texts>,
    pub(super) cells: Vec<Cell>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    pub(super) rows: usize,
}

/// A value; text and bytes are ranges of their buffers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(u32, u32),
    Blob(u32, u32),
}

/// Bytes that are known to be text.
struct Utf8<'a>(&'a [u8]);

impl ToSql for Utf8<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(Stored::Text(self.0)))
    }
}

impl Texts {
    pub(super) fn new(bulk: Bulk, columns: Many<&'static str>, most: usize) -> Result<Self> {
        let together = most.checked_div(columns.len()).map_or(1, |rows| rows.clamp(1, TOGETHER));
        let mut table = String::new();
        bulk.dialect.table(bulk.table, &mut table)?;
        let mut texts = Texts { table, columns, one: String::new(), many: String::new(), together };
        texts.one = texts.of(1);
        texts.many = texts.of(together);
        Ok(texts)
    }

    /// The text for so many rows; without columns there can only be one.
    pub(super) fn of(&self, rows: usize) -> String {
        let mut out = String::from("INSERT INTO ");
        out.push_str(&self.table);
        if self.columns.is_empty() {
            out.push_str(" DEFAULT VALUES");
            return out;
        }
        for (index, column) in self.columns.iter().enumerate() {
            out.push_str(if index == 0 { " (" } else { ", " });
            ansi::identifier(column, &mut out);
        }
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        out.push_str(") VALUES ");
        out.push_str(&vec![row; rows].join(", "));
        out
    }
}

/// The row that is being written to a batch.
pub(super) struct Writing<'a> {
    batch: &'a mut Batch,
    pub(super) column: usize,
    /// Its number, for errors.
    row: u64,
}

impl<'a> Writing<'a> {
    pub(super) fn new(batch: &'a mut Batch, row: u64) -> Self {
        Writing { batch, column: 0, row }
    }

    #[inline]
    fn put(&mut self, cell: Cell) {
        self.batch.cells.push(cell);
        self.column += 1;
    }

    #[cold]
    fn refused(&self, error: Error) -> Error {
        in_row(error, self.row, self.batch.texts.columns.get(self.column).copied())
    }
}

impl ValueWriter for Writing<'_> {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        let cell = codec::encode(value).and_then(|bound| self.batch.cell(&bound));
        self.put(cell.map_err(|error| self.refused(error))?);
        Ok(())
    }

    fn null(&mut self) -> Result<()> {
        self.put(Cell::Null);
        Ok(())
    }

    fn int(&mut self, value: i64) -> Result<()> {
        self.put(Cell::Integer(value));
        Ok(())
    }

    fn bool(&mut self, value: bool) -> Result<()> {
        self.put(Cell::Integer(value.into()));
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<()> {
        if value.is_nan() {
            return self.lend(ValueRef::Float(value));
        }
        self.put(Cell::Real(value));
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<()> {
        // That there is no NUL in it is looked at for all texts of the batch at once.
        match keep(&mut self.batch.text, value.as_bytes()) {
            Ok((start, end)) => self.put(Cell::Text(start, end)),
            Err(error) => return Err(self.refused(error)),
        }
        Ok(())
    }
}

impl Batch {
    /// A value as a cell, and its bytes in the buffer.
    fn cell(&mut self, value: &Bound<'_>) -> Result<Cell> {
        Ok(match value {
            Bound::Null => Cell::Null,
            Bound::Integer(v) => Cell::Integer(*v),
            Bound::Real(v) => Cell::Real(*v),
            Bound::Text(v) => {
                let (start, end) = keep(&mut self.text, v.as_bytes())?;
                Cell::Text(start, end)
            }
            Bound::Blob(v) => {
                let (start, end) = keep(&mut self.bytes, v)?;
                Cell::Blob(start, end)
            }
            Bound::Uuid(v) => {
                let (start, end) = keep(&mut self.bytes, v)?;
                Cell::Blob(start, end)
            }
        })
    }

    /// Room for so many rows.
    pub(super) fn new(texts: Arc<Texts>, rows: usize) -> Self {
        let cells = Vec::with_capacity(texts.columns.len() * rows);
        Batch { texts, cells, text: Vec::with_capacity(ROOM * rows), bytes: Vec::new(), rows: 0 }
    }

    /// How many bytes of text and bytes there are.
    pub(super) fn len(&self) -> usize {
        self.text.len() + self.bytes.len()
    }

    /// The rows, as many together as one statement takes. Without columns there is nothing to divide.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks((self.texts.together * self.texts.columns.len()).max(1))
    }

    /// Inserts one of the [pieces](Batch::pieces).
    pub(super) fn insert(&self, piece: &[Cell], db: &Connection) -> rusqlite::Result<u64> {
        let Texts { columns, one, many, together, .. } = &*self.texts;
        let full = piece.len() == together * columns.len();
        let mut statement = db.prepare_cached(if full { many } else { one })?;
        let mut inserted = 0;
        for cells in piece.chunks(if full { piece.len() } else { columns.len() }) {
            inserted += self.run(&mut statement, cells)?;
        }
        Ok(inserted)
    }

    /// The error of a text with a NUL in it, if there is one; so many rows were pulled.
    pub(super) fn nul(&self, pulled: u64) -> Option<Error> {
        // Mostly there is none, and many bytes are compared in one step this way.
        let least = |bytes: &[u8]| bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte));
        if self.text.chunks(1024).all(|bytes| least(bytes) > 0) {
            return None;
        }
        let at = self.text.iter().position(|byte| *byte == 0)?;
        let holds =
            |cell: &Cell| matches!(cell, Cell::Text(start, end) if (*start as usize..*end as usize).contains(&at));
        let cell = self.cells.iter().position(holds)?;
        let width = self.texts.columns.len().max(1);
        let row = pulled - self.rows as u64 + (cell / width) as u64 + 1;
        Some(in_row(codec::has_nul(), row, self.texts.columns.get(cell % width).copied()))
    }

    fn text(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The cell as a value that is bound as it is.
    pub(super) fn value(&self, cell: Cell) -> Value {
        match cell {
            Cell::Null => Value::Null,
            Cell::Integer(v) => Value::Int(v),
            Cell::Real(v) => Value::Float(v),
            Cell::Text(start, end) => Value::Text(String::from_utf8_lossy(self.text(start, end)).into_owned()),
            Cell::Blob(start, end) => Value::Bytes(self.bytes(start, end).to_vec()),
        }
    }

    /// Runs the statement with some of the cells.
    fn run(&self, statement: &mut Prepared<'_>, cells: &[Cell]) -> rusqlite::Result<u64> {
        for (place, cell) in (1..).zip(cells) {
            // Each as what it is: a type that could be any of them costs a second look at every value.
            match *cell {
                Cell::Null => statement.raw_bind_parameter(place, rusqlite::types::Null)?,
                Cell::Integer(v) => statement.raw_bind_parameter(place, v)?,
                Cell::Real(v) => statement.raw_bind_parameter(place, v)?,
                Cell::Text(start, end) => statement.raw_bind_parameter(place, Utf8(self.text(start, end)))?,
                Cell::Blob(start, end) => statement.raw_bind_parameter(place, self.bytes(start, end))?,
            }
        }
        statement.raw_execute().map(|rows| rows as u64)
    }
}

/// Puts bytes at the end of a buffer, and says where they are.
#[inline]
fn keep(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(u32, u32)> {
    let start = buffer.len();
    let (Ok(first), Ok(end)) = (u32::try_from(start), u32::try_from(start + bytes.len())) else {
        return Err(too_long());
    };
    buffer.extend_from_slice(bytes);
    Ok((first, end))
}

#[cold]
fn too_long() -> Error {
    Error::new(ErrorKind::OutOfRange, "SQLite holds values of up to 1 GB")
}
