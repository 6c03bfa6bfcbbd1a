//! Reading rows.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Flow, Row};
use covet_drivers::sql::{BinaryOp, Count, Function, Many, Node, Order, Ref, Select, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Executor;
use crate::model::Model;
use crate::query::sink::{Collect, Last};
use crate::query::texts::columns_of;
use crate::query::{Condition, Delete, Pick, Projection, Rows, Sorting, Update};
use crate::relation::{Include, Includes, Loads};

/// A query over the rows of a model, built clause by clause and then run.
///
/// ```ignore
/// let posts = Post::query()
///     .filter(Post::published.eq(true))
///     .include(Post::author)
///     .order_by(Post::created_at.desc())
///     .limit(10)
///     .all(&db).await?;
/// ```
#[must_use = "a query does nothing until it is run"]
pub struct Query<M> {
    pub(crate) clauses: Clauses,
    includes: Includes<M>,
    marker: PhantomData<fn() -> M>,
}

/// What narrows and orders rows, whatever is read of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clauses {
    pub(crate) filter: Option<Node>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

impl Clauses {
    pub(crate) fn filter(&mut self, node: Node) {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(node),
            None => node,
        });
    }

    /// The select of these columns. A limit that the query itself implies is part of the text.
    pub(crate) fn select(self, table: &'static str, columns: Many<Node>, most: Option<u64>) -> Select {
        let bound = |n: u64| Count::Bound(Node::Value(Value::Int(i64::try_from(n).unwrap_or(i64::MAX))));
        Select {
            columns,
            from: table,
            joins: Many::EMPTY,
            filter: self.filter,
            order: self.order.into(),
            limit: match (self.limit, most) {
                (Some(limit), Some(most)) if limit < most => Some(bound(limit)),
                (_, Some(most)) => Some(Count::Fixed(most)),
                (Some(limit), None) => Some(bound(limit)),
                (None, None) => None,
            },
            offset: self.offset.map(bound),
            lock: false,
        }
    }

    /// An error for statements that cannot be cut to some of the rows.
    pub(crate) fn only_filter(&self, what: &str) -> Result<()> {
        if self.order.is_empty() && self.limit.is_none() && self.offset.is_none() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported, format!("{what} takes no order, limit or offset"))
            .with_help("fetch the keys first, then filter by them"))
    }
}

impl<M: Model> Query<M> {
    pub(crate) fn new() -> Self {
        Query { clauses: Clauses::default(), includes: Includes::new(), marker: PhantomData }
    }

    /// Keeps the rows for which the condition holds; called again, all conditions must hold.
    pub fn filter<C: Condition<M>>(self, condition: C) -> Query<C::Over> {
        condition.narrow(self)
    }

    /// Orders the rows; called again, the later order decides between rows that the earlier leaves equal.
    pub fn order_by<O: Sorting<M>>(self, order: O) -> Query<O::Over> {
        order.sort(self)
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.clauses.limit = Some(rows);
        self
    }

