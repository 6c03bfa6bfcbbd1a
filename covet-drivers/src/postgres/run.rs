//! One statement on its way: prepared or found, run, its rows handed on, and tried again when it was stale.

use std::pin::{Pin, pin};

use futures_util::StreamExt as _;
use tokio_postgres::{RowStream, SimpleQueryMessage};

use crate::contract::{Command, ConnectionState, Flow, Outcome, Reuse, Row, RowSink, breathe};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::cache::Prepared;
use crate::postgres::codec::{Parameter, Wire};
use crate::postgres::errors;
use crate::postgres::guard::Switch;
use crate::postgres::opening::{Ahead, alone, fly};
use crate::postgres::wording::Wording;
use crate::sql::{Quoting, miscounted};

/// Rows that are read to the end and thrown away, outside a transaction, after the sink wanted no more;
/// with more of them closing the connection is cheaper.
const DRAINED: usize = 1000;

/// How one try of a statement failed.
enum Failure {
    /// By the database or on the way to it; whether rows had been handed on already.
    Driver(tokio_postgres::Error, bool),
    /// In a way that is known: by the sink, or because BEGIN failed.
    Known(Error),
}

impl PostgresConnection {
    pub(super) async fn execute(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let (mut prepared, mut from_cache) = match self.cached(command) {
            Some(prepared) => (prepared, true),
            // What is boxed here is rare, and every statement would carry its room.
            None => (Box::pin(self.prepare(command)).await?, false),
        };
        let mut ahead = match self.held {
            None => Ahead::switching(self.lifting(prepared.wording, command.reuse)),
            Some(_) => Box::pin(self.ahead(prepared.wording, command.reuse)).await?,
        };
        let mut lifted = ahead.switch.is_some();
        loop {
            let wording = prepared.wording;
            self.dirty |= !wording.is_clean(command.reuse);
            let failure = match self.attempt(&prepared, command, std::mem::take(&mut ahead), rows).await {
                Ok(affected) => {
                    if wording.steers {
                        Box::pin(self.locate()).await?;
                    }
                    let affected = if wording.reads { 0 } else { affected };
                    return Ok(Outcome { affected, last_insert_id: None });
                }
                Err(failure) => failure,
            };
            let (error, seen) = match failure {
                Failure::Known(error) => {
                    // A kept description of its columns may be what is wrong.
                    if error.kind() == ErrorKind::Decode {
                        self.cache.forget(command.sql);
                    }
                    return Err(error);
                }
                Failure::Driver(error, seen) => (error, seen),
            };
            if self.state == ConnectionState::Idle
                && self.guard.may_stand()
                && !std::mem::replace(&mut lifted, true)
                && errors::is_refusal(&error)
                && (!seen || rows.rewind())
            {
                // It looked as if it only read. Nothing took effect, and without the guard it may.
                ahead = Ahead::switching(Some(Switch::Lift));
                continue;
            }
            let stale = errors::is_stale(&error);
            if stale {
                self.cache.forget(command.sql);
            }
            // Nothing was sent, or nothing took effect: with the types and the plan of today it may work.
            let again = errors::stays_here(&error) || (stale && self.state == ConnectionState::Idle && !seen);
            if !(from_cache && again) {
                let outlived = from_cache && stale && self.state == ConnectionState::InTransaction;
                let mut error = errors::of_values(self.settle(error), command.args);
                if outlived {
                    // The others are as old: running the transaction again once shall do.
                    self.cache.clear();
                    error = errors::outlived(error);
                }
                if wording.steers && self.state != ConnectionState::Broken {
                    Box::pin(self.locate()).await?;
                }
                return Err(error);
            }
            self.cache.forget(command.sql);
            prepared = Box::pin(self.prepare(command)).await?;
            from_cache = false;
        }
    }

    fn cached(&mut self, command: Command<'_>) -> Option<Prepared> {
        match command.reuse {
            Reuse::Keep => self.cache.get(command.sql),
            Reuse::Once => None,
        }
    }

    async fn prepare(&mut self, command: Command<'_>) -> Result<Prepared> {
        let wording = Wording::of(command.sql);
        let ahead = self.ahead_of_preparing(wording, command.reuse);
        let statement = if ahead.is_nothing() {
            self.prepare_named(command.sql).await
        } else {
            self.held = None;
            let (answers, statement) = fly(&self.client, &ahead, self.prepare_named(command.sql)).await;
            // The statement itself has not been sent: whatever failed, nothing took effect.
            match self.heard(&ahead, answers)? {
                Some(missed) if self.state != ConnectionState::Failed => Err(missed),
                _ => statement,
            }
        };
        let statement = statement.map_err(|error| self.settle_prepared(error))?;
        let prepared = Prepared { statement, wording };
        if command.reuse == Reuse::Keep {
            self.cache.put(command.sql, prepared.clone());
        }
        Ok(prepared)
    }

