//! Where the rows of a statement end up.

use std::any::Any;

use covet_drivers::Result;
use covet_drivers::contract::{Detached, Flow, Row, RowSink};

/// All rows, decoded as they arrive.
pub(crate) struct Collect<T> {
    pub(crate) rows: Vec<T>,
    decode: fn(&mut Row<'_>) -> Result<T>,
}

impl<T> Collect<T> {
    pub(crate) fn new(decode: fn(&mut Row<'_>) -> Result<T>) -> Self {
        Collect { rows: Vec::new(), decode }
    }
}

impl<T: Send + 'static> RowSink for Collect<T> {
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow> {
        self.rows.push((self.decode)(row)?);
        Ok(Flow::Continue)
    }

    fn rewind(&mut self) -> bool {
        self.rows.clear();
        true
    }

    fn detach(&mut self) -> Option<Box<dyn Detached>> {
        Some(Box::new(Collect { rows: std::mem::take(&mut self.rows), decode: self.decode }))
    }

    fn attach(&mut self, detached: Box<dyn Any + Send>) {
        if let Ok(own) = detached.downcast::<Self>() {
            *self = *own;
        }
    }
}

impl<T: Send + 'static> Detached for Collect<T> {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The last row of a statement that gives one at most.
pub(crate) struct Last<T> {
    pub(crate) row: Option<T>,
    decode: fn(&mut Row<'_>) -> Result<T>,
}

impl<T> Last<T> {
    pub(crate) fn new(decode: fn(&mut Row<'_>) -> Result<T>) -> Self {
        Last { row: None, decode }
    }
}

impl<T: Send> RowSink for Last<T> {
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow> {
        self.row = Some((self.decode)(row)?);
        Ok(Flow::Continue)
    }

    fn rewind(&mut self) -> bool {
        self.row = None;
        true
    }

    fn is_full(&self) -> bool {
        self.row.is_some()
    }
}
