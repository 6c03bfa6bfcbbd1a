//! One statement: prepared, bound, run, its rows handed on as they arrive.

use mysql_async::prelude::{Protocol, Queryable as _};
use mysql_async::{Conn, Params, QueryResult, Statement, Value as WireValue};

use crate::contract::{Command, Flow, Outcome, Reuse, Row, RowSink, breathe};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::cache::Traits;
use crate::mysql::caught::caught;
use crate::mysql::codec::{Held, encode, weight};
use crate::mysql::connection::{Failure, MySqlConnection, Standing};
use crate::mysql::dialect::QUOTING;
use crate::mysql::errors::{NOT_PREPARABLE, STALE, of_json};
use crate::mysql::exact::exact;
use crate::sql::{miscounted, split, wrong_number};
use crate::value::Value;

/// The most rows that are read and thrown away to keep a session in step.
const DRAIN: usize = 1_000;

/// The largest packet that the driver sends whole; what is larger goes value by value.
const WHOLE: usize = 0xff_ff_ff;

impl MySqlConnection {
    /// As [`Connection::run`](crate::contract::Connection::run).
    ///
    /// # Errors
    /// As there.
    pub async fn run(&mut self, command: Command<'_>, rows: &mut dyn RowSink) -> Result<Outcome> {
        let sql = exact(command.sql, command.args);
        let ran = self.run_encoded(Command { sql: &sql, ..command }, || encode_all(command.args), rows).await;
        ran.map_err(|error| {
            let json = command.args.iter().any(|value| matches!(value, Value::Json(_)));
            if json { of_json(error) } else { error }
        })
    }

    /// Runs a statement with values in the driver's terms, which are asked for once more where it must be sent again.
    pub(super) async fn run_encoded(
        &mut self,
        command: Command<'_>,
        encoded: impl Fn() -> Result<Vec<WireValue>>,
        rows: &mut dyn RowSink,
    ) -> Result<Outcome> {
        self.get_ready().await?;
        let mut values = encoded()?;
        self.fits(command.sql.len())?;
        self.values_fit(&values)?;
        if values.is_empty() && holds_named_placeholder(command.sql) {
            return self.run_text(command.sql, rows).await;
        }
        let mut prepared = match self.prepare(command).await {
            Err(error) if values.is_empty() && error.code() == Some(code(NOT_PREPARABLE).as_str()) => {
                return self.run_text(command.sql, rows).await;
            }
            other => other?,
        };
        let mut again = prepared.kept_before;
        loop {
            let expected = usize::from(prepared.statement.num_params());
            if expected != values.len() {
                // The driver makes places of named ones, which the text cannot bear out.
                let (error, broken) = if holds_named_placeholder(command.sql) {
                    (wrong_number(expected, values.len()), false)
                } else {
                    miscounted(command.sql, QUOTING, expected, values.len())
                };
                if broken {
                    self.break_off();
                } else {
                    self.forget(&prepared).await?;
                }
                return Err(error);
            }
            // A transaction's rows are worth reading to the end; else a long rest is not.
            let drain = if self.standing() == Standing::Idle { DRAIN } else { usize::MAX };
            let wire = self.depart_with(prepared.traits.may_commit)?;
            let params =
                if values.is_empty() { Params::Empty } else { Params::Positional(std::mem::take(&mut values)) };
            let result = execute(wire, &prepared.statement, params, rows, drain).await;
            let stale = matches!(&result, Err(Failure::Driver(mysql_async::Error::Server(error))) if STALE.contains(&error.code));
            self.dirty |= prepared.traits.leaves_traces;
            let settled = self.finish(result).await;
            if stale && again && self.check_runs().is_ok() {
                // Nothing has run; the server has only forgotten the statement.
                again = false;
                self.cache.forget(command.sql);
                prepared = self.prepare(command).await?;
                values = encoded()?;
                continue;
            }
            if prepared.once && self.check().is_ok() {
                self.forget(&prepared).await?;
            }
            return settled.map(|done| outcome(&done, prepared.traits));
        }
    }

