//! Many rows in one insert: fifty by one prepared statement.
//!
//! A few of them go in at once, on the thread of whoever inserts them; of many, or of such as take long, all go in one
//! job on the connection's thread, which the task feeds while the job runs.

mod batch;
mod here;
mod thread;

use std::sync::Arc;

use crate::contract::{Bulk, Command, ConnectionState, Part, Reuse, RowSupply, TransactionOptions, of_rows, whole_row};
use crate::error::Result;
use crate::render::print;
use crate::sql::Statement;
use crate::sqlite::bulk::batch::{Batch, TOGETHER, Texts, Writing};
use crate::sqlite::codec::{self, Bound};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::execute::Request;
use crate::sqlite::share;
use crate::value::Value;

/// So many rows travel together, or as many as have so many bytes.
const BATCH: usize = 10 * TOGETHER;
const BYTES: usize = 256 * 1024;

/// What the thread is fed with. That there is no more is a message too: a channel that is closed
/// without one was dropped.
enum Message {
    Rows(Batch),
    Statement(Request),
    End,
}

impl SqliteConnection {
    /// See [`insert_many`](crate::contract::Connection::insert_many).
    pub(super) async fn insert_many(&mut self, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64> {
        share::pause(self.options.inline_budget).await;
        self.ready().await?;
        let most = crate::contract::Connection::capabilities(self).max_parameters;
        let mut feed = Feed { bulk, rows, most, texts: None, before: 0 };
        let mut begun = Vec::new();
        let whole = loop {
            match feed.next()? {
                None => break true,
                Some(message) => begun.push(message),
            }
            if begun.len() > here::BATCHES {
                break false;
            }
        };
        match (begun.as_slice(), whole) {
            ([], _) => return Ok(0),
            ([Message::Rows(batch)], true) if batch.rows <= batch.texts.together => {
                return self.insert_together(batch).await;
            }
            _ => {}
        }
        let begun = if whole { self.short(begun)? } else { Err(begun) };
        let alone = self.stand() == ConnectionState::Idle;
        if alone {
            self.begin(&TransactionOptions::default()).await?;
        }
        match begun {
            Ok(batches) => self.insert_here(alone, &batches).await,
            Err(begun) => self.insert_on_thread(alone, begun, feed).await,
        }
    }

    /// Inserts what goes into one statement.
    async fn insert_together(&mut self, batch: &Batch) -> Result<u64> {
        let sql = batch.texts.of(batch.rows);
        let values: Vec<Value> = batch.cells.iter().map(|cell| batch.value(*cell)).collect();
        let args: Vec<&Value> = values.iter().collect();
        let command = Command { sql: &sql, args: &args, reuse: Reuse::Keep };
        let ran = self.run(command, &mut ()).await;
        ran.map(|outcome| outcome.affected).map_err(|error| of_rows(error, &batch.texts.columns, 0))
    }
}

/// The rows, in batches.
struct Feed<'a> {
    bulk: Bulk,
    rows: &'a mut dyn RowSupply,
    most: usize,
    /// Those of the part that has not ended.
    texts: Option<Arc<Texts>>,
    /// The number of rows pulled.
    before: u64,
}

impl Feed<'_> {
    fn next(&mut self) -> Result<Option<Message>> {
        loop {
            let texts = match self.texts.take() {
                Some(texts) => texts,
                None => match self.rows.part()? {
                    Some(Part::Rows(columns)) => Arc::new(Texts::new(self.bulk, columns, self.most)?),
                    Some(Part::Insert(insert)) => {
                        self.before += insert.rows.len() as u64;
                        let request = request(self.bulk, &Statement::Insert(*insert))?;
                        return Ok(Some(Message::Statement(request)));
                    }
                    None => return Ok(None),
                },
            };
            let width = texts.columns.len();
            let mut batch = Batch::new(texts, self.rows.at_least().clamp(1, BATCH));
            let mut more = true;
            while batch.rows < BATCH && batch.len() < BYTES {
                let mut row = Writing::new(&mut batch, self.before + 1);
                more = self.rows.next(&mut row)?;
                if !whole_row(more, row.column, width)? {
                    break;
                }
                self.before += 1;
                batch.rows += 1;
            }
            if let Some(error) = batch.nul(self.before) {
                return Err(error);
            }
            if more {
                self.texts = Some(Arc::clone(&batch.texts));
            }
            if batch.rows > 0 {
                return Ok(Some(Message::Rows(batch)));
            }
        }
    }
}

fn request(bulk: Bulk, statement: &Statement) -> Result<Request> {
    let printed = print(statement, bulk.dialect)?;
    let values = printed.values()?;
    let values =
        values.into_iter().map(|value| codec::encode(value.lend()).map(Bound::into_owned)).collect::<Result<_>>()?;
    Ok(Request { sql: printed.sql, values, reuse: Reuse::Once, asks_steps: false, heavy: true })
}
