//! Rows as a stream.
//!
//! The statement runs inside the stream: polling the stream polls the statement, whose sink keeps
//! a few rows and asks for a pause when it has enough. Nothing is spawned, and a stream that is not
//! polled holds the server back.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use covet_drivers::contract::{BoxFuture, Flow, Row};
use covet_drivers::sql::Statement;
use covet_drivers::{Error, Result};
use futures_core::Stream;

use crate::db::Executor;
use crate::model::ModelMeta;

/// How many rows are kept before the statement pauses.
const KEPT: usize = 64;

/// Rows as they arrive.
///
/// Dropping it before its end gives the connection up half-way: a connection of the pool is then closed
/// unless its database can stop in good order, and a transaction is doomed (`TransactionClosed`). Where
/// only the first rows are wanted, say so with `limit`. While a stream of a transaction is open, another
/// statement of that transaction is refused (`InvalidInput`).
#[must_use = "a stream does nothing until it is polled"]
pub struct Rows<'a, T> {
    statement: Option<BoxFuture<'a, Result<()>>>,
    kept: Arc<Mutex<VecDeque<T>>>,
    failed: Option<Error>,
}

impl<'a, T: Send + 'static> Rows<'a, T> {
    pub(crate) fn new(
        model: &'static ModelMeta,
        statement: Statement,
        on: &'a Executor,
        decode: impl Fn(&mut Row<'_>) -> Result<T> + Send + Sync + 'a,
    ) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let rows = Arc::clone(&kept);
        let run = Box::pin(async move {
            let mut sink = |row: &mut Row<'_>| {
                let row = decode(row)?;
                let mut kept = rows.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(row);
                Ok(if kept.len() < KEPT { Flow::Continue } else { Flow::Pause })
            };
            on.run_stream(&statement, &mut sink).await.map(drop).map_err(|error| model.at(error))
        });
        Rows { statement: Some(run), kept, failed: None }
    }
}

impl<T> Stream for Rows<'_, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(row) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return Poll::Ready(Some(Ok(row)));
            }
            let Some(statement) = &mut self.statement else {
                return Poll::Ready(self.failed.take().map(Err));
            };
            match statement.as_mut().poll(cx) {
                Poll::Ready(result) => {
                    self.statement = None;
                    self.failed = result.err();
                }
                Poll::Pending if self.kept.lock().unwrap_or_else(PoisonError::into_inner).is_empty() => {
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
        }
    }
}

impl<T> fmt::Debug for Rows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("running", &self.statement.is_some()).finish()
    }
}
