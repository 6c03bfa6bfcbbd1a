//! A session: its state, and the one way in which anything is sent.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::Conn;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable as _;

use crate::capability::Capabilities;
use crate::contract::{
    BoxFuture, BranchId, Bulk, Command, Connection, ConnectionState, Direct, Of, Outcome, RowSink, RowSupply,
    ServerInfo, TransactionOptions, TwoPhase,
};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::bulk::Sends;
use crate::mysql::cache::StatementCache;
use crate::mysql::caught::caught;
use crate::mysql::connect::Settings;
use crate::mysql::errors::{ENDS_TRANSACTION, LOCK_WAIT, Phase, ends_session, of_driver, of_server};
use crate::mysql::leaving;
use crate::mysql::numbered::Numbered;
use crate::mysql::raw::{Raw, break_off};
use crate::mysql::reaper::Reaper;
use crate::mysql::server::Server;

/// A session with a MySQL or MariaDB server.
pub struct MySqlConnection {
    /// `None` once the session is known to be gone.
    wire: Option<Conn>,
    /// Set while bytes may be under way; stays set when a future was dropped meanwhile.
    under_way: bool,
    /// Whether what was sent may commit by itself what came before it, as DDL does.
    may_commit: bool,
    standing: Standing,
    /// The branch of a distributed transaction that the session is bound to.
    pub(super) branch: Option<BranchId>,
    pub(crate) dirty: bool,
    /// Whether the timeouts are those of a transaction.
    pub(crate) limited: bool,
    pub(crate) cache: StatementCache,
    pub(crate) settings: Settings,
    /// Agreed on when the connection was made, so that a reset leaves it as it is.
    pub(super) sends: Sends,
    pub(crate) server: Server,
    /// Ends a statement whose future was dropped.
    reaper: Reaper,
    opened: Instant,
    info: ServerInfo,
    capabilities: Capabilities,
}

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// None is open.
    Idle,
    /// One is open.
    Open,
    /// One is open on the server, and must not be committed.
    Failed,
    /// The branch is prepared, and the session takes nothing but its end.
    Prepared,
}

/// Why an exchange with the server did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server or the driver said so.
    Driver(mysql_async::Error),
    /// We said so; the session is in step.
    Own(Error),
    /// We said so, and gave up reading: the session is lost.
    Left(Error),
}

impl From<mysql_async::Error> for Failure {
    fn from(error: mysql_async::Error) -> Self {
        Failure::Driver(error)
    }
}

impl MySqlConnection {
    pub(super) fn new(raw: Raw, server: Server, settings: Settings, reaper: Reaper) -> Self {
        MySqlConnection {
            wire: raw.keep(),
            under_way: false,
            may_commit: true,
            standing: Standing::Idle,
            branch: None,
            dirty: false,
            limited: false,
            cache: StatementCache::new(settings.cache),
            settings,
            sends: Sends::Unknown,
            info: ServerInfo { product: server.name(), version: server.text.clone() },
            capabilities: server.capabilities(),
            server,
            reaper,
            opened: Instant::now(),
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    pub(crate) fn set_standing(&mut self, standing: Standing) {
        self.standing = standing;
    }

    fn is_broken(&self) -> bool {
        self.under_way || self.wire.as_ref().is_none_or(Conn::is_disconnected)
    }

    /// Refuses to send on a broken session.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_broken() {
            return Err(Error::new(
                ErrorKind::ConnectionLost,
                "the connection broke, or was left in the middle of a statement",
            ));
        }
        Ok(())
    }

    /// Refuses to run a statement where it must not run.
    pub(crate) fn check_runs(&self) -> Result<()> {
        self.check()?;
        if self.standing == Standing::Failed {
            return Err(Error::new(ErrorKind::TransactionClosed, "an earlier statement of this transaction failed")
                .with_help("roll the transaction back and run it again"));
        }
        if self.standing == Standing::Prepared {
            return Err(Error::new(ErrorKind::TransactionClosed, "the transaction is prepared"));
        }
        Ok(())
    }

    /// The driver's connection, for the time of one exchange; [`settle`](Self::settle) ends it. If
    /// the future is dropped in between, the session is broken.
    pub(crate) fn depart(&mut self) -> Result<&mut Conn> {
        self.depart_with(true)
    }

    /// As [`depart`](Self::depart), and says whether what is sent may commit by itself what came before it.
    pub(crate) fn depart_with(&mut self, may_commit: bool) -> Result<&mut Conn> {
        self.check()?;
        let wire =
            self.wire.as_mut().ok_or_else(|| Error::new(ErrorKind::ConnectionLost, "the connection is closed"))?;
        self.under_way = true;
        self.may_commit = may_commit;
        Ok(wire)
    }