    /// Prepares a statement, or finds it prepared.
    pub(super) async fn prepare(&mut self, command: Command<'_>) -> Result<Prepared> {
        let keep = command.reuse == Reuse::Keep && self.cache.keeps();
        if keep && let Some((statement, traits)) = self.cache.get(command.sql) {
            return Ok(Prepared { statement, traits, once: false, kept_before: true });
        }
        let traits = Traits::of(command.sql);
        let wire = self.depart()?;
        let result = caught(wire.prep(command.sql)).await.map_err(Failure::from);
        let statement = match result {
            Ok(statement) => {
                // The answer to PREPARE carries no status flags, so there is nothing to believe.
                self.arrive();
                statement
            }
            Err(failure) => self.settle(Err(failure)).await?,
        };
        if keep && let Some(gone) = self.cache.put(command.sql, statement.clone(), traits) {
            self.discard(gone).await?;
        }
        Ok(Prepared { statement, traits, once: !keep, kept_before: false })
    }

    pub(super) async fn forget(&mut self, prepared: &Prepared) -> Result<()> {
        if prepared.once { self.discard(prepared.statement.clone()).await } else { Ok(()) }
    }

    /// Closes a statement on the server, which does not answer.
    async fn discard(&mut self, statement: Statement) -> Result<()> {
        let wire = self.depart()?;
        match caught(wire.close(statement)).await {
            Ok(()) => {
                self.arrive();
                Ok(())
            }
            Err(error) => self.settle(Err(Failure::from(error))).await,
        }
    }

    /// Runs a text that cannot be prepared.
    async fn run_text(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<Outcome> {
        // The text protocol would run several statements; a command is one.
        if split(sql, QUOTING)?.len() > 1 {
            return Err(Error::new(ErrorKind::Syntax, "the text holds more than one statement"));
        }
        let traits = Traits::of(sql);
        self.dirty |= traits.leaves_traces;
        let drain = if self.standing() == Standing::Idle { DRAIN } else { usize::MAX };
        let wire = self.depart_with(traits.may_commit)?;
        let result = match caught(wire.query_iter(sql)).await {
            Ok(result) => take(result, rows, drain).await,
            Err(error) => Err(error.into()),
        };
        let result = result.map(|taken| told(wire, taken));
        self.finish(result).await.map(|done| outcome(&done, traits))
    }

    /// Ends the exchange of a statement.
    async fn finish(&mut self, result: Result<Done, Failure>) -> Result<Done> {
        match result {
            // A sink that wants no more gets its success, and the session pays for it.
            Ok(done) if !done.taken.to_the_end => {
                self.break_off();
                Ok(done)
            }
            other => self.settle(other).await,
        }
    }

    /// Refuses a text that the server would refuse by ending the connection.
    pub(crate) fn fits(&self, bytes: usize) -> Result<()> {
        if bytes.saturating_add(64) > self.settings.max_packet {
            return Err(too_large(bytes, self.settings.max_packet));
        }
        Ok(())
    }

    fn values_fit(&self, values: &[WireValue]) -> Result<()> {
        let most = values.iter().map(weight).max().unwrap_or(0);
        self.fits(most).map_err(|error| match values.iter().position(|value| weight(value) == most) {
            Some(index) => error.with_argument(index),
            None => error,
        })?;
        let all = values.iter().map(weight).fold(0_usize, usize::saturating_add);
        // Above WHOLE the driver sends each value in packets of its own.
        if all < WHOLE { self.fits(all) } else { Ok(()) }
    }
}

fn encode_all(args: &[&Value]) -> Result<Vec<WireValue>> {
    let values: Result<_> = args.iter().map(|value| encode(value.lend())).collect();
    values.map_err(|error| match args.iter().position(|value| encode(value.lend()).is_err()) {
        Some(index) => error.with_argument(index),
        None => error,
    })
}

pub(super) struct Prepared {
    pub(super) statement: Statement,
    traits: Traits,
    once: bool,
    kept_before: bool,
}

/// What the server told about a statement.
#[derive(Debug)]
struct Done {
    taken: Taken,
    affected: u64,
    last_insert_id: Option<u64>,
    records: Option<u64>,
}

/// What became of the rows.
#[derive(Clone, Copy, Debug)]
struct Taken {
    rows: u64,
    to_the_end: bool,
}

async fn execute(
    wire: &mut Conn,
    statement: &Statement,
    params: Params,
    rows: &mut dyn RowSink,
    drain: usize,
) -> Result<Done, Failure> {
    let result = caught(wire.exec_iter(statement, params)).await?;
    if result.columns_ref().is_empty() && !statement.columns().is_empty() {
        // An answer to something else: from here on each statement would get that of another one.
        return Err(Failure::Left(Error::new(
            ErrorKind::Protocol,
            "the server answered a statement that gives rows as one that gives none",
        )));
    }
    let taken = take(result, rows, drain).await?;
    Ok(told(wire, taken))
}

/// Hands the rows on.
async fn take<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    rows: &mut dyn RowSink,
    drain: usize,
) -> Result<Taken, Failure> {
    let mut count = 0_u64;
    let mut end: Option<Result<()>> = None;
    let mut thrown = 0_usize;
    loop {
        while let Some(row) = caught(result.next()).await? {
            if end.is_some() {
                thrown += 1;
                if thrown > drain {
                    return match end {
                        Some(Err(error)) => Err(Failure::Left(error)),
                        _ => Ok(Taken { rows: count, to_the_end: false }),
                    };
                }
                continue;
            }
            count += 1;
            let flow = rows.row(&mut Row::new(&mut Held(row)));
            match flow {
                Ok(Flow::Continue) => {}
                Ok(Flow::Pause) => breathe().await,
                Ok(Flow::Stop) => end = Some(Ok(())),
                Err(error) => end = Some(Err(error)),
            }
        }
        if result.is_empty() {
            break;
        }
        if !result.columns_ref().is_empty() && end.as_ref().is_none_or(Result::is_ok) {
            end = Some(Err(Error::new(ErrorKind::Unsupported, "the statement gives more than one set of rows")));
        }
    }
    match end {
        Some(Err(error)) => Err(Failure::Own(error)),
        _ => Ok(Taken { rows: count, to_the_end: true }),
    }
}

