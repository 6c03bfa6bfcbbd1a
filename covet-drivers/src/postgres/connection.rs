//! A session: statements, their rows, and where the session stands.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::capability::Capabilities;
use crate::contract::{
    BoxFuture, Bulk, Command, Connection, ConnectionState, Copied, Direct, FromFile, Of, Outcome, RowSink, RowSupply,
    ServerInfo, ToFile, TransactionOptions, TwoPhase,
};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::cache::Cache;
use crate::postgres::connect::Target;
use crate::postgres::errors;
use crate::postgres::guard::{Guard, Switch};
use crate::postgres::link::Cancel;
use crate::postgres::opening::{Ahead, fly};
use crate::postgres::wording::Wording;

/// What every PostgreSQL from 13 on can do.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    row_locks: true,
    returning_on_insert: true,
    returning_on_update: true,
    returning_on_delete: true,
    default_as_value: true,
    conflict_target: true,
    transactional_ddl: true,
    many_connections: true,
    max_parameters: 65_535,
    max_identifier: 63,
    isolation_levels: true,
    read_only_transactions: true,
    partial_indexes: true,
    comments: true,
    set_default: true,
    unbounded_text_keys: true,
    enum_types: true,
};

/// How long closing waits for the driver to say good-bye.
const GOOD_BYE: Duration = Duration::from_secs(5);

/// A session with PostgreSQL.
pub struct PostgresConnection {
    pub(super) client: Client,
    driver: Option<JoinHandle<()>>,
    cancel: Cancel,
    pub(super) setup: String,
    pub(super) cache: Cache,
    server: ServerInfo,
    pub(super) state: ConnectionState,
    /// A transaction that the state speaks of and the server has not heard of: its BEGIN waits for company.
    pub(super) held: Option<TransactionOptions>,
    pub(super) guard: Guard,
    /// A pooler gives each transaction another session.
    pub(super) pooled: bool,
    /// Set before every await that has bytes under way, cleared behind it: whoever drops a future
    /// leaves it set.
    pub(super) under_way: bool,
    pub(super) dirty: bool,
    pub(super) locks: u32,
}

impl PostgresConnection {
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let opened = target.open().await?;
        let mut connection = PostgresConnection {
            client: opened.client,
            driver: opened.driver.take(),
            cancel: opened.cancel,
            setup: target.setup().to_owned(),
            cache: Cache::new(target.cache()),
            server: ServerInfo { product: "PostgreSQL", version: opened.version },
            state: ConnectionState::Idle,
            held: None,
            guard: Guard::new(opened.writes && target.cache() > 0),
            pooled: target.cache() == 0,
            under_way: false,
            dirty: false,
            locks: 0,
        };
        if connection.pooled {
            connection.begin_names_anywhere().await;
            Box::pin(connection.learn_types(None)).await?;
        }
        Ok(connection)
    }

    /// As [`Connection::run`].
    ///
    /// # Errors
    /// As there.
    pub async fn run(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        if self.must_be_kept() {
            return Box::pin(self.run_pooled(command, rows)).await;
        }
        self.run_here(command, rows).await
    }

    /// Runs a statement where the session stands.
    pub(super) async fn run_here(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        match self.state() {
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Failed if !Wording::of(command.sql).steers => return Err(doomed()),
            _ => {}
        }
        // The protocol counts parameters in 16 bits; one more and the server is out of step.
        if command.args.len() > CAPABILITIES.max_parameters {
            let text = format!("{} values for one statement, and PostgreSQL takes 65535", command.args.len());
            return Err(Error::new(ErrorKind::InvalidInput, text).with_help("split it into several statements"));
        }
        self.under_way = true;
        let outcome = self.execute(command, rows).await;
        self.under_way = false;
        outcome
    }

    /// As [`Connection::script`]. The statements run as one: a script outside a transaction takes
    /// effect as a whole or not at all.
    ///
    /// # Errors
    /// As there.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        let steers = Wording::steers(sql);
        match self.state() {
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Failed if !steers => return Err(doomed()),
            _ => {}
        }
        self.under_way = true;
        self.dirty = true;
        // What was prepared before may not fit the schema behind it.
        self.cache.clear();
        if !self.pooled {
            self.client.clear_type_cache();
        }
        let held = self.held.take();
        let switch =
            if self.state == ConnectionState::Idle || held.is_some() { Switch::Lift } else { Switch::LiftWithin };
        let ahead = Ahead::switching(self.guard.may_stand().then_some(switch));
        self.guard.interrupted();
        let sql = match held {
            // In one message, of which the server runs nothing behind an error.
            Some(options) => Cow::Owned(format!("{}; {sql}", self.begin_text(&options))),
            None => Cow::Borrowed(sql),
        };
        let (answers, result) = fly(&self.client, &ahead, self.client.batch_execute(&sql)).await;
        let missed = self.heard(&ahead, answers)?;
        let mut result = result.map_err(|error| self.settle(errors::cause(error, missed)));
        if steers && self.state != ConnectionState::Broken {
            result = result.and(self.locate().await);
        }
        self.under_way = false;
        result
    }

    /// As [`Connection::state`].
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        if self.under_way || self.client.is_closed() { ConnectionState::Broken } else { self.state }
    }

    /// As [`Connection::is_dirty`].
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.dirty || self.locks > 0
    }

    /// As [`Connection::ping`].
    ///
    /// # Errors
    /// As there.
    pub async fn ping(&mut self) -> Result<()> {
        self.simple("").await
    }

    /// Ends the session in good order.
    ///
    /// # Errors
    /// `ConnectionLost` when the connection did not end in time.
    pub async fn close(mut self) -> Result<()> {
        let driver = self.driver.take();
        let in_step = self.state() != ConnectionState::Broken;
        drop(self);
        let Some(driver) = driver else { return Ok(()) };
        if !in_step {
            driver.abort();
            return Ok(());
        }
        match tokio::time::timeout(GOOD_BYE, driver).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::new(ErrorKind::ConnectionLost, "the connection did not end in time")),
        }
    }

    /// Sends a text of Covet's own.
    pub(super) async fn simple(&mut self, sql: &str) -> Result<()> {
        if self.state() == ConnectionState::Broken {
            return Err(gone());
        }
        self.under_way = true;
        let result = self.client.batch_execute(sql).await.map_err(|error| self.settle(error));
        self.under_way = false;
        result
    }

    /// Takes an error in: what it means for the session, and what it is to the caller.
    pub(super) fn settle(&mut self, error: tokio_postgres::Error) -> Error {
        if errors::ends_session(&error) {
            self.state = ConnectionState::Broken;
        } else if let Some(server) = error.as_db_error()
            && (self.state == ConnectionState::InTransaction || server.code().code() == "25P02")
        {
            self.state = ConnectionState::Failed;
        }
        errors::statement(error)
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        // In step: the driver says good-bye by itself once the client is gone.
        if !(self.under_way || self.state == ConnectionState::Broken) {
            return;
        }
        // Asked first: ending its driver closes the client.
        let alive = !self.client.is_closed();
        if let Some(driver) = &self.driver {
            driver.abort();
        }
        // A statement that nobody waits for any more shall not go on; outside a runtime it does.
        if alive && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.cancel.clone().stop());
        }
    }
}

