//! The session itself: what is done with SQLite's handle, in plain blocking code.
//!
//! Nothing here waits for a lock, and nothing here knows which thread it runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::contract::TransactionOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::render::ansi;
use crate::sqlite::connect::Options;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::migration::Violations;
use crate::sqlite::pace::Place;
use crate::sqlite::runner_lock::RunnerLock;
use crate::sqlite::turns::Turn;
use crate::sqlite::watch::Watch;

/// A transaction that changed more rows commits, or goes back, on the connection's thread.
const ROWS: u64 = 1000;

/// An open handle and what Covet knows about it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) db: rusqlite::Connection,
    pub(super) options: Arc<Options>,
    pub(super) watch: Arc<Watch>,
    turn: Option<Turn>,
    read_only: bool,
    /// SQLite's count of changes when the transaction began.
    changes: u64,
    /// Whether the open transaction did something of which nobody knows how much it is.
    pub(super) heavy: bool,
    /// How long the commit took that this session did last.
    pub(super) committed: Option<Duration>,
    /// What pointed nowhere before the migration that is under way.
    pub(super) violations: Option<Violations>,
    /// The views that could not be read when the migration began, each with what SQLite said.
    pub(super) broken: BTreeMap<String, String>,
    /// The triggers that could run when the migration began.
    pub(super) sound: BTreeSet<String>,
    /// Locks of migration runners that it holds: with the session, because a statement may go on there when nobody
    /// waits for it any more.
    pub(super) locks: Vec<RunnerLock>,
}

impl Session {
    /// Opens the database; [`set_up`](Session::set_up) is to follow.
    pub(super) fn open(options: Arc<Options>, watch: Arc<Watch>) -> Result<Self> {
        let db = options.open()?;
        Ok(Session {
            db,
            options,
            watch,
            turn: None,
            read_only: false,
            changes: 0,
            heavy: false,
            committed: None,
            violations: None,
            broken: BTreeMap::new(),
            sound: BTreeSet::new(),
            locks: Vec::new(),
        })
    }

    /// Makes it a session as the contract promises.
    pub(super) fn set_up(&mut self) -> Result<(), Stop> {
        self.options.set_up(&self.db)?;
        let watch = Arc::clone(&self.watch);
        self.db.progress_handler(1000, Some(move || watch.must_stop())).map_err(errors::stop)?;
        // SQLite may ask whether to go on once more when a statement has committed, and would call it
        // interrupted all the same. A commit is where there is no way back.
        let watch = Arc::clone(&self.watch);
        let hook = move || {
            watch.lift_budget();
            false
        };
        self.db.commit_hook(Some(hook)).map_err(errors::stop)?;
        if !self.options.is_wal() {
            return Ok(());
        }
        let watch = Arc::clone(&self.watch);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages| {
            watch.logged(u32::try_from(pages).unwrap_or(0));
            Ok(())
        };
        self.db.wal_hook(Some(hook)).map_err(errors::stop)
    }

    /// The most values that one statement can bind.
    pub(super) fn max_parameters(&self) -> usize {
        let limit = self.db.limit(rusqlite::limits::Limit::SQLITE_LIMIT_VARIABLE_NUMBER);
        limit.ok().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(999)
    }

    /// Holds the turn to write from now on, until no transaction is open at the end of a job.
    pub(super) fn take_turn(&mut self, turn: Option<Turn>) {
        if turn.is_some() {
            self.turn = turn;
        }
    }

    /// Whether it holds the turn to write.
    pub(super) fn has_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// Ends a job: says where the transaction stands and gives the turn back that is not needed any more.
    pub(super) fn end(&mut self, job: u64) -> Option<Turn> {
        let turn = self.rest();
        self.watch.end(job, self.db.is_autocommit());
        turn
    }

    /// As [`end`](Session::end), for a statement that was no job.
    pub(super) fn rest(&mut self) -> Option<Turn> {
        let autocommit = self.db.is_autocommit();
        self.watch.stands(autocommit);
        if !autocommit {
            return None;
        }
        self.heavy = false;
        if self.read_only && self.pragma("PRAGMA query_only = OFF").is_ok() {
            self.read_only = false;
        }
        self.turn.take()
    }

    /// Where the open transaction can be ended: one that changed much takes long either way.
    pub(super) fn place_of_end(&self) -> Place {
        if self.heavy || self.changed() > ROWS { Place::Thread } else { Place::Here }
    }

    /// How many rows the open transaction has changed, at most.
    pub(super) fn changed(&self) -> u64 {
        if self.db.is_autocommit() { 0 } else { self.db.total_changes().saturating_sub(self.changes) }
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self, job: u64, options: TransactionOptions) -> Result<(), Stop> {
        if !self.watch.begin_write(job) {
            return Err(unwanted().into());
        }
        if options.read_only {
            self.pragma("PRAGMA query_only = ON").map_err(errors::stop)?;
            self.read_only = true;
        }
        self.word(if options.read_only { "BEGIN DEFERRED" } else { "BEGIN IMMEDIATE" }).map_err(errors::stop)?;
        self.changes = self.db.total_changes();
        self.watch.pardon();
        if self.watch.is_unwanted(job) {
            // Nobody knows of this transaction.
            self.pragma("ROLLBACK").map_err(errors::stop)?;
        }
        Ok(())
    }

