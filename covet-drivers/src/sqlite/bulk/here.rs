//! Few rows, inserted on the thread of whoever inserts them, which other tasks get back every now and then.

use crate::error::Result;
use crate::sqlite::bulk::batch::Batch;
use crate::sqlite::bulk::{BYTES, Message};
use crate::sqlite::connection::SqliteConnection;
use crate::sqlite::errors::Stop;
use crate::sqlite::pace::Place;
use crate::sqlite::seat::Seat;
use crate::sqlite::session::Session;
use crate::sqlite::thread::lost;
use crate::sqlite::{share, steps};

/// No more batches than these go in here.
pub(super) const BATCHES: usize = 2;

/// Undoes what was inserted, unless it came to its end.
struct Undo<'a> {
    on: &'a mut SqliteConnection,
    alone: bool,
    done: bool,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let (Seat::Here(session), false) = (&mut self.on.seat, self.done) {
            session.undo_bulk(self.alone);
            // The turn to write, if it is free again, goes to the next.
            let _ = session.rest();
        }
    }
}

impl SqliteConnection {
    /// The batches, if their rows are known to go in quickly; else what was given.
    pub(super) fn short(&mut self, begun: Vec<Message>) -> Result<Result<Vec<Batch>, Vec<Message>>> {
        let Seat::Here(session) = &self.seat else { return Err(lost()) };
        let quick = !self.options.inline_budget.is_zero() && session.place_of_end() == Place::Here;
        let mut bytes = 0;
        for message in &begun {
            let Message::Rows(batch) = message else { return Ok(Err(begun)) };
            bytes += batch.len();
            let texts = &batch.texts;
            if !quick || bytes > BYTES || texts.columns.is_empty() {
                return Ok(Err(begun));
            }
            let slot = self.profiles.slot(&texts.one)?;
            let profile = self.profiles.at(slot);
            // Whatever hinders the answer: the thread's insert tells it.
            let few =
                *profile.few_steps.get_or_insert_with(|| steps::are_few(&session.db, &texts.one).unwrap_or(false));
            if !few {
                return Ok(Err(begun));
            }
        }
        let rows = |message| match message {
            Message::Rows(batch) => Some(batch),
            Message::Statement(_) | Message::End => None,
        };
        Ok(Ok(begun.into_iter().filter_map(rows).collect()))
    }

    /// Inserts the batches; nothing of them if one fails, or if the future is dropped. A transaction is open, begun for
    /// them alone or the user's.
    pub(super) async fn insert_here(&mut self, alone: bool, batches: &[Batch]) -> Result<u64> {
        if !alone {
            self.control("SAVEPOINT covet_bulk".to_owned()).await?;
        }
        let mut undo = Undo { on: self, alone, done: false };
        let inserted = undo.on.insert_pieces(batches).await?;
        if alone {
            undo.on.commit().await?;
        } else {
            undo.on.control("RELEASE covet_bulk".to_owned()).await?;
        }
        undo.done = true;
        Ok(inserted)
    }

