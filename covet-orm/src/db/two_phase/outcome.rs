//! What became of distributed transactions.

use std::fmt;

use covet_drivers::contract::BranchId;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::{CommitOutcome, CommitToken};

/// What a distributed transaction gives that is committed. Nothing takes it back any more; but a database that could not
/// be reached may have yet to be told, and until then it holds the transaction's locks and shows nothing of what it did.
///
/// The value is had by [`everywhere`](Committed::everywhere) or by [`or_pending`](Committed::or_pending), so that no
/// program takes the one for the other.
#[must_use = "a database may have yet to be told: take the value with `everywhere` or `or_pending`"]
#[derive(Debug)]
pub struct Committed<T> {
    value: T,
    pending: Vec<PendingBranch>,
}

impl<T> Committed<T> {
    pub(super) fn new(value: T, pending: Vec<PendingBranch>) -> Self {
        Committed { value, pending }
    }

    /// The value, where every database has committed.
    ///
    /// # Errors
    /// `CommitPending` where one has yet to be told. The transaction is committed all the same: never run it again.
    pub fn everywhere(self) -> Result<T> {
        let Some(first) = self.pending.into_iter().next() else { return Ok(self.value) };
        let text = format!("the transaction is committed, and {} has yet to be told", first.branch.database);
        Err(Error::new(ErrorKind::CommitPending, text)
            .with_help("do not run it again: the database is told as long as the coordinator is kept, and when it is opened again")
            .with_source(first.error))
    }

    /// The value, and the branches that are not committed yet.
    pub fn or_pending(self) -> (T, Vec<PendingBranch>) {
        (self.value, self.pending)
    }

    /// The branches that are not committed yet.
    #[must_use]
    pub fn pending(&self) -> &[PendingBranch] {
        &self.pending
    }
}

/// A branch of a distributed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name, as the database lists it.
    pub id: BranchId,
    /// The database, without a password.
    pub database: String,
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.id, self.database)
    }
}

/// A branch that could not be ended yet.
#[derive(Debug)]
pub struct PendingBranch {
    /// Which.
    pub branch: Branch,
    /// Why not.
    pub error: Error,
}

/// A transaction of which somebody ended a branch by hand, in another way than it was decided: its databases do not agree
/// any more, and only a person can say what is right. It is told until [`forget`](crate::Coordinator::forget) is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// Its name.
    pub transaction: CommitToken,
    /// What was decided.
    pub decided: CommitOutcome,
    /// The branches that ended in the other way.
    pub branches: Vec<Branch>,
}

impl Mixed {
    /// Logs it, and gives the error that tells of it.
    pub(super) fn accuse(&self) -> Error {
        let branches: Vec<String> = self.branches.iter().map(Branch::to_string).collect();
        let (decided, against) = match self.decided {
            CommitOutcome::Committed => ("committed", "rolled back"),
            CommitOutcome::NotCommitted => ("rolled back", "committed"),
        };
        let text = format!("the transaction is {decided}, and somebody has {against} by hand {}", branches.join(", "));
        let error = Error::new(ErrorKind::CommitMixed, text)
            .with_help("the databases do not agree any more: set right by hand what is missing or too much")
            .with_commit_token(self.transaction.bytes());
        tracing::error!(target: "covet::two_phase", %error);
        error
    }
}

/// What a recovery found and did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Branches of transactions that were decided to be committed, which are committed now.
    pub committed: Vec<Branch>,
    /// Branches of transactions of which no decision was found, which are rolled back now.
    pub rolled_back: Vec<Branch>,
    /// Branches that could not be ended yet.
    pub pending: Vec<PendingBranch>,
    /// Databases that could not be asked.
    pub unreachable: Vec<Error>,
    /// Transactions of which somebody ended a branch by hand in the other way.
    pub mixed: Vec<Mixed>,
    /// Prepared branches that are not this coordinator's, and were left alone: of other programs, of coordinators of
    /// another name or with another log.
    pub left: usize,
}

impl Recovered {
    /// Whether nothing is left to do for this coordinator: nothing pending, and every database was asked.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty() && self.unreachable.is_empty()
    }
}
