//! From the first prepare to the last commit: on a task of its own, so that it comes to its end although its caller
//! may be dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_drivers::contract::{BranchId, ConnectionState};
use covet_drivers::pool::Lease;
use covet_drivers::{Error, ErrorKind};
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::db::deadline::{at_least, in_time, late};
use crate::db::two_phase::Inner;
use crate::db::two_phase::live::Live;
use crate::db::two_phase::outcome::{Mixed, PendingBranch};
use crate::db::two_phase::participant::{End, two_phase};
use crate::db::{CommitOutcome, CommitToken, told};

/// How long branches are told of a commit before the caller hears that some have yet to be told.
const COMMITTING: Duration = Duration::from_secs(10);

/// How long branches are told of a rollback before the caller hears of it.
const ROLLING_BACK: Duration = Duration::from_secs(2);

/// How long the log is asked for a decision whose answer was lost.
const DECIDING: Duration = Duration::from_secs(15);

/// Nothing is decided later than this after its beginning: long before recovery forgets what it has fenced.
const LATEST: Duration = Duration::from_secs(3600);

/// A branch whose statements have run.
pub(super) struct Open {
    pub(super) id: BranchId,
    /// Which of the databases it belongs to.
    pub(super) at: usize,
    pub(super) lease: Lease,
}

/// How a distributed transaction ended.
pub(super) enum Verdict {
    /// It is committed; these have yet to be told.
    Committed(Vec<PendingBranch>),
    /// It is not, and never will be.
    RolledBack(Error),
    /// It is not known, or not the same everywhere.
    Told(Error),
}

/// A branch behind its prepare.
struct Asked {
    id: BranchId,
    at: usize,
    lease: Option<Lease>,
    state: State,
}

/// What stands in the log.
enum Decided {
    Committed,
    /// It is not committed, and never will be.
    Against(Error),
    /// One or the other.
    Unknown(Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Prepared,
    /// Nothing was done in it, or it was rolled back.
    Gone,
    /// It may be prepared, now or a little later.
    InDoubt,
}

/// Ends a distributed transaction, and tells how.
pub(super) async fn end(
    inner: Arc<Inner>,
    live: Live,
    branches: Vec<Open>,
    ends: Option<Instant>,
    tell: oneshot::Sender<Verdict>,
) {
    let transaction = live.transaction();
    let begun = Instant::now();
    let (asked, refused) = prepare(&inner, branches, ends).await;
    // Whoever gave up waiting shall not have it committed, as long as that can be helped.
    let given_up = || tell.is_closed().then(|| Error::new(ErrorKind::Dropped, "nobody waits for it any more"));
    let too_late = || {
        let passed = ends.is_some_and(|ends| Instant::now() >= ends) || begun.elapsed() >= LATEST;
        passed.then(late)
    };
    if let Some(error) = refused.or_else(given_up).or_else(too_late) {
        let verdict = roll_back(&inner, transaction, asked, ends, error).await;
        let _ = tell.send(verdict);
        return;
    }
    let asked: Vec<Asked> = asked.into_iter().filter(|branch| branch.state == State::Prepared).collect();
    if asked.is_empty() {
        // No statement reached a database.
        let _ = tell.send(Verdict::Committed(Vec::new()));
        return;
    }
    let branches: Vec<_> =
        asked.iter().map(|branch| (branch.id.number(), inner.participants[branch.at].name.clone())).collect();
    match decide(&inner, transaction, &branches, ends).await {
        Decided::Committed => {
            let (verdict, complete) = commit(&inner, transaction, asked, ends).await;
            let _ = tell.send(verdict);
            drop(live);
            if complete {
                inner.forget_later(transaction).await;
            }
        }
        Decided::Against(error) => {
            let _ = tell.send(roll_back(&inner, transaction, asked, ends, error).await);
        }
        Decided::Unknown(error) => {
            // The branches stay prepared: whoever reaches the log first decides.
            let unknown = Error::new(ErrorKind::CommitUnknown, "the log of decisions did not answer")
                .with_help("ask `outcome_of` with the error's token")
                .with_commit_token(transaction)
                .with_source(error);
            let _ = tell.send(Verdict::Told(unknown));
            drop(live);
            inner.look_again();
        }
    }
}

/// Until when something is waited for that may take so long: no longer than the deadline allows, and never for less
/// than it takes a server that is well.
fn until(limit: Duration, ends: Option<Instant>) -> Instant {
    let most = Instant::now() + limit;
    ends.map_or(most, |ends| at_least(ends.min(most)))
}

/// Prepares all branches at once.
async fn prepare(inner: &Inner, branches: Vec<Open>, ends: Option<Instant>) -> (Vec<Asked>, Option<Error>) {
    let prepared = join_all(branches.into_iter().map(async |Open { id, at, mut lease }| {
        let shared = inner.participants[at].db.shared();
        let ready =
            in_time(ends, async { told(shared, "PREPARE TRANSACTION", two_phase(&mut lease)?.prepare(&id)).await });
        let (state, error) = match ready.await {
            Ok(Ok(true)) => (State::Prepared, None),
            Ok(Ok(false)) => (State::Gone, None),
            // A server that ends the session while it prepares may have written that down.
            Ok(Err(error)) if lease.state() == ConnectionState::Broken => (State::InDoubt, Some(error)),
            Ok(Err(error)) => (State::Gone, Some(error)),
            // The future was dropped.
            Err(late) => (State::InDoubt, Some(late)),
        };
        let lease = (state == State::Prepared).then_some(lease);
        (Asked { id, at, lease, state }, error)
    }))
    .await;
    let (asked, errors): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
    (asked, errors.into_iter().flatten().next())
}

/// Writes the decision.
async fn decide(inner: &Inner, transaction: [u8; 16], branches: &[(u8, String)], ends: Option<Instant>) -> Decided {
    let end = until(DECIDING, ends);
    // Whatever goes wrong before there is a connection, nothing was sent.
    let mut session = match tokio::time::timeout_at(end.into(), inner.log.session()).await {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return Decided::Against(error),
        Err(_) => {
            let text = "the log of decisions gave no connection in time, and the transaction is rolled back";
            return Decided::Against(Error::new(ErrorKind::Deadline, text));
        }
    };
    let written = tokio::time::timeout_at(end.into(), inner.log.commit(transaction, branches, &mut session)).await;
    // Asking takes a connection of its own.
    drop(session);
    match written {
        Ok(Ok(())) => return Decided::Committed,
        Ok(Err(error)) if written_nothing(error.kind()) => return Decided::Against(error),
        Ok(Err(error)) => {
            tracing::warn!(target: "covet::two_phase", %error, "whether a decision was written is not known yet");
        }
        Err(_) => {}
    }
    // Whatever stands in the log now is the decision; where nothing does, it is against.
    match inner.log.settle_until(transaction, at_least(end)).await {
        Ok(CommitOutcome::Committed) => Decided::Committed,
        Ok(CommitOutcome::NotCommitted) => {
            let text = "a recovery of the same coordinator took it for abandoned";
            Decided::Against(Error::new(ErrorKind::Serialization, text))
        }
        // What this attempt did not write, the first one may have.
        Err(error) => Decided::Unknown(
            Error::new(ErrorKind::CommitUnknown, "the decision could not be asked for").with_source(error),
        ),
    }
}

/// Whether an error of the insert means that no row is there, nor will be: the server has said no. What is also said of
/// a connection, not even of its opening, is no such word behind the sending.
fn written_nothing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UndefinedTable
            | ErrorKind::UndefinedColumn
            | ErrorKind::Permission
            | ErrorKind::ReadOnly
            | ErrorKind::LockTimeout
            | ErrorKind::Deadlock
            | ErrorKind::Serialization
    )
}

