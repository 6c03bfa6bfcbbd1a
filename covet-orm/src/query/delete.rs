//! Deleting all rows that match.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::Result;
use covet_drivers::contract::{Flow, Reuse, Row};
use covet_drivers::sql::{self, Many, Node};

use crate::db::Executor;
use crate::model::Model;
use crate::query::changes::{by_values, key_values};
use crate::query::select::Clauses;
use crate::query::texts::{columns_of, names_of};

/// A delete of the rows that match a filter.
#[must_use = "nothing is deleted before `exec`"]
pub struct Delete<M> {
    clauses: Clauses,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model> Delete<M> {
    pub(crate) fn new(clauses: Clauses) -> Self {
        Delete { clauses, marker: PhantomData }
    }

    fn statement(self, returning: Many<&'static str>) -> Result<sql::Delete> {
        self.clauses.only_filter("a delete")?;
        Ok(sql::Delete { table: M::TABLE, filter: self.clauses.filter, returning })
    }

    /// Runs it and gives the number of rows.
    ///
    /// SQL: `DELETE FROM table WHERE …`
    ///
    /// # Errors
    /// `ForeignKey` when a row is still pointed at; those of the database.
    pub async fn exec(self, on: &Executor) -> Result<u64> {
        let statement = self.statement(Many::EMPTY)?.into();
        Ok(on.run(&statement, &mut ()).await.map_err(|error| M::meta().at(error))?.affected)
    }

    /// Runs it and gives the rows as they were.
    ///
    /// SQL: `DELETE FROM table WHERE … RETURNING …`. Where the database has none, the rows are read and locked
    /// (`SELECT … FOR UPDATE`), then deleted by their keys, in one transaction: three more round trips.
    ///
    /// # Errors
    /// As [`exec`](Delete::exec).
    pub async fn returning(self, on: &Executor) -> Result<Vec<M>> {
        let result =
            if on.capabilities().returning_on_delete { self.native(on).await } else { self.emulated(on).await };
        result.map_err(|error| M::meta().at(error))
    }

    async fn native(self, on: &Executor) -> Result<Vec<M>> {
        let statement = self.statement(names_of::<M>())?.into();
        let mut rows = Vec::new();
        on.run(&statement, &mut |row: &mut Row<'_>| {
            rows.push(M::decode(row, 0)?);
            Ok(Flow::Continue)
        })
        .await?;
        Ok(rows)
    }

    async fn emulated(self, on: &Executor) -> Result<Vec<M>> {
        self.clauses.only_filter("a delete")?;
        let mut select = self.clauses.select(M::TABLE, columns_of::<M>(), None);
        select.lock = true;
        let select = select.into();
        let mut rows: Vec<M> = Vec::new();
        let mut session = on.session().await?;
        let mut unit = session.unit().await?;
        let result = async {
            let mut sink = |row: &mut Row<'_>| {
                rows.push(M::decode(row, 0)?);
                Ok(Flow::Continue)
            };
            unit.session().statement(&select, &mut sink, Reuse::Keep).await?;
            let most = on.capabilities().max_parameters / M::meta().key.len().max(1);
            for piece in rows.chunks(most.clamp(1, 1000)) {
                let keys = piece.iter().map(|row| Ok(by_values::<M>(key_values(row)?))).collect::<Result<Vec<_>>>()?;
                let filter = Some(Node::Any(keys.into()));
                let statement = sql::Delete { table: M::TABLE, filter, returning: Many::EMPTY }.into();
                // Fewer rows may go by this statement than were locked: a cascade of it takes others.
                unit.session().statement(&statement, &mut (), Reuse::Once).await?;
            }
            Ok(())
        }
        .await;
        unit.finish(result).await?;
        Ok(rows)
    }
}

impl<M> fmt::Debug for Delete<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delete").field(&self.clauses).finish()
    }
}