    async fn insert_pieces(&mut self, batches: &[Batch]) -> Result<u64> {
        let mut inserted = 0;
        for batch in batches {
            for piece in batch.pieces() {
                share::pause(self.options.inline_budget).await;
                let work = |session: &mut Session, _| {
                    // A transaction is open, so nothing here is sent again when the database is busy.
                    batch.insert(piece, &session.db).map_err(|error| session.failed(error, false, true))
                };
                inserted += match self.here(None, work)?.0 {
                    Ok(rows) => rows,
                    Err(Stop::Error(error) | Stop::Busy(error)) => return Err(error),
                    Err(Stop::Turn | Stop::Long) => {
                        unreachable!("the transaction has the turn, and there is no budget")
                    }
                };
            }
        }
        Ok(inserted)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use crate::contract::{Bulk, ConnectUrl, ConnectionState, Part, RowSupply, TransactionOptions};
    use crate::error::Result;
    use crate::sqlite::checkpoint::Log;
    use crate::sqlite::connect::Options;
    use crate::sqlite::connection::SqliteConnection;
    use crate::sqlite::dialect::SqliteDialect;
    use crate::sqlite::pace::Pace;
    use crate::sqlite::seat::Seat;
    use crate::sqlite::turns::Turns;
    use crate::value::ValueWriter;

    /// Numbers from 1 on, for the one column.
    struct Numbers {
        next: i64,
        last: i64,
        begun: bool,
    }

    impl RowSupply for Numbers {
        fn part(&mut self) -> Result<Option<Part>> {
            Ok((!std::mem::replace(&mut self.begun, true)).then(|| Part::Rows(["a"].into_iter().collect())))
        }

        fn next(&mut self, row: &mut dyn ValueWriter) -> Result<bool> {
            if self.next > self.last {
                return Ok(false);
            }
            row.int(self.next)?;
            self.next += 1;
            Ok(true)
        }
    }

    fn numbers(last: i64) -> Numbers {
        Numbers { next: 1, last, begun: false }
    }

    const T: Bulk = Bulk { table: "t", dialect: &SqliteDialect };

    /// With a budget that every piece uses up, so that each is followed by a pause.
    async fn open() -> SqliteConnection {
        let url: ConnectUrl = "sqlite::memory:?inline_budget=1".parse().unwrap();
        let options = Arc::new(Options::read(&url).unwrap());
        let db = SqliteConnection::open(options, Turns::new(), Log::default()).await.unwrap();
        sql(&db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER NOT NULL DEFAULT 1) STRICT");
        db
    }

    fn sql(db: &SqliteConnection, sql: &str) {
        let Seat::Here(session) = &db.seat else { panic!("no job is under way") };
        session.pragma(sql).unwrap();
    }

    fn count(db: &SqliteConnection) -> i64 {
        let Seat::Here(session) = &db.seat else { panic!("no job is under way") };
        session.db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn few_rows_start_no_thread_and_many_do() {
        for (rows, thread) in [(2, false), (60, false), (999, false), (1_500, true)] {
            let mut db = open().await;
            assert_eq!(db.insert_many(T, &mut numbers(rows)).await.unwrap(), rows.unsigned_abs());
            assert_eq!((count(&db), db.thread.is_started()), (rows, thread));
        }
        // A trigger may do anything.
        let mut db = open().await;
        sql(&db, "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = NEW.a AND a > 500; END");
        assert_eq!(db.insert_many(T, &mut numbers(600)).await.unwrap(), 600);
        assert_eq!((count(&db), db.thread.is_started()), (500, true));
    }

    #[tokio::test]
    async fn dropped_at_any_pause_nothing_is_inserted() {
        for inside in [false, true] {
            let mut db = open().await;
            let mut pauses = 0;
            loop {
                if inside {
                    db.begin(&TransactionOptions::default()).await.unwrap();
                    sql(&db, "INSERT INTO t VALUES (-1, 0)");
                }
                // A commit whose pace is not known is tried here.
                db.commits = Pace::default();
                let mut rows = numbers(900);
                let ended = {
                    let mut inserting = pin!(db.insert_many(T, &mut rows));
                    let mut context = Context::from_waker(Waker::noop());
                    (0..=pauses).any(|_| inserting.as_mut().poll(&mut context).is_ready())
                };
                let here = i64::from(inside);
                assert_eq!(count(&db), if ended { 900 + here } else { here }, "{pauses} pauses");
                if inside {
                    assert_eq!(db.stand(), ConnectionState::InTransaction);
                    db.commit().await.unwrap();
                    assert_eq!(count(&db), if ended { 901 } else { 1 });
                }
                assert_eq!(db.stand(), ConnectionState::Idle);
                sql(&db, "DELETE FROM t");
                if ended {
                    break;
                }
                pauses += 1;
            }
            assert!(pauses > 15, "only {pauses} pauses");
            assert!(!db.thread.is_started());
        }
    }

    #[tokio::test]
    async fn a_row_that_does_not_fit_takes_the_others_with_it() {
        let mut db = open().await;
        sql(&db, "INSERT INTO t VALUES (700, 0)");
        assert!(db.insert_many(T, &mut numbers(900)).await.is_err());
        assert_eq!((count(&db), db.stand()), (1, ConnectionState::Idle));
        db.begin(&TransactionOptions::default()).await.unwrap();
        sql(&db, "INSERT INTO t VALUES (-1, 0)");
        assert!(db.insert_many(T, &mut numbers(900)).await.is_err());
        assert_eq!((count(&db), db.stand()), (2, ConnectionState::InTransaction));
        db.commit().await.unwrap();
        assert_eq!(count(&db), 2);
    }
}
