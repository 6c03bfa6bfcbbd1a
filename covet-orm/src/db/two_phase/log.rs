//! The log of decisions: a row says whether a distributed transaction is committed.
//!
//! Its key decides between a coordinator that wants to commit and a recovery that takes the transaction for abandoned:
//! each writes its row, and the second one is refused. A transaction without a row is not committed, and whoever acts
//! upon that writes the row first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_drivers::catalog::{Column, ColumnType, Table};
use covet_drivers::contract::{Backend, BranchId, Flow, Reuse, Row};
use covet_drivers::sql::{BinaryOp, Delete, Insert, Many, Node, Ref, Select, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::two_phase::participant::at_home;
use crate::db::{CommitOutcome, CommitToken, Db, Session, own_table};
use crate::query::now;

/// The table.
pub(super) const TABLE: &str = "_covet_decisions";

/// The most connections to the log: as many decisions are written at a time.
const CONNECTIONS: usize = 4;

/// How long a decision waits for a connection to the log, before the transaction is rolled back for want of one.
const WAIT: Duration = Duration::from_secs(5);

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// The log of one coordinator.
#[derive(Debug)]
pub(super) struct Log {
    /// Connections of its own.
    db: Db,
    /// The handle that it was opened with, and where that led to.
    origin: Db,
    home: Arc<dyn Backend>,
    coordinator: String,
    /// Tells this log from another one: what a log does not know for certain it must not decide.
    id: [u8; 4],
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) transaction: [u8; 16],
    pub(super) committed: bool,
    /// The branches that a commit is about, with the databases that they belong to.
    pub(super) branches: Vec<(u8, String)>,
    /// Microseconds since 1970 in UTC, by the clock of whoever wrote it.
    pub(super) at: i64,
}

impl Log {
    /// Makes sure that the log is durable and its table is there.
    pub(super) async fn open(db: &Db, coordinator: &str) -> Result<Self> {
        db.acquire().await?.check_durable().await.map_err(|error| error.about("the log of decisions"))?;
        let table = Table {
            name: TABLE.to_owned(),
            primary_key: vec!["gid".to_owned()],
            columns: vec![
                Column::new("gid", ColumnType::Text { max_len: Some(64) }),
                Column::new("committed", ColumnType::Bool),
                Column::new("branches", TEXT),
                Column::new("at", ColumnType::Timestamp),
            ],
            ..Table::default()
        };
        // A transaction holds connections of its databases while it is decided, and the log may be in one of them.
        let (origin, home) = (db.clone(), db.backend());
        let db = db.beside(CONNECTIONS, WAIT).await?;
        own_table::ensure(&db, TABLE, table).await?;
        let mut log = Log { db, origin, home, coordinator: coordinator.to_owned(), id: [0; 4] };
        log.id = log.identity().await?;
        Ok(log)
    }

    /// The log's own mark, which is written once.
    async fn identity(&self) -> Result<[u8; 4]> {
        let gid = format!("covet:{}", self.coordinator);
        let [a, b, c, d, ..] = CommitToken::new().bytes();
        let mark = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
        let found = match self.insert(&gid, false, &mark).await {
            Ok(()) => Some(mark),
            Err(error) if error.kind() == ErrorKind::Unique => {
                self.rows(Some(&gid)).await?.into_iter().next().map(|(_, _, mark, _)| mark)
            }
            Err(error) => return Err(error),
        };
        let id = found.and_then(|mark| u32::from_str_radix(&mark, 16).ok());
        let id =
            id.ok_or_else(|| Error::new(ErrorKind::Decode, format!("the mark of the log {TABLE} is not readable")))?;
        Ok(id.to_be_bytes())
    }

    /// A transaction that nobody else has, of this log.
    pub(super) fn new_transaction(&self) -> [u8; 16] {
        let mut transaction = CommitToken::new().bytes();
        transaction[..4].copy_from_slice(&self.id);
        transaction
    }

    /// Whether a branch belongs to this coordinator and this log.
    pub(super) fn owns(&self, branch: &BranchId) -> bool {
        branch.coordinator() == self.coordinator && branch.transaction().starts_with(&self.id)
    }

