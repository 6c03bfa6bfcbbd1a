//! The order of rows.

use std::marker::PhantomData;

use covet_drivers::sql::{Node, Nulls, Order};

use crate::model::ColumnMeta;

/// One term of an order: `Post::created_at.desc()`.
#[derive(Debug)]
pub struct OrderBy<S> {
    pub(crate) order: Order,
    marker: PhantomData<fn() -> S>,
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
