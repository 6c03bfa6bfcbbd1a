//! Sinks that stop, fail and pause.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::catalog::ColumnType;
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{row, rows, select};
use crate::conformance::session::Session;
use crate::conformance::{Bed, Outcome, check};
use crate::contract::{ConnectionState, Flow, Reuse, Row, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Insert, Join, Many, Node, Select};

/// Reads until the sink has seen so many rows, which must come in order, and then does this.
async fn read(session: &mut Session, until: i64, then: Result<Flow, ErrorKind>) -> (i64, Result<()>) {
    let mut seen = 0;
    let mut sink = |row: &mut Row<'_>| {
        let id = row.get::<i64>(0, &ColumnType::I64)?;
        seen += 1;
        if id != seen {
            return Err(Error::new(ErrorKind::Protocol, format!("row {id} came as row {seen}")));
        }
        if seen < until { Ok(Flow::Continue) } else { then.map_err(|kind| Error::new(kind, "the sink's own")) }
    };
    let result = session.feed(select("t", "id", None), Reuse::Keep, &mut sink).await;
    (seen, result.map(|_| ()))
}

/// After this the session must be in step; a short rest is no reason to break one.
async fn in_step(session: &mut Session) -> Outcome {
    check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
    check!(session.echo(45).await? == 45, "out of step");
    Ok(())
}

/// No row comes after a stop, and the statement has succeeded.
pub async fn a_stop(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(100)).await?;
    for until in [1, 2, 99, 100] {
        let (seen, result) = read(&mut session, until, Ok(Flow::Stop)).await;
        check!(seen == until && result.is_ok(), "{seen} rows came before a stop at {until}: {result:?}");
        in_step(&mut session).await?;
    }
    Ok(())
}

/// The error of a sink is the error of the statement, and nothing has failed in the database.
pub async fn an_error(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(100)).await?;
    for until in [1, 50, 100] {
        let (seen, result) = read(&mut session, until, Err(ErrorKind::NotFound)).await;
        let kind = result.err().map(|error| error.kind());
        check!(seen == until && kind == Some(ErrorKind::NotFound), "{seen} rows, {kind:?}");
        in_step(&mut session).await?;
    }
    Ok(())
}

/// In a transaction too; what was done before can be committed.
pub async fn a_stop_in_a_transaction(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(100)).await?;
    session.begin(&TransactionOptions::default()).await?;
    session.exec(row(101, None)).await?;
    for then in [Ok(Flow::Stop), Err(ErrorKind::NotFound)] {
        let (seen, _) = read(&mut session, 7, then).await;
        check!(seen == 7, "{seen} rows");
        check!(session.state() == ConnectionState::InTransaction, "{:?} after {then:?}", session.state());
    }
    session.commit().await?;
    check!(session.count("t").await? == 101, "what was done before the stop is gone");
    Ok(())
}

/// A stop among millions of rows does not wait for them: it breaks the session or ends the statement.
pub async fn a_stop_among_very_many(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(1000)).await?;
    let join = || Join { table: "t", on: Node::Truth(true) };
    let many = Select { joins: vec![join(), join()].into(), ..Select::new("t", vec![Node::Literal(1)]) };
    let mut seen = 0;
    let mut sink = |_: &mut Row<'_>| {
        seen += 1;
        Ok(if seen == 5 { Flow::Stop } else { Flow::Continue })
    };
    let begun = Instant::now();
    let outcome = session.feed(many, Reuse::Once, &mut sink).await;
    check!(seen == 5 && outcome.is_ok(), "{seen} rows: {outcome:?}");
    check!(begun.elapsed() < Duration::from_secs(20), "a stop took {:?}", begun.elapsed());
    if session.state() == ConnectionState::Broken {
        check!(session.echo(1).await.is_err(), "a broken session answers");
        return Ok(());
    }
    in_step(&mut session).await
}

/// A write has happened whole, however few of its rows were looked at.
pub async fn a_stop_does_not_stop_a_write(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    if !session.capabilities().returning_on_insert {
        left_out("RETURNING on insert");
        return Ok(());
    }
    let statement = Insert { returning: ["id"].into_iter().collect::<Many<_>>(), ..rows(50) };
    let mut sink = |_: &mut Row<'_>| Ok(Flow::Stop);
    session.feed(statement, Reuse::Keep, &mut sink).await?;
    in_step(&mut session).await?;
    check!(session.count("t").await? == 50, "some of the rows were not written");
    Ok(())
}

/// After a pause no row comes until somebody polls, and polling is all that is needed.
pub async fn a_pause_waits_for_a_poll(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(rows(30)).await?;
    let seen = AtomicU32::new(0);
    let mut sink = |_: &mut Row<'_>| {
        seen.fetch_add(1, Ordering::Relaxed);
        Ok(Flow::Pause)
    };
    {
        let mut reading = pin!(session.feed(select("t", "id", None), Reuse::Keep, &mut sink));
        let mut polls = 0_u32;
        loop {
            polls += 1;
            check!(polls < 20_000, "it does not end");
            let before = seen.load(Ordering::Relaxed);
            // Nobody is woken: whoever polls does so because it wants more.
            let polled = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let after = seen.load(Ordering::Relaxed);
            check!(after <= before + 1, "{} rows came in one poll", after - before);
            if let Poll::Ready(outcome) = polled {
                outcome?;
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            check!(seen.load(Ordering::Relaxed) == after, "a row came while nobody polled");
        }
    }
    check!(seen.load(Ordering::Relaxed) == 30, "{} rows came", seen.load(Ordering::Relaxed));
    in_step(&mut session).await
}
