//! The connection: what the contract asks of it, and where it is done.

use std::sync::Arc;
use std::time::Duration;

use crate::capability::Capabilities;
use crate::contract::{
    BoxFuture, Bulk, Command, Connection, ConnectionState, Direct, Maintenance, Of, Outcome, RowSink, RowSupply,
    ServerInfo, TransactionOptions,
};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::checkpoint::Log;
use crate::sqlite::connect::Options;
use crate::sqlite::dialect::PRODUCT;
use crate::sqlite::errors::Stop;
use crate::sqlite::pace::{Pace, Place, Profiles};
use crate::sqlite::patience::Patience;
use crate::sqlite::rows::Rows;
use crate::sqlite::seat::{Needs, Seat};
use crate::sqlite::session::Session;
use crate::sqlite::thread::{Thread, aside, drop_aside};
use crate::sqlite::turns::Turns;
use crate::sqlite::watch::Watch;

/// A session with a SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteConnection {
    pub(super) seat: Seat,
    pub(super) thread: Thread,
    pub(super) watch: Arc<Watch>,
    pub(super) options: Arc<Options>,
    pub(super) turns: Turns,
    pub(super) log: Log,
    pub(super) profiles: Profiles,
    pub(super) commits: Pace,
    /// Rows of the statement under way, and the room for those of the next one.
    pub(super) rows: Rows,
    /// What the sink said in the end that saw the rows of the statement under way at once.
    pub(super) end: Result<()>,
    server: ServerInfo,
    capabilities: Capabilities,
    /// Whether a setting of the session may have been changed.
    pub(super) dirty: bool,
    /// Whether nobody knows what became of a commit.
    pub(super) in_doubt: bool,
    /// The timeouts of the transaction that was begun last.
    pub(super) limits: Limits,
}

/// The timeouts of a transaction, where it has its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) statement: Option<Duration>,
    pub(super) lock: Option<Duration>,
}

impl SqliteConnection {
    /// Opens a connection, waiting for locks as every statement does.
    pub(super) async fn open(options: Arc<Options>, turns: Turns, log: Log) -> Result<Self> {
        let watch = Arc::new(Watch::new());
        let mut patience = Patience::new(options.busy_timeout);
        let session = loop {
            let (theirs, seen) = (Arc::clone(&options), Arc::clone(&watch));
            let opened = aside(move || {
                let mut session = Session::open(theirs, seen)?;
                session.set_up().map(|()| Box::new(session))
            });
            match opened.await? {
                Ok(session) => break session,
                Err(Stop::Busy(error)) => patience.wait(error).await?,
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Turn | Stop::Long) => unreachable!("a session is opened without statements"),
            }
        };
        let mut capabilities = capabilities(!options.is_memory());
        capabilities.max_parameters = session.max_parameters();
        Ok(SqliteConnection {
            seat: Seat::Here(session),
            thread: Thread::default(),
            watch,
            options,
            turns,
            log,
            profiles: Profiles::default(),
            commits: Pace::default(),
            rows: Rows::default(),
            end: Ok(()),
            server: ServerInfo { product: PRODUCT, version: rusqlite::version().to_owned() },
            capabilities,
            dirty: false,
            in_doubt: false,
            limits: Limits::default(),
        })
    }

    /// See [`Connection::close`].
    pub(super) async fn close(mut self) -> Result<()> {
        // An error means that the session is gone already.
        let _ = self.settle().await;
        // The last connection of a database copies its write-ahead log and deletes it.
        match std::mem::replace(&mut self.seat, Seat::Gone) {
            Seat::Here(session) => aside(move || drop(session)).await,
            _ => Ok(()),
        }
    }

    pub(super) fn stand(&self) -> ConnectionState {
        if self.in_doubt || matches!(self.seat, Seat::Gone) {
            ConnectionState::Broken
        } else if self.watch.autocommit() {
            ConnectionState::Idle
        } else if self.watch.is_doomed() {
            ConnectionState::Failed
        } else {
            ConnectionState::InTransaction
        }
    }

    /// How patient the next statement, or the COMMIT of the transaction at hand, is with locks.
    pub(super) fn patience(&self) -> Patience {
        // SQLite may have ended the transaction whose limit it is.
        let limit = self.limits.lock.filter(|_| !self.watch.autocommit());
        Patience::new(limit.unwrap_or(self.options.busy_timeout))
    }

    /// Waits for leftovers, and refuses when the transaction is doomed.
    pub(super) async fn ready(&mut self) -> Result<()> {
        self.settle().await?;
        if self.stand() == ConnectionState::Failed {
            return Err(doomed());
        }
        Ok(())
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        // With a job under way the session is closed on the thread.
        self.back();
        if let Seat::Here(mut session) = std::mem::replace(&mut self.seat, Seat::Gone) {
            session.locks.clear();
            drop_aside(session);
        }
    }
}

