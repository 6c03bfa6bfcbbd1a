//! Branches of distributed transactions, on the databases that can prepare them.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{
    BRANCH_TABLE, BranchId, Command, Connection, ConnectionState as State, Ended, Flow, Isolation, Reuse, Row,
    TransactionOptions, TwoPhase,
};
use covet_drivers::{ErrorKind, Result};

const PLAIN: TransactionOptions = TransactionOptions::DEFAULT;

type Boxed = Box<dyn Connection>;

/// A name that no other test has.
fn branch(number: u8) -> BranchId {
    use std::hash::{BuildHasher as _, Hasher as _};
    let half = || std::collections::hash_map::RandomState::new().build_hasher().finish().to_ne_bytes();
    let mut transaction = [0; 16];
    transaction[..8].copy_from_slice(&half());
    transaction[8..].copy_from_slice(&half());
    BranchId::new("contract", transaction, number).unwrap()
}

fn two(connection: &mut Boxed) -> &mut dyn TwoPhase {
    connection.two_phase().unwrap()
}

async fn run(connection: &mut Boxed, sql: &str) -> Result<u64> {
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut ()).await.map(|outcome| outcome.affected)
}

async fn number(connection: &mut Boxed, sql: &str) -> i64 {
    let mut found = 0;
    let mut sink = |row: &mut Row<'_>| {
        found = row.get(0, &ColumnType::I64)?;
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await.unwrap();
    found
}

async fn count(connection: &mut Boxed) -> i64 {
    number(connection, "SELECT COUNT(*) FROM t").await
}

async fn traces(connection: &mut Boxed) -> i64 {
    number(connection, &format!("SELECT COUNT(*) FROM {BRANCH_TABLE}")).await
}

async fn is_prepared(connection: &mut Boxed, branch: &BranchId) -> bool {
    two(connection).prepared().await.unwrap().branches.contains(branch)
}

/// Ends a branch, as soon as the session that prepared it has gone.
async fn end(connection: &mut Boxed, branch: &BranchId, commit: bool) -> Ended {
    for _ in 0..200 {
        let two = two(connection);
        let ended = if commit { two.commit_prepared(branch).await } else { two.rollback_prepared(branch).await };
        match ended {
            Err(error) if error.kind() == ErrorKind::LockTimeout => tokio::time::sleep(Duration::from_millis(10)).await,
            other => return other.unwrap(),
        }
    }
    panic!("the branch is held for ever");
}

async fn begun(connection: &mut Boxed, branch: &BranchId) {
    two(connection).begin_branch(branch, &PLAIN).await.unwrap();
    assert_eq!(connection.state(), State::InTransaction);
}

/// Everything that holds on each database.
pub(crate) async fn all(connect: impl AsyncFn() -> Boxed) {
    let mut other = connect().await;
    other.script("CREATE TABLE t (id INT PRIMARY KEY)").await.unwrap();
    other.script(&format!("CREATE TABLE {BRANCH_TABLE} (gid VARCHAR(80) PRIMARY KEY)")).await.unwrap();
    in_one_session(connect().await, &mut other).await;
    outlives_its_session(&connect, &mut other).await;
    a_failed_one_is_not_prepared(connect().await, &mut other).await;
    savepoints_and_options(connect().await, &mut other).await;
    what_ends_it_on_the_way_is_refused(connect().await, &mut other).await;
    dropped_anywhere(&connect, &mut other).await;
}

