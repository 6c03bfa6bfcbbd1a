//! Some columns instead of whole rows.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::Result;
use covet_drivers::contract::{Flow, Row};
use covet_drivers::sql::{Many, Node, Statement};
use covet_drivers::value::ColumnValue;
use covet_drivers::{Error, ErrorKind};

use crate::db::Executor;
use crate::model::{ColumnMeta, Model, Stored};
use crate::query::select::{Clauses, not_found};
use crate::query::{Column, Rows};

/// Columns to read, one or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "these are not columns of `{M}`",
    label = "a column of `{M}`, or a tuple of up to eight of them, is wanted here"
)]
pub trait Projection<M> {
    /// What a row gives.
    type Output: Send + 'static;

    /// The columns.
    fn columns(&self) -> Vec<&'static ColumnMeta>;

    /// The row.
    ///
    /// # Errors
    /// `Decode`.
    fn decode(row: &mut Row<'_>, columns: &[&'static ColumnMeta]) -> Result<Self::Output>;
}

#[diagnostic::do_not_recommend]
impl<M, C: Columns<M>> Projection<M> for C {
    type Output = C::Output;

    fn columns(&self) -> Vec<&'static ColumnMeta> {
        self.metas()
    }

    fn decode(row: &mut Row<'_>, columns: &[&'static ColumnMeta]) -> Result<C::Output> {
        C::read(row, columns)
    }
}

/// Columns of this model exactly.
#[doc(hidden)]
pub trait Columns<M> {
    /// What a row gives.
    type Output: Send + 'static;

    /// The columns.
    fn metas(&self) -> Vec<&'static ColumnMeta>;

    /// The row.
    ///
    /// # Errors
    /// `Decode`.
    fn read(row: &mut Row<'_>, columns: &[&'static ColumnMeta]) -> Result<Self::Output>;
}

impl<M, T: ColumnValue> Columns<M> for Column<M, T> {
    type Output = T;

    fn metas(&self) -> Vec<&'static ColumnMeta> {
        vec![self.meta()]
    }

    fn read(row: &mut Row<'_>, columns: &[&'static ColumnMeta]) -> Result<T> {
        at(row, 0, columns)
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))+) => {$(
        impl<M, $($name: ColumnValue),+> Columns<M> for ($(Column<M, $name>,)+) {
            type Output = ($($name,)+);

            fn metas(&self) -> Vec<&'static ColumnMeta> {
                vec![$(self.$index.meta()),+]
            }

            fn read(row: &mut Row<'_>, columns: &[&'static ColumnMeta]) -> Result<Self::Output> {
                Ok(($(at::<$name>(row, $index, columns)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

fn at<T: ColumnValue>(row: &mut Row<'_>, index: usize, columns: &[&'static ColumnMeta]) -> Result<T> {
    match columns.get(index) {
        Some(column) => Stored::decode(row, index, column),
        None => Err(Error::new(ErrorKind::Decode, "the row has fewer columns than were asked for")),
    }
}

/// A query that reads some columns: made by [`Query::select`](crate::query::Query::select).
#[must_use = "a query does nothing until it is run"]
pub struct Pick<M, O> {
    clauses: Clauses,
    columns: Vec<&'static ColumnMeta>,
    decode: fn(&mut Row<'_>, &[&'static ColumnMeta]) -> Result<O>,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model, O: Send + 'static> Pick<M, O> {
    pub(crate) fn new<P: Projection<M, Output = O>>(clauses: Clauses, columns: P) -> Self {
        Pick { clauses, columns: columns.columns(), decode: P::decode, marker: PhantomData }
    }

    fn statement(&self, most: Option<u64>) -> Statement {
        let list: Many<Node> = self.columns.iter().map(|column| Node::column(column.column)).collect();
        self.clauses.clone().select(M::TABLE, list, most).into()
    }

    async fn fetch(self, most: Option<u64>, on: &Executor) -> Result<Vec<O>> {
        let mut rows = Vec::new();
        on.run(&self.statement(most), &mut |row: &mut Row<'_>| {
            rows.push((self.decode)(row, &self.columns)?);
            Ok(Flow::Continue)
        })
        .await
        .map_err(|error| M::meta().at(error))?;
        Ok(rows)
    }

    /// All rows.
    ///
    /// # Errors
    /// `Decode`, naming model and field; those of the database.
    pub async fn all(self, on: &Executor) -> Result<Vec<O>> {
        self.fetch(None, on).await
    }

    /// The first row in the given order, or `None`.
    ///
    /// # Errors
    /// As [`all`](Pick::all).
    pub async fn first(self, on: &Executor) -> Result<Option<O>> {
        Ok(self.fetch(Some(1), on).await?.pop())
    }

    /// The one row.
    ///
    /// # Errors
    /// `NotFound`, `TooManyRows`; as [`all`](Pick::all).
    pub async fn one(self, on: &Executor) -> Result<O> {
        let mut rows = self.fetch(Some(2), on).await?;
        if rows.len() > 1 {
            return Err(Error::new(ErrorKind::TooManyRows, "more than one row matches").with_model(M::NAME));
        }
        rows.pop().ok_or_else(not_found::<M>)
    }

    /// The rows one by one as they arrive.
    pub fn stream(self, on: &Executor) -> Rows<'_, O> {
        let statement = self.statement(None);
        let Pick { columns, decode, .. } = self;
        Rows::new(M::meta(), statement, on, move |row| decode(row, &columns))
    }
}

impl<M, O> fmt::Debug for Pick<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pick").field(&self.clauses).finish()
    }
}
