//! Behind a pooler that gives each transaction another session (`statement_cache_size=0`): what is prepared in one session
//! is not known in the next, so a statement outside of a transaction gets one of its own, which keeps the session for as
//! long as it takes. That costs a round trip more. What may not stand in a transaction is sent under no name, at once; the
//! types of its rows must be known by then, since asking for them would be statements of their own behind it.
//!
//! The driver asks for types by statements that it prepares once for a connection, and so in one session. Therefore a new
//! connection asks for all that the database has; one that meets another type later is of no more use.
//!
//! Names of prepared statements are the driver's, counted in each program, and some are left behind in a session. Where
//! another program has left something under the same name, a savepoint keeps the transaction, and the next name is tried.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join3;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{SimpleQueryMessage, Statement};

use crate::contract::{Command, ConnectionState, Outcome, RowSink, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::wording::Wording;
use crate::postgres::{PostgresConnection, errors};

/// The types of a database that are not the server's own: none of what only describes the rows of a table.
const TYPES: &str = "SELECT t.oid, t.typname FROM pg_catalog.pg_type t \
     LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typlen = -1 \
     LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(e.typrelid, t.typrelid) \
     WHERE t.oid >= 16384 AND t.typisdefined AND t.typtype <> 'p' AND (c.oid IS NULL OR c.relkind = 'c') \
     ORDER BY t.oid";

/// So many types are asked for at once, as values of a query.
const SOME: usize = 500;

/// The driver counts the names of its statements from nought. A program begins somewhere below this instead.
const NAMES: u64 = 50_000;

/// How often a statement is tried whose name is taken: by the next name each time.
const TRIES: u32 = 50;

fn is_taken(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::DUPLICATE_PSTATEMENT)
}

impl PostgresConnection {
    /// Whether only a transaction would keep the session in which a statement was prepared.
    pub(super) fn must_be_kept(&self) -> bool {
        self.pooled && self.state() == ConnectionState::Idle
    }

    /// Runs a statement outside of a transaction, where each message may go to another session.
    pub(super) async fn run_pooled(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let wording = Wording::of(command.sql);
        // Settings, maintenance and the like have no values, and some of them cannot stand in a transaction.
        if command.args.is_empty() && !wording.plain {
            if wording.calls {
                self.learn_types(Some(command.sql)).await?;
            }
            return self.run_unnamed(command, rows).await;
        }
        self.keep(async |this| this.run_here(command, rows).await).await
    }

    /// Has types told, which the driver keeps: those of a statement's rows, which is not run, or all of the database.
    /// It asks by statements of its own that must stay in one session, so whatever fails does so behind a savepoint.
    pub(super) async fn learn_types(&mut self, of: Option<&str>) -> Result<()> {
        self.keep(async |this| {
            this.under_way = true;
            this.send_begin(None).await?;
            let mut tries = 1;
            let told = loop {
                match this.tell_types(of).await {
                    Err(error) if is_taken(&error) && tries < TRIES => tries += 1,
                    told => break told,
                }
            };
            let told = told.map_err(|error| this.settle_prepared(error));
            this.under_way = false;
            told
        })
        .await
    }

    async fn tell_types(&self, of: Option<&str>) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute("SAVEPOINT covet_types").await?;
        let told = match of {
            Some(sql) => self.client.prepare(sql).await.map(drop),
            None => self.tell_all_types().await,
        };
        if told.is_err() {
            self.client.batch_execute("ROLLBACK TO SAVEPOINT covet_types").await?;
        }
        told
    }

    async fn tell_all_types(&self) -> Result<(), tokio_postgres::Error> {
        let mut types = Vec::new();
        for message in self.client.simple_query(TYPES).await? {
            if let SimpleQueryMessage::Row(row) = message
                && let (Some(oid), Some(name)) = (row.get(0).and_then(|oid| oid.parse().ok()), row.get(1))
            {
                types.push(Type::new(name.to_owned(), oid, Kind::Simple, String::new()));
            }
        }
        for some in types.chunks(SOME) {
            let values: Vec<String> = (1..=some.len()).map(|number| format!("${number}")).collect();
            self.client.prepare_typed(&format!("SELECT {}", values.join(", ")), some).await?;
        }
        Ok(())
    }

    /// Prepares a statement. Behind a pooler a transaction is open, or on its way, and a savepoint that keeps it travels
    /// with the statement; in one that has failed there is nothing to keep.
    pub(super) async fn prepare_named(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if !self.pooled || self.state != ConnectionState::InTransaction {
            return self.client.prepare(sql).await;
        }
        let client = &self.client;
        let mut tries = 1;
        loop {
            let save = client.batch_execute("SAVEPOINT covet_name");
            let release = client.batch_execute("RELEASE SAVEPOINT covet_name");
            let (saved, prepared, released) = join3(save, client.prepare(sql), release).await;
            let error = match prepared {
                Ok(statement) => return saved.and(released).map(|()| statement),
                Err(error) => error,
            };
            if !is_taken(&error) || tries == TRIES {
                return Err(error);
            }
            tries += 1;
            let undo = "ROLLBACK TO SAVEPOINT covet_name; RELEASE SAVEPOINT covet_name";
            if client.batch_execute(undo).await.is_err() {
                return Err(error);
            }
        }
    }

    /// Takes in the error of a statement that was to be prepared. Nothing has run.
    pub(super) fn settle_prepared(&mut self, error: tokio_postgres::Error) -> Error {
        let error = self.settle(error);
        if !self.pooled || !matches!(error.code(), Some("42P05" | "26000")) {
            return error;
        }
        if error.code() == Some("26000") {
            // It meets a type that is newer than the connection, which a new one will know.
            self.state = ConnectionState::Broken;
        }
        errors::outlived(error)
    }

    /// Sees that this program's names for statements are not those of every other one.
    pub(super) async fn begin_names_anywhere(&self) {
        static BEGUN: AtomicBool = AtomicBool::new(false);
        if BEGUN.swap(true, Ordering::Relaxed) {
            return;
        }
        let chance = RandomState::new().build_hasher().finish() % NAMES;
        for _ in 0..chance {
            // Each text takes a name, and one that cannot be sent is refused before anything is.
            drop(self.client.prepare("\0").await);
        }
    }

    /// Does something in a transaction of its own, where only that keeps the session in which it is prepared.
    pub(super) async fn keep<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let alone = self.must_be_kept();
        if alone {
            self.begin(&TransactionOptions::default()).await?;
        }
        let result = work(self).await;
        if !alone {
            return result;
        }
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                if self.state() != ConnectionState::Broken {
                    // The first error is the one to tell; what cannot be undone shows in the state.
                    drop(self.rollback().await);
                }
                return Err(error);
            }
        };
        match self.commit().await {
            Ok(()) => Ok(value),
            // To its user it is one statement, whose answer was lost.
            Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                let text = "the connection to PostgreSQL broke before the statement was answered";
                Err(Error::new(ErrorKind::ConnectionLost, text).with_source(error))
            }
            Err(error) => Err(error),
        }
    }
}
