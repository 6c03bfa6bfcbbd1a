//! Futures dropped at every poll: the session is broken, or in step and tells the truth.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::catalog::ColumnType;
use crate::conformance::bulk::Supply;
use crate::conformance::fixture::{count, echo, insert, int, row, rows, select};
use crate::conformance::session::Session;
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::{BoxFuture, ConnectionState, Flow, Reuse, Row, RowSink, TransactionOptions};
use crate::error::{ErrorKind, Result};
use crate::sql::{Many, Node, Select};
use crate::value::Value;

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };

/// When a future is dropped that has been polled so often.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Right after the poll: the question is on its way.
    AtOnce,
    /// When it would be polled again: the answer is there.
    Woken,
}

/// Polls a future so often at most; `None` when it was dropped.
async fn poll_times<T>(mut future: BoxFuture<'_, T>, times: u32, moment: Moment) -> Option<T> {
    let mut polls = 0;
    poll_fn(move |context| {
        if polls == times {
            return Poll::Ready(None);
        }
        polls += 1;
        match Pin::as_mut(&mut future).poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if polls == times && matches!(moment, Moment::AtOnce) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What a method does, with rows for those that want some.
type Act = for<'a> fn(&'a mut Session, &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>>;

/// Drops the act at each of its polls, each time on a session that was made ready for it.
///
/// Afterwards the session is asked as the pool and the next borrower would. `kept` says how many of
/// the rows in `t` there may be in the end, by whether a transaction was still open.
async fn at_every_poll(
    bed: &Bed,
    open: bool,
    act: Act,
    kept: fn(open: bool, ended: bool) -> &'static [i64],
) -> Outcome {
    let mut keeper = bed.ready().await?;
    let shared = keeper.capabilities().many_connections;
    let mut dropped = 0;
    for moment in [Moment::AtOnce, Moment::Woken] {
        for times in 0.. {
            check!(times < 200, "it does not end");
            let mut session = bed.ready().await?;
            if open {
                session.begin(&PLAIN).await?;
                session.exec(row(100, None)).await?;
            }
            let mut sink = ();
            let ended = poll_times(act(&mut session, &mut sink), times, moment).await;
            let what = format!("after {times} polls, {moment:?}");
            if let Some(Err(error)) = &ended {
                return Err(Failure::new(format_args!("{what}: {error:?}")));
            }
            let ended = ended.is_some();
            dropped += u32::from(!ended);
            let state = session.state();
            check!(times > 0 || state != ConnectionState::Broken, "a future that never ran broke the session");
            check!(!ended || state != ConnectionState::Broken, "{what}: it ended, and the session is broken");
            let mut still_open = false;
            if state == ConnectionState::Broken {
                for error in [session.echo(1).await.err(), session.commit().await.err(), session.ping().await.err()] {
                    check!(error.is_some(), "{what}: a broken session answers");
                }
            } else {
                // What the session says next is an answer to what it is asked next.
                match session.echo(4242).await {
                    Ok(number) => check!(number == 4242, "{what}: {number} is the answer to another question"),
                    Err(error) if error.kind() == ErrorKind::TransactionClosed => {}
                    Err(error) => return Err(Failure::new(format_args!("{what}: {error:?}"))),
                }
                still_open = session.state() != ConnectionState::Idle;
                session.rollback().await?;
                session.reset().await?;
                check!(session.state() == ConnectionState::Idle, "{what}: {:?} after a reset", session.state());
                check!(session.echo(43).await? == 43, "{what}: out of step after a reset");
            }
            let broken = session.state() == ConnectionState::Broken;
            if shared {
                drop(session);
                settle(&mut keeper, broken, kept(still_open, ended), &what).await?;
            } else if !broken {
                let rows = session.count("t").await?;
                check!(kept(still_open, ended).contains(&rows), "{what}: {rows} rows are kept");
            }
            if ended {
                break;
            }
        }
    }
    check!(dropped > 0, "nothing was dropped");
    Ok(())
}

/// Looks at what another session sees, and makes the table empty: nobody holds a lock on it.
async fn settle(keeper: &mut Session, broken: bool, kept: &[i64], what: &str) -> Outcome {
    if broken {
        // What was on its way may still arrive at the server; the next use of the table waits for it.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rows = keeper.count("t").await?;
    let possible = kept.contains(&rows) || broken && [0, 1, 2, 3].contains(&rows);
    check!(possible, "{what}: {rows} rows are kept, and not {kept:?}");
    keeper.exec(crate::conformance::fixture::delete("t", None)).await?;
    let gone = keeper.count("t").await?;
    check!(gone == 0, "{what}: {gone} rows came after the session was gone");
    Ok(())
}

/// A select, in and out of a transaction.
pub async fn statements(bed: &Bed) -> Outcome {
    let read: Act = |session, sink| {
        Box::pin(async move { session.feed(select("one", "id", None), Reuse::Keep, sink).await.map(|_| ()) })
    };
    let once: Act = |session, sink| Box::pin(async move { session.feed(echo(7), Reuse::Once, sink).await.map(|_| ()) });
    for open in [false, true] {
        at_every_poll(bed, open, read, |_, _| &[0]).await?;
        at_every_poll(bed, open, once, |_, _| &[0]).await?;
    }
    Ok(())
}

/// An insert of three rows is there whole or not at all; in a transaction it goes with it.
pub async fn writes(bed: &Bed) -> Outcome {
    let write: Act =
        |session, sink| Box::pin(async move { session.feed(rows(3), Reuse::Keep, sink).await.map(|_| ()) });
    at_every_poll(bed, false, write, |_, ended| if ended { &[3] } else { &[0, 3] }).await?;
    at_every_poll(bed, true, write, |_, _| &[0]).await
}

/// Many rows, in all the ways that there are for them, are there whole or not at all.
pub async fn many_rows(bed: &Bed) -> Outcome {
    let few: Act = |session, _| Box::pin(many(session, 60));
    let most: Act = |session, _| Box::pin(many(session, 2200));
    at_every_poll(bed, false, few, |_, ended| if ended { &[60] } else { &[0, 60] }).await?;
    at_every_poll(bed, false, most, |_, ended| if ended { &[2200] } else { &[0, 2200] }).await?;
    at_every_poll(bed, true, few, |_, _| &[0]).await?;
    at_every_poll(bed, true, most, |_, _| &[0]).await
}

async fn many(session: &mut Session, rows: i64) -> Result<()> {
    // Apart from the row that stands in an open transaction.
    let row = |id| Ok(vec![Value::Int(id + 1000), Value::Int(id)]);
    session.insert_rows("t", &mut Supply::new(&["id", "n"], rows, row)).await.map(drop)
}

/// A begin leaves a transaction that the state knows of, or none.
pub async fn begin(bed: &Bed) -> Outcome {
    let begin: Act = |session, _| Box::pin(async move { session.begin(&PLAIN).await });
    at_every_poll(bed, false, begin, |_, _| &[0]).await
}

/// A commit has happened when no transaction is left, and has not when there is one.
pub async fn commit(bed: &Bed) -> Outcome {
    let commit: Act = |session, _| Box::pin(async move { session.commit().await });
    at_every_poll(bed, true, commit, |open, ended| match (open, ended) {
        (true, _) => &[0],
        (false, _) => &[1],
    })
    .await
}

/// A rollback keeps nothing, whenever it is dropped.
pub async fn rollback(bed: &Bed) -> Outcome {
    let rollback: Act = |session, _| Box::pin(async move { session.rollback().await });
    at_every_poll(bed, true, rollback, |_, _| &[0]).await
}

/// Savepoints set, released and gone back to.
pub async fn savepoint(bed: &Bed) -> Outcome {
    let set: Act = |session, _| Box::pin(async move { session.savepoint(1).await });
    let release: Act = |session, _| {
        Box::pin(async move {
            session.savepoint(1).await?;
            session.release(1).await
        })
    };
    let back: Act = |session, _| {
        Box::pin(async move {
            session.savepoint(1).await?;
            session.rollback_to(1).await
        })
    };
    for act in [set, release, back] {
        at_every_poll(bed, true, act, |_, _| &[0]).await?;
    }
    Ok(())
}

/// The statements of a script, up to the one that runs when it is dropped.
pub async fn script(bed: &Bed) -> Outcome {
    let script: Act = |session, _| {
        Box::pin(async move {
            let line = |id| insert("t", &["id"], [vec![Node::Literal(id)]]);
            let text = format!("{}; {}", session.text_of(line(1))?, session.text_of(line(2))?);
            session.script(&text).await
        })
    };
    at_every_poll(bed, false, script, |_, ended| if ended { &[2] } else { &[0, 1, 2] }).await?;
    at_every_poll(bed, true, script, |_, _| &[0]).await
}

/// A reset of a session with an open transaction.
pub async fn reset(bed: &Bed) -> Outcome {
    let reset: Act = |session, _| Box::pin(async move { session.reset().await });
    at_every_poll(bed, true, reset, |_, _| &[0]).await
}

/// Rows that were half read do not come as the answer to the next question.
pub async fn rows_half_read(bed: &Bed) -> Outcome {
    for seen in [1, 2, 150, 299] {
        let mut session = bed.ready().await?;
        session.exec(crate::conformance::fixture::delete("t", None)).await?;
        session.exec(rows(300)).await?;
        let came = AtomicU32::new(0);
        let mut sink = |row: &mut Row<'_>| {
            row.get::<i64>(0, &ColumnType::I64)?;
            came.fetch_add(1, Ordering::Relaxed);
            Ok(Flow::Pause)
        };
        {
            let mut reading = pin!(session.feed(select("t", "n", None), Reuse::Keep, &mut sink));
            while came.load(Ordering::Relaxed) < seen {
                let polled = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                check!(polled.is_pending(), "it ended before a pause at row {seen}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        if session.state() == ConnectionState::Broken {
            check!(session.echo(1).await.is_err(), "a broken session answers");
            session = bed.ready().await?;
        }
        check!(session.echo(44).await? == 44, "a row that nobody read is the answer to another question");
        let all = Select::new("t", vec![Node::Call(crate::sql::Function::Count, Many::EMPTY)]);
        check!(session.number(all).await? == 300, "rows are gone");
        check!(session.number(count("t", Some(crate::conformance::fixture::is("id", int(300))))).await? == 1, "a row");
    }
    Ok(())
}
