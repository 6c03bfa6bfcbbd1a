//! Many rows in one insert: arrays in one statement for few rows, `COPY` for many.
//!
//! | rows | sent as | why |
//! |---|---|---|
//! | few | `INSERT … SELECT * FROM UNNEST($1::type[], …)` | one round trip, one text for any number of rows |
//! | many | `COPY … FROM STDIN (FORMAT BINARY)` | the cheapest for both sides, and one statement whatever the number |
//! | many, where `COPY` would not do what `INSERT` does | `UNNEST`, slice by slice | views, rules, row level security |
//!
//! A table as a file (`file.rs`) is a `COPY` whose rows nobody looks into.
//!
//! What takes more than one statement stands in a transaction, or in a savepoint within one, whose
//! words travel together with the statements.

mod cells;
mod copy;
mod file;
mod format;
mod plan;
mod unnest;

use crate::contract::{Bulk, Command, ConnectionState, Part, Reuse, RowSupply, heap, pull};
use crate::error::Result;
use crate::postgres::PostgresConnection;
use crate::postgres::connection::{doomed, gone};
use crate::render::print;
use crate::sql::Statement;
use crate::value::Value;

/// So many rows are sent as arrays; more go by `COPY`.
const FEW: usize = 500;

/// So many bytes of text and the like are kept for arrays; a slice of larger rows is shorter.
const MUCH: usize = 1 << 20;

/// What makes several statements one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    words: &'static Words,
    /// Whether it has begun.
    open: bool,
    /// Where the session stands while it is open, and where it stood before.
    within: ConnectionState,
    before: ConnectionState,
}

#[derive(Debug)]
struct Words {
    begin: &'static str,
    end: &'static str,
    undo: &'static str,
}

static TRANSACTION: Words = Words { begin: "BEGIN", end: "COMMIT", undo: "ROLLBACK" };

static SAVEPOINT: Words = Words {
    begin: "SAVEPOINT covet_bulk",
    end: "RELEASE SAVEPOINT covet_bulk",
    undo: "ROLLBACK TO SAVEPOINT covet_bulk; RELEASE SAVEPOINT covet_bulk",
};

impl Whole {
    fn new(before: ConnectionState) -> Self {
        let words = if before == ConnectionState::Idle { &TRANSACTION } else { &SAVEPOINT };
        Whole { words, open: false, within: ConnectionState::InTransaction, before }
    }

    /// A text behind what begins it, if that is still to be said.
    fn behind_begin(&self, text: String) -> String {
        if self.open { text } else { format!("{}; {text}", self.words.begin) }
    }

    /// Whether its end is a commit.
    fn commits(&self) -> bool {
        self.before == ConnectionState::Idle
    }
}

/// Rows that were pulled and not sent yet, one behind the other.
#[derive(Debug, Default)]
struct Slice {
    values: Vec<Value>,
    rows: usize,
    /// The number of rows before these.
    before: u64,
}

impl Slice {
    /// Pulls rows until there are enough; says whether the part may have more.
    fn fill(&mut self, rows: &mut dyn RowSupply, width: usize) -> Result<bool> {
        self.pass(0);
        let mut bytes = 0;
        while self.rows < FEW && bytes < MUCH {
            let from = self.values.len();
            if !pull(rows, &mut self.values, width)? {
                return Ok(false);
            }
            self.rows += 1;
            bytes += self.values.iter().skip(from).map(heap).sum::<usize>();
        }
        Ok(true)
    }

    /// Forgets the rows, which were sent, and so many behind them.
    fn pass(&mut self, more: usize) {
        self.before += (self.rows + more) as u64;
        self.rows = 0;
        self.values.clear();
    }
}

