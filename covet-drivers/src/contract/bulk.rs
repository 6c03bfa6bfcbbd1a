//! Many rows in one insert: where they come from, and what becomes of them on a database that has
//! nothing better than `VALUES`.

use std::fmt;

use crate::contract::{Command, Connection, ConnectionState, Reuse, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::render::{Dialect, print};
use crate::sql::{Insert, Many, Node, Statement, placed};
use crate::value::{Value, ValueWriter};

/// An insert of many rows into one table.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// The table.
    pub table: &'static str,
    /// How the database writes, for what is sent as ordinary statements.
    pub dialect: &'static dyn Dialect,
}

/// Rows that belong together: they give the same columns.
#[derive(Debug)]
pub enum Part {
    /// Rows of values for these columns, of which there is at least one; to be pulled by
    /// [`next`](RowSupply::next).
    Rows(Many<&'static str>),
    /// Rows that are not only values, as an insert of their own.
    Insert(Box<Insert>),
}

/// Where the rows of a bulk insert come from.
///
/// The adapter asks for the first part, pulls its rows to their end, asks for the next part, and so on.
/// Nothing is asked again after an end or an error.
pub trait RowSupply: Send {
    /// The next part, or `None` when there is no more.
    ///
    /// # Errors
    /// An error ends the insert, of which nothing is kept.
    fn part(&mut self) -> Result<Option<Part>>;

    /// Writes the next row of the part, one value for each column in their order, and says `true`; or says
    /// `false` at the end of the part, and has written nothing.
    ///
    /// # Errors
    /// As [`part`](RowSupply::part), and the writer's, which names row and column of a value that it refuses.
    fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool>;

    /// How many rows there are at least that were not pulled yet, as far as that is known: whether the
    /// insert is a large one is then known before its rows are.
    fn at_least(&self) -> usize {
        0
    }
}

impl fmt::Debug for dyn RowSupply + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowSupply")
    }
}

/// Pulls a row that must have so many values.
///
/// # Errors
/// Those of the supply, and `InvalidInput` for a row of another length.
#[inline]
pub fn pull(rows: &mut dyn RowSupply, values: &mut Vec<Value>, width: usize) -> Result<bool> {
    let before = values.len();
    let more = rows.next(values)?;
    whole_row(more, values.len() - before, width)
}

/// Whether there was a row, after a look at how many values were written.
///
/// # Errors
/// `InvalidInput` for a row of another length.
#[inline]
pub fn whole_row(more: bool, came: usize, width: usize) -> Result<bool> {
    if came == if more { width } else { 0 } { Ok(more) } else { Err(uneven(came, width)) }
}

#[cold]
fn uneven(came: usize, width: usize) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("a row of {came} values came for {width} columns"))
}

/// The error of a value that was found to be none for its column before it was sent: row 1 is the first
/// of the whole insert.
#[must_use]
pub fn in_row(error: Error, row: u64, column: Option<&str>) -> Error {
    let error = error.about(&format!("row {row}"));
    match column {
        Some(column) if error.column().is_none() => error.with_column(column),
        _ => error,
    }
}

/// The error of a statement that binds a value for each column of each row, with row and column where it says
/// which value it was.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
#[cold]
pub(crate) fn of_rows(error: Error, columns: &[&'static str], before: u64) -> Error {
    match (error.argument(), columns.len()) {
        (None, _) | (_, 0) => error,
        (Some(at), width) => in_row(error, before + (at / width) as u64 + 1, columns.get(at % width).copied()),
    }
}

/// The bytes that a value keeps outside of itself.
#[cfg(feature = "postgres")]
#[inline]
pub(crate) fn heap(value: &Value) -> usize {
    match value {
        Value::Text(v) | Value::Json(v) => v.len(),
        Value::Bytes(v) => v.len(),
        _ => 0,
    }
}

/// The savepoint of an insert of several statements within a transaction; whoever counts savepoints
/// never gets there.
pub const BULK_SAVEPOINT: u32 = u32::MAX;

/// The most rows of one statement.
const MOST_ROWS: usize = 1000;

/// Inserts by ordinary statements of many rows each: what
/// [`insert_many`](Connection::insert_many) does unless an adapter knows better.
///
/// # Errors
/// As there.
pub async fn insert_by_values<C>(connection: &mut C, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64>
where
    C: Connection + ?Sized,
{
    let most = connection.capabilities().max_parameters;
    let mut pieces = Pieces { bulk, rows, most, columns: None };
    let Some(first) = pieces.next()? else { return Ok(0) };
    let Some(second) = pieces.next()? else {
        return run(connection, bulk, &first, Reuse::Once).await;
    };
    let within = connection.state() != ConnectionState::Idle;
    if within {
        connection.savepoint(BULK_SAVEPOINT).await?;
    } else {
        connection.begin(&TransactionOptions::default()).await?;
    }
    let result = run_all(connection, [first, second], &mut pieces).await;
    match (&result, within) {
        (Ok(_), true) => connection.release(BULK_SAVEPOINT).await?,
        (Ok(_), false) => connection.commit().await?,
        // The first error is the one to tell; what cannot be undone shows in the state.
        (Err(_), _) if connection.state() == ConnectionState::Broken => {}
        (Err(_), true) => drop(connection.rollback_to(BULK_SAVEPOINT).await),
        (Err(_), false) => drop(connection.rollback().await),
    }
    result
}

async fn run_all<C>(connection: &mut C, begun: [Statement; 2], pieces: &mut Pieces<'_>) -> Result<u64>
where
    C: Connection + ?Sized,
{
    let mut inserted = 0;
    for statement in begun {
        inserted += run(connection, pieces.bulk, &statement, Reuse::Keep).await?;
    }
    while let Some(statement) = pieces.next()? {
        inserted += run(connection, pieces.bulk, &statement, Reuse::Keep).await?;
    }
    Ok(inserted)
}

/// Runs one insert.
async fn run<C>(connection: &mut C, bulk: Bulk, statement: &Statement, reuse: Reuse) -> Result<u64>
where
    C: Connection + ?Sized,
{
    let printed = print(statement, bulk.dialect)?;
    let args = printed.values()?;
    let ran = connection.run(Command { sql: &printed.sql, args: &args, reuse }, &mut ()).await;
    ran.map(|outcome| outcome.affected).map_err(|error| placed(error, statement, &args))
}

/// The rows as inserts of as many rows as one statement may bind.
struct Pieces<'a> {
    bulk: Bulk,
    rows: &'a mut dyn RowSupply,
    most: usize,
    /// Those of the part that has not ended.
    columns: Option<Many<&'static str>>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<Option<Statement>> {
        loop {
            let columns = match self.columns.take() {
                Some(columns) => columns,
                None => match self.rows.part()? {
                    Some(Part::Rows(columns)) => columns,
                    Some(Part::Insert(insert)) => return Ok(Some(Statement::Insert(*insert))),
                    None => return Ok(None),
                },
            };
            let width = columns.len();
            // A row without a column can only stand alone.
            let most = self.most.checked_div(width).map_or(1, |rows| rows.clamp(1, MOST_ROWS));
            let (mut piece, mut values) = (Vec::new(), Vec::with_capacity(width));
            while piece.len() < most && pull(self.rows, &mut values, width)? {
                piece.push(values.drain(..).map(Node::Value).collect());
            }
            if piece.len() == most {
                self.columns = Some(columns.clone());
            }
            if !piece.is_empty() {
                return Ok(Some(Statement::Insert(Insert {
                    table: self.bulk.table,
                    columns,
                    rows: piece,
                    conflict: None,
                    returning: Many::EMPTY,
                })));
            }
        }
    }
}
