//! Distributed transactions: several databases commit, or none does.
//!
//! | file | does |
//! |---|---|
//! | `protocol.rs` | prepares the branches, decides, tells them |
//! | `log.rs` | the decisions: a row says "committed", and without one it is not |
//! | `participant.rs` | a database that takes part |
//! | `recovery.rs` | ends what was left prepared, finds what was ended by hand |
//! | `live.rs` | what this process is at |
//! | `outcome.rs` | what the caller is told |

mod live;
mod log;
mod outcome;
mod participant;
mod protocol;
mod recovery;
mod run;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use covet_drivers::contract::BranchId;
use covet_drivers::{Error, ErrorKind, Result};
use futures_util::FutureExt as _;

pub use outcome::{Branch, Committed, Mixed, PendingBranch, Recovered};

use crate::db::two_phase::log::Log;
use crate::db::two_phase::participant::Participant;
use crate::db::two_phase::recovery::in_time;
use crate::db::{CommitOutcome, CommitToken, Db};

/// Decisions that are over are deleted when there are so many.
const HEAP: usize = 64;

/// How often what is left is looked after, at first and in the end.
const SOON: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_secs(60);

/// A branch may come to light as late as this after its coordinator's end: the server was still at work on it.
const QUIET: Duration = Duration::from_secs(30);

/// How long [`Coordinator::outcome_of`] asks.
const ASKING: Duration = Duration::from_secs(15);

/// Runs transactions over several databases that all commit or all roll back. `N` is the number of databases; cloning
/// shares it.
///
/// ```no_run
/// # async fn f(orders: covet_orm::Db, stock: covet_orm::Db) -> covet_orm::Result<()> {
/// use covet_orm::prelude::*;
/// let log = Db::connect("sqlite:decisions.db").await?; // or one of the databases themselves
/// let both = covet_orm::Coordinator::open("shop", &log, [&orders, &stock]).await?;
/// let sum = both.transaction(async |[orders, stock]| {
///     // … .exec(orders).await?; … .exec(stock).await?;
///     Ok(1)
/// });
/// sum.await?.everywhere()?;
/// # Ok(()) }
/// ```
pub struct Coordinator<const N: usize> {
    inner: Arc<Inner>,
}

/// What all handles share.
#[derive(Debug)]
struct Inner {
    name: String,
    log: Log,
    participants: Vec<Participant>,
    /// Transactions of this process that have not ended.
    live: Mutex<HashSet<[u8; 16]>>,
    /// Transactions that are over everywhere, whose decisions are not deleted yet.
    done: Mutex<Vec<[u8; 16]>>,
    /// Held by whoever recovers.
    recovering: tokio::sync::Mutex<()>,
    /// Somebody looks after what was left.
    looking: AtomicBool,
    /// Something was left.
    left: Arc<tokio::sync::Notify>,
}

