//! A connection in hand: the one place that every statement passes.

use std::any::Any;
use std::time::Instant;

use covet_drivers::contract::{
    Bulk, Command, Connection, ConnectionState, Copied, Detached, Flow, FromFile, Outcome, Part, Reuse, Row, RowSink,
    RowSupply, ToFile, TransactionOptions,
};
use covet_drivers::pool::Lease;
use covet_drivers::render::print;
use covet_drivers::sql::{Insert, Many, Node, Statement, placed};
use covet_drivers::value::{Value, ValueWriter};
use covet_drivers::{Error, ErrorKind, Event, Observer, Result};
use tokio::sync::MutexGuard;

#[cfg(feature = "buggify")]
use crate::db::buggify::{self, StatementFault};
use crate::db::connect::Shared;
use crate::db::open::Open;
use crate::db::tally::Deadlock;
use crate::db::transaction::State;

/// A connection in hand, of the pool or of a transaction.
pub(crate) struct Session<'a> {
    shared: &'a Shared,
    held: Held<'a>,
}

enum Held<'a> {
    Pooled(Lease),
    Within(MutexGuard<'a, State>),
}

/// Statements that take effect together: a transaction of their own, or a savepoint within one.
/// Dropping it unfinished undoes them before the connection is used again.
pub(crate) struct Unit<'s, 'a> {
    session: &'s mut Session<'a>,
    /// The depth of the savepoint, or `None` when the unit is a transaction.
    savepoint: Option<u32>,
}

impl<'a> Session<'a> {
    pub(crate) fn pooled(shared: &'a Shared, lease: Lease) -> Self {
        Session { shared, held: Held::Pooled(lease) }
    }

    pub(crate) async fn within(shared: &'a Shared, open: &'a Open, depth: u32) -> Result<Self> {
        let mut state = open.lock().await?;
        state.settle(depth).await?;
        Ok(Session { shared, held: Held::Within(state) })
    }

    fn connection(&mut self) -> Result<&mut dyn Connection> {
        match &mut self.held {
            Held::Pooled(lease) => Ok(&mut **lease),
            Held::Within(state) => state.connection(),
        }
    }

    /// Runs a statement that is worth keeping prepared.
    pub(crate) async fn run(&mut self, sql: &str, args: &[&Value], rows: &mut dyn RowSink) -> Result<Outcome> {
        self.command(Command { sql, args, reuse: Reuse::Keep }, rows).await
    }

    /// Prints and runs a statement.
    pub(crate) async fn statement(
        &mut self,
        statement: &Statement,
        rows: &mut dyn RowSink,
        reuse: Reuse,
    ) -> Result<Outcome> {
        let printed = print(statement, self.shared.dialect)?;
        let values = printed.values()?;
        let result = self.command(Command { sql: &printed.sql, args: &values, reuse }, rows).await;
        result.map_err(|error| placed(error, statement, &values))
    }