    /// Refuses the token of something else: of that nothing would be found here, and that would be taken for an answer.
    pub(super) fn check(&self, token: CommitToken) -> Result<()> {
        if token.bytes().starts_with(&self.id) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidInput, "the token is not of a transaction of this log")
            .with_help("ask the coordinator, or the database, that gave the error"))
    }

    /// A connection to the log. As long as nobody has one, nothing is written.
    pub(super) async fn session(&self) -> Result<Session<'_>> {
        at_home(&self.origin, &self.home)?;
        self.db.session().await
    }

    /// Decides that a transaction is committed.
    ///
    /// # Errors
    /// `Unique` when it was decided before.
    pub(super) async fn commit(
        &self,
        transaction: [u8; 16],
        branches: &[(u8, String)],
        session: &mut Session<'_>,
    ) -> Result<()> {
        let lines: Vec<String> = branches.iter().map(|(number, database)| format!("{number} {database}")).collect();
        let insert = row(&self.gid(transaction)?, true, &lines.join("\n"));
        session.statement(&insert, &mut (), Reuse::Keep).await.map(drop)
    }

    /// Tells what was decided, and decides against a commit where nothing was.
    pub(super) async fn settle(&self, transaction: [u8; 16]) -> Result<CommitOutcome> {
        let gid = self.gid(transaction)?;
        match self.insert(&gid, false, "").await {
            Ok(()) => return Ok(CommitOutcome::NotCommitted),
            Err(error) if error.kind() == ErrorKind::Unique => {}
            Err(error) => return Err(error),
        }
        match self.rows(Some(&gid)).await?.first() {
            Some((_, true, ..)) => Ok(CommitOutcome::Committed),
            Some((_, false, ..)) => Ok(CommitOutcome::NotCommitted),
            None => Err(Error::new(ErrorKind::LockTimeout, "the decision was forgotten while it was asked for")),
        }
    }

    /// As [`settle`](Log::settle), again and again until there is an answer or it is too late.
    pub(super) async fn settle_until(&self, transaction: [u8; 16], end: Instant) -> Result<CommitOutcome> {
        let mut pause = Duration::from_millis(10);
        loop {
            let error = match tokio::time::timeout_at(end.into(), self.settle(transaction)).await {
                Ok(Ok(outcome)) => return Ok(outcome),
                Ok(Err(error)) => error,
                Err(_) => Error::new(ErrorKind::Deadline, "the log of decisions did not answer in time"),
            };
            if Instant::now() + pause >= end {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    /// Everything that is decided and not forgotten.
    pub(super) async fn decisions(&self) -> Result<Vec<Decision>> {
        let rows = self.rows(None).await?;
        Ok(rows
            .into_iter()
            .filter_map(|(gid, committed, branches, at)| {
                let branch: BranchId = format!("{gid}:0").parse().ok()?;
                let read = |line: &str| {
                    let (number, database) = line.split_once(' ')?;
                    Some((number.parse().ok()?, database.to_owned()))
                };
                let branches = branches.lines().filter_map(read).collect();
                self.owns(&branch).then(|| Decision { transaction: branch.transaction(), committed, branches, at })
            })
            .collect())
    }

    /// Forgets decisions.
    pub(super) async fn forget(&self, transactions: &[[u8; 16]]) -> Result<()> {
        for some in transactions.chunks(256) {
            let gids = some.iter().map(|transaction| self.gid(*transaction)).collect::<Result<Vec<_>>>()?;
            self.db.run(&delete(TABLE, gids), &mut ()).await?;
        }
        Ok(())
    }

    fn gid(&self, transaction: [u8; 16]) -> Result<String> {
        BranchId::new(&self.coordinator, transaction, 0).map(|branch| branch.global())
    }

    async fn insert(&self, gid: &str, committed: bool, branches: &str) -> Result<()> {
        let mut session = self.session().await?;
        session.statement(&row(gid, committed, branches), &mut (), Reuse::Keep).await.map(drop)
    }

    async fn rows(&self, gid: Option<&str>) -> Result<Vec<(String, bool, String, i64)>> {
        at_home(&self.origin, &self.home)?;
        let columns = ["gid", "committed", "branches", "at"].map(Node::column);
        let mut select = Select::new(TABLE, Vec::from(columns));
        select.filter =
            gid.map(|gid| Node::binary(BinaryOp::Eq, Node::column("gid"), Node::Value(Value::Text(gid.to_owned()))));
        let mut rows = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            let at = match row.value(3, &ColumnType::Timestamp)?.to_owned() {
                Value::Timestamp(at) => at,
                _ => 0,
            };
            rows.push((row.get(0, &TEXT)?, row.get(1, &ColumnType::Bool)?, row.get(2, &TEXT)?, at));
            Ok(Flow::Continue)
        };
        self.db.run(&select.into(), &mut sink).await?;
        Ok(rows)
    }
}

/// Inserts a row.
fn row(gid: &str, committed: bool, branches: &str) -> Statement {
    let row = [
        Value::Text(gid.to_owned()),
        Value::Bool(committed),
        Value::Text(branches.to_owned()),
        Value::Timestamp(now()),
    ];
    Statement::from(Insert {
        table: TABLE,
        columns: ["gid", "committed", "branches", "at"].into_iter().collect(),
        rows: vec![row.map(Node::Value).into()],
        conflict: None,
        returning: Many::EMPTY,
    })
}

/// Deletes the rows with these names.
pub(super) fn delete(table: &'static str, gids: Vec<String>) -> Statement {
    let names = gids.into_iter().map(|gid| Node::Value(Value::Text(gid))).collect();
    let filter = Some(Node::In(Ref::new(Node::column("gid")), names));
    Statement::from(Delete { table, filter, returning: Many::EMPTY })
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::{BRANCH_TABLE, OWN_TABLES};

    #[test]
    fn its_tables_are_covets_own() {
        assert!(OWN_TABLES.contains(&super::TABLE) && OWN_TABLES.contains(&BRANCH_TABLE));
    }
}
