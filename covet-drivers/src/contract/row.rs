//! Rows as they arrive.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::catalog::ColumnType;
use crate::error::Result;
use crate::value::{ColumnValue, ValueRef};

/// One row while it is in hand. Values are read by position.
#[derive(Clone, Copy)]
pub struct Row<'a>(&'a dyn RowSource);

/// A row of one database; implemented by its adapter.
pub trait RowSource {
    /// The number of columns.
    fn len(&self) -> usize;

    /// Whether it has no columns.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at this position, which belongs to a column of this type: a text that stands
    /// for a date on this database comes out as a date.
    ///
    /// # Errors
    /// `Decode` when what is there cannot be a value of the type, and when there is no such position.
    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>>;
}

impl<'a> Row<'a> {
    /// A row of an adapter.
    #[must_use]
    pub fn new(source: &'a dyn RowSource) -> Self {
        Row(source)
    }

    /// The number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// The value at this position as a Rust type, for a column of this type.
    ///
    /// # Errors
    /// `Decode` when the type cannot hold what is there.
    pub fn get<T: ColumnValue>(&self, index: usize, column: &ColumnType) -> Result<T> {
        T::from_value(self.0.value(index, column)?, column)
    }

    /// The value at this position.
    ///
    /// # Errors
    /// `Decode` when what is there cannot be a value of the type.
    pub fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'a>> {
        self.0.value(index, column)
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} columns)", self.len())
    }
}

/// What takes the rows.
pub trait RowSink: Send {
    /// Takes a row while it is lent.
    ///
    /// # Errors
    /// An error ends the statement: the adapter stops reading, keeps the connection in step or
    /// marks it broken, and gives the error back.
    fn row(&mut self, row: &Row<'_>) -> Result<Flow>;
}

/// What the sink wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More rows.
    Continue,
    /// A pause: the adapter awaits [`breathe`] once before it reads on, so that whoever polls the
    /// statement can take the rows away. This is how streams hold the server back.
    Pause,
    /// No more rows: the adapter stops reading, keeping the connection in step or marking it broken,
    /// and reports success.
    Stop,
}

/// A sink for statements whose rows nobody wants.
impl RowSink for () {
    fn row(&mut self, _: &Row<'_>) -> Result<Flow> {
        Ok(Flow::Continue)
    }
}

/// A sink that is a function.
impl<F: FnMut(&Row<'_>) -> Result<Flow> + Send> RowSink for F {
    fn row(&mut self, row: &Row<'_>) -> Result<Flow> {
        self(row)
    }
}

/// Is pending once, without waking anybody: whoever polls will poll again when it wants more rows.
pub fn breathe() -> impl Future<Output = ()> + Send {
    struct Breathe(bool);

    impl Future for Breathe {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    Breathe(false)
}