    /// Ends an exchange whose answer carried no status flags.
    pub(crate) fn arrive(&mut self) {
        self.under_way = false;
    }

    /// Ends an exchange: believes the server about the transaction, and learns from an error.
    pub(crate) async fn settle<T>(&mut self, result: Result<T, Failure>) -> Result<T> {
        match result {
            Ok(value) => {
                self.under_way = false;
                self.believe();
                Ok(value)
            }
            Err(Failure::Own(error)) => {
                self.under_way = false;
                self.believe();
                Err(error)
            }
            Err(Failure::Left(error)) => {
                self.break_off();
                Err(error)
            }
            Err(Failure::Driver(mysql_async::Error::Server(error))) => {
                let made = of_server(&error, Phase::Use);
                if ends_session(error.code) {
                    self.break_off();
                    return Err(made);
                }
                let had = self.standing;
                self.ask().await?;
                if had != Standing::Idle && self.standing == Standing::Idle {
                    self.close_behind().await?;
                }
                Err(self.after(had, error.code, made))
            }
            Err(Failure::Driver(error)) => {
                self.break_off();
                Err(of_driver(error, Phase::Use))
            }
        }
    }

    /// What an error did to the transaction, now that the server has told where it stands.
    fn after(&mut self, had: Standing, code: u16, error: Error) -> Error {
        if had == Standing::Idle {
            return error;
        }
        match self.standing {
            // The server would go on, and a later COMMIT would keep half of the transaction.
            Standing::Open if error.kind() == ErrorKind::LockTimeout || had == Standing::Failed => {
                self.standing = Standing::Failed;
                error
            }
            // The server has doomed the branch, and keeps its name until that is rolled back.
            Standing::Open if self.branch.is_some() && ENDS_TRANSACTION.contains(&code) => {
                self.standing = Standing::Failed;
                error.with_transaction_lost()
            }
            Standing::Idle if ENDS_TRANSACTION.contains(&code) => error.with_transaction_lost(),
            Standing::Idle if code == LOCK_WAIT && self.may_commit => ended(error),
            // The server rolls all of it back where `innodb_rollback_on_timeout` is on, and after a COMMIT that had to
            // wait for somebody who holds commits up, as a backup does.
            Standing::Idle if code == LOCK_WAIT => error.with_transaction_lost(),
            _ => error,
        }
    }

    /// After an error no status flags are at hand: one round trip brings them, where they matter.
    async fn ask(&mut self) -> Result<()> {
        if self.standing == Standing::Idle && !self.dirty {
            self.under_way = false;
            return Ok(());
        }
        let Some(wire) = self.wire.as_mut() else { return self.check() };
        let told = caught(wire.ping()).await;
        self.heed(told)
    }

    /// The server has ended the transaction because of an error. On MariaDB what was said at its beginning, READ ONLY and
    /// the isolation level, holds on until a transaction is ended in so many words.
    async fn close_behind(&mut self) -> Result<()> {
        // What it was that failed is still to be told.
        let wire = self.depart_with(self.may_commit)?;
        // The session may have been told to begin the next one wherever one ends.
        let told = caught(wire.query_drop("ROLLBACK AND NO CHAIN")).await;
        self.heed(told)
    }

    /// Ends an exchange behind an error, which must go well: else nobody knows where the session stands.
    fn heed(&mut self, told: Result<(), mysql_async::Error>) -> Result<()> {
        match told {
            Ok(()) => {
                self.under_way = false;
                self.believe();
                Ok(())
            }
            Err(error) => {
                self.break_off();
                Err(of_driver(error, Phase::Use))
            }
        }
    }

