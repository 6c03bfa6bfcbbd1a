//! Migrations: what they keep, what they undo, and that there is one at a time.

use std::time::{Duration, Instant};

use crate::catalog::{Change, ColumnType};
use crate::conformance::bed::left_out;
use crate::conformance::fixture::{base, nullable, row, select, table};
use crate::conformance::session::Session;
use crate::conformance::{Bed, Failure, Outcome, check};
use crate::contract::ConnectionState;
use crate::error::ErrorKind;

/// Makes a table `new`, step by step, in the migration that has begun.
async fn half(bed: &Bed, session: &mut Session) -> Result<crate::catalog::Schema, Failure> {
    let new = table("new", [nullable("n", ColumnType::I64)]);
    let mut after = base();
    after.tables.push(new.clone());
    after.sort();
    for step in bed.backend.ddl().plan(&[Change::CreateTable { table: new }], &base(), &after)? {
        session.script(&step.sql).await?;
    }
    Ok(after)
}

/// A committed migration is there for every session, with its rows.
pub async fn a_migration_is_kept(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.begin_migration().await?;
    let transactional = session.capabilities().transactional_ddl;
    let open = session.state() == ConnectionState::InTransaction;
    check!(open == transactional, "a migration has begun, and the session is {:?}", session.state());
    let after = half(bed, &mut session).await?;
    session.exec(row(1, None)).await?;
    session.commit_migration().await?;
    check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
    check!(session.schema().await? == after, "the table is not there");
    check!(session.numbers(select("t", "id", None)).await? == [Some(1)], "the row is not there");
    if session.capabilities().many_connections {
        check!(bed.connect().await?.schema().await? == after, "the table is not there for others");
    }
    Ok(())
}

/// A migration that is rolled back has left nothing, where schemas take part in transactions; and the
/// session is as it was everywhere.
pub async fn a_migration_is_undone(bed: &Bed) -> Outcome {
    let mut session = bed.ready().await?;
    session.begin_migration().await?;
    half(bed, &mut session).await?;
    session.rollback_migration().await?;
    check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
    let undone = session.schema().await? == base();
    let transactional = session.capabilities().transactional_ddl;
    check!(undone == transactional, "the table is there: {}, transactional: {transactional}", !undone);
    // A step that fails dooms at most the migration.
    session.begin_migration().await?;
    check!(session.script("CREATE NONSENSE").await.is_err(), "nonsense");
    session.rollback_migration().await?;
    check!(session.state() == ConnectionState::Idle, "{:?}", session.state());
    check!(session.echo(3).await? == 3, "out of step");
    Ok(())
}

/// A lock keeps another session out until it is given back; or the database excludes migrations by itself.
pub async fn one_runner_at_a_time(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    // Longer than some databases take for the name of a lock.
    let name = "covet migrations of the conformance suite ".repeat(4);
    one.lock(&name, Duration::from_secs(1)).await?;
    let begun = Instant::now();
    match two.lock(&name, Duration::from_millis(200)).await {
        Ok(()) => {
            left_out("locks: a migration of this database keeps others out by itself");
            return excluded(&mut one, &mut two).await;
        }
        Err(error) => {
            check!(error.kind() == ErrorKind::LockTimeout, "{error:?}");
            check!(begun.elapsed() >= Duration::from_millis(200), "it waited for {:?} only", begun.elapsed());
        }
    }
    check!(
        two.state() == ConnectionState::Idle && two.echo(4).await? == 4,
        "out of step after a lock that was not had"
    );
    two.lock("another", Duration::ZERO).await?;
    two.unlock("another").await?;
    // Neither a transaction nor a change of the schema lets others in.
    one.begin_migration().await?;
    half(bed, &mut one).await?;
    one.commit_migration().await?;
    let kind = two.lock(&name, Duration::ZERO).await.err().map(|error| error.kind());
    check!(kind == Some(ErrorKind::LockTimeout), "a migration gave the lock away: {kind:?}");
    one.unlock(&name).await?;
    two.lock(&name, Duration::from_secs(5)).await?;
    two.unlock(&name).await?;
    Ok(())
}

/// Two migrations cannot be under way at once.
async fn excluded(one: &mut Session, two: &mut Session) -> Outcome {
    one.begin_migration().await?;
    let second = tokio::time::timeout(Duration::from_millis(500), two.begin_migration()).await;
    check!(!matches!(second, Ok(Ok(()))), "two migrations are under way at once");
    one.rollback_migration().await?;
    Ok(())
}

/// A session that ends lets the next runner in.
pub async fn a_lock_ends_with_its_session(bed: &Bed) -> Outcome {
    let Some((mut one, mut two)) = bed.pair().await? else { return Ok(()) };
    one.lock("covet", Duration::from_secs(1)).await?;
    one.into_connection().close().await?;
    two.lock("covet", Duration::from_secs(10)).await?;
    drop(two);
    let mut three = bed.connect().await?;
    three.lock("covet", Duration::from_secs(10)).await?;
    // A reset gives it back too.
    three.reset().await?;
    bed.connect().await?.lock("covet", Duration::from_secs(10)).await?;
    Ok(())
}
