//! What a borrower leaves behind, and what is no trace of anybody.

use crate::conformance::bed::left_out;
use crate::conformance::fixture::{delete, row, rows, select, text, update};
use crate::conformance::{Bed, Outcome, check};
use crate::contract::{ConnectionState, TransactionOptions};
use crate::error::ErrorKind;

/// A reset rolls back and ends the transaction.
pub async fn a_reset_ends_a_transaction(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for doomed in [false, true] {
        session.begin(&TransactionOptions::default()).await?;
        session.exec(row(1, None)).await?;
        session.savepoint(1).await?;
        if doomed {
            check!(session.exec(row(1, None)).await.is_err(), "a key that is there already");
        }
        session.reset().await?;
        check!(session.state() == ConnectionState::Idle && !session.is_dirty(), "{:?}", session.state());
        check!(session.count("t").await? == 0, "what was not committed is there after a reset");
    }
    session.reset().await?;
    session.ping().await?;
    check!(session.echo(2).await? == 2, "out of step after a reset");
    Ok(())
}

/// A temporary table makes the session dirty, and a reset drops it.
pub async fn a_reset_drops_temporary_tables(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.reset().await?;
    if let Err(error) = session.script("CREATE TEMPORARY TABLE canary (id INTEGER)").await {
        left_out(format_args!("temporary tables: {error}"));
        return Ok(());
    }
    check!(session.is_dirty(), "raw text has run, and the session is said to be clean");
    check!(session.count("canary").await? == 0, "the temporary table");
    session.reset().await?;
    check!(!session.is_dirty(), "dirty after a reset");
    let kind = session.count("canary").await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::UndefinedTable), "a temporary table after a reset: {kind:?}");
    Ok(())
}

/// Ordinary statements and transactions need no reset, or get one that changes nothing.
pub async fn plain_statements_leave_nothing(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    for _ in 0..2 {
        session.exec(rows(3)).await?;
        session.exec(update("t", "c", text("x"), None)).await?;
        session.texts(select("t", "c", None)).await?;
        session.begin(&TransactionOptions::default()).await?;
        session.exec(delete("t", None)).await?;
        session.commit().await?;
        check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
        if session.is_dirty() {
            session.reset().await?;
        }
        check!(!session.is_dirty(), "dirty after a reset");
    }
    Ok(())
}

/// The product and the version have names, and a ping is a ping.
pub async fn who_is_there(bed: &Bed) -> Outcome {
    let mut session = bed.connect().await?;
    session.ping().await?;
    let server = session.server();
    check!(!server.product.is_empty(), "a product without a name");
    check!(server.version.contains(|c: char| c.is_ascii_digit()), "the version {:?}", server.version);
    let can = session.capabilities();
    check!(can.max_parameters > 0 && can.max_identifier >= 30, "{can:?}");
    let dialect = bed.backend.dialect();
    check!(!dialect.name().is_empty() && dialect.name() == dialect.name().to_lowercase(), "{:?}", dialect.name());
    check!(dialect.name() == bed.adapter.dialect().name(), "the adapter and the backend speak alike");
    check!(session.state() == ConnectionState::Idle && !session.is_dirty(), "a new session");
    session.into_connection().close().await?;
    Ok(())
}