/// Tells all branches that they are committed; says whether all of them are.
async fn commit(
    inner: &Arc<Inner>,
    transaction: [u8; 16],
    asked: Vec<Asked>,
    ends: Option<Instant>,
) -> (Verdict, bool) {
    let ended = all(inner, asked, CommitOutcome::Committed, until(COMMITTING, ends)).await;
    let mut pending = Vec::new();
    let mut against = Vec::new();
    for (branch, end) in ended {
        let participant = &inner.participants[branch.at];
        match end {
            End::Done => {}
            End::Against => against.push(participant.branch(&branch.id)),
            End::Pending(error) => pending.push(participant.pending(&branch.id, error)),
        }
    }
    for branch in &pending {
        tracing::warn!(target: "covet::two_phase", branch = %branch.branch, error = %branch.error, "committed, and a branch has yet to be told");
    }
    if !pending.is_empty() {
        inner.look_again();
    }
    let complete = pending.is_empty() && against.is_empty();
    if against.is_empty() {
        return (Verdict::Committed(pending), complete);
    }
    let mixed = Mixed {
        transaction: CommitToken::from_bytes(transaction),
        decided: CommitOutcome::Committed,
        branches: against,
    };
    (Verdict::Told(mixed.accuse()), complete)
}

/// Rolls back whatever was prepared, for a reason.
async fn roll_back(
    inner: &Arc<Inner>,
    transaction: [u8; 16],
    asked: Vec<Asked>,
    ends: Option<Instant>,
    reason: Error,
) -> Verdict {
    let in_doubt = asked.iter().any(|branch| branch.state == State::InDoubt);
    let asked: Vec<Asked> = asked.into_iter().filter(|branch| branch.state != State::Gone).collect();
    let ended = all(inner, asked, CommitOutcome::NotCommitted, until(ROLLING_BACK, ends)).await;
    let mut against = Vec::new();
    // What is in doubt may be prepared only after it was looked for.
    let mut left = in_doubt;
    for (branch, end) in ended {
        match end {
            End::Done => {}
            End::Against => against.push(inner.participants[branch.at].branch(&branch.id)),
            End::Pending(error) => {
                tracing::debug!(target: "covet::two_phase", branch = %branch.id, %error, "a branch has yet to be rolled back");
                left = true;
            }
        }
    }
    if left {
        inner.look_again();
    }
    if against.is_empty() {
        return Verdict::RolledBack(reason);
    }
    let mixed = Mixed {
        transaction: CommitToken::from_bytes(transaction),
        decided: CommitOutcome::NotCommitted,
        branches: against,
    };
    Verdict::Told(mixed.accuse().with_source(reason))
}

/// Ends branches at once.
async fn all(inner: &Inner, asked: Vec<Asked>, decided: CommitOutcome, until: Instant) -> Vec<(Asked, End)> {
    join_all(asked.into_iter().map(async |mut branch| {
        let lease = branch.lease.take();
        let end = inner.participants[branch.at].end(&branch.id, decided, lease, until).await;
        (branch, end)
    }))
    .await
}
