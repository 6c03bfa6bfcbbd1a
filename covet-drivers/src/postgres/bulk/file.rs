//! The rows of a table as a file: `COPY` in the binary format, in both directions, handed on as it comes.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::join;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::contract::{ConnectionState, Copied, FromFile, ToFile};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::bulk::Whole;
use crate::postgres::bulk::format::{HEADER, Walk, cut, header, read_header, same_columns, unreadable};
use crate::postgres::bulk::plan::Plan;
use crate::postgres::errors;
use crate::postgres::types::qualified;

/// So many bytes of a file are read at once.
const CHUNK: usize = 64 * 1024;

impl PostgresConnection {
    /// As [`Connection::copy_out`](crate::contract::Connection::copy_out).
    ///
    /// # Errors
    /// As there.
    pub async fn copy_out(&mut self, copied: &Copied, to: ToFile<'_>) -> Result<u64> {
        self.bulk(async |this, whole| this.rows_out(copied, to, whole).await).await
    }

    /// As [`Connection::copy_in`](crate::contract::Connection::copy_in).
    ///
    /// # Errors
    /// As there.
    pub async fn copy_in(&mut self, copied: &Copied, from: FromFile<'_>) -> Result<u64> {
        // Nothing is sent for what is no file of rows.
        let said = read_header(from).await?;
        self.bulk(async |this, whole| this.rows_in(copied, &said, from, whole).await).await
    }

    async fn rows_out(&mut self, copied: &Copied, to: ToFile<'_>, whole: &mut Whole) -> Result<u64> {
        let mut again = true;
        let (plan, statement) = loop {
            let plan = self.plan(copied.table, &copied.columns).await?;
            let sql = format!("COPY {} TO STDOUT (FORMAT BINARY)", plan.target);
            let statement = self.kept(&sql).await?.statement;
            let Err(error) = self.hold_still(&plan, whole).await else { break (plan, statement) };
            self.cache.forget(&sql);
            self.cache.forget(&plan.sql);
            let is_stale = errors::is_stale(&error);
            let error = self.settle(error);
            // Not a row was asked for: with the types of today it may work.
            self.undo_whole(whole).await;
            if whole.open || !is_stale || !std::mem::take(&mut again) {
                return Err(error);
            }
        };
        let copying = self.client.copy_out(&statement).await.map_err(|error| self.settle(error))?;
        let mut copying = pin!(copying);
        let mut walk = Walk::default();
        let mut first = BytesMut::new();
        let mut begun = false;
        while let Some(piece) = copying.next().await {
            let mut piece: Bytes = piece.map_err(|error| self.settle(error))?;
            if !begun {
                first.extend_from_slice(&piece);
                if first.len() < HEADER.len() {
                    continue;
                }
                begun = true;
                if !first.starts_with(HEADER) {
                    return Err(
                        self.give_up(Error::new(ErrorKind::Protocol, "PostgreSQL sends rows in another format"))
                    );
                }
                piece = std::mem::take(&mut first).freeze().split_off(HEADER.len());
                to.write_all(&header(&plan)).await.map_err(|error| self.give_up(unwritable(error)))?;
            }
            walk.pass(&piece).map_err(|error| self.give_up(error))?;
            to.write_all(&piece).await.map_err(|error| self.give_up(unwritable(error)))?;
        }
        to.flush().await.map_err(unwritable)?;
        if walk.is_complete() { Ok(walk.rows) } else { Err(cut()) }
    }

    /// Rows are still on their way that nobody takes: closing the connection is cheaper than reading them.
    fn give_up(&mut self, error: Error) -> Error {
        self.state = ConnectionState::Broken;
        error.with_transaction_lost()
    }

    /// Keeps the columns as they are while they are copied, in one flight.
    async fn hold_still(&mut self, plan: &Plan, whole: &mut Whole) -> Result<(), tokio_postgres::Error> {
        let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", plan.table);
        let first = whole.behind_begin(lock);
        let client = &self.client;
        let (locked, probed) = join(client.batch_execute(&first), plan.holds(client)).await;
        self.open_now(whole);
        locked.and(probed)
    }

    async fn rows_in(&mut self, copied: &Copied, said: &str, from: FromFile<'_>, whole: &mut Whole) -> Result<u64> {
        let Some(mut copying) = self.start_copy(copied.table, &copied.columns, whole).await? else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "COPY into {} would not do what INSERT does: it is no plain table for this role",
                    qualified(copied.table)
                ),
            )
            .with_help(
                "views, rules, row level security, triggers of statements and generated columns: use insert_many",
            ));
        };
        same_columns(said, &copying.plan).map_err(|error| error.with_table(copied.table))?;
        let mut walk = Walk::default();
        let mut chunk = BytesMut::with_capacity(CHUNK);
        loop {
            chunk.reserve(CHUNK);
            if from.read_buf(&mut chunk).await.map_err(unreadable)? == 0 {
                break;
            }
            let piece = chunk.split().freeze();
            walk.pass(&piece)?;
            copying.hand_on(piece).await.map_err(|error| self.settle(error))?;
        }
        if !walk.is_complete() {
            return Err(cut());
        }
        // The file is whole, as was seen above; what a trigger keeps out of the table is not counted.
        self.finish_copy(copying, whole, true).await
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "the file of rows could not be written").with_source(error)
}
