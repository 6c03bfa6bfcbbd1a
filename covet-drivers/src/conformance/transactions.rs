//! Transactions: what is committed is there, what is not is not, and the state tells the truth.

use std::time::Duration;

use crate::conformance::bed::left_out;
use crate::conformance::fixture::{delete, int, is, row, rows, select, text, update};
use crate::conformance::session::Session;
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::{ConnectionState, Isolation, TransactionOptions};
use crate::error::ErrorKind;
use crate::sql::{BinaryOp, Node};

const PLAIN: TransactionOptions =
    TransactionOptions { isolation: None, read_only: false, ..TransactionOptions::DEFAULT };

fn stands(session: &Session, want: ConnectionState) -> Outcome {
    check!(session.state() == want, "{:?} and not {want:?}", session.state());
    Ok(())
}

async fn ids(session: &mut Session, want: &[i64]) -> Outcome {
    let found: Vec<i64> = session.numbers(select("t", "id", None)).await?.into_iter().flatten().collect();
    check!(found == want, "the rows {found:?}, and not {want:?}");
    Ok(())
}

/// Commit keeps, rollback undoes, nobody else sees what is not committed.
pub async fn commit_and_rollback(bed: &Bed) -> Outcome {
    let mut one = bed.ready().await?;
    let mut two = if one.capabilities().many_connections { Some(bed.connect().await?) } else { None };
    stands(&one, ConnectionState::Idle)?;
    one.begin(&PLAIN).await?;
    stands(&one, ConnectionState::InTransaction)?;
    one.exec(row(1, None)).await?;
    ids(&mut one, &[1]).await?;
    if let Some(two) = &mut two {
        ids(two, &[]).await?;
    }
    one.commit().await?;
    stands(&one, ConnectionState::Idle)?;
    if let Some(two) = &mut two {
        ids(two, &[1]).await?;
    }
    one.begin(&PLAIN).await?;
    one.exec(delete("t", None)).await?;
    one.exec(row(2, None)).await?;
    one.rollback().await?;
    stands(&one, ConnectionState::Idle)?;
    ids(&mut one, &[1]).await?;
    // An empty transaction, and a rollback of nothing.
    one.begin(&PLAIN).await?;
    one.commit().await?;
    one.rollback().await?;
    stands(&one, ConnectionState::Idle)
}

/// Savepoints of several depths: kept, undone, forgotten and set again.
pub async fn savepoints(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.begin(&PLAIN).await?;
    session.exec(row(1, None)).await?;
    session.savepoint(1).await?;
    session.exec(row(2, None)).await?;
    session.savepoint(2).await?;
    session.exec(row(3, None)).await?;
    session.release(2).await?;
    ids(&mut session, &[1, 2, 3]).await?;
    session.savepoint(2).await?;
    session.exec(row(4, None)).await?;
    session.rollback_to(2).await?;
    ids(&mut session, &[1, 2, 3]).await?;
    stands(&session, ConnectionState::InTransaction)?;
    session.rollback_to(1).await?;
    ids(&mut session, &[1]).await?;
    session.savepoint(1).await?;
    session.exec(row(5, None)).await?;
    session.release(1).await?;
    for depth in 1..=9 {
        session.savepoint(depth).await?;
        session.exec(row(10 + i64::from(depth), None)).await?;
    }
    // Going back beyond several savepoints forgets them all.
    session.rollback_to(3).await?;
    stands(&session, ConnectionState::InTransaction)?;
    session.commit().await?;
    stands(&session, ConnectionState::Idle)?;
    ids(&mut session, &[1, 5, 11, 12]).await
}

