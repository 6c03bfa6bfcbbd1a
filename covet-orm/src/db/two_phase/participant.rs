//! A database that takes part, and what is asked of its connections.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_drivers::catalog::{Column, ColumnType, Table};
use covet_drivers::contract::{BRANCH_TABLE, Backend, BranchId, Ended, Flow, Prepared, Row, TwoPhase};
use covet_drivers::pool::{Lease, Place};
use covet_drivers::sql::{BinaryOp, Node, Select};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::two_phase::log::delete;
use crate::db::two_phase::outcome::{Branch, PendingBranch};
use crate::db::{CommitOutcome, Db, own_table, told};

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// A database that takes part.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) db: Db,
    /// The database, for messages and for the log: never a password.
    pub(super) name: String,
    /// Where it was when the coordinator was opened.
    home: Arc<dyn Backend>,
}

/// Refuses a database that was moved to another server: what was prepared or decided on the old one is not known there
/// for certain, and a coordinator that is opened finds out.
pub(super) fn at_home(db: &Db, home: &Arc<dyn Backend>) -> Result<()> {
    if Arc::ptr_eq(&db.backend(), home) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Config,
        format!("{} was moved to another server since the coordinator was opened", home.target()),
    )
    .with_help("open the coordinator again"))
}

/// How ending a branch went.
pub(super) enum End {
    /// It is ended as decided, by us or by somebody else.
    Done,
    /// Somebody ended it in the other way.
    Against,
    /// It could not be ended in time.
    Pending(Error),
}

impl Participant {
    /// Makes sure that the database can take part, and that the table of its branches is there.
    pub(super) async fn open(db: &Db) -> Result<Self> {
        let home = db.backend();
        let name = home.target();
        let mut lease = db.acquire().await?;
        two_phase(&mut lease)?.check_two_phase().await.map_err(|error| error.about(&name))?;
        drop(lease);
        let table = Table {
            name: BRANCH_TABLE.to_owned(),
            primary_key: vec!["gid".to_owned()],
            columns: vec![Column::new("gid", ColumnType::Text { max_len: Some(80) })],
            ..Table::default()
        };
        own_table::ensure(db, BRANCH_TABLE, table).await.map_err(|error| error.about(&name))?;
        Ok(Participant { db: db.clone(), name, home })
    }

    pub(super) fn at_home(&self) -> Result<()> {
        at_home(&self.db, &self.home)
    }

    pub(super) fn branch(&self, id: &BranchId) -> Branch {
        Branch { id: id.clone(), database: self.name.clone() }
    }

    /// The branches that are prepared.
    pub(super) async fn prepared(&self) -> Result<Prepared> {
        let mut lease = self.lease().await?;
        let prepared = two_phase(&mut lease)?.prepared().await;
        prepared.inspect_err(|error| lease.report(error))
    }

    /// The branches that have committed and are not forgotten.
    pub(super) async fn traces(&self, of: Option<&BranchId>) -> Result<HashSet<BranchId>> {
        self.at_home()?;
        let mut select = Select::new(BRANCH_TABLE, vec![Node::column("gid")]);
        select.filter = of.map(|branch| {
            Node::binary(BinaryOp::Eq, Node::column("gid"), Node::Value(Value::Text(branch.to_string())))
        });
        let mut traces = HashSet::new();
        let mut sink = |row: &mut Row<'_>| {
            traces.extend(row.get::<String>(0, &TEXT)?.parse::<BranchId>().ok());
            Ok(Flow::Continue)
        };
        self.db.run(&select.into(), &mut sink).await?;
        Ok(traces)
    }

    /// Forgets branches that have committed.
    pub(super) async fn forget(&self, branches: &[BranchId]) -> Result<()> {
        for some in branches.chunks(256) {
            self.db.run(&delete(BRANCH_TABLE, some.iter().map(BranchId::to_string).collect()), &mut ()).await?;
        }
        Ok(())
    }

    /// Ends a branch as it was decided, on the connection that prepared it while that lives, and on others until it is
    /// ended or time is up.
    pub(super) async fn end(
        &self,
        branch: &BranchId,
        decided: CommitOutcome,
        mut lease: Option<Lease>,
        until: Instant,
    ) -> End {
        let mut pause = Duration::from_millis(10);
        loop {
            let attempt = self.try_to_end(branch, decided, &mut lease);
            let error = match tokio::time::timeout_at(until.into(), attempt).await {
                Ok(Ok(end)) => return end,
                Ok(Err(error)) => error,
                Err(_) => Error::new(ErrorKind::Deadline, "the database did not answer in time"),
            };
            // Closing the connection frees the branch, where the database binds it to its session.
            lease = None;
            if Instant::now() + pause >= until {
                return End::Pending(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    async fn try_to_end(&self, branch: &BranchId, decided: CommitOutcome, lease: &mut Option<Lease>) -> Result<End> {
        let mut held = match lease.take() {
            Some(held) => held,
            None => self.lease().await?,
        };
        let shared = self.db.shared();
        let prepared = two_phase(&mut held)?;
        let ended = match decided {
            CommitOutcome::Committed => told(shared, "COMMIT PREPARED", prepared.commit_prepared(branch)).await,
            CommitOutcome::NotCommitted => told(shared, "ROLLBACK PREPARED", prepared.rollback_prepared(branch)).await,
        };
        let ended = ended.inspect_err(|error| held.report(error))?;
        drop(held);
        if ended == Ended::Now {
            return Ok(End::Done);
        }
        let committed = !self.traces(Some(branch)).await?.is_empty();
        Ok(if committed == (decided == CommitOutcome::Committed) { End::Done } else { End::Against })
    }

    pub(super) fn pending(&self, branch: &BranchId, error: Error) -> PendingBranch {
        PendingBranch { branch: self.branch(branch), error }
    }

    async fn lease(&self) -> Result<Lease> {
        let lease = self.db.pool().acquire_for(Place::called("the end of a distributed transaction")).await?;
        self.at_home()?;
        Ok(lease)
    }
}

/// What a connection offers for distributed transactions.
pub(super) fn two_phase(lease: &mut Lease) -> Result<&mut dyn TwoPhase> {
    let product = lease.server().product;
    lease.two_phase().ok_or_else(|| {
        Error::unsupported("preparing a transaction, so it cannot take part in a distributed one", product)
            .with_help("it can keep the log of decisions")
    })
}
