//! Running a statement on a session: within a budget on the caller's thread, or for as long as it takes.
//!
//! A statement that has begun cannot change threads or wait for its next poll: it borrows the session,
//! and safe Rust lets no such borrow cross an await or go to another thread. So one that is too long
//! for its caller's thread begins anew on the connection's, before anybody has seen a row of it. That
//! costs the budget once more, until its pace is known, and it is always right: a read that was
//! interrupted has done nothing, and a write is only interrupted where that undoes it.

use std::time::{Duration, Instant};

use rusqlite::Statement;

use crate::contract::{Command, Outcome, Reuse, RowSink};
use crate::error::{Error, ErrorKind};
use crate::sqlite::codec::{self, Bound};
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::kind::Kind;
use crate::sqlite::landing::Landing;
use crate::sqlite::pace::MANY;
use crate::sqlite::rows::Rows;
use crate::sqlite::session::{Session, unwanted};
use crate::sqlite::steps;
use crate::value::Value;

/// A statement with its values, ready to be sent, and to be sent again.
pub(super) struct Request {
    pub(super) sql: String,
    pub(super) values: Vec<Bound<'static>>,
    pub(super) reuse: Reuse,
    /// Whether SQLite is to be asked how many steps it takes.
    pub(super) asks_steps: bool,
    /// Whether a transaction that it is a part of may take long to end, few as its rows may be.
    pub(super) heavy: bool,
}

/// What became of a statement on the thread.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// Those that were not handed over before.
    pub(super) rest: Rows,
    /// All of them.
    pub(super) rows: usize,
    /// Without the time in which rows waited to be taken.
    pub(super) took: Duration,
    /// Whether it does no more than a handful of steps, where that was asked.
    pub(super) few_steps: Option<bool>,
    /// What the sink said in the end, where it saw the rows at once.
    pub(super) end: crate::error::Result<()>,
}

/// Where the rows of a statement on the thread go.
pub(super) enum Handover<'a> {
    /// In batches to the other thread, where the sink is.
    Batches(&'a mut dyn FnMut(Rows) -> Demand),
    /// Into a sink that has come along.
    Sink(&'a mut dyn RowSink),
}

/// What the taker of rows wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    More,
    Enough,
}

/// After so many rows the clock is looked at.
const CLOCK: usize = 32;

impl Session {
    /// Runs one statement on the caller's thread. What takes longer than the budget of the watch, or
    /// gives more rows than a poll may have, comes back as [`Stop::Long`] and has left nothing behind.
    pub(super) fn brief(&self, command: &Command<'_>, kind: Kind, landing: &mut Landing<'_>) -> Result<Outcome, Stop> {
        let autocommit = self.db.is_autocommit();
        let result = match self.prepared(|db| db.prepare_cached(command.sql)) {
            Ok(mut statement) => self.execute_brief(command.args, kind, autocommit, &mut statement, landing),
            Err(error) => Err(Fault::Sqlite(error)),
        };
        result.map_err(|fault| match fault {
            Fault::Stop(stop) => stop,
            Fault::Sqlite(error) if errors::is_interrupt(&error) && self.db.is_autocommit() == autocommit => Stop::Long,
            Fault::Sqlite(error) => self.failed(error, autocommit, false),
        })
    }

