//! Where a statement runs: on any connection of the pool, or in a transaction.

use std::fmt;
use std::sync::Arc;

use covet_drivers::contract::{Outcome, RowSink};
use covet_drivers::pool::Place;
use covet_drivers::render::print;
use covet_drivers::sql::{Statement, placed};
use covet_drivers::{Capabilities, Result};

use crate::db::connect::Shared;
use crate::db::open::Open;
use crate::db::session::Session;

/// Where statements run. `&Db` and `&mut Tx` both turn into `&Executor` by themselves, so a
/// function that takes one works in and out of a transaction:
///
/// ```ignore
/// async fn publish(title: &str, on: &Executor) -> Result<Post> {
///     Post::create().title(title).exec(on).await
/// }
/// publish("a", &db).await?;
/// db.transaction(async |tx| publish("b", tx).await).await?;
/// ```
pub struct Executor {
    shared: Arc<Shared>,
    /// The open transaction and the depth of savepoints at which this handle stands.
    transaction: Option<(Arc<Open>, u32)>,
}

impl Executor {
    pub(crate) fn pool(shared: Arc<Shared>) -> Self {
        Executor { shared, transaction: None }
    }

    pub(crate) fn transaction(shared: Arc<Shared>, open: Arc<Open>, depth: u32) -> Self {
        Executor { shared, transaction: Some((open, depth)) }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn shared_arc(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    pub(crate) fn dialect(&self) -> &'static str {
        self.shared.dialect.name()
    }

    /// A connection for one or more statements in a row.
    pub(crate) async fn session(&self) -> Result<Session<'_>> {
        match &self.transaction {
            None => {
                // The code that asked for the statement is out of reach here: `async fn` hides its caller.
                let place = Place::called("a statement");
                Ok(Session::pooled(&self.shared, self.shared.pool.acquire_for(place).await?))
            }
            Some((open, depth)) => Session::within(&self.shared, open, *depth).await,
        }
    }

    /// Runs the statement of a stream: as [`run`](Executor::run), but whoever asks for the transaction's
    /// connection meanwhile is told instead of waiting.
    pub(crate) async fn run_stream(&self, statement: &Statement, rows: &mut dyn RowSink) -> Result<Outcome> {
        let printed = print(statement, self.shared.dialect)?;
        let values = printed.values()?;
        let mut session = self.session().await?;
        let _open = self.transaction.as_ref().map(|(open, _)| Streaming::begin(open));
        session.run(&printed.sql, &values, rows).await.map_err(|error| placed(error, statement, &values))
    }

    /// Prints and runs one statement.
    pub(crate) async fn run(&self, statement: &Statement, rows: &mut dyn RowSink) -> Result<Outcome> {
        // Printing may refuse; then no connection is borrowed.
        let printed = print(statement, self.shared.dialect)?;
        let values = printed.values()?;
        let mut session = self.session().await?;
        session.run(&printed.sql, &values, rows).await.map_err(|error| placed(error, statement, &values))
    }
}

/// Marks a transaction as being streamed from.
struct Streaming<'a>(&'a Open);

impl<'a> Streaming<'a> {
    fn begin(open: &'a Open) -> Self {
        open.streams(true);
        Streaming(open)
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        self.0.streams(false);
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transaction {
            None => write!(f, "Executor({})", self.shared.pool.backend().target()),
            Some((_, depth)) => write!(f, "Executor(transaction, depth {depth})"),
        }
    }
}
