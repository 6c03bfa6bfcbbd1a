//! Many rows: `COPY` in the binary format.
//!
//! The format has no types in it, so what was a `bigint` when the columns were asked for would be
//! taken as it is for the `timestamp` that the column has become. And what the server refuses instead
//! of beginning to copy leaves the driver out of step: it has sent one `Sync` too many
//! (rust-postgres#789). So before the copy begins, in one flight, the table is locked against changes,
//! the probe shows that the columns are what they were, and the catalogue that nothing stands in the way.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use futures_util::future::{join, join3};
use tokio_postgres::{Client, CopyInSink, Statement};

use crate::contract::{ConnectionState, RowSupply, whole_row};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::bulk::cells::Form;
use crate::postgres::bulk::format::HEADER;
use crate::postgres::bulk::plan::{COPYABLE, Plan};
use crate::postgres::bulk::{Slice, Whole};
use crate::postgres::codec::is_foreign;
use crate::postgres::errors;
use crate::sql::Many;
use crate::value::ValueWriter as _;

/// So many bytes go to the driver at once.
const CHUNK: usize = 32 * 1024;

/// A `COPY` that has begun. Dropped, it fails on the server, which keeps nothing of it.
pub(super) struct Copying {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    pub(super) plan: Plan,
    pub(super) out: Vec<u8>,
    /// Where a value that is not of a common kind is written first.
    pub(super) aside: BytesMut,
    pub(super) forms: Vec<Form>,
    /// How many values a row has, as it stands in front of each.
    pub(super) width: i16,
    /// The rows that were written, and the values of the row that is being written.
    pub(super) rows: u64,
    pub(super) column: usize,
    /// Whether what was handed on says by itself that it is the end.
    ended: bool,
}

impl PostgresConnection {
    /// Begins, unless it would not do what an insert does.
    pub(super) async fn start_copy(
        &mut self,
        table: &str,
        columns: &Many<&'static str>,
        whole: &mut Whole,
    ) -> Result<Option<Copying>> {
        if columns.is_empty() {
            return Ok(None);
        }
        let mut again = !whole.open;
        loop {
            let plan = self.plan(table, columns).await?;
            if plan.types.iter().any(is_foreign) {
                return Ok(None);
            }
            let sql = format!("COPY {} FROM STDIN (FORMAT BINARY)", plan.target);
            let check = self.kept(COPYABLE).await?.statement;
            if self.cache.get(&sql).is_none() {
                let copyable = says_yes(&self.client, &check, &plan.table).await;
                if !copyable.map_err(|error| self.settle(error))? {
                    return Ok(None);
                }
            }
            let statement = self.kept(&sql).await?.statement;
            let changed = match self.prepare_copy(&plan, &check, whole).await {
                Ok(true) => {
                    let sink = self.client.copy_in(&statement).await.map_err(|error| self.derail(error))?;
                    let mut out = Vec::with_capacity(CHUNK + CHUNK / 4);
                    out.extend_from_slice(HEADER);
                    let forms = plan.types.iter().map(Form::of).collect();
                    let aside = BytesMut::new();
                    let width = i16::try_from(plan.columns.len()).unwrap_or(i16::MAX);
                    return Ok(Some(Copying {
                        sink: Box::pin(sink),
                        plan,
                        out,
                        aside,
                        forms,
                        width,
                        rows: 0,
                        column: 0,
                        ended: false,
                    }));
                }
                Ok(false) => None,
                Err(error) => Some(error),
            };
            self.cache.forget(&sql);
            self.cache.forget(&plan.sql);
            let error = match changed {
                Some(error) if !errors::is_stale(&error) && !errors::is_refused(&error) => {
                    return Err(self.settle(error));
                }
                Some(error) => self.settle(error),
                None => Error::new(ErrorKind::Unsupported, "PostgreSQL no longer copies into this table"),
            };
            // Not a row was sent: with the types and rights of today it may work.
            self.undo_whole(whole).await;
            if whole.open || !std::mem::take(&mut again) {
                return Err(error);
            }
        }
    }