    /// Passes over so many rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.clauses.offset = Some(rows);
        self
    }

    /// Loads a relation of every row that is found, by one more statement.
    ///
    /// SQL: `SELECT … FROM posts WHERE author_id IN (…)`. Outside a transaction the two statements see the
    /// database at two moments: a row that must be there and was deleted in between is `NotFound`.
    pub fn include<R: Include<M>>(self, relation: R) -> Query<R::Over> {
        relation.included(self)
    }

    pub(crate) fn with(mut self, relation: impl Loads<M> + 'static) -> Self {
        self.includes.add(relation);
        self
    }

    /// Reads some columns only: `.select((User::id, User::email))` gives tuples.
    pub fn select<P: Projection<M>>(mut self, columns: P) -> Pick<M, P::Output> {
        self.refuse_includes("a selection of columns");
        Pick::new(self.clauses, columns)
    }

    /// No clause is dropped in silence: relations that cannot be loaded refuse the statement.
    fn refuse_includes(&mut self, what: &str) {
        if self.includes.is_empty() {
            return;
        }
        let error =
            Error::new(ErrorKind::Unsupported, format!("{what} loads no relations")).with_model(M::NAME).with_help(
                "use `all`, or load relations of the rows that you keep: `Post::author.load_all(&mut rows, &db)`",
            );
        self.clauses.filter(Node::Refused(std::sync::Arc::new(error)));
    }

    fn statement(clauses: Clauses, most: Option<u64>) -> Statement {
        clauses.select(M::TABLE, columns_of::<M>(), most).into()
    }

    /// All rows.
    ///
    /// # Errors
    /// `Decode`, naming model and field; those of the database.
    pub async fn all(self, on: &Executor) -> Result<Vec<M>> {
        let Query { clauses, includes, .. } = self;
        let mut rows = fetch(&Self::statement(clauses, None), on).await?;
        includes.load(&mut rows, on).await?;
        Ok(rows)
    }

    /// The first row in the given order, or `None`.
    ///
    /// SQL: `… LIMIT 1`
    ///
    /// # Errors
    /// As [`all`](Query::all).
    pub async fn first(self, on: &Executor) -> Result<Option<M>> {
        let Query { clauses, includes, .. } = self;
        let mut rows = fetch(&Self::statement(clauses, Some(1)), on).await?;
        includes.load(&mut rows, on).await?;
        Ok(rows.pop())
    }

    /// The one row, or `None`.
    ///
    /// SQL: `… LIMIT 2`
    ///
    /// # Errors
    /// `TooManyRows` when there is more than one; as [`all`](Query::all).
    pub async fn optional(self, on: &Executor) -> Result<Option<M>> {
        let Query { clauses, includes, .. } = self;
        let mut rows = fetch(&Self::statement(clauses, Some(2)), on).await?;
        if rows.len() > 1 {
            return Err(Error::new(ErrorKind::TooManyRows, "more than one row matches")
                .with_model(M::NAME)
                .with_help("narrow the filter, or take `first` or `all`"));
        }
        includes.load(&mut rows, on).await?;
        Ok(rows.pop())
    }

    /// The one row.
    ///
    /// # Errors
    /// `NotFound` when there is none, `TooManyRows` when there is more than one; as [`all`](Query::all).
    pub async fn one(self, on: &Executor) -> Result<M> {
        self.optional(on).await?.ok_or_else(not_found::<M>)
    }

    /// How many rows match. With a limit or offset, those that `all` would give are counted.
    ///
    /// SQL: `SELECT COUNT(*) FROM table WHERE …`
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(mut self, on: &Executor) -> Result<u64> {
        let (limit, offset) = (self.clauses.limit.take(), self.clauses.offset.take());
        self.clauses.order.clear();
        let count = Node::Call(Function::Count, Many::EMPTY);
        let statement = self.clauses.select(M::TABLE, Many::from(vec![count]), None).into();
        let found = single::<i64>(&statement, &ColumnType::I64, on).await.map_err(|error| M::meta().at(error))?;
        let all = u64::try_from(found.unwrap_or(0)).unwrap_or(0);
        Ok(all.saturating_sub(offset.unwrap_or(0)).min(limit.unwrap_or(u64::MAX)))
    }

    /// Whether a row matches.
    ///
    /// SQL: `SELECT 1 FROM table WHERE … LIMIT 1`
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exists(mut self, on: &Executor) -> Result<bool> {
        self.clauses.order.clear();
        let statement = self.clauses.select(M::TABLE, Many::EMPTY, Some(1)).into();
        is_any(&statement, on).await.map_err(|error| M::meta().at(error))
    }

    /// The rows one by one as they arrive, without keeping them. The connection is in use until the
    /// stream ends or is dropped.
    ///
    /// # Errors
    /// The stream's items are those of [`all`](Query::all). `Unsupported` as its first item when
    /// relations were to be included.
    pub fn stream(mut self, on: &Executor) -> Rows<'_, M> {
        self.refuse_includes("a stream");
        Rows::new(M::meta(), Self::statement(self.clauses, None), on, |row| M::decode(row, 0))
    }

    /// Changes the rows that match: `Post::query().filter(…).update().set(Post::views, Post::views + 1)`.
    pub fn update(mut self) -> Update<M> {
        self.refuse_includes("an update");
        Update::new(self.clauses)
    }

    /// Deletes the rows that match.
    pub fn delete(mut self) -> Delete<M> {
        self.refuse_includes("a delete");
        Delete::new(self.clauses)
    }
}

impl<M> Clone for Query<M> {
    fn clone(&self) -> Self {
        Query { clauses: self.clauses.clone(), includes: self.includes.clone(), marker: PhantomData }
    }
}

impl<M> fmt::Debug for Query<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query").field(&self.clauses).finish()
    }
}

/// The rows of a statement that reads a model's columns.
pub(crate) async fn fetch<M: Model>(statement: &Statement, on: &Executor) -> Result<Vec<M>> {
    let mut sink = Collect::new(|row| M::decode(row, 0));
    on.run(statement, &mut sink).await.map_err(|error| M::meta().at(error))?;
    Ok(sink.rows)
}

/// The first column of the first row.
pub(crate) async fn single<T: covet_drivers::value::ColumnValue>(
    statement: &Statement,
    ty: &ColumnType,
    on: &Executor,
) -> Result<Option<T>> {
    let mut found = None;
    on.run(statement, &mut |row: &mut Row<'_>| {
        found = Some(row.get::<T>(0, ty)?);
        Ok(Flow::Continue)
    })
    .await?;
    Ok(found)
}

/// Whether a statement gives a row.
pub(crate) async fn is_any(statement: &Statement, on: &Executor) -> Result<bool> {
    let mut sink = Last::new(|_| Ok(()));
    on.run(statement, &mut sink).await?;
    Ok(sink.row.is_some())
}

#[cold]
pub(crate) fn not_found<M: Model>() -> Error {
    Error::new(ErrorKind::NotFound, "no row matches").with_model(M::NAME)
}

/// `EXISTS (SELECT 1 FROM table WHERE join AND condition)`; the condition's columns are the table's.
pub(crate) fn exists(table: &'static str, join: Node, condition: Node) -> Node {
    let mut select = Select::new(table, Many::EMPTY);
    select.filter = Some(join.and(condition));
    Node::Exists(Ref::new(select))
}

/// `inner column = outer column`, seen from the inner scope.
pub(crate) fn correlated(inner: &'static str, outer: &'static str) -> Node {
    Node::binary(BinaryOp::Eq, Node::column(inner), Node::Column { up: 1, source: 0, name: outer })
}
