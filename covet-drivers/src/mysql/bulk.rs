//! Many rows in one insert: MariaDB's bulk command, which sends the text once and the values of many rows;
//! on MySQL ordinary statements of many rows.
//!
//! A bulk command is one statement to MariaDB, undone as a whole when a row of it fails. Several of them,
//! for more rows than are worth holding at once, stand in a transaction, or in a savepoint within one.
//!
//! The driver sends a bulk command only where it was agreed on when the connection was made, and otherwise row after row,
//! each of which would stand for itself. It does not tell which of them it does, and the greeting of a proxy need not fit
//! the server behind it; but what it counts shows it. So until a connection has shown that it sends bulk commands, rows
//! stand in a transaction too; one that has shown that it does not sends statements of many rows from then on.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Value as WireValue};

use crate::contract::{
    BULK_SAVEPOINT, Bulk, Command, Part, Reuse, RowSupply, TransactionOptions, in_row, insert_by_values, of_rows,
    whole_row,
};
use crate::error::Result;
use crate::mysql::caught::caught;
use crate::mysql::codec::encode;
use crate::mysql::connection::{Failure, MySqlConnection, Standing};
use crate::mysql::errors::{STALE, of_json};
use crate::mysql::server::Product;
use crate::render::print;
use crate::sql::{Many, Statement, placed};
use crate::value::{Value, ValueRef, ValueWriter};

/// The rows of one command, or as many as have so many bytes.
const ROWS: usize = 2000;
const BYTES: usize = 1 << 20;

/// How a connection sends many rows with one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    /// It has not shown it yet.
    Unknown,
    /// By one command, which is all or none.
    Bulk,
    /// Row after row.
    Rows,
}

/// What is sent at once.
enum Piece {
    /// Rows by one command, in the driver's terms.
    Rows {
        columns: Many<&'static str>,
        rows: Vec<Vec<WireValue>>,
        json: bool,
    },
    /// A row that is too large to stand beside others, and how many there were before it.
    Row {
        columns: Many<&'static str>,
        values: Vec<WireValue>,
        json: bool,
        before: u64,
    },
    Statement(Statement),
}

impl MySqlConnection {
    /// As [`Connection::insert_many`](crate::contract::Connection::insert_many).
    ///
    /// # Errors
    /// As there.
    pub async fn insert_many(&mut self, bulk: Bulk, rows: &mut dyn RowSupply) -> Result<u64> {
        self.get_ready().await?;
        if self.server.product == Product::MySql || self.sends == Sends::Rows {
            return insert_by_values(self, bulk, rows).await;
        }
        let most = BYTES.min(self.settings.max_packet / 2);
        let mut pieces = Pieces { rows, most, columns: None, held: None, before: 0 };
        let Some(first) = pieces.next()? else { return Ok(0) };
        let second = pieces.next()?;
        let several = matches!(&first, Piece::Rows { rows, .. } if rows.len() > 1 && self.sends != Sends::Bulk);
        if second.is_none() && !several {
            return self.insert_piece(bulk, first).await;
        }
        let within = self.standing() != Standing::Idle;
        if within {
            self.savepoint(BULK_SAVEPOINT).await?;
        } else {
            self.begin(&TransactionOptions::default()).await?;
        }
        let result = self.insert_pieces(bulk, [Some(first), second], &mut pieces).await;
        match (&result, within) {
            (Ok(_), true) => self.release(BULK_SAVEPOINT).await?,
            (Ok(_), false) => self.commit().await?,
            // The first error is the one to tell; what cannot be undone shows in the state.
            (Err(_), _) if self.check().is_err() || self.standing() == Standing::Idle => {}
            (Err(_), true) => drop(self.rollback_to(BULK_SAVEPOINT).await),
            (Err(_), false) => drop(self.rollback().await),
        }
        result
    }

    async fn insert_pieces(&mut self, bulk: Bulk, begun: [Option<Piece>; 2], pieces: &mut Pieces<'_>) -> Result<u64> {
        let mut inserted = 0;
        for piece in begun.into_iter().flatten() {
            inserted += self.insert_piece(bulk, piece).await?;
        }
        while let Some(piece) = pieces.next()? {
            inserted += self.insert_piece(bulk, piece).await?;
        }
        Ok(inserted)
    }

