//! One row by its primary key or a unique key.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::sql::{BinaryOp, Many, Node, Select, Statement};
use covet_drivers::value::{Key as _, KeyValues, Value};
use covet_drivers::{Error, Result};

use crate::db::Executor;
use crate::model::{Model, Record};
use crate::query::select::not_found;
use crate::query::sink::Last;
use crate::query::texts::{Shape, columns_of, keyed};
use crate::query::{Expr, Query};
use crate::relation::Include;

/// The values of a key by reference, in one of two rooms of the caller's: mostly there is one, which then costs nothing.
macro_rules! lent {
    ($values:expr, $one:ident, $several:ident) => {
        match $values.as_slice() {
            [value] => {
                $one = [value];
                $one.as_slice()
            }
            values => {
                $several = values.iter().collect::<Vec<_>>();
                $several.as_slice()
            }
        }
    };
}

/// At most one row, by its key. The SQL is printed once a process.
#[must_use = "nothing is read before `one`, `optional` or `exists`"]
pub struct Find<M> {
    columns: &'static [usize],
    shape: Shape,
    values: Result<KeyValues<Value>>,
    marker: PhantomData<fn() -> M>,
}

impl<M: Model> Find<M> {
    pub(crate) fn by_key(key: M::Key) -> Self {
        let columns = M::meta().key;
        let column = |nth: usize| columns.get(nth).and_then(|at| M::COLUMNS.get(*at)).unwrap_or(M::KEY_COLUMN);
        let values = key.into_values(|nth| column(nth).ty).map_err(|(nth, error)| column(nth).at(error));
        Find { columns, shape: Shape::FindByKey, values, marker: PhantomData }
    }

    /// By the unique index over these columns, with a node for each. The derive writes the calls.
    pub fn by_unique(columns: &'static [usize], nodes: Vec<Node>) -> Self {
        let index = M::meta().indexes.iter().position(|index| index.unique && index.columns == columns);
        let values = nodes.into_iter().map(plain::<M>).collect();
        Find { columns, shape: Shape::FindByIndex(index.unwrap_or(usize::MAX)), values, marker: PhantomData }
    }

    /// The row.
    ///
    /// # Errors
    /// `NotFound` when there is none; those of the database.
    pub async fn one(self, on: &Executor) -> Result<M> {
        self.optional(on).await?.ok_or_else(not_found::<M>)
    }

    /// The row, or `None`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn optional(self, on: &Executor) -> Result<Option<M>> {
        let values = self.values?;
        let text =
            M::meta().texts.text(self.shape, on.shared().dialect, || by::<M>(self.columns, columns_of::<M>()))?;
        let (one, several);
        let args = lent!(&values, one, several);
        let mut sink = Last::new(|row| M::decode(row, 0));
        let result = on.session().await?.run(text, args, &mut sink).await;
        result.map_err(|error| M::meta().at_value(error, |nth| self.columns.get(nth).copied()))?;
        Ok(sink.row)
    }

    /// Whether there is such a row.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exists(self, on: &Executor) -> Result<bool> {
        if self.shape != Shape::FindByKey {
            return self.query().exists(on).await;
        }
        let values = self.values?;
        let text =
            M::meta().texts.text(Shape::ExistsByKey, on.shared().dialect, || by::<M>(self.columns, Many::EMPTY))?;
        let (one, several);
        let args = lent!(&values, one, several);
        let mut sink = Last::new(|_| Ok(()));
        let result = on.session().await?.run(text, args, &mut sink).await;
        result.map_err(|error| M::meta().at_value(error, |nth| self.columns.get(nth).copied()))?;
        Ok(sink.row.is_some())
    }

    /// Loads a relation of the row too.
    pub fn include<R: Include<M>>(self, relation: R) -> Query<R::Over> {
        self.query().include(relation)
    }

    /// The same as a query, to be narrowed further.
    pub fn query(self) -> Query<M> {
        let condition = match self.values {
            Ok(values) => Node::All(
                self.columns
                    .iter()
                    .filter_map(|index| M::COLUMNS.get(*index))
                    .zip(values)
                    .map(|(column, value)| Node::binary(BinaryOp::Eq, Node::column(column.column), Node::Value(value)))
                    .collect(),
            ),
            Err(error) => Node::Refused(std::sync::Arc::new(error)),
        };
        Query::new().filter(Expr::new(condition))
    }
}

impl<M> fmt::Debug for Find<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Find").field(&self.shape).finish()
    }
}

fn by<M: Record>(columns: &[usize], list: Many<Node>) -> Statement {
    let mut select = Select::new(M::TABLE, list);
    select.filter = Some(keyed::<M>(columns, 0));
    select.into()
}

/// The value of a node that must be one.
fn plain<M: Model>(node: Node) -> Result<Value> {
    match node {
        Node::Value(value) => Ok(value),
        Node::Refused(error) => Err(error.again()),
        _ => Err(Error::unsupported("an expression as a key", "find")
            .with_model(M::NAME)
            .with_help("use `query().filter(…)`")),
    }
}