    async fn command(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let most = self.shared.capabilities.max_parameters;
        if command.args.len() > most {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the statement binds {} values, and one statement may bind {most}", command.args.len()),
            )
            .with_help("ask in several statements, for instance with fewer values in `is_in`"));
        }
        #[cfg(feature = "buggify")]
        let unanswered = self.disturb().await?;
        let alone = matches!(self.held, Held::Pooled(_));
        let flight = Flight::begin(self.shared, command.sql, alone);
        let observer = self.shared.observer.as_deref();
        let result = if is_watched(observer) {
            let mut counted = Counted { rows, seen: 0 };
            let start = Instant::now();
            let result = self.connection()?.run_direct(command, &mut counted).await;
            tell(&event(command.sql, start, &result, counted.seen), observer);
            result
        } else {
            self.connection()?.run_direct(command, rows).await
        };
        flight.end();
        #[cfg(feature = "buggify")]
        let result = if unanswered && result.is_ok() { Err(self.lose(buggify::lost()).await) } else { result };
        match result {
            Err(error) if error.kind() == ErrorKind::Deadlock => self.deadlock(error, command.sql).await,
            result => self.seen(result),
        }
    }

    /// Makes the fault that is due: takes time, fails, or says that the answer will be lost.
    #[cfg(feature = "buggify")]
    async fn disturb(&mut self) -> Result<bool> {
        let Some(faults) = &self.shared.faults else { return Ok(false) };
        faults.dawdle().await;
        let error = match faults.of_statement() {
            None => return Ok(false),
            Some(StatementFault::Unanswered) => return Ok(true),
            Some(StatementFault::Retryable) => {
                if let Held::Within(state) = &mut self.held {
                    state.roll_back().await?;
                }
                buggify::retryable()
            }
            Some(StatementFault::Lost) => self.lose(buggify::lost()).await,
        };
        self.seen(Err(error))
    }

    /// The connection is lost, and its transaction with it.
    #[cfg(feature = "buggify")]
    async fn lose(&mut self, error: Error) -> Error {
        match &mut self.held {
            Held::Pooled(_) => error,
            Held::Within(state) => state.end(self.shared).await.err().unwrap_or(error),
        }
    }

    /// A statement was the victim of a deadlock. The server is asked about the others once the transaction is over.
    #[cold]
    async fn deadlock(&mut self, error: Error, sql: &str) -> Result<Outcome> {
        if let Some(deadlock) = Deadlock::of(&error, sql) {
            match &mut self.held {
                Held::Pooled(lease) => Box::pin(deadlock.log(&mut **lease, self.shared)).await,
                Held::Within(state) => state.deadlock = Some(deadlock),
            }
        }
        self.seen(Err(error))
    }

    /// Inserts many rows, which the observer is told as the insert of one row.
    pub(crate) async fn insert_many(&mut self, table: &'static str, rows: &mut dyn RowSupply) -> Result<u64> {
        let bulk = Bulk { table, dialect: self.shared.dialect };
        let observer = self.shared.observer.as_deref();
        let result = if is_watched(observer) {
            let mut told = Told { rows, bulk, sql: None };
            let start = Instant::now();
            let result = self.connection()?.insert_many(bulk, &mut told).await;
            if let Some(sql) = &told.sql {
                let (rows, error) = (*result.as_ref().unwrap_or(&0), result.as_ref().err().map(Error::kind));
                tell(&Event { sql, duration: start.elapsed(), rows, error }, observer);
            }
            result
        } else {
            self.connection()?.insert_many(bulk, rows).await
        };
        self.seen(result)
    }

    /// Writes a table into a file.
    pub(crate) async fn copy_out(&mut self, copied: &Copied, to: ToFile<'_>) -> Result<u64> {
        let shared = self.shared;
        let result = told(shared, "COPY", self.connection()?.copy_out(copied, to)).await;
        self.seen(result)
    }

    /// Reads a table from a file.
    pub(crate) async fn copy_in(&mut self, copied: &Copied, from: FromFile<'_>) -> Result<u64> {
        let shared = self.shared;
        let result = told(shared, "COPY", self.connection()?.copy_in(copied, from)).await;
        self.seen(result)
    }

    /// Lets the transaction know how a statement of it ended, and the pool if it ended with the connection.
    fn seen<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.shared.tally.saw(error);
            match &mut self.held {
                Held::Pooled(lease) => lease.report(error),
                Held::Within(state) => state.saw(error),
            }
        }
        result
    }

    /// Begins a unit.
    pub(crate) async fn unit(&mut self) -> Result<Unit<'_, 'a>> {
        let begun = match &mut self.held {
            Held::Pooled(lease) => {
                told(self.shared, "BEGIN", lease.begin_direct(&TransactionOptions::default())).await.map(|()| None)
            }
            Held::Within(state) => told(self.shared, "SAVEPOINT", state.enter()).await.map(Some),
        };
        let savepoint = self.seen(begun)?;
        Ok(Unit { session: self, savepoint })
    }
}

impl<'a> Unit<'_, 'a> {
    /// The connection.
    pub(crate) fn session(&mut self) -> &mut Session<'a> {
        self.session
    }

    /// Makes what the unit did stand, if it went well, and undoes it if not.
    pub(crate) async fn finish<T>(self, result: Result<T>) -> Result<T> {
        let shared = self.session.shared;
        let word = match (self.savepoint, &result) {
            (None, Ok(_)) => "COMMIT",
            (None, Err(_)) => "ROLLBACK",
            (Some(_), Ok(_)) => "RELEASE SAVEPOINT",
            (Some(_), Err(_)) => "ROLLBACK TO SAVEPOINT",
        };
        // The unit's own error is no error of the command that undoes it.
        let undone = result.is_err();
        let ended = told(shared, word, async {
            let ended = self.end(result).await;
            if undone { Ok(ended) } else { ended.map(Ok) }
        });
        ended.await?
    }

    async fn end<T>(self, result: Result<T>) -> Result<T> {
        match (&mut self.session.held, self.savepoint) {
            (Held::Pooled(lease), _) => match result {
                Ok(value) => {
                    let committed = lease.commit_direct().await;
                    self.session.seen(committed).map(|()| value)
                }
                Err(error) => {
                    // The first error is the one to tell; a connection that cannot even roll back is closed.
                    if lease.state() != ConnectionState::Broken {
                        let _ = lease.rollback().await;
                    }
                    Err(error)
                }
            },
            (Held::Within(state), depth) => state.leave(depth.unwrap_or_default(), result).await,
        }
    }
}

/// A statement under way. Dropped before its end it is told, because nobody else will hear of it.
struct Flight<'a> {
    shared: &'a Shared,
    sql: &'a str,
    /// Whether it is in no transaction, so that it may have taken effect.
    alone: bool,
    ended: bool,
}