#[cold]
pub(super) fn doomed() -> Error {
    Error::new(ErrorKind::TransactionClosed, "an earlier statement of this transaction failed or was dropped")
        .with_help("roll the transaction back and run it again")
}

fn capabilities(many_connections: bool) -> Capabilities {
    Capabilities {
        row_locks: false,
        returning_on_insert: true,
        returning_on_update: true,
        returning_on_delete: true,
        default_as_value: false,
        conflict_target: true,
        transactional_ddl: true,
        many_connections,
        max_parameters: 0,
        max_identifier: usize::MAX,
        isolation_levels: false,
        read_only_transactions: true,
        partial_indexes: true,
        comments: false,
        set_default: true,
        unbounded_text_keys: true,
        enum_types: false,
    }
}

impl Connection for SqliteConnection {
    fn run<'a>(&'a mut self, command: Command<'a>, rows: &'a mut dyn RowSink) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.run(command, rows))
    }

    fn insert_many<'a>(&'a mut self, bulk: Bulk, rows: &'a mut dyn RowSupply) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.insert_many(bulk, rows))
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
        self.stand()
    }

    fn is_dirty(&self) -> bool {
        self.dirty || self.watch.has_leftover()
    }

    fn reset(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.reset())
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.job(Needs::Nothing, Place::Here, |session, _| session.ping()).await.map(drop) })
    }

    fn begin_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.begin_migration())
    }

    fn commit_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.commit_migration())
    }

    fn rollback_migration(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.rollback_migration())
    }

    fn limit_locks(&mut self, _: Option<Duration>) -> BoxFuture<'_, Result<()>> {
        // No statement waits longer than the connection's `busy_timeout`.
        Box::pin(std::future::ready(Ok(())))
    }

    fn lock<'a>(&'a mut self, name: &'a str, wait: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.lock_runners(name, wait))
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.unlock_runners(name))
    }

    fn server(&self) -> &ServerInfo {
        &self.server
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn maintenance(&mut self) -> Option<&mut dyn Maintenance> {
        Some(self)
    }

    fn check_durable(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.durable())
    }

    fn direct(&mut self) -> Option<Direct<'_>> {
        Some(Direct(Of::Sqlite(self)))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin((*self).close())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};
    use std::thread::ThreadId;

    use rusqlite::functions::FunctionFlags;

    use crate::contract::{Command, ConnectUrl, Reuse, TransactionOptions};
    use crate::sqlite::checkpoint::Log;
    use crate::sqlite::connect::Options;
    use crate::sqlite::connection::SqliteConnection;
    use crate::sqlite::seat::Seat;
    use crate::sqlite::turns::Turns;
    use crate::value::Value;

    /// A connection with a table and a function `seen()` that notes the thread it runs on.
    async fn open(url: &str) -> (SqliteConnection, Arc<Mutex<Vec<ThreadId>>>) {
        let url: ConnectUrl = url.parse().unwrap();
        let options = Arc::new(Options::read(&url).unwrap());
        let db = SqliteConnection::open(options, Turns::new(), Log::default()).await.unwrap();
        let Seat::Here(session) = &db.seat else { panic!("no job is under way") };
        session
            .pragma("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER) STRICT; INSERT INTO t VALUES (1, 1)")
            .unwrap();
        let threads = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&threads);
        session
            .db
            .create_scalar_function("seen", 0, FunctionFlags::SQLITE_INNOCUOUS, move |_| {
                theirs.lock().unwrap().push(std::thread::current().id());
                Ok(1)
            })
            .unwrap();
        (db, threads)
    }

    async fn run(db: &mut SqliteConnection, sql: &str, reuse: Reuse) {
        db.run(Command { sql, args: &[&Value::Int(1)], reuse }, &mut ()).await.unwrap();
    }

    #[tokio::test]
    async fn short_statements_run_on_their_callers_thread_and_start_none() {
        // With the usual budget a first statement on a slow machine is taken for a long one.
        let (mut db, threads) = open("sqlite::memory:?inline_budget=1000000").await;
        for _ in 0..3 {
            run(&mut db, "SELECT a, seen() FROM t WHERE id = ?1", Reuse::Keep).await;
            run(&mut db, "INSERT INTO t (a) VALUES (?1 + seen()) RETURNING id", Reuse::Keep).await;
            db.begin(&TransactionOptions::default()).await.unwrap();
            db.savepoint(1).await.unwrap();
            run(&mut db, "SELECT a, seen() FROM t WHERE id = ?1", Reuse::Keep).await;
            db.release(1).await.unwrap();
            db.commit().await.unwrap();
        }
        assert_eq!(*threads.lock().unwrap(), [std::thread::current().id(); 9]);
        assert!(!db.thread.is_started());
    }

    #[tokio::test]
    async fn without_a_budget_every_statement_runs_on_the_connections_thread() {
        let (mut db, threads) = open("sqlite::memory:?inline_budget=0").await;
        for _ in 0..3 {
            run(&mut db, "SELECT a, seen() FROM t WHERE id = ?1", Reuse::Keep).await;
            db.begin(&TransactionOptions::default()).await.unwrap();
            run(&mut db, "INSERT INTO t (a) VALUES (?1 + seen()) RETURNING id", Reuse::Keep).await;
            db.commit().await.unwrap();
        }
        let threads = threads.lock().unwrap();
        assert_eq!(threads.len(), 6);
        assert!(!threads.contains(&std::thread::current().id()));
    }

    #[tokio::test]
    async fn what_is_long_or_unknown_runs_on_the_connections_thread() {
        let (mut db, threads) = open("sqlite::memory:").await;
        let endless = "WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
            SELECT count(i) + seen() FROM n";
        for (sql, reuse) in [
            ("SELECT seen() FROM t WHERE id = ?1", Reuse::Once),
            ("UPDATE t SET a = seen() + ?1", Reuse::Keep),
            ("SELECT count(*) + seen() + ?1 FROM t", Reuse::Keep),
            (endless, Reuse::Keep),
        ] {
            run(&mut db, sql, reuse).await;
            let last = threads.lock().unwrap().last().copied();
            assert!(last.is_some() && last != Some(std::thread::current().id()), "{sql}");
        }
        // Inside a transaction a write has to prove first that it is short.
        db.begin(&TransactionOptions::default()).await.unwrap();
        threads.lock().unwrap().clear();
        for _ in 0..2 {
            run(&mut db, "UPDATE t SET a = seen() WHERE id = ?1", Reuse::Keep).await;
        }
        let here = std::thread::current().id();
        let seen: Vec<bool> = threads.lock().unwrap().iter().map(|thread| *thread == here).collect();
        assert_eq!(seen, [false, true]);
        db.rollback().await.unwrap();
    }

    #[tokio::test]
    async fn a_commit_that_waits_for_the_disk_is_tried_on_the_thread_first() {
        let path = std::env::temp_dir().join(format!("covet-sqlite-commit-{}.db", std::process::id()));
        let (mut db, _) = open(&format!("sqlite://{}?journal_mode=delete", path.display())).await;
        db.begin(&TransactionOptions::default()).await.unwrap();
        db.commit().await.unwrap();
        assert!(!db.thread.is_started(), "nothing was written");
        run(&mut db, "INSERT INTO t (a) VALUES (?1)", Reuse::Keep).await;
        assert!(db.thread.is_started());
        db.close().await.unwrap();
        std::fs::remove_file(path).unwrap();
    }
}