impl fmt::Debug for PostgresConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConnection")
            .field("server", &self.server)
            .field("state", &self.state())
            .field("dirty", &self.is_dirty())
            .finish_non_exhaustive()
    }
}

#[cold]
pub(super) fn gone() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the connection to PostgreSQL is closed or out of step")
}

#[cold]
pub(super) fn doomed() -> Error {
    Error::new(ErrorKind::TransactionClosed, "the transaction has failed: an earlier statement of it did")
        .with_help("roll it back, or back to a savepoint")
}

impl Connection for PostgresConnection {
    fn run<'a>(&'a mut self, command: Command<'a>, rows: &'a mut dyn RowSink) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.run(command, rows))
    }

    fn insert_many<'a>(&'a mut self, bulk: Bulk, rows: &'a mut dyn RowSupply) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.insert_many(bulk, rows))
    }

    fn copy_out<'a>(&'a mut self, copied: &'a Copied, to: ToFile<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.copy_out(copied, to))
    }

    fn copy_in<'a>(&'a mut self, copied: &'a Copied, from: FromFile<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.copy_in(copied, from))
    }

    fn script<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.script(sql))
    }

    fn begin<'a>(&'a mut self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.begin(options))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.commit())
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.rollback())
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.savepoint(depth))
    }

    fn release(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.release(depth))
    }

    fn rollback_to(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.rollback_to(depth))
    }

    fn state(&self) -> ConnectionState {
        self.state()
    }

    fn is_dirty(&self) -> bool {
        self.is_dirty()
    }

    fn reset(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.reset())
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.ping())
    }

    fn begin_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.begin(&TransactionOptions::DEFAULT))
    }

    fn commit_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.commit())
    }

    fn rollback_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.rollback())
    }

    fn limit_locks(&mut self, limit: Option<Duration>) -> BoxFuture<'_, Result<()>> {
        let sql = format!("SET lock_timeout = {}", limit.map_or(0, |limit| limit.as_millis().max(1)));
        Box::pin(async move { self.script(&sql).await })
    }

    fn lock<'a>(&'a mut self, name: &'a str, wait: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.lock(name, wait))
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.unlock(name))
    }

    fn server(&self) -> &ServerInfo {
        &self.server
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn two_phase(&mut self) -> Option<&mut dyn TwoPhase> {
        Some(self)
    }

    fn check_durable(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.durable())
    }

    fn direct(&mut self) -> Option<Direct<'_>> {
        Some(Direct(Of::Postgres(self)))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin((*self).close())
    }
}