    /// Runs a prepared statement to its end, and says how many rows it counted.
    async fn attempt(
        &mut self,
        prepared: &Prepared,
        command: Command<'_>,
        ahead: Ahead,
        rows: &mut dyn RowSink,
    ) -> Result<u64, Failure> {
        let wanted = prepared.statement.params().len();
        let args = command.args;
        if wanted != args.len() {
            let (error, broken) = miscounted(command.sql, Quoting::POSTGRES, wanted, args.len());
            if broken {
                self.state = ConnectionState::Broken;
            }
            return Err(Failure::Known(error));
        }
        let parameters = args.iter().enumerate().map(|(index, value)| Parameter { value, index });
        let (stream, missed) = if ahead.is_nothing() {
            (self.client.query_raw(&prepared.statement, parameters).await, None)
        } else {
            if ahead.begins() {
                self.held = None;
            }
            let request = self.client.query_raw(&prepared.statement, parameters);
            let (answers, stream) = Box::pin(fly(&self.client, &ahead, request)).await;
            match self.heard(&ahead, answers) {
                Ok(missed) => (stream, missed),
                // Its rows are nobody's: they came from outside the transaction.
                Err(error) => {
                    return Err(Failure::Known(Box::pin(self.unbegun(error, ahead.guarded, stream)).await));
                }
            }
        };
        match stream {
            Ok(stream) => self.hand_on(pin!(stream), missed, rows).await,
            Err(error) => Err(Failure::Driver(errors::cause(error, missed), false)),
        }
    }

    /// Hands the rows of a statement on, to its end.
    async fn hand_on(
        &mut self,
        mut stream: Pin<&mut RowStream>,
        mut missed: Option<tokio_postgres::Error>,
        rows: &mut dyn RowSink,
    ) -> Result<u64, Failure> {
        let mut seen = false;
        while let Some(row) = stream.as_mut().next().await {
            let row = row.map_err(|error| Failure::Driver(errors::cause(error, missed.take()), seen))?;
            seen = true;
            let flow = rows.row(&mut Row::new(&mut Wire(&row)));
            match flow {
                Ok(Flow::Continue) => {}
                Ok(Flow::Pause) => breathe().await,
                Ok(Flow::Stop) => {
                    Box::pin(self.drain(stream.as_mut())).await.map_err(|error| Failure::Driver(error, true))?;
                    break;
                }
                Err(error) => {
                    if let Err(late) = Box::pin(self.drain(stream.as_mut())).await {
                        self.settle(late);
                    }
                    return Err(Failure::Known(error));
                }
            }
        }
        Ok(stream.rows_affected().unwrap_or(0))
    }

    /// Runs a text without values under no name, in one flight: whatever session gets it, there is nothing of before that
    /// it could meet.
    pub(super) async fn run_unnamed(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let wording = Wording::of(command.sql);
        self.under_way = true;
        self.dirty |= !wording.is_clean(command.reuse);
        let none: [(Parameter<'_>, tokio_postgres::types::Type); 0] = [];
        let ran = match self.client.query_typed_raw(command.sql, none).await {
            Ok(stream) => self.hand_on(pin!(stream), None, rows).await,
            Err(error) => Err(Failure::Driver(error, false)),
        };
        let outcome = match ran {
            Ok(affected) => Ok(Outcome { affected: if wording.reads { 0 } else { affected }, last_insert_id: None }),
            Err(Failure::Driver(error, _)) => Err(self.settle(error)),
            Err(Failure::Known(error)) => Err(error),
        };
        let steered = wording.steers && self.state != ConnectionState::Broken;
        let located = if steered { self.locate().await } else { Ok(()) };
        self.under_way = false;
        located.and(outcome)
    }

    /// The error of a statement whose BEGIN failed: that of BEGIN, once it is known that nothing took effect.
    #[cold]
    async fn unbegun(
        &mut self,
        error: Error,
        guarded: bool,
        stream: Result<RowStream, tokio_postgres::Error>,
    ) -> Error {
        let Ok(stream) = stream else { return error };
        if !guarded {
            return error;
        }
        let mut stream = pin!(stream);
        while let Some(row) = stream.as_mut().next().await {
            if row.is_err() {
                return error;
            }
        }
        self.state = ConnectionState::Broken;
        alone().with_source(error)
    }

    /// Reads what nobody wants, because an error may come behind it.
    async fn drain(&mut self, mut stream: Pin<&mut RowStream>) -> Result<(), tokio_postgres::Error> {
        let mut drained = 0;
        while let Some(row) = stream.next().await {
            row?;
            drained += 1;
            if drained == DRAINED && self.state == ConnectionState::Idle {
                self.state = ConnectionState::Broken;
                break;
            }
        }
        Ok(())
    }

    /// Asks the server where the session stands, after a text that may have moved it: in a transaction
    /// block of its own a statement begins when its transaction begins.
    pub(super) async fn locate(&mut self) -> Result<()> {
        match self.client.simple_query("SELECT now() < statement_timestamp()").await {
            Ok(answer) => {
                self.state = if says_yes(&answer) { ConnectionState::InTransaction } else { ConnectionState::Idle };
                // A transaction that ended may have been undone.
                self.guard.undone();
                Ok(())
            }
            Err(error) if error.code().is_some_and(|code| code.code() == "25P02") => {
                self.state = ConnectionState::Failed;
                Ok(())
            }
            Err(error) => Err(self.settle(error)),
        }
    }

    /// Sends a question of Covet's own whose answer is yes or no.
    pub(super) async fn ask(&mut self, sql: &str) -> Result<bool> {
        let answer = self.client.simple_query(sql).await.map_err(|error| self.settle(error))?;
        Ok(says_yes(&answer))
    }
}

/// Whether the one row of an answer says yes.
pub(super) fn says_yes(answer: &[SimpleQueryMessage]) -> bool {
    answer
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some("t")))
}