async fn in_one_session(mut connection: Boxed, other: &mut Boxed) {
    let (one, two_, three) = (branch(0), branch(1), branch(0));
    begun(&mut connection, &one).await;
    run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
    assert!(two(&mut connection).prepare(&one).await.unwrap());
    assert!(is_prepared(other, &one).await);
    assert_eq!((count(other).await, traces(other).await), (0, 0));
    assert_eq!(two(&mut connection).commit_prepared(&one).await.unwrap(), Ended::Now);
    assert_eq!((connection.state(), count(other).await, traces(other).await), (State::Idle, 1, 1));
    assert_eq!(two(other).commit_prepared(&one).await.unwrap(), Ended::Absent);
    assert_eq!(two(other).rollback_prepared(&one).await.unwrap(), Ended::Absent);
    // The same session again, the other way.
    begun(&mut connection, &two_).await;
    run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    assert!(two(&mut connection).prepare(&two_).await.unwrap());
    assert_eq!(two(&mut connection).rollback_prepared(&two_).await.unwrap(), Ended::Now);
    assert_eq!((connection.state(), count(other).await, traces(other).await), (State::Idle, 1, 1));
    // And as a transaction that is not prepared at all.
    begun(&mut connection, &three).await;
    run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    connection.rollback().await.unwrap();
    assert_eq!((connection.state(), count(&mut connection).await), (State::Idle, 1));
    connection.begin(&PLAIN).await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(count(other).await, 2);
    run(other, "DELETE FROM t").await.unwrap();
}

async fn outlives_its_session(connect: &impl AsyncFn() -> Boxed, other: &mut Boxed) {
    for (commit, closed) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut connection, branch) = (connect().await, branch(0));
        begun(&mut connection, &branch).await;
        run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
        assert!(two(&mut connection).prepare(&branch).await.unwrap());
        match connection.state() {
            // The database lets go of it at once.
            State::Idle => assert!(run(&mut connection, "SELECT 1").await.is_ok()),
            State::Broken => {
                // It is bound to its session, which takes nothing else, and nobody else can end it.
                assert_eq!(run(&mut connection, "SELECT 1").await.unwrap_err().kind(), ErrorKind::TransactionClosed);
                assert!(connection.rollback().await.is_err() && connection.commit().await.is_err());
                assert!(connection.reset().await.is_err() && connection.begin(&PLAIN).await.is_err());
                let error = two(other).commit_prepared(&branch).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            }
            state => panic!("{state:?}"),
        }
        if closed {
            connection.close().await.unwrap();
        } else {
            drop(connection);
        }
        assert!(is_prepared(other, &branch).await);
        assert_eq!(end(other, &branch, commit).await, Ended::Now);
        assert_eq!(end(other, &branch, commit).await, Ended::Absent);
        assert_eq!(count(other).await, i64::from(commit));
        run(other, "DELETE FROM t").await.unwrap();
    }
}

async fn a_failed_one_is_not_prepared(mut connection: Boxed, other: &mut Boxed) {
    let before = traces(other).await;
    for sql in ["INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)"] {
        let branch = branch(0);
        begun(&mut connection, &branch).await;
        run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
        run(&mut connection, sql).await.unwrap_err();
        // Where only the statement is undone, the rest is as healthy as it was.
        let healthy = connection.state() == State::InTransaction;
        assert_eq!(two(&mut connection).prepare(&branch).await.is_ok(), healthy);
        assert_eq!(is_prepared(other, &branch).await, healthy);
        if healthy {
            two(&mut connection).rollback_prepared(&branch).await.unwrap();
        }
        assert_eq!(connection.state(), State::Idle);
        assert_eq!((count(other).await, traces(other).await), (0, before));
    }
    // Two that wait for each other: the one that the database chooses is never prepared.
    run(other, "INSERT INTO t VALUES (1), (2)").await.unwrap();
    let (one, two_) = (branch(0), branch(0));
    begun(&mut connection, &one).await;
    begun(other, &two_).await;
    run(&mut connection, "UPDATE t SET id = 11 WHERE id = 1").await.unwrap();
    run(other, "UPDATE t SET id = 12 WHERE id = 2").await.unwrap();
    let (first, second) = tokio::join!(
        run(&mut connection, "UPDATE t SET id = 22 WHERE id = 2"),
        run(other, "UPDATE t SET id = 21 WHERE id = 1")
    );
    assert!(first.is_ok() != second.is_ok());
    for (connection, branch, result) in [(&mut connection, &one, first), (other, &two_, second)] {
        let Err(error) = result else {
            connection.rollback().await.unwrap();
            continue;
        };
        assert_eq!((error.kind(), connection.state()), (ErrorKind::Deadlock, State::Failed), "{error}");
        assert_eq!(run(connection, "SELECT 1").await.unwrap_err().kind(), ErrorKind::TransactionClosed);
        assert_eq!(two(connection).prepare(branch).await.unwrap_err().kind(), ErrorKind::TransactionClosed);
        assert_eq!(connection.state(), State::Idle);
        assert_eq!(number(connection, "SELECT 7").await, 7);
    }
    assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM t WHERE id IN (1, 2)").await, 2);
    run(&mut connection, "DELETE FROM t").await.unwrap();
}

