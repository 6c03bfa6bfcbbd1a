//! Many rows in one insert: fifty by one prepared statement, all of them in one job on the
//! connection's thread, which the task feeds while the job runs.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef as Stored};
use rusqlite::{Statement as Prepared, ToSql};
use tokio::sync::{mpsc, oneshot};

use crate::contract::{
    Bulk, Command, ConnectionState, Part, Reuse, RowSupply, TransactionOptions, in_row, of_rows, whole_row,
};
use crate::error::{Error, ErrorKind, Result};
use crate::render::{ansi, print};
use crate::sql::{Many, Statement};
use crate::sqlite::codec::{self, Bound};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::errors::Stop;
use crate::sqlite::execute::{Demand, Handover, Request};
use crate::sqlite::session::{Session, unwanted};
use crate::sqlite::share;
use crate::sqlite::thread::lost;
use crate::sqlite::turns::Turn;
use crate::sqlite::watch::Wanted;
use crate::value::{Value, ValueRef, ValueWriter};

/// The rows of one statement: more of them gain nothing.
const TOGETHER: usize = 50;

/// So many rows go to the thread at once, or as many as have so many bytes.
const BATCH: usize = 10 * TOGETHER;
const BYTES: usize = 256 * 1024;

/// Room for so many bytes of text is made for each row that is known to come.
const ROOM: usize = 64;

/// The texts for rows of one part.
#[derive(Debug)]
struct Texts {
    columns: Many<&'static str>,
    /// Of one row.
    one: String,
    /// Of `together` rows.
    many: String,
    together: usize,
}

/// Rows on their way to the thread, one behind the other, in flat buffers.
#[derive(Debug)]
struct Batch {
    texts: Arc<Texts>,
    cells: Vec<Cell>,
    text: Vec<u8>,
    bytes: Vec<u8>,
    rows: usize,
}

/// A value; text and bytes are ranges of their buffers.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(u32, u32),
    Blob(u32, u32),
}

/// Bytes that are known to be text.
struct Utf8<'a>(&'a [u8]);

impl ToSql for Utf8<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(Stored::Text(self.0)))
    }
}

/// What the thread is fed with. That there is no more is a message too: a channel that is closed
/// without one was dropped.
enum Message {
    Rows(Batch),
    Statement(Request),
    End,
}

/// What the job did, and whether it has committed.
type Done = Result<(u64, bool), Stop>;