/// A commit and a savepoint without a transaction, a transaction in a transaction, a savepoint that is forgotten.
pub async fn what_is_out_of_place_is_refused(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let kind = session.commit().await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::TransactionClosed), "a commit of nothing gave {kind:?}");
    check!(session.savepoint(1).await.is_err(), "a savepoint without a transaction");
    check!(session.release(1).await.is_err() && session.rollback_to(1).await.is_err(), "no savepoint was set");
    stands(&session, ConnectionState::Idle)?;
    session.begin(&PLAIN).await?;
    session.exec(row(1, None)).await?;
    check!(session.begin(&PLAIN).await.is_err(), "a transaction in a transaction");
    check!(session.state() != ConnectionState::Idle, "a begin that is refused ends no transaction");
    session.rollback().await?;
    ids(&mut session, &[]).await?;
    for forget in ["release", "rollback to"] {
        session.begin(&PLAIN).await?;
        session.savepoint(1).await?;
        if forget == "release" {
            session.release(1).await?
        } else {
            session.rollback_to(1).await?
        }
        check!(session.release(1).await.is_err(), "a savepoint is still there after {forget}");
        session.rollback().await?;
        stands(&session, ConnectionState::Idle)?;
    }
    check!(session.echo(3).await? == 3, "out of step");
    Ok(())
}

/// After an error the transaction is doomed, and says so, or whole without the statement that failed.
pub async fn after_a_failed_statement(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.begin(&PLAIN).await?;
    session.exec(row(1, None)).await?;
    let error = session.exec(row(1, None)).await.err();
    check!(error.as_ref().map(|error| error.kind()) == Some(ErrorKind::Unique), "{error:?}");
    match session.state() {
        ConnectionState::Failed => {
            let kind = session.exec(row(2, None)).await.err().map(|error| error.kind());
            check!(kind == Some(ErrorKind::TransactionClosed), "a statement in a doomed transaction gave {kind:?}");
            check!(session.savepoint(1).await.is_err(), "a savepoint in a doomed transaction");
            stands(&session, ConnectionState::Failed)?;
            let kind = session.commit().await.err().map(|error| error.kind());
            check!(kind == Some(ErrorKind::TransactionClosed), "the commit of a doomed transaction gave {kind:?}");
            stands(&session, ConnectionState::Idle)?;
            ids(&mut session, &[]).await
        }
        ConnectionState::InTransaction => {
            session.exec(row(2, None)).await?;
            session.commit().await?;
            stands(&session, ConnectionState::Idle)?;
            ids(&mut session, &[1, 2]).await
        }
        ConnectionState::Idle => {
            check!(
                error.is_some_and(|error| error.is_transaction_lost()),
                "the transaction is gone and nobody says so"
            );
            ids(&mut session, &[]).await
        }
        ConnectionState::Broken => Err(Failure::new("a statement that fails breaks no session")),
    }
}

/// Going back to a savepoint from before the error makes the transaction whole again.
pub async fn after_a_failed_statement_a_savepoint_helps(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.begin(&PLAIN).await?;
    session.exec(row(1, None)).await?;
    session.savepoint(1).await?;
    session.exec(row(2, None)).await?;
    check!(session.exec(row(1, None)).await.is_err(), "a key that is there already");
    if session.state() == ConnectionState::Idle {
        left_out("savepoints after an error: the error ended the transaction");
        return Ok(());
    }
    session.rollback_to(1).await?;
    stands(&session, ConnectionState::InTransaction)?;
    session.exec(row(3, None)).await?;
    session.commit().await?;
    ids(&mut session, &[1, 3]).await
}

/// A statement of several rows that fails at the last leaves none of them.
pub async fn a_failed_statement_does_nothing(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(row(3, None)).await?;
    check!(session.exec(rows(3)).await.is_err(), "the third row is there already");
    ids(&mut session, &[3]).await?;
    session.exec(row(4, Some(40))).await?;
    check!(session.exec(update("t", "n", int(40), None)).await.is_err(), "n is unique");
    check!(session.numbers(select("t", "n", None)).await? == [None, Some(40)], "half of an update was kept");
    Ok(())
}