impl PostgresConnection {
    /// As [`Connection::insert_many`](crate::contract::Connection::insert_many).
    ///
    /// # Errors
    /// As there.
    pub async fn insert_many(&mut self, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64> {
        self.bulk(async |this, whole| this.insert_parts(bulk, rows, whole).await).await
    }

    /// Does something that may take several statements, and is kept whole.
    async fn bulk(&mut self, work: impl AsyncFnOnce(&mut Self, &mut Whole) -> Result<u64>) -> Result<u64> {
        self.keep(async |this| {
            let mut whole = this.begin_bulk()?;
            let result = match this.open_for_bulk().await {
                Ok(()) => work(this, &mut whole).await,
                Err(error) => Err(error),
            };
            this.end_bulk(whole, result).await
        })
        .await
    }

    /// From here on until [`end_bulk`](Self::end_bulk) something is under way that may take several statements.
    fn begin_bulk(&mut self) -> Result<Whole> {
        match self.state() {
            ConnectionState::Broken => return Err(gone()),
            ConnectionState::Failed => return Err(doomed()),
            ConnectionState::Idle | ConnectionState::InTransaction => {}
        }
        self.under_way = true;
        Ok(Whole::new(self.state))
    }

    /// Makes what was done stand as a whole, if it went well, and undoes it if not.
    async fn end_bulk(&mut self, mut whole: Whole, mut result: Result<u64>) -> Result<u64> {
        if result.is_ok() && whole.open {
            result = self.end_whole(&mut whole).await.and(result);
        }
        if result.is_err() {
            self.undo_whole(&mut whole).await;
        }
        self.under_way = false;
        result
    }

    async fn insert_parts(&mut self, bulk: Bulk, rows: &mut dyn RowSupply, whole: &mut Whole) -> Result<u64> {
        let mut inserted = 0;
        let mut slice = Slice::default();
        let mut next = rows.part()?;
        while let Some(part) = next {
            let columns = match part {
                Part::Rows(columns) => columns,
                Part::Insert(insert) => {
                    next = rows.part()?;
                    if next.is_some() {
                        self.open_whole(whole).await?;
                    }
                    slice.pass(insert.rows.len());
                    inserted += self.insert_statement(bulk, &Statement::Insert(*insert)).await?;
                    continue;
                }
            };
            // Rows that are known to be many need not be held to see that they are.
            let known = rows.at_least() > FEW;
            slice.pass(0);
            let mut more = known || slice.fill(rows, columns.len())?;
            if more {
                let table = bulk.table;
                if let Some(mut copying) = self.start_copy(table, &columns, whole).await? {
                    copying.rows(&mut slice, rows).await?;
                    next = rows.part()?;
                    inserted += self.finish_copy(copying, whole, next.is_none()).await?;
                    continue;
                }
                self.open_whole(whole).await?;
                if known {
                    more = slice.fill(rows, columns.len())?;
                }
                while more {
                    inserted += self.insert_arrays(table, &columns, &slice).await?;
                    more = slice.fill(rows, columns.len())?;
                }
            }
            next = rows.part()?;
            if next.is_some() {
                self.open_whole(whole).await?;
            }
            if slice.rows > 0 {
                inserted += self.insert_arrays(bulk.table, &columns, &slice).await?;
            }
        }
        Ok(inserted)
    }

    async fn insert_statement(&mut self, bulk: Bulk, statement: &Statement) -> Result<u64> {
        let printed = print(statement, bulk.dialect)?;
        let args = printed.values()?;
        let command = Command { sql: &printed.sql, args: &args, reuse: Reuse::Once };
        Ok(self.execute(command, &mut ()).await?.affected)
    }

    /// Begins what makes several statements one, where it has not begun.
    async fn open_whole(&mut self, whole: &mut Whole) -> Result<()> {
        if whole.open {
            return Ok(());
        }
        self.client.batch_execute(whole.words.begin).await.map_err(|error| self.settle(error))?;
        self.open_now(whole);
        Ok(())
    }

    fn open_now(&mut self, whole: &mut Whole) {
        whole.open = true;
        self.state = whole.within;
    }

    /// Ends it; what it did stands.
    async fn end_whole(&mut self, whole: &mut Whole) -> Result<()> {
        let ended = self.client.batch_execute(whole.words.end).await;
        self.ended_whole(whole, ended)
    }

    /// Takes in what became of its end.
    fn ended_whole(&mut self, whole: &mut Whole, ended: Result<(), tokio_postgres::Error>) -> Result<()> {
        match ended {
            Ok(()) => {
                whole.open = false;
                self.state = whole.before;
                Ok(())
            }
            Err(error) if whole.commits() => Err(self.refused_commit(whole, error)),
            Err(error) => Err(self.settle(error)),
        }
    }

    /// Undoes what has been done. The error that led here is the one to tell: what cannot be undone
    /// shows in the state.
    async fn undo_whole(&mut self, whole: &mut Whole) {
        if !whole.open || self.state == ConnectionState::Broken || self.client.is_closed() {
            return;
        }
        // The answer to the question shows that it is the answer to this.
        let undo = format!("{}; SELECT true", whole.words.undo);
        if matches!(self.ask(&undo).await, Ok(true)) {
            whole.open = false;
            self.state = whole.before;
        } else {
            self.state = ConnectionState::Broken;
        }
    }
}