impl SqliteConnection {
    /// See [`insert_many`](crate::contract::Connection::insert_many).
    pub(super) async fn insert_many(&mut self, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64> {
        share::pause(self.options.inline_budget).await;
        self.ready().await?;
        let most = crate::contract::Connection::capabilities(self).max_parameters;
        let mut feed = Feed { bulk, rows, most, texts: None, before: 0 };
        let Some(first) = feed.next()? else { return Ok(0) };
        let second = feed.next()?;
        if second.is_none()
            && let Message::Rows(batch) = &first
            && batch.rows <= batch.texts.together
        {
            let sql = batch.texts.of(bulk.table, batch.rows);
            let values: Vec<Value> = batch.cells.iter().map(|cell| batch.value(*cell)).collect();
            let args: Vec<&Value> = values.iter().collect();
            let command = Command { sql: &sql, args: &args, reuse: Reuse::Keep };
            let ran = self.run(command, &mut ()).await;
            return ran.map(|outcome| outcome.affected).map_err(|error| of_rows(error, &batch.texts.columns, 0));
        }
        let alone = self.stand() == ConnectionState::Idle;
        if alone {
            self.begin(&TransactionOptions::default()).await?;
        }
        let begun = [first].into_iter().chain(second);
        let (done, turn) = self.insert_all(alone, begun, feed).await?;
        match done {
            Ok((inserted, committed)) => {
                if alone && !committed {
                    // The job's own commit met a reader; this one waits for it.
                    self.commit().await?;
                } else {
                    self.checkpoint(turn);
                }
                Ok(inserted)
            }
            Err(Stop::Error(error) | Stop::Busy(error)) => {
                self.in_doubt |= error.kind() == ErrorKind::CommitUnknown;
                Err(error)
            }
            Err(Stop::Turn | Stop::Long) => unreachable!("the job holds the turn and has no budget"),
        }
    }

    /// Sends the job and feeds it. An error of the supply is that of the insert, and the job has undone
    /// what it did before it is told.
    async fn insert_all(
        &mut self,
        alone: bool,
        begun: impl Iterator<Item = Message>,
        mut feed: Feed<'_>,
    ) -> Result<(Done, Option<Turn>)> {
        let (answer, wait) = oneshot::channel();
        let (send, messages) = mpsc::channel(2);
        let work = move |session: &mut Session, job| session.insert_all(job, alone, messages);
        let job = self.send(None, work, move |done, turn| {
            // Whoever waited may have gone.
            let _ = answer.send((done, turn));
        })?;
        let watch = Arc::clone(&self.watch);
        let wanted = Wanted::new(&watch, job);
        let fed = feed.all(begun, send).await;
        let answer = wait.await;
        wanted.done();
        self.back();
        fed?;
        answer.map_err(|_| lost())
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
    /// Sends everything, as long as the job takes it.
    async fn all(&mut self, begun: impl Iterator<Item = Message>, send: mpsc::Sender<Message>) -> Result<()> {
        for message in begun {
            if send.send(message).await.is_err() {
                return Ok(());
            }
        }
        while let Some(message) = self.next()? {
            if send.send(message).await.is_err() {
                return Ok(());
            }
            // A thread that is faster than the supply would keep the task from ever waiting.
            tokio::task::yield_now().await;
        }
        // The job has failed where it is not there any more, and its answer says why.
        let _ = send.send(Message::End).await;
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Message>> {
        loop {
            let texts = match self.texts.take() {
                Some(texts) => texts,
                None => match self.rows.part()? {
                    Some(Part::Rows(columns)) => Arc::new(Texts::new(self.bulk.table, columns, self.most)),
                    Some(Part::Insert(insert)) => {
                        self.before += insert.rows.len() as u64;
                        let request = request(self.bulk, &Statement::Insert(*insert))?;
                        return Ok(Some(Message::Statement(request)));
                    }
                    None => return Ok(None),
                },
            };
            let mut batch = Batch { texts, cells: Vec::new(), text: Vec::new(), bytes: Vec::new(), rows: 0 };
            let width = batch.texts.columns.len();
            let rows = self.rows.at_least().clamp(1, BATCH);
            batch.cells.reserve(width * rows);
            batch.text.reserve(ROOM * rows);
            let mut more = true;
            while batch.rows < BATCH && batch.text.len() + batch.bytes.len() < BYTES {
                let mut row = Writing { batch: &mut batch, column: 0, row: self.before + 1 };
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

/// The row that is being written to a batch.
struct Writing<'a> {
    batch: &'a mut Batch,
    column: usize,
    /// Its number, for errors.
    row: u64,
}

impl Writing<'_> {
    #[inline]
    fn put(&mut self, cell: Cell) {
        self.batch.cells.push(cell);
        self.column += 1;
    }

    #[cold]
    fn refused(&self, error: Error) -> Error {
        in_row(error, self.row, self.batch.texts.columns.get(self.column).copied())
    }
}

impl ValueWriter for Writing<'_> {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        let cell = codec::encode(value).and_then(|bound| self.batch.cell(&bound));
        self.put(cell.map_err(|error| self.refused(error))?);
        Ok(())
    }

    fn null(&mut self) -> Result<()> {
        self.put(Cell::Null);
        Ok(())
    }

    fn int(&mut self, value: i64) -> Result<()> {
        self.put(Cell::Integer(value));
        Ok(())
    }

    fn bool(&mut self, value: bool) -> Result<()> {
        self.put(Cell::Integer(value.into()));
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<()> {
        if value.is_nan() {
            return self.lend(ValueRef::Float(value));
        }
        self.put(Cell::Real(value));
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<()> {
        // That there is no NUL in it is looked at for all texts of the batch at once.
        let (start, end) = keep(&mut self.batch.text, value.as_bytes()).map_err(|error| self.refused(error))?;
        self.put(Cell::Text(start, end));
        Ok(())
    }
}

impl Batch {
    /// A value as a cell, and its bytes in the buffer.
    fn cell(&mut self, value: &Bound<'_>) -> Result<Cell> {
        Ok(match value {
            Bound::Null => Cell::Null,
            Bound::Integer(v) => Cell::Integer(*v),
            Bound::Real(v) => Cell::Real(*v),
            Bound::Text(v) => {
                let (start, end) = keep(&mut self.text, v.as_bytes())?;
                Cell::Text(start, end)
            }
            Bound::Blob(v) => {
                let (start, end) = keep(&mut self.bytes, v)?;
                Cell::Blob(start, end)
            }
            Bound::Uuid(v) => {
                let (start, end) = keep(&mut self.bytes, v)?;
                Cell::Blob(start, end)
            }
        })
    }

    /// The error of a text with a NUL in it, if there is one; so many rows were pulled.
    fn nul(&self, pulled: u64) -> Option<Error> {
        // Mostly there is none, and this is the quick way to see that.
        if !self.text.contains(&0) {
            return None;
        }
        let at = self.text.iter().position(|byte| *byte == 0)?;
        let holds =
            |cell: &Cell| matches!(cell, Cell::Text(start, end) if (*start as usize..*end as usize).contains(&at));
        let cell = self.cells.iter().position(holds)?;
        let width = self.texts.columns.len().max(1);
        let row = pulled - self.rows as u64 + (cell / width) as u64 + 1;
        Some(in_row(codec::has_nul(), row, self.texts.columns.get(cell % width).copied()))
    }

    fn text(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The cell as a value that is bound as it is.
    fn value(&self, cell: Cell) -> Value {
        match cell {
            Cell::Null => Value::Null,
            Cell::Integer(v) => Value::Int(v),
            Cell::Real(v) => Value::Float(v),
            Cell::Text(start, end) => Value::Text(String::from_utf8_lossy(self.text(start, end)).into_owned()),
            Cell::Blob(start, end) => Value::Bytes(self.bytes(start, end).to_vec()),
        }
    }
}

/// Puts bytes at the end of a buffer, and says where they are.
#[inline]
fn keep(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(u32, u32)> {
    let start = buffer.len();
    buffer.extend_from_slice(bytes);
    match (u32::try_from(start), u32::try_from(buffer.len())) {
        (Ok(start), Ok(end)) => Ok((start, end)),
        _ => Err(Error::new(ErrorKind::OutOfRange, "SQLite holds values of up to 1 GB")),
    }
}

fn request(bulk: Bulk, statement: &Statement) -> Result<Request> {
    let printed = print(statement, bulk.dialect)?;
    let values = printed.values()?;
    let values =
        values.into_iter().map(|value| codec::encode(value.lend()).map(Bound::into_owned)).collect::<Result<_>>()?;
    Ok(Request { sql: printed.sql, values, reuse: Reuse::Once, asks_steps: false, heavy: true })
}

impl Texts {
    fn new(table: &str, columns: Many<&'static str>, most: usize) -> Self {
        let together = most.checked_div(columns.len()).map_or(1, |rows| rows.clamp(1, TOGETHER));
        let mut texts = Texts { columns, one: String::new(), many: String::new(), together };
        texts.one = texts.of(table, 1);
        texts.many = texts.of(table, together);
        texts
    }

    /// The text for so many rows; without columns there can only be one.
    fn of(&self, table: &str, rows: usize) -> String {
        let mut out = String::from("INSERT INTO ");
        ansi::identifier(table, &mut out);
        if self.columns.is_empty() {
            out.push_str(" DEFAULT VALUES");
            return out;
        }
        for (index, column) in self.columns.iter().enumerate() {
            out.push_str(if index == 0 { " (" } else { ", " });
            ansi::identifier(column, &mut out);
        }
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        out.push_str(") VALUES ");
        out.push_str(&vec![row; rows].join(", "));
        out
    }
}

impl Session {
    /// Inserts what comes, until the end is said. What was done is undone when it fails, and when the
    /// channel is dropped.
    fn insert_all(&mut self, job: u64, alone: bool, mut messages: mpsc::Receiver<Message>) -> Done {
        if !alone {
            self.control(job, "SAVEPOINT covet_bulk")?;
        }
        let result = self.insert_messages(job, &mut messages);
        let inserted = match result {
            Ok(inserted) => inserted,
            Err(stop) => {
                self.undo_bulk(alone);
                return Err(stop);
            }
        };
        if !alone {
            self.control(job, "RELEASE covet_bulk")?;
            return Ok((inserted, false));
        }
        match self.commit(job) {
            Ok(()) => Ok((inserted, true)),
            Err(Stop::Busy(_)) => Ok((inserted, false)),
            Err(stop) => {
                self.undo_bulk(alone);
                Err(stop)
            }
        }
    }

    /// Goes back to where it began, unless SQLite has done so by itself.
    fn undo_bulk(&mut self, alone: bool) {
        if self.db.is_autocommit() {
            return;
        }
        let undone = if alone {
            self.rollback().is_ok()
        } else {
            self.pragma("ROLLBACK TO covet_bulk; RELEASE covet_bulk").is_ok()
        };
        if undone {
            self.watch.pardon();
        } else {
            self.watch.doom();
        }
    }

    fn insert_messages(&mut self, job: u64, messages: &mut mpsc::Receiver<Message>) -> Result<u64, Stop> {
        let mut inserted = 0;
        loop {
            match messages.blocking_recv() {
                Some(Message::Rows(batch)) => {
                    if !self.watch.begin_write(job) {
                        return Err(unwanted().into());
                    }
                    inserted += self.insert_batch(&batch)?;
                }
                Some(Message::Statement(request)) => {
                    inserted +=
                        self.run(job, &request, &mut Handover::Batches(&mut |_| Demand::More))?.outcome.affected;
                }
                Some(Message::End) => return Ok(inserted),
                None => return Err(unwanted().into()),
            }
        }
    }

    fn insert_batch(&self, batch: &Batch) -> Result<u64, Stop> {
        let Texts { columns, one, many, together } = &*batch.texts;
        let mut inserted = 0;
        // A transaction is open, so nothing here is sent again when the database is busy.
        let failed = |error| self.failed(error, false, true);
        if columns.is_empty() {
            let mut statement = self.db.prepare_cached(one).map_err(failed)?;
            for _ in 0..batch.rows {
                inserted += statement.raw_execute().map_err(failed)? as u64;
            }
            return Ok(inserted);
        }
        let chunks = batch.cells.chunks_exact(together * columns.len());
        let rest = chunks.remainder();
        if chunks.len() > 0 {
            let mut statement = self.db.prepare_cached(many).map_err(failed)?;
            for chunk in chunks {
                inserted += batch.insert(&mut statement, chunk).map_err(failed)?;
            }
        }
        if !rest.is_empty() {
            let mut statement = self.db.prepare_cached(one).map_err(failed)?;
            for chunk in rest.chunks_exact(columns.len()) {
                inserted += batch.insert(&mut statement, chunk).map_err(failed)?;
            }
        }
        Ok(inserted)
    }
}

impl Batch {
    /// Runs the statement with some of the cells.
    fn insert(&self, statement: &mut Prepared<'_>, cells: &[Cell]) -> rusqlite::Result<u64> {
        for (place, cell) in (1..).zip(cells) {
            // Each as what it is: a type that could be any of them costs a second look at every value.
            match *cell {
                Cell::Null => statement.raw_bind_parameter(place, rusqlite::types::Null)?,
                Cell::Integer(v) => statement.raw_bind_parameter(place, v)?,
                Cell::Real(v) => statement.raw_bind_parameter(place, v)?,
                Cell::Text(start, end) => statement.raw_bind_parameter(place, Utf8(self.text(start, end)))?,
                Cell::Blob(start, end) => statement.raw_bind_parameter(place, self.bytes(start, end))?,
            }
        }
        statement.raw_execute().map(|rows| rows as u64)
    }
}