impl<const N: usize> Coordinator<N> {
    /// A coordinator by this name, which keeps its decisions in `log` (a database of its own, or one of the
    /// participants): checks that all of them are up to it, makes the tables `_covet_decisions` in the log and
    /// `_covet_branches` in each database, and [recovers](Coordinator::recover) what an earlier process has left.
    ///
    /// The name is what this program calls its transactions on the servers: programs with different names, or with
    /// different logs, never touch each other's. Processes of one program share name and log.
    ///
    /// # Errors
    /// `InvalidInput` for a bad name, for no database or more than 255, and for the same database twice; `Config`,
    /// `Permission` or `Unsupported` where a server's settings make it impossible or unsafe, with what to change; those
    /// of the databases.
    pub async fn open(name: &str, log: &Db, databases: [&Db; N]) -> Result<Self> {
        BranchId::new(name, [0; 16], 0)?;
        let invalid = |text: &'static str| Error::new(ErrorKind::InvalidInput, text);
        if N == 0 {
            return Err(invalid("a distributed transaction needs databases").with_help("name two or more of them"));
        }
        if u8::try_from(N).is_err() {
            return Err(invalid("a distributed transaction has at most 255 databases"));
        }
        let mut participants = Vec::with_capacity(N);
        for db in databases {
            participants.push(Participant::open(db).await?);
        }
        all_different(&participants).await?;
        let inner = Arc::new(Inner {
            name: name.to_owned(),
            log: Log::open(log, name).await?,
            participants,
            live: Mutex::default(),
            done: Mutex::default(),
            recovering: tokio::sync::Mutex::default(),
            looking: AtomicBool::new(false),
            left: Arc::default(),
        });
        inner.recover().await?;
        inner.look_again();
        Ok(Coordinator { inner })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Ends what processes of this name have left prepared: commits what was decided to be committed, rolls the rest
    /// back. Transactions that this process is just running are left alone; one that another process is just preparing is
    /// either left to it or rolled back as a whole, upon which it is run again there.
    ///
    /// It is done by itself when the coordinator is opened, and in the background as long as something is left.
    ///
    /// SQL: lists what is prepared, `COMMIT PREPARED` and `ROLLBACK PREPARED` or what the database has for it, and the
    /// rows of `_covet_decisions` and `_covet_branches`.
    ///
    /// # Errors
    /// Those of the log. What cannot be done in one of the databases stands in the answer.
    pub async fn recover(&self) -> Result<Recovered> {
        self.inner.recover().await
    }

    /// Tells what became of a transaction whose error was `CommitUnknown`, and sees to it that one that is not committed
    /// never will be. The error's token is had by [`CommitToken::of`]; it is good for a day.
    ///
    /// # Errors
    /// `InvalidInput` for a token of another log; those of the log, when it does not answer within 15 seconds.
    pub async fn outcome_of(&self, token: CommitToken) -> Result<CommitOutcome> {
        self.inner.log.check(token)?;
        let outcome = self.inner.log.settle_until(token.bytes(), Instant::now() + ASKING).await?;
        self.inner.look_again();
        Ok(outcome)
    }

    /// Forgets a transaction that recovery tells of as [`Mixed`], when a person has seen to it.
    ///
    /// # Errors
    /// `InvalidInput` for a transaction of another log, and for one of which a branch is still prepared: without the
    /// decision it would be rolled back. Those of the databases, all of which must answer.
    pub async fn forget(&self, transaction: CommitToken) -> Result<()> {
        self.inner.log.check(transaction)?;
        let _one_at_a_time = self.inner.recovering.lock().await;
        let prepared = |database: &str| {
            let text = format!("a branch of {transaction} is still prepared in {database}");
            Err(Error::new(ErrorKind::InvalidInput, text).with_help("let `recover` end it first"))
        };
        if self.inner.live_now().contains(&transaction.bytes()) {
            return prepared("a database, and its commit under way");
        }
        for participant in &self.inner.participants {
            let found = participant.prepared().await.map_err(|error| error.about(&participant.name))?;
            if found.branches.iter().any(|branch| self.inner.is_branch_of(branch, transaction)) {
                return prepared(&participant.name);
            }
        }
        self.inner.forget(&[transaction.bytes()]).await
    }
}

/// The same database twice would wait for itself.
async fn all_different(participants: &[Participant]) -> Result<()> {
    let twice = |name: &str| {
        Error::new(ErrorKind::InvalidInput, format!("{name} is named twice"))
            .with_help("each database has one branch of a distributed transaction")
    };
    for (at, one) in participants.iter().enumerate() {
        if participants[..at].iter().any(|other| Arc::ptr_eq(other.db.shared_arc(), one.db.shared_arc())) {
            return Err(twice(&one.name));
        }
    }
    // Two ways may lead to one database, so it is asked: a lock cannot be had twice.
    let lock = format!("two-phase {}", CommitToken::new());
    let mut leases = Vec::with_capacity(participants.len());
    for participant in participants {
        let mut lease = participant.db.acquire().await?;
        match lease.lock(&lock, Duration::ZERO).await {
            Err(error) if error.kind() == ErrorKind::LockTimeout => return Err(twice(&participant.name)),
            other => other?,
        }
        leases.push(lease);
    }
    for lease in &mut leases {
        lease.unlock(&lock).await?;
    }
    Ok(())
}

impl Inner {
    /// A transaction is over everywhere: its decision can go, together with others.
    async fn forget_later(&self, transaction: [u8; 16]) {
        let is_heap = {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push(transaction);
            done.len() >= HEAP
        };
        if is_heap && let Err(error) = self.forget_done().await {
            // Recovery deletes them when they are old.
            tracing::debug!(target: "covet::two_phase", %error, "old decisions could not be deleted");
        }
    }

