//! Rows as they arrive.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::catalog::ColumnType;
use crate::error::Result;
use crate::value::{ColumnValue, RowSource, ValueRef};

/// One row while it is in hand. Values are read by position, each once: a driver that has made a text already gives it
/// away.
pub struct Row<'a>(&'a mut dyn RowSource);

impl<'a> Row<'a> {
    /// A row of an adapter.
    #[must_use]
    pub fn new(source: &'a mut dyn RowSource) -> Self {
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

    /// The value at this position as a Rust type, for a column of this type. It may be gone from the row then.
    ///
    /// # Errors
    /// `Decode` when the type cannot hold what is there.
    #[inline]
    pub fn get<T: ColumnValue>(&mut self, index: usize, column: &ColumnType) -> Result<T> {
        match T::from_row(self.0, index, column) {
            Some(value) => Ok(value),
            None => T::from_value(self.0.value(index, column)?, column),
        }
    }

    /// The value at this position.
    ///
    /// # Errors
    /// `Decode` when what is there cannot be a value of the type.
    pub fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        self.0.value(index, column)
    }
}

impl Row<'_> {
    /// The row once more, for a reader after whom there is another one: nothing is gone from it then.
    #[must_use]
    pub fn shared(&self) -> Shared<'_> {
        Shared(&*self.0)
    }
}

/// A row that is read more than once: [`Row::shared`] gives it, and `Row::new(&mut shared)` is the row to read.
pub struct Shared<'a>(&'a dyn RowSource);

impl RowSource for Shared<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn value(&self, index: usize, column: &ColumnType) -> Result<ValueRef<'_>> {
        self.0.value(index, column)
    }

    fn is_null(&self, index: usize) -> bool {
        self.0.is_null(index)
    }

    fn bool(&self, index: usize, column: &ColumnType) -> Option<bool> {
        self.0.bool(index, column)
    }

    fn int(&self, index: usize, column: &ColumnType) -> Option<i64> {
        self.0.int(index, column)
    }

    fn float(&self, index: usize, column: &ColumnType) -> Option<f64> {
        self.0.float(index, column)
    }

    fn text(&self, index: usize, column: &ColumnType) -> Option<&str> {
        self.0.text(index, column)
    }
}

impl fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({} columns)", self.0.len())
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
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow>;

    /// Forgets every row that it took, because the statement begins anew. False when it cannot: then it is
    /// given rows only when they will not come again. Asked before the first row too.
    ///
    /// A sink that can does not ask for a [pause](Flow::Pause).
    fn rewind(&mut self) -> bool {
        false
    }

    /// Whether no more rows will come, as far as the sink knows. An adapter that reads a statement may end it here if that
    /// costs less than to see its end; others read on, and nothing is wrong with more rows.
    fn is_full(&self) -> bool {
        false
    }

    /// The sink as a value of its own, for an adapter that reads on another thread; it comes back by
    /// [`attach`](RowSink::attach), or is dropped together with the statement.
    fn detach(&mut self) -> Option<Box<dyn Detached>> {
        None
    }

    /// Takes back what [`detach`](RowSink::detach) gave away, with the rows that it has taken since.
    fn attach(&mut self, detached: Box<dyn Any + Send>) {
        let _ = detached;
    }
}

/// A sink that is on its own; it can be rewound.
pub trait Detached: RowSink + 'static {
    /// Itself, for [`attach`](RowSink::attach).
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
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
    fn row(&mut self, _: &mut Row<'_>) -> Result<Flow> {
        Ok(Flow::Continue)
    }

    fn rewind(&mut self) -> bool {
        true
    }

    fn detach(&mut self) -> Option<Box<dyn Detached>> {
        Some(Box::new(()))
    }
}

impl Detached for () {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A sink that is a function.
impl<F: FnMut(&mut Row<'_>) -> Result<Flow> + Send> RowSink for F {
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow> {
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
