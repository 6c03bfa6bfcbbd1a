//! Transactions, savepoints, resets and migrations: which job each of them is, and where it is done.

use crate::contract::{ConnectionState, Isolation, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::connection::{Limits, SqliteConnection, doomed};
use crate::sqlite::dialect::PRODUCT;
use crate::sqlite::pace::Place;
use crate::sqlite::patience::Patience;
use crate::sqlite::seat::{Needs, Seat};
use crate::sqlite::session::Session;

impl SqliteConnection {
    /// See [`begin`](crate::contract::Connection::begin).
    pub(crate) async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        match options.isolation {
            None | Some(Isolation::Serializable) => {}
            Some(level) => {
                return Err(Error::unsupported(format_args!("isolation level {}", level.sql()), PRODUCT)
                    .with_help("its transactions are always serializable: ask for nothing, or for Serializable"));
            }
        }
        options.check()?;
        if options.deferrable {
            return Err(Error::unsupported("deferrable transactions", PRODUCT)
                .with_help("what only reads never fails there, and keeps nobody waiting"));
        }
        self.outside().await?;
        let options = *options;
        let needs = if options.read_only { Needs::Nothing } else { Needs::Turn };
        let patience = Patience::new(options.lock_timeout.unwrap_or(self.options.busy_timeout));
        self.job_with(patience, needs, Place::Here, move |session, job| session.begin(job, options)).await?;
        self.limits = Limits { statement: options.statement_timeout, lock: options.lock_timeout };
        Ok(())
    }

    /// See [`commit`](crate::contract::Connection::commit).
    pub(crate) async fn commit(&mut self) -> Result<()> {
        if let Err(error) = self.inside().await {
            self.rollback().await?;
            return Err(error);
        }
        let (place, changed) = self.place_of_commit();
        match self.job(Needs::Nothing, place, Session::commit).await {
            Ok(turn) => {
                self.limits = Limits::default();
                if let (Seat::Here(session), 1..) = (&mut self.seat, changed)
                    && let Some(took) = session.committed.take()
                {
                    self.commits.learn(took, 0);
                }
                self.checkpoint(turn);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                self.in_doubt = true;
                Err(error)
            }
            // Afterwards no transaction is open: not even one that waited in vain.
            Err(error) => {
                self.rollback().await?;
                Err(error)
            }
        }
    }

    /// Where to commit, and how many rows the transaction has changed.
    fn place_of_commit(&self) -> (Place, u64) {
        let Seat::Here(session) = &self.seat else { return (Place::Thread, 0) };
        let changed = session.changed();
        let unproven = changed > 0
            && (self.commits.is_long(self.options.inline_budget) || (self.options.syncs() && !self.commits.is_known()));
        (if unproven { Place::Thread } else { session.place_of_end() }, changed)
    }

    /// Where to undo what the open transaction did.
    async fn place_of_undo(&mut self) -> Result<Place> {
        self.settle().await?;
        Ok(match &self.seat {
            Seat::Here(session) => session.place_of_end(),
            _ => Place::Thread,
        })
    }

    /// See [`rollback`](crate::contract::Connection::rollback).
    pub(super) async fn rollback(&mut self) -> Result<()> {
        let place = self.place_of_undo().await?;
        self.limits = Limits::default();
        self.job(Needs::Nothing, place, |session, _| session.rollback()).await.map(drop)
    }

    /// See [`savepoint`](crate::contract::Connection::savepoint).
    pub(super) async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.inside().await?;
        self.control(format!("SAVEPOINT covet_{depth}")).await
    }

    /// See [`release`](crate::contract::Connection::release).
    pub(super) async fn release(&mut self, depth: u32) -> Result<()> {
        self.inside().await?;
        self.control(format!("RELEASE covet_{depth}")).await
    }

    /// Runs a short statement of Covet's own within the open transaction.
    pub(super) async fn control(&mut self, sql: String) -> Result<()> {
        self.job(Needs::Nothing, Place::Here, move |session, job| session.control(job, &sql)).await.map(drop)
    }

    /// See [`rollback_to`](crate::contract::Connection::rollback_to).
    pub(super) async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        let place = self.place_of_undo().await?;
        let sql = format!("ROLLBACK TO covet_{depth}; RELEASE covet_{depth}");
        self.job(Needs::Nothing, place, move |session, job| session.control(job, &sql)).await?;
        self.watch.pardon();
        Ok(())
    }

    /// See [`reset`](crate::contract::Connection::reset).
    pub(super) async fn reset(&mut self) -> Result<()> {
        let settings = self.dirty;
        self.limits = Limits::default();
        let place = if settings { Place::Thread } else { self.place_of_undo().await? };
        self.job(Needs::Nothing, place, move |session, _| session.reset(settings)).await?;
        self.dirty = false;
        Ok(())
    }

    /// See [`begin_migration`](crate::contract::Connection::begin_migration).
    pub(super) async fn begin_migration(&mut self) -> Result<()> {
        self.outside().await?;
        // Until the end of the migration the session has settings that nobody else may get.
        self.dirty = true;
        self.job(Needs::Turn, Place::Thread, Session::begin_migration).await.map(drop)
    }

    /// See [`commit_migration`](crate::contract::Connection::commit_migration).
    pub(super) async fn commit_migration(&mut self) -> Result<()> {
        if let Err(error) = self.inside().await {
            self.rollback_migration().await?;
            return Err(error);
        }
        match self.job(Needs::Nothing, Place::Thread, Session::commit_migration).await {
            Ok(turn) => {
                self.checkpoint(turn);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                self.in_doubt = true;
                Err(error)
            }
            Err(error) => {
                self.rollback_migration().await?;
                Err(error)
            }
        }
    }

    /// See [`rollback_migration`](crate::contract::Connection::rollback_migration).
    pub(super) async fn rollback_migration(&mut self) -> Result<()> {
        self.job(Needs::Nothing, Place::Thread, |session, _| session.rollback_migration()).await.map(drop)
    }

    async fn inside(&mut self) -> Result<()> {
        self.settle().await?;
        match self.stand() {
            ConnectionState::InTransaction => Ok(()),
            ConnectionState::Failed => Err(doomed()),
            _ => Err(Error::new(ErrorKind::TransactionClosed, "no transaction is open")),
        }
    }

    async fn outside(&mut self) -> Result<()> {
        self.settle().await?;
        match self.stand() {
            ConnectionState::Idle => Ok(()),
            _ => Err(Error::new(ErrorKind::InvalidInput, "a transaction is open on this connection already")),
        }
    }
}