fn told(wire: &Conn, taken: Taken) -> Done {
    Done {
        taken,
        affected: wire.affected_rows(),
        last_insert_id: wire.last_insert_id().filter(|id| *id > 0),
        records: records(&wire.info()),
    }
}

fn outcome(done: &Done, traits: Traits) -> Outcome {
    // With RETURNING each row that comes is a row that was written, or that an upsert found.
    let given = Some(done.taken.rows).filter(|rows| traits.writes && *rows > 0);
    if !traits.upsert {
        return Outcome { affected: given.unwrap_or(done.affected), last_insert_id: done.last_insert_id };
    }
    // The server counts a row twice that an upsert changed; of several rows it tells the number.
    let rows = given.or(done.records).unwrap_or(done.affected.min(1));
    match done.last_insert_id {
        Some(u64::MAX) => Outcome { affected: if rows == 1 { 0 } else { rows }, last_insert_id: None },
        id => Outcome { affected: rows, last_insert_id: id },
    }
}

/// The number in `Records: 3  Duplicates: 1  Warnings: 0`.
fn records(info: &str) -> Option<u64> {
    let (_, rest) = info.split_once("Records:")?;
    rest.split_whitespace().next()?.parse().ok()
}

fn too_large(bytes: usize, most: usize) -> Error {
    Error::new(
        ErrorKind::OutOfRange,
        format!("{bytes} bytes in one piece are more than the server's max_allowed_packet of {most}"),
    )
    .with_help("raise max_allowed_packet at the server, or send less at a time")
}

fn code(number: u16) -> String {
    number.to_string()
}

/// The driver takes `:name` for a placeholder, even where the text does not mean one.
fn holds_named_placeholder(sql: &str) -> bool {
    sql.as_bytes().windows(2).any(|pair| pair[0] == b':' && (pair[1].is_ascii_lowercase() || pair[1] == b'_'))
}

#[cfg(test)]
mod tests {
    use super::records;

    #[test]
    fn what_the_server_tells_of_many_rows() {
        assert_eq!(records("Records: 3  Duplicates: 1  Warnings: 0"), Some(3));
        assert_eq!(records("Rows matched: 3  Changed: 1  Warnings: 0"), None);
    }
}
