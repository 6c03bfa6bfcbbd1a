//! What is PostgreSQL's own about prepared transactions.

use covet_drivers::ErrorKind;
use covet_drivers::contract::{BRANCH_TABLE, BranchId, ConnectionState as State};

use crate::postgres::{Place, number, run};
use crate::two_phase;

#[tokio::test]
async fn branches_are_prepared_and_ended() {
    let Some(place) = Place::new().await else { return };
    two_phase::all(async || place.connect().await).await;
}

#[tokio::test]
async fn a_transaction_that_the_server_has_not_heard_of_needs_no_end() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let branch = BranchId::new("untouched", [7; 16], 0).unwrap();
    connection.two_phase().unwrap().begin_branch(&branch, &Default::default()).await.unwrap();
    assert!(!connection.two_phase().unwrap().prepare(&branch).await.unwrap());
    assert_eq!(connection.state(), State::Idle);
}

#[tokio::test]
async fn what_others_have_prepared_is_counted_and_not_named() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    let foreign = format!("somebody's {}", std::process::id()).replace('\'', "''");
    connection.script(&format!("BEGIN; CREATE TABLE t (id int); PREPARE TRANSACTION '{foreign}'")).await.unwrap();
    let found = connection.two_phase().unwrap().prepared().await.unwrap();
    assert_eq!((found.branches.len(), found.others), (0, 1));
    connection.script(&format!("ROLLBACK PREPARED '{foreign}'")).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_prepared_is_rolled_back_and_says_so() {
    let Some(place) = Place::new().await else { return };
    let mut connection = place.connect().await;
    connection.script(&format!("CREATE TABLE {BRANCH_TABLE} (gid text PRIMARY KEY)")).await.unwrap();
    for sql in ["CREATE TEMP TABLE gone (id int)", "NOTIFY somebody"] {
        let branch = BranchId::new("refused", [7; 16], 0).unwrap();
        connection.two_phase().unwrap().begin_branch(&branch, &Default::default()).await.unwrap();
        connection.script(sql).await.unwrap();
        let error = connection.two_phase().unwrap().prepare(&branch).await.unwrap_err();
        assert_eq!((error.kind(), connection.state()), (ErrorKind::Unsupported, State::Idle), "{error}");
        assert_eq!(number(connection.as_mut(), &format!("SELECT COUNT(*) FROM {BRANCH_TABLE}")).await, 0);
    }
    // A key that is checked late refuses it as it refuses a commit.
    connection.script("CREATE TABLE p (id int PRIMARY KEY)").await.unwrap();
    connection.script("CREATE TABLE c (id int REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    let branch = BranchId::new("refused", [8; 16], 0).unwrap();
    connection.two_phase().unwrap().begin_branch(&branch, &Default::default()).await.unwrap();
    run(connection.as_mut(), "INSERT INTO c VALUES (1)", &[]).await.unwrap();
    let error = connection.two_phase().unwrap().prepare(&branch).await.unwrap_err();
    assert_eq!((error.kind(), connection.state()), (ErrorKind::ForeignKey, State::Idle), "{error}");
}

/// The servers of the tests confirm commits that a crash can undo, because that is fast.
#[tokio::test]
async fn settings_that_make_it_unsafe_are_refused() {
    let Some(place) = Place::new().await else { return };
    for (value, safe) in [("off", false), ("local", true), ("on", true)] {
        let mut connection = place.with(&format!("options=-c synchronous_commit={value}")).connect().await.unwrap();
        let durable = connection.check_durable().await;
        let able = connection.two_phase().unwrap().check_two_phase().await;
        assert_eq!((durable.is_ok(), able.is_ok()), (safe, safe), "{value}");
        for error in [durable, able].into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.help().is_some_and(|help| help.contains("synchronous_commit")), "{error}");
        }
    }
}