    /// Sends all that must hold before the copy begins, in one flight; says whether it may begin.
    async fn prepare_copy(
        &mut self,
        plan: &Plan,
        check: &Statement,
        whole: &mut Whole,
    ) -> Result<bool, tokio_postgres::Error> {
        let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", plan.table);
        let first = whole.behind_begin(lock);
        let client = &self.client;
        let (locked, probed, copyable) =
            join3(client.batch_execute(&first), plan.holds(client), says_yes(client, check, &plan.table)).await;
        // The first word is right, so whatever failed, it has begun; without a session it does not matter.
        self.open_now(whole);
        // What failed first is what to tell; the others only follow from it.
        locked?;
        probed?;
        copyable
    }

    /// A copy that did not begin: the driver is out of step.
    fn derail(&mut self, error: tokio_postgres::Error) -> Error {
        let error = self.settle(error);
        self.state = ConnectionState::Broken;
        error.with_transaction_lost()
    }

    /// Ends it; at the end of the whole insert together with what makes it one.
    pub(super) async fn finish_copy(&mut self, mut copying: Copying, whole: &mut Whole, last: bool) -> Result<u64> {
        if !copying.ended {
            copying.out.extend_from_slice(&(-1_i16).to_be_bytes());
        }
        if let Err(error) = copying.send().await {
            return Err(self.settle(error));
        }
        if !last {
            return copying.sink.as_mut().finish().await.map_err(|error| self.settle(error));
        }
        let end = self.client.batch_execute(whole.words.end);
        let (finished, ended) = join(copying.sink.as_mut().finish(), end).await;
        match finished {
            Ok(inserted) => self.ended_whole(whole, ended).map(|()| inserted),
            Err(error) if whole.commits() && errors::ends_session(&error) => Err(self.refused_commit(whole, error)),
            // What became of the end is not believed: it may be the answer to a `Sync` too many. Undoing the
            // whole shows where the session stands.
            Err(error) => Err(self.settle(error)),
        }
    }

    /// What to tell when the transaction was not committed, or nobody knows.
    pub(super) fn refused_commit(&mut self, whole: &mut Whole, error: tokio_postgres::Error) -> Error {
        let lost = errors::ends_session(&error);
        let error = self.settle(error);
        if lost {
            let text = "the connection broke while COMMIT was under way, and whether it took effect is not known";
            return Error::new(ErrorKind::CommitUnknown, text).with_source(error);
        }
        // A commit that is refused ends the transaction all the same.
        whole.open = false;
        self.state = ConnectionState::Idle;
        error
    }
}

impl Copying {
    /// Sends a slice and every row behind it.
    pub(super) async fn rows(&mut self, slice: &mut Slice, rows: &mut dyn RowSupply) -> Result<()> {
        let width = self.plan.columns.len();
        self.rows = slice.before;
        for row in slice.values.chunks_exact(width) {
            self.column = 0;
            for value in row {
                self.lend(value.lend())?;
            }
            self.rows += 1;
            if self.out.len() >= CHUNK {
                self.send().await.map_err(errors::statement)?;
            }
        }
        // Room for very many rows is not kept for one.
        slice.values = Vec::new();
        loop {
            self.column = 0;
            let more = rows.next(self)?;
            if !whole_row(more, self.column, width)? {
                break;
            }
            self.rows += 1;
            if self.out.len() >= CHUNK {
                self.send().await.map_err(errors::statement)?;
            }
        }
        slice.before = self.rows;
        slice.rows = 0;
        Ok(())
    }

    /// Sends what is in the format already, behind the header; in the end it must have said that it ends.
    pub(super) async fn hand_on(&mut self, piece: Bytes) -> Result<(), tokio_postgres::Error> {
        self.ended = true;
        if !self.out.is_empty() {
            self.send().await?;
        }
        self.sink.send(piece).await
    }

    async fn send(&mut self) -> Result<(), tokio_postgres::Error> {
        let chunk = std::mem::replace(&mut self.out, Vec::with_capacity(CHUNK + CHUNK / 4));
        self.sink.send(Bytes::from(chunk)).await
    }
}

/// Whether the answer to a question about the table is yes; no answer is none.
async fn says_yes(client: &Client, question: &Statement, table: &str) -> Result<bool, tokio_postgres::Error> {
    match client.query_opt(question, &[&table]).await? {
        Some(row) => row.try_get(0),
        None => Ok(false),
    }
}