    async fn insert_piece(&mut self, bulk: Bulk, piece: Piece) -> Result<u64> {
        match piece {
            Piece::Rows { columns, rows, json } => {
                let inserted = self.insert_rows(&text(bulk, &columns)?, rows).await;
                inserted.map_err(|error| if json { of_json(error) } else { error })
            }
            Piece::Row { columns, values, json, before } => {
                let command = Command { sql: &text(bulk, &columns)?, args: &[], reuse: Reuse::Keep };
                let ran = self.run_encoded(command, || Ok(values.clone()), &mut ()).await;
                ran.map(|outcome| outcome.affected).map_err(|error| {
                    let error = of_rows(error, &columns, before);
                    if json { of_json(error) } else { error }
                })
            }
            Piece::Statement(statement) => {
                let printed = print(&statement, bulk.dialect)?;
                let args = printed.values()?;
                let command = Command { sql: &printed.sql, args: &args, reuse: Reuse::Once };
                let ran = self.run(command, &mut ()).await;
                ran.map(|outcome| outcome.affected).map_err(|error| placed(error, &statement, &args))
            }
        }
    }

    /// Sends rows by one command.
    async fn insert_rows(&mut self, sql: &str, rows: Vec<Vec<WireValue>>) -> Result<u64> {
        let count = rows.len() as u64;
        let prepared = self.prepare(Command { sql, args: &[], reuse: Reuse::Keep }).await?;
        let wire = self.depart_with(false)?;
        let result = match caught(wire.exec_batch(&prepared.statement, rows.into_iter().map(Params::Positional))).await
        {
            Ok(()) => Ok(wire.affected_rows()),
            Err(error) => Err(Failure::from(error)),
        };
        if matches!(&result, Err(Failure::Driver(mysql_async::Error::Server(error))) if STALE.contains(&error.code)) {
            self.cache.forget(sql);
        }
        let settled = self.settle(result).await;
        if self.check().is_ok() {
            self.forget(&prepared).await?;
        }
        let told = settled?;
        if count > 1 {
            // Row after row, the count is that of the last one.
            self.sends = if told == count { Sends::Bulk } else { Sends::Rows };
        }
        Ok(if self.sends == Sends::Rows { count } else { told })
    }
}

fn text(bulk: Bulk, columns: &[&'static str]) -> Result<String> {
    let mut out = String::from("INSERT INTO ");
    bulk.dialect.table(bulk.table, &mut out)?;
    out.push_str(" (");
    for (index, column) in columns.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        bulk.dialect.identifier(column, &mut out);
    }
    out.push_str(") VALUES (");
    out.push_str(&vec!["?"; columns.len()].join(", "));
    out.push(')');
    Ok(out)
}

/// The rows, in pieces.
struct Pieces<'a> {
    rows: &'a mut dyn RowSupply,
    most: usize,
    /// Those of the part that has not ended.
    columns: Option<Many<&'static str>>,
    /// A row that was pulled and did not fit what was before it.
    held: Option<Pulled>,
    before: u64,
}

/// A row that was pulled, in the driver's terms.
struct Pulled {
    values: Vec<WireValue>,
    /// Whether its values have the types of the rows before.
    agrees: bool,
    /// The bytes that it takes, about.
    weight: usize,
    json: bool,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            let columns = match self.columns.take() {
                Some(columns) => columns,
                None => match self.rows.part()? {
                    Some(Part::Rows(columns)) => columns,
                    Some(Part::Insert(insert)) => {
                        self.before += insert.rows.len() as u64;
                        return Ok(Some(Piece::Statement(Statement::Insert(*insert))));
                    }
                    None => return Ok(None),
                },
            };
            if let Some(piece) = self.piece(&columns)? {
                return Ok(Some(piece));
            }
        }
    }

    /// Rows that one command can take: there is one type for each column in it.
    fn piece(&mut self, columns: &Many<&'static str>) -> Result<Option<Piece>> {
        let mut sent = Vec::with_capacity(self.rows.at_least().clamp(1, ROWS));
        let mut kinds = vec![Kind::Null; columns.len()];
        let mut bytes = 0;
        let mut json = false;
        loop {
            let row = match self.held.take() {
                Some(held) => held,
                None => match self.pull(columns, &kinds)? {
                    Some(row) => row,
                    None => break,
                },
            };
            let alone = columns.is_empty() || row.weight > self.most;
            let full =
                sent.len() == ROWS || bytes + row.weight > self.most || !(row.agrees || agree(&mut kinds, &row.values));
            if !sent.is_empty() && (alone || full) {
                self.held = Some(row);
                self.columns = Some(columns.clone());
                break;
            }
            self.before += 1;
            if alone {
                self.columns = Some(columns.clone());
                let Pulled { values, json, .. } = row;
                return Ok(Some(Piece::Row { columns: columns.clone(), values, json, before: self.before - 1 }));
            }
            bytes += row.weight;
            json |= row.json;
            sent.push(row.values);
        }
        Ok((!sent.is_empty()).then(|| Piece::Rows { columns: columns.clone(), rows: sent, json }))
    }

    /// The next row of the part.
    fn pull(&mut self, columns: &[&'static str], kinds: &[Kind]) -> Result<Option<Pulled>> {
        let width = columns.len();
        let mut row = Writing {
            columns,
            kinds,
            number: self.before + 1,
            row: Pulled { values: Vec::with_capacity(width), agrees: true, weight: 16 * width, json: false },
        };
        let more = self.rows.next(&mut row)?;
        let more = whole_row(more, row.row.values.len(), width)?;
        Ok(more.then_some(row.row))
    }
}

