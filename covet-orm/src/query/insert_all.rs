//! Rows that are at hand as structs, taken as they are.

use std::fmt;
use std::ops::Range;

use covet_drivers::Result;
use covet_drivers::contract::{Part, RowSupply, in_row};
use covet_drivers::value::ValueWriter;

use crate::db::Executor;
use crate::model::Model;

/// Rows of structs to be inserted, made by [`Model::insert_all`].
#[must_use = "nothing is inserted before `exec`"]
pub struct InsertAll<'a, M> {
    rows: Box<dyn Iterator<Item = &'a M> + Send + 'a>,
    keys: bool,
}

impl<'a, M: Model> InsertAll<'a, M> {
    pub(crate) fn new(rows: impl Iterator<Item = &'a M> + Send + 'a) -> Self {
        InsertAll { rows: Box::new(rows), keys: false }
    }

    /// Writes the keys too that the database would number by itself: for a copy of rows that keep them.
    ///
    /// The database does not learn from it how far the numbers have got. PostgreSQL's sequence must be set by whoever
    /// writes numbers, or the next row without one meets one that is there (`Unique`).
    pub fn with_keys(mut self) -> Self {
        self.keys = true;
        self
    }

    /// Inserts the rows and gives their number. All of them are inserted or none; values go from the structs to the
    /// database without a copy where the driver allows it.
    ///
    /// SQL: that of [`InsertMany::exec`](crate::query::InsertMany::exec).
    ///
    /// # Errors
    /// Those of [`Insert::exec`](crate::query::Insert::exec). A value that is refused before it is sent is named by
    /// model, field and row; row 1 is the first.
    pub async fn exec(mut self, on: &Executor) -> Result<u64> {
        // Nothing to insert is nothing to borrow a connection for.
        let Some(first) = self.rows.next() else { return Ok(0) };
        let columns = written::<M>(self.keys);
        let mut supply = Structs { rows: self.rows, first: Some(first), columns, begun: false, row: 0 };
        let mut session = on.session().await?;
        let result = session.insert_many(M::TABLE, &mut supply).await;
        result.map_err(|error| M::meta().at(error))
    }
}

impl<M> fmt::Debug for InsertAll<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InsertAll({} rows or more)", self.rows.size_hint().0)
    }
}

/// The structs on their way: one part, as all of them have the same columns.
struct Structs<'a, M> {
    rows: Box<dyn Iterator<Item = &'a M> + Send + 'a>,
    first: Option<&'a M>,
    /// The positions of the columns that are written.
    columns: Vec<Range<usize>>,
    begun: bool,
    /// The number of the row in hand.
    row: u64,
}

/// The positions of the columns that are written: not a key that the database numbers, and nothing that it generates.
fn written<M: Model>(keys: bool) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for column in M::COLUMNS.iter().filter(|column| !(column.auto && !keys || column.is_generated())) {
        match ranges.last_mut() {
            Some(last) if last.end == column.index => last.end += 1,
            _ => ranges.push(column.index..column.index + 1),
        }
    }
    ranges
}

impl<M: Model> RowSupply for Structs<'_, M> {
    fn part(&mut self) -> Result<Option<Part>> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(None);
        }
        let written = self.columns.iter().filter_map(|some| M::COLUMNS.get(some.clone())).flatten();
        Ok(Some(Part::Rows(written.map(|column| column.column).collect())))
    }

    fn next(&mut self, to: &mut dyn ValueWriter) -> Result<bool> {
        let Some(row) = self.first.take().or_else(|| self.rows.next()) else { return Ok(false) };
        self.row += 1;
        for some in self.columns.iter().filter(|some| !some.is_empty()) {
            row.write(some.clone(), to).map_err(|error| in_row(error, self.row, None))?;
        }
        Ok(true)
    }

    fn at_least(&self) -> usize {
        usize::from(self.first.is_some()) + self.rows.size_hint().0
    }
}