    /// Commits. A transaction that cannot be committed stays open only when the database is busy.
    pub(super) fn commit(&mut self, job: u64) -> Result<(), Stop> {
        if !self.watch.begin_write(job) {
            return Err(unwanted().into());
        }
        let began = Instant::now();
        match self.word("COMMIT") {
            Ok(()) => {
                self.committed = Some(began.elapsed());
                Ok(())
            }
            Err(error) if errors::is_busy(&error) => Err(errors::stop(error)),
            Err(error) => {
                let in_doubt = errors::leaves_in_doubt(&error);
                let error = errors::described(error, &self.db);
                let rolled_back = self.rollback();
                if in_doubt {
                    let message = "the file could not be written while the transaction was being committed";
                    return Err(Error::new(ErrorKind::CommitUnknown, message).with_source(error).into());
                }
                rolled_back?;
                Err(Stop::Error(error.with_transaction_lost()))
            }
        }
    }

    /// Rolls back, if a transaction is open.
    pub(super) fn rollback(&mut self) -> Result<(), Stop> {
        if self.db.is_autocommit() { Ok(()) } else { self.word("ROLLBACK").map_err(errors::stop) }
    }

    /// Runs statements that have no values and belong to Covet itself.
    pub(super) fn control(&mut self, job: u64, sql: &str) -> Result<(), Stop> {
        if !self.watch.begin_write(job) {
            return Err(unwanted().into());
        }
        let autocommit = self.db.is_autocommit();
        self.pragma(sql).map_err(|error| self.failed(error, autocommit, false))
    }

    /// Rolls back what is open, and where the session's settings may have changed makes them as at the beginning.
    pub(super) fn reset(&mut self, settings: bool) -> Result<(), Stop> {
        self.rollback()?;
        self.locks.clear();
        if !settings {
            return Ok(());
        }
        self.violations = None;
        self.read_only = false;
        if !self.options.is_memory() {
            // A new handle has no setting, temporary table or attached file of anybody.
            self.db = self.options.open()?;
            return self.set_up();
        }
        let read = || {
            let mut statement = self.db.prepare(
                "SELECT 'DROP ' || type || ' temp.\"' || replace(name, '\"', '\"\"') || '\"' FROM temp.sqlite_schema
                 WHERE type IN ('trigger', 'view', 'table') AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
                 ORDER BY type = 'table', type = 'view'",
            )?;
            let mut undo: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let mut statement = self.db.prepare("SELECT name FROM pragma_database_list WHERE seq > 1")?;
            for name in statement.query_map([], |row| row.get::<_, String>(0))? {
                let mut detach = String::from("DETACH ");
                ansi::identifier(&name?, &mut detach);
                undo.push(detach);
            }
            rusqlite::Result::Ok(undo)
        };
        let undo = read().map_err(errors::stop)?;
        self.pragma(SETTINGS).map_err(errors::stop)?;
        for sql in undo {
            self.pragma(&sql).map_err(errors::stop)?;
        }
        self.set_up()
    }

    /// Does nothing, but with the database.
    pub(super) fn ping(&mut self) -> Result<(), Stop> {
        self.db.query_row("SELECT 1", [], |_| Ok(())).map_err(errors::stop)
    }

    /// Copies what it can of the write-ahead log into the database; gives the log's pages.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<u32> {
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
    }

    /// Runs a statement of one word or two that comes often.
    fn word(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.raw_execute().map(drop)
    }

    /// Runs a text that has no values and no rows.
    pub(super) fn pragma(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.execute_batch(sql)
    }

    /// What an error means for the transaction, and whether the statement may be sent again.
    pub(super) fn failed(&self, error: rusqlite::Error, autocommit_before: bool, rows_given: bool) -> Stop {
        let autocommit = self.db.is_autocommit();
        if errors::is_busy(&error) && autocommit == autocommit_before && !rows_given {
            return errors::stop(error);
        }
        if !autocommit && errors::dooms(&error) {
            self.watch.doom();
        }
        let error = errors::described(error, &self.db);
        Stop::Error(if autocommit && !autocommit_before { error.with_transaction_lost() } else { error })
    }
}

/// The settings of a connection that its `set_up` does not set anyway, at what they are on a new one.
const SETTINGS: &str = "PRAGMA query_only = OFF; PRAGMA defer_foreign_keys = OFF; PRAGMA recursive_triggers = OFF; \
    PRAGMA ignore_check_constraints = OFF; PRAGMA reverse_unordered_selects = OFF; PRAGMA automatic_index = ON; \
    PRAGMA cell_size_check = OFF; PRAGMA cache_spill = ON; PRAGMA locking_mode = NORMAL; PRAGMA cache_size = -2000; \
    PRAGMA max_page_count = 4294967294; PRAGMA count_changes = OFF";

/// Nobody waits for this answer.
pub(super) fn unwanted() -> Error {
    Error::new(ErrorKind::Cancelled, "the statement was dropped before it ran")
}