/// The row that is being pulled.
struct Writing<'a> {
    columns: &'a [&'static str],
    /// The types of the rows before.
    kinds: &'a [Kind],
    /// The row's number, for errors.
    number: u64,
    row: Pulled,
}

impl Writing<'_> {
    #[inline]
    fn put(&mut self, kind: Kind, value: WireValue) {
        self.row.agrees &= self.kinds.get(self.row.values.len()) == Some(&kind);
        self.row.values.push(value);
    }

    #[inline]
    fn bytes(&mut self, bytes: Vec<u8>) {
        self.row.weight += bytes.len();
        self.put(Kind::Bytes, WireValue::Bytes(bytes));
    }
}

impl ValueWriter for Writing<'_> {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.row.json |= matches!(value, ValueRef::Json(_));
        match encode(value) {
            Ok(WireValue::Bytes(bytes)) => self.bytes(bytes),
            Ok(value) => self.put(kind(&value), value),
            Err(error) => return Err(in_row(error, self.number, self.columns.get(self.row.values.len()).copied())),
        }
        Ok(())
    }

    fn null(&mut self) -> Result<()> {
        // It goes with every type.
        self.row.values.push(WireValue::NULL);
        Ok(())
    }

    fn int(&mut self, value: i64) -> Result<()> {
        self.put(Kind::Signed, WireValue::Int(value));
        Ok(())
    }

    fn bool(&mut self, value: bool) -> Result<()> {
        self.put(Kind::Signed, WireValue::Int(value.into()));
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return self.lend(ValueRef::Float(value));
        }
        self.put(Kind::Double, WireValue::Double(value));
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<()> {
        self.bytes(value.as_bytes().to_vec());
        Ok(())
    }

    fn give(&mut self, value: Value) -> Result<()> {
        // What has room of its own keeps it.
        match value {
            Value::Text(v) => self.bytes(v.into_bytes()),
            Value::Json(v) => {
                self.row.json = true;
                self.bytes(v.into_bytes());
            }
            Value::Bytes(v) => self.bytes(v),
            other => return self.lend(other.lend()),
        }
        Ok(())
    }
}

/// What a value is in a command that has one type for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// NULL, which goes with every type.
    Null,
    Signed,
    Unsigned,
    Float,
    Double,
    Moment,
    Time,
    Bytes,
}

/// Whether the values have the types of the rows before; then these are the types from now on.
fn agree(kinds: &mut [Kind], values: &[WireValue]) -> bool {
    let fits = |(known, value): (&Kind, &WireValue)| {
        let kind = kind(value);
        *known == kind || *known == Kind::Null || kind == Kind::Null
    };
    if !kinds.iter().zip(values).all(fits) {
        return false;
    }
    for (known, value) in kinds.iter_mut().zip(values).filter(|(known, _)| **known == Kind::Null) {
        *known = kind(value);
    }
    true
}

fn kind(value: &WireValue) -> Kind {
    match value {
        WireValue::NULL => Kind::Null,
        WireValue::Int(_) => Kind::Signed,
        WireValue::UInt(_) => Kind::Unsigned,
        WireValue::Float(_) => Kind::Float,
        WireValue::Double(_) => Kind::Double,
        WireValue::Date(..) => Kind::Moment,
        WireValue::Time(..) => Kind::Time,
        WireValue::Bytes(_) => Kind::Bytes,
    }
}
