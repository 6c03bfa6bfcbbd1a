//! A session: every piece of work is done in one poll, and waiting for a lock is trying again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use covet_drivers::contract::{
    BoxFuture, Command, Connection, ConnectionState, Flow, Isolation, Outcome, Reuse, Row, RowSink, ServerInfo,
    TransactionOptions, breathe,
};
use covet_drivers::sql::split;
use covet_drivers::{Capabilities, Error, ErrorKind, Result};
use rusqlite::config::DbConfig;
use rusqlite::types::Value as Stored;

use crate::codec::{OwnRow, encode};
use crate::dialect::{PRODUCT, QUOTING};
use crate::errors::Halt;
use crate::tin::Place;

const CAPABILITIES: Capabilities = Capabilities {
    row_locks: false,
    returning_on_insert: true,
    returning_on_update: true,
    returning_on_delete: true,
    default_as_value: false,
    conflict_target: true,
    transactional_ddl: true,
    many_connections: true,
    max_parameters: 32_766,
    max_identifier: 255,
    isolation_levels: false,
    read_only_transactions: true,
    partial_indexes: false,
    comments: false,
    set_default: true,
    unbounded_text_keys: true,
    enum_types: false,
};

#[derive(Debug)]
pub(crate) struct TinConnection {
    place: Place,
    db: rusqlite::Connection,
    server: ServerInfo,
    dirty: bool,
}

/// The rows of a pause, and those behind it.
type Rest = VecDeque<OwnRow>;

fn open(place: &Place) -> std::result::Result<rusqlite::Connection, Halt> {
    let db = rusqlite::Connection::open(&place.path)?;
    db.busy_timeout(Duration::ZERO)?;
    // Without this a quoted name that is no column would be taken for a text.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON;
         CREATE TABLE IF NOT EXISTS _tin (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT",
    )?;
    Ok(db)
}