/// Every isolation level that there is begins, and every other is refused.
pub async fn isolation_levels(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    let all = session.capabilities().isolation_levels;
    for (number, isolation) in (1..).zip([
        Isolation::ReadUncommitted,
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ]) {
        match session
            .begin(&TransactionOptions { isolation: Some(isolation), read_only: false, ..TransactionOptions::DEFAULT })
            .await
        {
            Ok(()) => {
                check!(all || isolation == Isolation::Serializable, "{isolation:?} is not to be had, and began");
                session.exec(row(number, None)).await?;
                session.commit().await?;
            }
            Err(error) => {
                check!(!all && error.kind() == ErrorKind::Unsupported, "{isolation:?} gave {error:?}");
                stands(&session, ConnectionState::Idle)?;
            }
        }
    }
    // The level of a transaction is that transaction's only.
    session.begin(&PLAIN).await?;
    session.rollback().await?;
    stands(&session, ConnectionState::Idle)
}

/// A read-only transaction reads and does not write, and the next one writes again.
pub async fn read_only(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.exec(row(1, None)).await?;
    let begun =
        session.begin(&TransactionOptions { isolation: None, read_only: true, ..TransactionOptions::DEFAULT }).await;
    if !session.capabilities().read_only_transactions {
        let kind = begun.err().map(|error| error.kind());
        check!(kind == Some(ErrorKind::Unsupported), "{kind:?}");
        return stands(&session, ConnectionState::Idle);
    }
    begun?;
    ids(&mut session, &[1]).await?;
    let kind = session.exec(row(2, None)).await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::ReadOnly), "a write gave {kind:?}");
    session.rollback().await?;
    stands(&session, ConnectionState::Idle)?;
    session.exec(row(2, None)).await?;
    session.begin(&PLAIN).await?;
    session.exec(row(3, None)).await?;
    session.commit().await?;
    ids(&mut session, &[1, 2, 3]).await
}

/// Several sessions change the same two rows, in opposite orders: whatever is refused can be tried
/// again, and in the end everything is there once.
pub async fn concurrent_writers_lose_nothing(bed: &Bed) -> Outcome {
    const WRITERS: i64 = 4;
    const ROUNDS: i64 = 6;
    let Some((mut one, two)) = bed.pair().await? else { return Ok(()) };
    one.exec(rows(2)).await?;
    one.exec(update("t", "n", Node::Value(crate::value::Value::Null), None)).await?;
    one.exec(update("t", "c", text(""), None)).await?;
    drop(two);
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let mut session = bed.connect().await?;
        writers.push(async move {
            let mut tries = 0;
            let mut done = 0;
            while done < ROUNDS {
                tries += 1;
                check!(tries < 500, "{done} of {ROUNDS} rounds in {tries} tries");
                match round(&mut session, writer % 2 == 0, writer * 1000 + done + 10).await {
                    Ok(()) => done += 1,
                    Err(error) => {
                        check!(error.is_retryable(), "{error:?} is nothing that can be tried again");
                        session.rollback().await?;
                        stands(&session, ConnectionState::Idle)?;
                        tokio::time::sleep(Duration::from_millis(1 + writer.unsigned_abs())).await;
                    }
                }
            }
            Ok::<_, Failure>(())
        });
    }
    for outcome in futures_util::future::join_all(writers).await {
        outcome?;
    }
    let rows = one.count("t").await?;
    check!(rows == 2 + WRITERS * ROUNDS, "{rows} rows");
    Ok(())
}

async fn round(session: &mut Session, forth: bool, id: i64) -> crate::Result<()> {
    session.begin(&PLAIN).await?;
    for key in if forth { [1, 2] } else { [2, 1] } {
        let filter = Node::binary(BinaryOp::Eq, Node::column("id"), int(key));
        session.exec(update("t", "c", text("touched"), Some(filter))).await?;
    }
    session.exec(row(id, None)).await?;
    session.number(select("t", "id", Some(is("id", int(id))))).await?;
    session.commit().await
}