    /// Prepares a statement. When it does not understand one, SQLite looks whether its view of the schema is old, but not
    /// where the file is busy at that moment: what another connection has just made would be called unknown.
    fn prepared<'s, T>(
        &'s self,
        prepare: impl Fn(&'s rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        match prepare(&self.db) {
            Err(error) if errors::may_be_of_an_old_schema(&error) => {
                self.db.prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?.raw_query().next()?;
                prepare(&self.db)
            }
            other => other,
        }
    }

    fn execute_brief(
        &self,
        values: &[&Value],
        kind: Kind,
        autocommit: bool,
        statement: &mut Statement<'_>,
        landing: &mut Landing<'_>,
    ) -> Result<Outcome, Fault> {
        expect(statement, values.len())?;
        for (index, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(
                index + 1,
                codec::encode(value.lend()).map_err(|error| error.with_argument(index))?,
            )?;
        }
        if statement.readonly() || statement.is_explain() != 0 {
            let mut stream = statement.raw_query();
            while let Some(row) = stream.next()? {
                let many = landing.keeps() && landing.len() == MANY;
                if many || (landing.len() % CLOCK == CLOCK - 1 && self.watch.is_late()) {
                    return Err(Fault::Stop(Stop::Long));
                }
                landing.take(row)?;
                if landing.is_over() {
                    break;
                }
            }
            return Ok(Outcome::default());
        }
        if autocommit && !self.has_turn() {
            return Err(Fault::Stop(Stop::Turn));
        }
        if !autocommit && kind != Kind::Write {
            // It was taken for a read, so there is a budget; and at its end the transaction would be gone.
            return Err(Fault::Stop(Stop::Long));
        }
        self.write(statement, landing)
    }

    /// Runs one statement. Rows of a read are handed over as they come, those of a write when it is done.
    pub(super) fn run(&mut self, job: u64, request: &Request, handover: &mut Handover<'_>) -> Result<Done, Stop> {
        let autocommit = self.db.is_autocommit();
        let mut given = false;
        let result = match request.reuse {
            Reuse::Keep => match self.prepared(|db| db.prepare_cached(&request.sql)) {
                Ok(mut statement) => self.execute(job, request, &mut statement, &mut given, handover),
                Err(error) => Err(Fault::Sqlite(error)),
            },
            Reuse::Once => match self.prepared(|db| db.prepare(&request.sql)) {
                Ok(mut statement) => self.execute(job, request, &mut statement, &mut given, handover),
                Err(error) => Err(Fault::Sqlite(error)),
            },
        };
        let mut done = result.map_err(|fault| match fault {
            Fault::Stop(stop) => stop,
            Fault::Sqlite(error) => self.failed(error, autocommit, given),
        })?;
        if request.asks_steps {
            // Whatever hinders the answer: it is only about where the statement runs.
            done.few_steps = Some(steps::are_few(&self.db, &request.sql).unwrap_or(false));
        }
        Ok(done)
    }

    fn execute(
        &self,
        job: u64,
        request: &Request,
        statement: &mut Statement<'_>,
        given: &mut bool,
        handover: &mut Handover<'_>,
    ) -> Result<Done, Fault> {
        expect(statement, request.values.len())?;
        for (index, value) in request.values.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        if statement.readonly() || statement.is_explain() != 0 {
            self.watch.begin_read(job);
            return match handover {
                Handover::Batches(take) => Self::read(statement, given, *take),
                Handover::Sink(sink) => Self::read_into(statement, *sink),
            };
        }
        if self.db.is_autocommit() && !self.has_turn() {
            return Err(Fault::Stop(Stop::Turn));
        }
        if !self.watch.begin_write(job) {
            return Err(unwanted().into());
        }
        let began = Instant::now();
        let mut rest = Rows::default();
        let mut landing = match handover {
            Handover::Batches(_) => Landing::buffer(&mut rest),
            Handover::Sink(sink) => Landing::sink(*sink),
        };
        let outcome = self.write(statement, &mut landing)?;
        let (rows, end) = (landing.len(), landing.end());
        Ok(Done { outcome, rows, rest, took: began.elapsed(), few_steps: None, end })
    }

    /// Runs a write to its end, whatever the taker of its rows wants.
    fn write(&self, statement: &mut Statement<'_>, landing: &mut Landing<'_>) -> Result<Outcome, Fault> {
        let (before, commits) = (self.db.total_changes(), self.db.is_autocommit());
        let mut stream = statement.raw_query();
        loop {
            match stream.next() {
                Ok(Some(row)) => landing.take(row)?,
                Ok(None) => break,
                Err(error) if commits && errors::leaves_in_doubt(&error) => {
                    let message = "the file could not be written, and whether the statement took effect is not known";
                    let error = Error::new(ErrorKind::CommitUnknown, message).with_source(errors::plain(error));
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        drop(stream);
        // A statement that is no insert, update or delete leaves the counter of the one before.
        let affected = if self.db.total_changes() == before { 0 } else { self.db.changes() };
        Ok(Outcome { affected, last_insert_id: None })
    }

    fn read(
        statement: &mut Statement<'_>,
        given: &mut bool,
        take: &mut dyn FnMut(Rows) -> Demand,
    ) -> Result<Done, Fault> {
        let mut rest = Rows::default();
        let mut rows = 0;
        // Two at first: one row and the end of the statement then travel together.
        let mut full = 2;
        let (began, mut waited) = (Instant::now(), Duration::ZERO);
        let mut stream = statement.raw_query();
        while let Some(row) = stream.next()? {
            rest.push(row)?;
            rows += 1;
            if rest.len() == full {
                *given = true;
                full = MANY.min(full * 8);
                let offered = Instant::now();
                let demand = take(std::mem::take(&mut rest));
                waited += offered.elapsed();
                if demand == Demand::Enough {
                    break;
                }
            }
        }
        let took = began.elapsed().saturating_sub(waited);
        Ok(Done { outcome: Outcome::default(), rest, rows, took, few_steps: None, end: Ok(()) })
    }

    fn read_into(statement: &mut Statement<'_>, sink: &mut dyn RowSink) -> Result<Done, Fault> {
        let began = Instant::now();
        let mut landing = Landing::sink(sink);
        let mut stream = statement.raw_query();
        while let Some(row) = stream.next()? {
            landing.take(row)?;
            if landing.is_over() {
                break;
            }
        }
        let (outcome, rest, took) = (Outcome::default(), Rows::default(), began.elapsed());
        Ok(Done { outcome, rest, rows: landing.len(), took, few_steps: None, end: landing.end() })
    }

    /// Runs the statements of a script from this one on; the number is that of the next to run.
    pub(super) fn script(&mut self, job: u64, statements: &[String], next: &mut usize) -> Result<(), Stop> {
        self.heavy = true;
        while let Some(sql) = statements.get(*next) {
            let request =
                Request { sql: sql.clone(), values: Vec::new(), reuse: Reuse::Once, asks_steps: false, heavy: true };
            self.run(job, &request, &mut Handover::Batches(&mut |_| Demand::More))?;
            *next += 1;
        }
        Ok(())
    }
}

fn expect(statement: &Statement<'_>, values: usize) -> Result<(), Fault> {
    let wanted = statement.parameter_count();
    if wanted == values {
        return Ok(());
    }
    let message = format!("the statement has {wanted} parameters and {values} values were given");
    Err(Error::new(ErrorKind::InvalidInput, message).into())
}

enum Fault {
    Stop(Stop),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Stop(Stop::Error(error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
    use std::time::Duration;

    use crate::contract::{Command, ConnectUrl, Reuse};
    use crate::sqlite::connect::Options;
    use crate::sqlite::errors::Stop;
    use crate::sqlite::kind::Kind;
    use crate::sqlite::landing::Landing;
    use crate::sqlite::rows::Rows;
    use crate::sqlite::session::Session;
    use crate::sqlite::turns::Turns;
    use crate::sqlite::watch::Watch;

    /// SQLite also asks whether to go on when a statement has just committed.
    #[test]
    fn a_write_that_has_committed_is_not_interrupted() {
        let url: ConnectUrl = "sqlite::memory:".parse().unwrap();
        let watch = Arc::new(Watch::new());
        let mut session = Session::open(Arc::new(Options::read(&url).unwrap()), Arc::clone(&watch)).unwrap();
        session.set_up().unwrap();
        session.pragma("CREATE TABLE t (a INTEGER) STRICT").unwrap();
        session.take_turn(Turns::new().try_take());
        let (mut done, mut stopped) = (0, 0);
        for values in ["(1)", "(1), (1)", "(1), (1), (1) RETURNING a"] {
            let sql = format!("INSERT INTO t VALUES {values}");
            let command = Command { sql: &sql, args: &[], reuse: Reuse::Keep };
            for _ in 0..2000 {
                let budget = watch.budget(Duration::ZERO);
                assert!(!watch.is_late(), "the budget begins with the first question");
                match session.brief(&command, Kind::Write, &mut Landing::buffer(&mut Rows::default())) {
                    Ok(outcome) => done += outcome.affected,
                    Err(Stop::Long) => stopped += 1,
                    Err(other) => panic!("{other:?}"),
                }
                drop(budget);
            }
        }
        let rows: i64 = session.db.query_row("SELECT count(a) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(u64::try_from(rows).unwrap(), done);
        assert!(stopped > 0);
    }
}
