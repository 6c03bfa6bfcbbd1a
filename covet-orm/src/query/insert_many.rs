//! Many new rows, taken from an iterator while they are sent.

use std::fmt;

use covet_drivers::contract::{Flow, Reuse, Row, RowSink};
use covet_drivers::{Error, Result, sql};

use crate::db::{Executor, Session};
use crate::model::Model;
use crate::query::Insert;
use crate::query::insert::read_back;
use crate::query::supply::{Rows, Supply};
use crate::query::texts::names_of;

/// New rows, made by [`Model::insert_many`].
#[must_use = "nothing is inserted before `exec`"]
pub struct InsertMany<'a, M> {
    rows: Rows<'a, M>,
}

impl<'a, M: Model> InsertMany<'a, M> {
    pub(crate) fn new(rows: impl Iterator<Item: Into<Insert<M>>> + Send + 'a) -> Self {
        InsertMany { rows: Box::new(rows.map(Into::into)) }
    }

    /// Inserts the rows and gives their number. All of them are inserted or none, and no more of them are in
    /// memory at once than are on their way.
    ///
    /// SQL: what the database has for many rows (`COPY` or `UNNEST`, MariaDB's bulk command,
    /// `INSERT … VALUES (…), (…), …`). An observer is told the insert of one row, and the number of rows.
    ///
    /// Rows may give different columns. Up to 64 rows are looked at as a whole: what none of them gives is left
    /// to the database, and a column that some of them give and others do not is written in all of them,
    /// with its default where it was not given; where that is an expression in SQL and the database takes no `DEFAULT` in a
    /// row (SQLite), the rows that give the column and those that do not are inserted apart. Of more rows the first says which columns are written, until
    /// one gives another; from there on it is the next thousand. Rows that give an expression, or need one
    /// for a default (`now`), are sent as `INSERT … VALUES`, in their place among the others.
    ///
    /// # Errors
    /// Those of [`Insert::exec`]. A value that is refused before it is sent is named by model, field and
    /// row; row 1 is the first.
    pub async fn exec(self, on: &Executor) -> Result<u64> {
        let mut supply = Supply::new(self.rows, on.capabilities());
        // Nothing to insert is nothing to borrow a connection for.
        if supply.is_empty()? {
            return Ok(0);
        }
        let mut session = on.session().await?;
        session.insert_many(M::TABLE, &mut supply).await.map_err(Supply::<M>::place)
    }

    /// Inserts the rows and gives them back as the database has them, in the given order.
    ///
    /// SQL: `INSERT INTO table (…) VALUES (…), (…), … RETURNING …`, in pieces that stay under the
    /// database's limit of bound values; more than one piece runs in a transaction (in a savepoint
    /// within `tx`). Where the database has no `RETURNING`, every row is inserted and read back by itself.
    ///
    /// # Errors
    /// Those of [`exec`](InsertMany::exec).
    pub async fn returning(self, on: &Executor) -> Result<Vec<M>> {
        let mut supply = Supply::new(self.rows, on.capabilities());
        let mut found = Vec::new();
        let result = if on.capabilities().returning_on_insert {
            let mut sink = |row: &mut Row<'_>| {
                found.push(M::decode(row, 0)?);
                Ok(Flow::Continue)
            };
            pieces(&mut supply, on, &mut sink).await
        } else {
            one_by_one(&mut supply, on, &mut found).await
        };
        result.map_err(Supply::<M>::place)?;
        Ok(found)
    }
}

impl<M> fmt::Debug for InsertMany<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self.rows.size_hint();
        match most {
            Some(most) if most == least => write!(f, "InsertMany({least} rows)"),
            _ => write!(f, "InsertMany({least} rows or more)"),
        }
    }
}

/// Runs the rows as statements that give rows back: one by itself, several as one unit.
async fn pieces<M: Model>(supply: &mut Supply<'_, M>, on: &Executor, rows: &mut dyn RowSink) -> Result<()> {
    let returning = names_of::<M>();
    let Some(first) = supply.insert(&returning)? else { return Ok(()) };
    let Some(second) = supply.insert(&returning)? else {
        on.run(&first.into(), rows).await?;
        return Ok(());
    };
    let mut session = on.session().await?;
    let mut unit = session.unit().await?;
    let result = async {
        let session = unit.session();
        run(session, first, rows).await?;
        run(session, second, rows).await?;
        while let Some(insert) = supply.insert(&returning)? {
            run(session, insert, rows).await?;
        }
        Ok(())
    }
    .await;
    unit.finish(result).await
}

async fn run(session: &mut Session<'_>, insert: sql::Insert, rows: &mut dyn RowSink) -> Result<()> {
    session.statement(&insert.into(), rows, Reuse::Keep).await.map(drop)
}

/// Inserts every row and reads it back, as one unit.
async fn one_by_one<M: Model>(supply: &mut Supply<'_, M>, on: &Executor, found: &mut Vec<M>) -> Result<()> {
    let mut session = on.session().await?;
    let mut unit = session.unit().await?;
    let result: Result<(), Error> = async {
        while let Some(row) = supply.row()? {
            found.push(read_back(row, unit.session()).await?);
        }
        Ok(())
    }
    .await;
    unit.finish(result).await
}
