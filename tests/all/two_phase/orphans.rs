//! The task that ends a transaction ends before it, between the prepares and the decision.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use covet_drivers::contract::{BranchId, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken, Coordinator, DbOptions, ErrorKind, Event};

use crate::two_phase::ends::aside;
use crate::two_phase::servers::{Both, on_both};
use crate::two_phase::{has, put_both};

/// What is told of comes to its end by a panic when both branches are prepared; before that, something is done, maybe
/// to the coordinator's own handles on the two databases.
async fn dies_undecided(
    both: &Both,
    first: impl Fn(&[Db]) + Clone + Send + Sync + 'static,
) -> (Coordinator<2>, covet_orm::Error) {
    let prepared = Arc::new(AtomicUsize::new(0));
    let handles = Arc::new(OnceLock::<[Db; 3]>::new());
    let theirs = Arc::downgrade(&handles);
    let observer = move |event: &Event<'_>| {
        if event.sql.contains("PREPARE") && event.error.is_none() && prepared.fetch_add(1, Ordering::SeqCst) == 1 {
            let own = theirs.upgrade().expect("the handles are kept");
            first(&own.get().expect("it has begun")[..2]);
            panic!("both branches are prepared");
        }
    };
    let (c, own) = both.observed(2, observer).await;
    assert!(handles.set(own).is_ok());
    let error = put_both(&c, "orphan").await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
    (c, error)
}

#[test]
fn what_a_panic_leaves_is_ended_and_its_token_tells() {
    on_both(async |both| {
        let (c, error) = dies_undecided(both, |_| {}).await;
        let token = CommitToken::of(&error).expect("it has a token");
        both.nothing_left(Duration::from_secs(20)).await;
        assert_eq!(c.outcome_of(token).await.unwrap(), CommitOutcome::NotCommitted);
        assert!(!both.both_have("orphan").await);
    });
}

/// A branch without a decision was committed by hand while another one's database could not be asked: its trace is all
/// that tells of it, and is kept until both have been compared.
#[test]
fn what_was_committed_by_hand_is_remembered_until_every_database_was_asked() {
    on_both(async |both| {
        let (stock, other) = half_committed_by_hand(both).await;
        assert_eq!((has("orphan", &both.orders).await, has("orphan", &both.stock).await), (true, false));
        let report = other.recover().await.unwrap();
        assert!(!report.unreachable.is_empty() && report.mixed.is_empty(), "{report:?}");
        stock.resume();
        let report = other.recover().await.unwrap();
        let [mixed] = &report.mixed[..] else { panic!("{report:?}") };
        assert_eq!((mixed.decided, mixed.branches.len()), (CommitOutcome::NotCommitted, 1));
        assert_eq!(mixed.branches[0].id.number(), 0);
        assert!(!has("orphan", &both.stock).await);
        other.forget(mixed.transaction).await.unwrap();
    });
}

/// As above, and the other database is back only when it is looked at once more, for the sake of another transaction.
#[test]
fn what_was_committed_by_hand_is_remembered_while_its_other_branch_is_put_off() {
    on_both(async |both| {
        let (_, other) = half_committed_by_hand(both).await;
        drop(other);
        let left = both.stock.acquire().await.unwrap().two_phase().unwrap().prepared().await.unwrap().branches;
        let orphan = left.iter().find(|id| id.coordinator() == both.name).expect("it is prepared");
        let mut transaction = orphan.transaction();
        transaction[15] ^= 1;
        let another = BranchId::new(&both.name, transaction, 0).unwrap();
        let mut lease = both.orders.acquire().await.unwrap();
        lease.two_phase().unwrap().begin_branch(&another, &TransactionOptions::DEFAULT).await.unwrap();
        lease.script("INSERT INTO settings (name, value) VALUES ('another', 'v')").await.unwrap();
        assert!(lease.two_phase().unwrap().prepare(&another).await.unwrap());
        drop(lease);
        // A coordinator that is opened looks for its table, reads its mark, and then the decisions before either look.
        let stock = Db::connect_with(&both.urls[1], DbOptions::new().max_connections(2)).await.unwrap();
        let (theirs, reads) = (stock.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&reads);
        let observer = move |event: &Event<'_>| {
            if event.sql.starts_with("SELECT") && event.sql.contains("_covet_decisions") {
                match counted.fetch_add(1, Ordering::SeqCst) {
                    0 => theirs.pause(),
                    3 => theirs.resume(),
                    _ => {}
                }
            }
        };
        let log = Db::connect_with(&both.urls[2], DbOptions::new().observe(observer)).await.unwrap();
        let late = Coordinator::open(&both.name, &log, [&both.orders, &stock]).await.unwrap();
        assert!(reads.load(Ordering::SeqCst) > 3, "there was no second look");
        let report = late.recover().await.unwrap();
        let [mixed] = &report.mixed[..] else { panic!("{report:?}") };
        assert_eq!((mixed.decided, mixed.branches.len()), (CommitOutcome::NotCommitted, 1));
        late.forget(mixed.transaction).await.unwrap();
    });
}

/// A transaction that nobody has decided about, of which one branch was committed by hand. Gives another coordinator, and
/// its handle on the other database, which it cannot ask: it is paused.
async fn half_committed_by_hand(both: &Both) -> (Db, Coordinator<2>) {
    let stock = Db::connect_with(&both.urls[1], DbOptions::new().max_connections(2)).await.unwrap();
    let other = Coordinator::open(&both.name, &both.log, [&both.orders, &stock]).await.unwrap();
    stock.pause();
    let (url, name) = (both.urls[0].clone(), both.name.clone());
    let first = move |own: &[Db]| {
        aside(commit_by_hand(&url, &name));
        // It looks after nothing any more, however long its own end takes.
        own.iter().for_each(Db::pause);
    };
    let (c, _) = dies_undecided(both, first).await;
    drop(c);
    (stock, other)
}

/// Commits the branches of a coordinator in a database, as an operator does who needs its locks.
async fn commit_by_hand(url: &str, name: &str) {
    let db = Db::connect(url).await.unwrap();
    let mut lease = db.acquire().await.unwrap();
    let found = lease.two_phase().unwrap().prepared().await.unwrap().branches;
    let id = found.into_iter().find(|id| id.coordinator() == name).expect("it is prepared");
    lease.two_phase().unwrap().commit_prepared(&id).await.unwrap();
}