async fn savepoints_and_options(mut connection: Boxed, other: &mut Boxed) {
    let branch = branch(0);
    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        lock_timeout: Some(Duration::from_secs(1)),
        ..PLAIN
    };
    two(&mut connection).begin_branch(&branch, &options).await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (2)").await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap_err();
    connection.rollback_to(1).await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (3)").await.unwrap();
    connection.release(1).await.unwrap();
    assert!(two(&mut connection).prepare(&branch).await.unwrap());
    two(&mut connection).commit_prepared(&branch).await.unwrap();
    assert_eq!(number(other, "SELECT SUM(id) FROM t").await, 4);
    assert_eq!(connection.state(), State::Idle);
    connection.reset().await.unwrap();
    run(other, "DELETE FROM t").await.unwrap();
}

/// Raw text that would commit or roll back a branch behind Covet's back.
async fn what_ends_it_on_the_way_is_refused(mut connection: Boxed, other: &mut Boxed) {
    for sql in ["COMMIT", "ROLLBACK"] {
        let branch = branch(0);
        begun(&mut connection, &branch).await;
        run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
        let _ = connection.script(sql).await;
        let prepared = two(&mut connection).prepare(&branch).await;
        // Either the database refused the word, or there is nothing left to prepare.
        assert_eq!(is_prepared(other, &branch).await, prepared.is_ok(), "{sql}");
        if prepared.is_ok() {
            two(&mut connection).rollback_prepared(&branch).await.unwrap();
        }
        assert_eq!(connection.state(), State::Idle);
        run(other, "DELETE FROM t").await.unwrap();
    }
}

async fn dropped_anywhere(connect: &impl AsyncFn() -> Boxed, other: &mut Boxed) {
    for step in ["begin", "prepare", "commit", "rollback"] {
        for polls in 0.. {
            let (mut connection, branch) = (connect().await, branch(0));
            if step != "begin" {
                begun(&mut connection, &branch).await;
                run(&mut connection, "INSERT INTO t VALUES (1)").await.unwrap();
            }
            if step != "begin" && step != "prepare" {
                two(&mut connection).prepare(&branch).await.unwrap();
            }
            let before = connection.state();
            let two = two(&mut connection);
            let ended = match step {
                "begin" => polled(polls, two.begin_branch(&branch, &PLAIN)).await,
                "prepare" => polled(polls, two.prepare(&branch)).await,
                "commit" => polled(polls, two.commit_prepared(&branch)).await,
                _ => polled(polls, two.rollback_prepared(&branch)).await,
            };
            if !ended {
                assert!(connection.state() == State::Broken || (polls == 0 && connection.state() == before));
            }
            drop(connection);
            // Whatever the server makes of it, it makes up its mind, and then the branch can be ended.
            let mut quiet = 0;
            while quiet < 3 {
                if is_prepared(other, &branch).await {
                    end(other, &branch, false).await;
                    quiet = 0;
                }
                quiet += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let left = run(other, "DELETE FROM t").await;
            let left = left.unwrap_or_else(|error| panic!("{step}, dropped after {polls} polls: {error}"));
            assert!(left <= 1);
            if ended {
                break;
            }
            assert!(polls < 100);
        }
    }
}

/// Polls so many times, with time for an answer in between, and drops the future.
async fn polled<F: Future>(times: u32, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut context = Context::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_ready() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}