impl<'a> Flight<'a> {
    fn begin(shared: &'a Shared, sql: &'a str, alone: bool) -> Self {
        Flight { shared, sql, alone, ended: false }
    }

    fn end(mut self) {
        self.ended = true;
    }

    #[cold]
    fn lost(&self) {
        let observer = self.shared.observer.as_deref();
        if is_watched(observer) {
            let error = Some(ErrorKind::Dropped);
            tell(&Event { sql: self.sql, duration: std::time::Duration::ZERO, rows: 0, error }, observer);
        }
        // What only reads may be left at any time, as streams are.
        if self.alone && !self.sql.starts_with("SELECT") {
            tracing::warn!(
                target: "covet::dropped",
                sql = self.sql,
                "a statement was dropped while it was under way: whether it took effect is not known"
            );
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.lost();
        }
    }
}

/// Counts the rows that pass, for the observer.
struct Counted<'a> {
    rows: &'a mut dyn RowSink,
    seen: u64,
}

impl RowSink for Counted<'_> {
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow> {
        self.seen += 1;
        self.rows.row(row)
    }

    fn rewind(&mut self) -> bool {
        self.seen = 0;
        self.rows.rewind()
    }

    fn is_full(&self) -> bool {
        self.rows.is_full()
    }

    fn detach(&mut self) -> Option<Box<dyn Detached>> {
        let rows = self.rows.detach()?;
        Some(Box::new(CountedApart { rows, seen: self.seen }))
    }

    fn attach(&mut self, detached: Box<dyn Any + Send>) {
        if let Ok(counted) = detached.downcast::<CountedApart>() {
            self.seen = counted.seen;
            self.rows.attach(counted.rows.into_any());
        }
    }
}

/// As [`Counted`], on its own.
struct CountedApart {
    rows: Box<dyn Detached>,
    seen: u64,
}

impl RowSink for CountedApart {
    fn row(&mut self, row: &mut Row<'_>) -> Result<Flow> {
        self.seen += 1;
        self.rows.row(row)
    }

    fn rewind(&mut self) -> bool {
        self.seen = 0;
        self.rows.rewind()
    }
}

impl Detached for CountedApart {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Takes down the insert of one row, for the observer.
struct Told<'a> {
    rows: &'a mut dyn RowSupply,
    bulk: Bulk,
    sql: Option<String>,
}

impl RowSupply for Told<'_> {
    fn part(&mut self) -> Result<Option<Part>> {
        let part = self.rows.part()?;
        if let (None, Some(part)) = (&self.sql, &part) {
            let columns = match part {
                Part::Rows(columns) => columns.clone(),
                Part::Insert(insert) => insert.columns.clone(),
            };
            let row = columns.iter().map(|_| Node::Value(Value::Null)).collect();
            let insert =
                Insert { table: self.bulk.table, columns, rows: vec![row], conflict: None, returning: Many::EMPTY };
            self.sql = Some(print(&Statement::Insert(insert), self.bulk.dialect)?.sql);
        }
        Ok(part)
    }

    fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool> {
        self.rows.next(row)
    }

    fn at_least(&self) -> usize {
        self.rows.at_least()
    }
}

fn event<'s>(sql: &'s str, start: Instant, result: &Result<Outcome>, seen: u64) -> Event<'s> {
    Event {
        sql,
        duration: start.elapsed(),
        rows: result.as_ref().map_or(seen, |outcome| seen.max(outcome.affected)),
        error: result.as_ref().err().map(Error::kind),
    }
}

/// Tells a command of a transaction by its standard word, and how long it took.
pub(crate) async fn told<T>(
    shared: &Shared,
    word: &'static str,
    command: impl Future<Output = Result<T>>,
) -> Result<T> {
    let observer = shared.observer.as_deref();
    if !is_watched(observer) {
        return command.await;
    }
    let start = Instant::now();
    let result = command.await;
    let error = result.as_ref().err().map(Error::kind);
    tell(&Event { sql: word, duration: start.elapsed(), rows: 0, error }, observer);
    result
}

/// Whether anybody wants to be told; otherwise nothing is measured.
fn is_watched(observer: Option<&dyn Observer>) -> bool {
    observer.is_some() || tracing::event_enabled!(target: "covet::query", tracing::Level::DEBUG)
}

fn tell(event: &Event<'_>, observer: Option<&dyn Observer>) {
    if let Some(observer) = observer {
        observer.statement(event);
    }
    match event.error {
        None => tracing::debug!(
            target: "covet::query",
            sql = event.sql,
            elapsed_us = u64::try_from(event.duration.as_micros()).unwrap_or(u64::MAX),
            rows = event.rows,
        ),
        Some(kind) => tracing::debug!(
            target: "covet::query",
            sql = event.sql,
            elapsed_us = u64::try_from(event.duration.as_micros()).unwrap_or(u64::MAX),
            error = kind.name(),
        ),
    }
}