    /// Takes the state of the transaction from the last status flags.
    fn believe(&mut self) {
        // A branch ends by Covet's own commands alone: the server refuses whatever would end it on the way.
        if self.branch.is_some() {
            return;
        }
        let Some(flags) = self.wire.as_ref().and_then(|wire| wire.last_ok_packet()).map(|ok| ok.status_flags()) else {
            return;
        };
        if !flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS) {
            self.standing = Standing::Idle;
        } else if self.standing == Standing::Idle {
            self.standing = Standing::Open;
        }
    }

    /// Gives the session up.
    pub(crate) fn break_off(&mut self) {
        self.leave();
        if let Some(wire) = self.wire.take() {
            break_off(wire);
        }
    }

    /// Tells that the session ends, if it holds a branch.
    fn leave(&self) {
        if let (Some(branch), Some(wire)) = (&self.branch, &self.wire) {
            leaving::note(branch, self.numbered(wire));
        }
    }

    fn numbered(&self, wire: &Conn) -> Numbered {
        Numbered { number: wire.id(), server: Arc::clone(&self.settings.identity), opened: self.opened }
    }

    /// Runs text that has no values and gives no rows that matter.
    pub(crate) async fn say(&mut self, sql: &str) -> Result<()> {
        self.say_with(sql, true).await
    }

    /// As [`say`](Self::say), and says whether the text may commit by itself what came before it.
    pub(crate) async fn say_with(&mut self, sql: &str, may_commit: bool) -> Result<()> {
        let wire = self.depart_with(may_commit)?;
        let result = caught(wire.query_drop(sql)).await.map_err(Failure::from);
        self.settle(result).await
    }

    /// As [`Connection::close`].
    ///
    /// # Errors
    /// As there.
    pub async fn close(mut self) -> Result<()> {
        if self.is_broken() {
            self.break_off();
            return Ok(());
        }
        self.leave();
        match self.wire.take() {
            Some(wire) => caught(wire.disconnect()).await.map_err(|error| of_driver(error, Phase::Use)),
            None => Ok(()),
        }
    }
}

/// A lock was not had in time by a statement that commits what came before it.
fn ended(error: Error) -> Error {
    let text = "a lock was not had in time, and the transaction ended with the statement that waited for it";
    Error::new(ErrorKind::TransactionClosed, text)
        .with_help(
            "statements such as DDL commit what came before them: it is there, unless that commit itself had to wait; \
             look before it runs again",
        )
        .with_source(error)
}

impl Drop for MySqlConnection {
    fn drop(&mut self) {
        if !self.is_broken() {
            self.leave();
            return;
        }
        // Whether the driver takes it for connected says nothing: it does not while something is under way.
        if let Some(wire) = self.wire.as_ref().filter(|_| self.under_way) {
            self.reaper.kill(self.numbered(wire));
        }
        self.break_off();
    }
}

impl fmt::Debug for MySqlConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlConnection")
            .field("server", &self.info)
            .field("state", &self.state())
            .field("dirty", &self.dirty)
            .finish_non_exhaustive()
    }
}

impl Connection for MySqlConnection {
    fn run<'a>(&'a mut self, command: Command<'a>, rows: &'a mut dyn RowSink) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(MySqlConnection::run(self, command, rows))
    }

    fn insert_many<'a>(&'a mut self, bulk: Bulk, rows: &'a mut dyn RowSupply) -> BoxFuture<'a, Result<u64>> {
        Box::pin(MySqlConnection::insert_many(self, bulk, rows))
    }

    fn script<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(MySqlConnection::script(self, sql))
    }

    fn begin<'a>(&'a mut self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<()>> {
        Box::pin(MySqlConnection::begin(self, options))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::commit(self))
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::rollback(self))
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::savepoint(self, depth))
    }

    fn release(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::release(self, depth))
    }

    fn rollback_to(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::rollback_to(self, depth))
    }

    fn state(&self) -> ConnectionState {
        match self.standing {
            _ if self.is_broken() => ConnectionState::Broken,
            Standing::Idle => ConnectionState::Idle,
            Standing::Open => ConnectionState::InTransaction,
            Standing::Failed => ConnectionState::Failed,
            // Whoever gets the session next could do nothing with it.
            Standing::Prepared => ConnectionState::Broken,
        }
    }

    fn is_dirty(&self) -> bool {
        self.dirty || self.limited
    }

    fn reset(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::reset(self))
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::ping(self))
    }

    fn begin_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        // DDL would commit it at once.
        Box::pin(async { self.check_runs() })
    }

    fn commit_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.check() })
    }

    fn rollback_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::rollback(self))
    }

    fn limit_locks(&mut self, limit: Option<Duration>) -> BoxFuture<'_, Result<()>> {
        Box::pin(MySqlConnection::limit_locks(self, limit))
    }

    fn lock<'a>(&'a mut self, name: &'a str, wait: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(MySqlConnection::lock(self, name, wait))
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(MySqlConnection::unlock(self, name))
    }

    fn server(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn two_phase(&mut self) -> Option<&mut dyn TwoPhase> {
        Some(self)
    }

    fn check_durable(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.durable())
    }

    fn direct(&mut self) -> Option<Direct<'_>> {
        Some(Direct(Of::MySql(self)))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(MySqlConnection::close(*self))
    }
}