/// Tries again for as long as somebody else has the lock.
async fn patient<S, T>(
    on: &mut S,
    patience: Duration,
    mut attempt: impl FnMut(&S) -> std::result::Result<T, Halt>,
) -> Result<T> {
    let until = Instant::now() + patience;
    loop {
        match attempt(on) {
            Ok(value) => return Ok(value),
            Err(Halt::Failed(error)) => return Err(error),
            Err(Halt::Busy(error)) if Instant::now() > until => return Err(error),
            Err(Halt::Busy(_)) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Runs one statement. Rows behind the first pause are kept for later.
fn run(
    db: &rusqlite::Connection,
    command: &Command<'_>,
    values: &[Stored],
    sink: &mut dyn RowSink,
    rest: &mut Rest,
) -> std::result::Result<Outcome, Halt> {
    let before = db.total_changes();
    // The cache is bounded, and small enough for texts that come only once.
    let mut statement = db.prepare_cached(command.sql)?;
    if statement.parameter_count() != values.len() {
        let words = format!("{} values for {} places", values.len(), statement.parameter_count());
        return Err(Error::new(ErrorKind::InvalidInput, words).into());
    }
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut paused = false;
    while let Some(row) = rows.next()? {
        let mut row = OwnRow((0..width).map(|index| row.get(index)).collect::<rusqlite::Result<Vec<Stored>>>()?);
        if paused {
            rest.push_back(row);
            continue;
        }
        match sink.row(&mut Row::new(&mut row))? {
            Flow::Continue => {}
            Flow::Pause => paused = true,
            Flow::Stop => break,
        }
    }
    drop(rows);
    drop(statement);
    Ok(Outcome { affected: if db.total_changes() == before { 0 } else { db.changes() }, last_insert_id: None })
}

impl TinConnection {
    pub(crate) async fn open(place: Place) -> Result<Self> {
        let db = patient(&mut (), place.patience, |()| open(&place)).await?;
        let server = ServerInfo { product: PRODUCT, version: rusqlite::version().to_owned() };
        Ok(TinConnection { place, db, server, dirty: false })
    }

    /// Runs SQL of the adapter's own, whole or not at all.
    async fn do_all(&mut self, sql: &str) -> Result<()> {
        patient(&mut self.db, self.place.patience, |db| db.execute_batch(sql).map_err(Halt::from)).await
    }

    fn in_transaction(&mut self) -> Result<()> {
        if self.db.is_autocommit() {
            return Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open"));
        }
        Ok(())
    }

    /// Runs what needs an open transaction.
    fn inside(&mut self, sql: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.in_transaction()?;
            self.do_all(&sql).await
        })
    }

    /// Undoes what a transaction or migration has set.
    fn settle(&mut self) -> Result<()> {
        let end = if self.db.is_autocommit() { "" } else { "ROLLBACK;" };
        let sql = format!("{end} PRAGMA query_only = OFF; PRAGMA foreign_keys = ON");
        self.db.execute_batch(&sql).map_err(|error| match Halt::from(error) {
            Halt::Busy(error) | Halt::Failed(error) => error,
        })
    }

    /// Begins; `sql` is undone where the begin must wait.
    async fn start(&mut self, sql: &str) -> Result<()> {
        if !self.db.is_autocommit() {
            return Err(Error::new(ErrorKind::TransactionClosed, "a transaction is open already"));
        }
        patient(&mut self.db, self.place.patience, |db| {
            db.execute_batch(sql).map_err(|error| {
                // No lock is needed for it, and there is nothing better to say than the first error.
                let _ = db.execute_batch("PRAGMA query_only = OFF; PRAGMA foreign_keys = ON");
                Halt::from(error)
            })
        })
        .await
    }

    async fn end(&mut self) -> Result<()> {
        self.in_transaction()?;
        let committed = self.do_all("COMMIT").await;
        let settled = self.settle();
        committed.and(settled)
    }
}

impl Connection for TinConnection {
    fn run<'a>(&'a mut self, command: Command<'a>, rows: &'a mut dyn RowSink) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let values = command.args.iter().map(|value| encode(value)).collect::<Result<Vec<Stored>>>()?;
            let mut rest = Rest::new();
            let open = !self.db.is_autocommit();
            let attempt = |db: &rusqlite::Connection| run(db, &command, &values, &mut *rows, &mut rest);
            let done = patient(&mut self.db, self.place.patience, attempt).await;
            let outcome = done
                .map_err(|error| if open && self.db.is_autocommit() { error.with_transaction_lost() } else { error })?;
            let mut pause = !rest.is_empty();
            while let Some(mut row) = rest.pop_front() {
                if std::mem::take(&mut pause) {
                    breathe().await;
                }
                match rows.row(&mut Row::new(&mut row))? {
                    Flow::Continue => {}
                    Flow::Pause => pause = true,
                    Flow::Stop => break,
                }
            }
            Ok(outcome)
        })
    }

    fn script<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.dirty = true;
            for statement in split(sql, QUOTING)? {
                let command = Command { sql: statement, args: &[], reuse: Reuse::Once };
                self.run(command, &mut ()).await?;
            }
            Ok(())
        })
    }

    fn begin<'a>(&'a mut self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(level) = options.isolation.filter(|level| *level != Isolation::Serializable) {
                return Err(Error::unsupported(level.sql(), PRODUCT));
            }
            self.start(if options.read_only { "PRAGMA query_only = ON; BEGIN" } else { "BEGIN IMMEDIATE" }).await
        })
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.end())
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.settle() })
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inside(format!("SAVEPOINT s{depth}"))
    }

    fn release(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inside(format!("RELEASE s{depth}"))
    }

    fn rollback_to(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inside(format!("ROLLBACK TO s{depth}; RELEASE s{depth}"))
    }

    fn state(&self) -> ConnectionState {
        if self.db.is_autocommit() { ConnectionState::Idle } else { ConnectionState::InTransaction }
    }

    fn is_dirty(&self) -> bool {
        self.dirty
    }

    fn reset(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            // A session in this process is cheap: a new one has nothing of the old one.
            self.settle()?;
            self.db = patient(&mut (), self.place.patience, |()| open(&self.place)).await?;
            self.dirty = false;
            Ok(())
        })
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.do_all("SELECT 1"))
    }

    fn begin_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.start("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE"))
    }

    fn commit_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let mut broken = 0;
            let mut count = |_: &mut Row<'_>| {
                broken += 1;
                Ok(Flow::Stop)
            };
            self.run(Command { sql: "PRAGMA foreign_key_check", args: &[], reuse: Reuse::Once }, &mut count).await?;
            if broken > 0 {
                self.settle()?;
                return Err(Error::new(ErrorKind::ForeignKey, "the migration leaves rows that point nowhere"));
            }
            self.end().await
        })
    }

    fn rollback_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        self.rollback()
    }

    fn limit_locks(&mut self, _: Option<Duration>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// `BEGIN IMMEDIATE` keeps other migrations out.
    fn lock<'a>(&'a mut self, _: &'a str, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn unlock<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn server(&self) -> &ServerInfo {
        &self.server
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            self.db.close().map_err(|(_, error)| match Halt::from(error) {
                Halt::Busy(error) | Halt::Failed(error) => error,
            })
        })
    }
}
