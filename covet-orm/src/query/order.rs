//! The order of rows.

use std::marker::PhantomData;

use covet_drivers::sql::{Node, Nulls, Order};

use crate::model::ColumnMeta;
use crate::query::Query;

/// One term of an order: `Post::created_at.desc()`.
#[derive(Debug)]
pub struct OrderBy<S> {
    pub(crate) order: Order,
    marker: PhantomData<fn() -> S>,
}

/// A term of an order over `S`: what [`order_by`](crate::query::Query::order_by) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order of the rows of `{S}`",
    label = "expected `asc()` or `desc()` of a column of `{S}`"
)]
pub trait Sorting<S>: Into<OrderBy<S>> {
    /// `S`; see [`Condition::Over`](crate::query::Condition::Over).
    type Over;

    /// The query in this order.
    #[doc(hidden)]
    fn sort(self, query: Query<S>) -> Query<Self::Over>;
}

#[diagnostic::do_not_recommend]
impl<S, O: Into<OrderBy<S>>> Sorting<S> for O {
    type Over = S;

    fn sort(self, mut query: Query<S>) -> Query<S> {
        query.clauses.order.push(self.into().order);
        query
    }
}

impl<S> OrderBy<S> {
    pub(crate) fn new(column: &'static ColumnMeta, descending: bool) -> Self {
        let order = Order { node: Node::column(column.column), descending, nulls: None, nullable: column.nullable };
        OrderBy { order, marker: PhantomData }
    }

    /// NULL before every value.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.order.nulls = Some(Nulls::First);
        self
    }

    /// NULL after every value.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.order.nulls = Some(Nulls::Last);
        self
    }
}

impl<S> Clone for OrderBy<S> {
    fn clone(&self) -> Self {
        OrderBy { order: self.order.clone(), marker: PhantomData }
    }
}