    async fn forget_done(&self) -> Result<()> {
        let done = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        self.forget(&done).await
    }

    /// Deletes decisions, and then what the branches left behind: the other way round a branch without its trace would
    /// look as if somebody had rolled it back.
    async fn forget(&self, transactions: &[[u8; 16]]) -> Result<()> {
        if transactions.is_empty() {
            return Ok(());
        }
        in_time(self.log.forget(transactions)).await?;
        for (at, number) in (0..self.participants.len()).zip(0_u8..) {
            let branches: Result<Vec<BranchId>> =
                transactions.iter().map(|transaction| BranchId::new(&self.name, *transaction, number)).collect();
            self.forget_traces(at, &branches?).await;
        }
        Ok(())
    }

    /// Deletes what branches left behind whose decision is deleted. What remains is met by the next recovery.
    async fn forget_traces(&self, at: usize, branches: &[BranchId]) {
        let participant = &self.participants[at];
        if let Err(error) = in_time(participant.forget(branches)).await {
            tracing::warn!(target: "covet::two_phase", database = %participant.name, %error, "traces of branches that are over could not be deleted");
        }
    }

    fn is_branch_of(&self, branch: &BranchId, transaction: CommitToken) -> bool {
        self.log.owns(branch) && branch.transaction() == transaction.bytes()
    }

    /// Recovers in the background until nothing has been left for a while, or nobody has the coordinator any more.
    fn look_again(self: &Arc<Self>) {
        self.left.notify_one();
        if self.looking.swap(true, Ordering::SeqCst) {
            return;
        }
        let (weak, left) = (Arc::downgrade(self), Arc::clone(&self.left));
        tokio::spawn(async move {
            let (mut pause, mut since) = (SOON, Instant::now());
            loop {
                if tokio::time::timeout(pause, left.notified()).await.is_ok() {
                    // Something new was left, and may take a moment to be there.
                    (pause, since) = (SOON, Instant::now());
                    tokio::time::sleep(pause).await;
                }
                let Some(inner) = weak.upgrade() else { return };
                let is_complete = inner.recover().await.is_ok_and(|recovered| recovered.is_complete());
                pause = (pause * 2).min(LATE);
                if is_complete && since.elapsed() >= QUIET {
                    inner.looking.store(false, Ordering::SeqCst);
                    // Whoever left something just before that took us to be looking still.
                    let is_new = left.notified().now_or_never().is_some();
                    if !is_new || inner.looking.swap(true, Ordering::SeqCst) {
                        return;
                    }
                    (pause, since) = (SOON, Instant::now());
                }
            }
        });
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Whoever looks after what is left ends now, and not with its pause.
        self.left.notify_one();
    }
}

impl<const N: usize> Clone for Coordinator<N> {
    fn clone(&self) -> Self {
        Coordinator { inner: Arc::clone(&self.inner) }
    }
}

impl<const N: usize> fmt::Debug for Coordinator<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let databases: Vec<&str> = self.inner.participants.iter().map(|database| database.name.as_str()).collect();
        f.debug_struct("Coordinator")
            .field("name", &self.inner.name)
            .field("databases", &databases)
            .finish_non_exhaustive()
    }
}
