//! Tokens that tell what became of a commit whose answer was lost.
//!
//! A transaction writes its token as a row, so the row is there exactly when the transaction was committed. Whoever
//! asks writes the same token: where that is refused, the transaction has committed; where it succeeds, the transaction
//! has not, and never will, because its own row would now be the second one. The database itself waits where the
//! transaction is still open.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::str::FromStr;
use std::time::{Duration, Instant};

use covet_drivers::catalog::{Column, ColumnType, Table};
use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row};
use covet_drivers::render::print;
use covet_drivers::sql::{BinaryOp, Delete, Insert, Many, Node, Select, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::connect::Shared;
use crate::db::{Db, TxOptions, own_table};
use crate::query::now;

/// The table of the tokens.
const TABLE: &str = "_covet_commits";

/// How long an outcome is asked for while the answer is that it is not decided yet, or that nobody is there.
const PATIENCE: Duration = Duration::from_secs(15);

/// The name of one commit: by it [`Db::outcome_of`] tells what became of it, in this process or in another. It can be
/// written down as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitToken([u8; 16]);

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Everything that the transaction did is there.
    Committed,
    /// Nothing of it is there, nor will be: it can be run again.
    NotCommitted,
}

impl CommitToken {
    /// A token that nobody else has.
    pub(crate) fn new() -> Self {
        // Each state has keys of its own, from the operating system's source of randomness; but a process that is split in
        // two goes on with the same ones.
        let half = || {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u32(std::process::id());
            hasher.finish().to_ne_bytes()
        };
        let mut bytes = [0; 16];
        for (byte, random) in bytes.iter_mut().zip(half().into_iter().chain(half())) {
            *byte = random;
        }
        CommitToken(bytes)
    }

    /// The token of the commit that an error of the kind `CommitUnknown` is about, where it had one.
    #[must_use]
    pub fn of(error: &Error) -> Option<CommitToken> {
        error.commit_token().map(CommitToken)
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        CommitToken(bytes)
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    fn value(self) -> Node {
        Node::Value(Value::Uuid(self.0))
    }

    /// The insert of the token's row; it is fenced when the transaction is to be kept from committing.
    fn insert(self, fenced: bool) -> Statement {
        Statement::from(Insert {
            table: TABLE,
            columns: ["token", "fenced", "at"].into_iter().collect(),
            rows: vec![vec![self.value(), Node::Value(Value::Bool(fenced)), Node::Value(Value::Timestamp(now()))]],
            conflict: None,
            returning: Many::EMPTY,
        })
    }
}

/// Writes the token into the transaction that is open on the connection.
pub(crate) async fn write(token: CommitToken, connection: &mut dyn Connection, shared: &Shared) -> Result<()> {
    let result = run(connection, shared, &token.insert(false)).await;
    result.map(drop).map_err(without_table)
}

async fn run(connection: &mut dyn Connection, shared: &Shared, statement: &Statement) -> Result<u64> {
    let printed = print(statement, shared.dialect)?;
    let args = printed.values()?;
    let command = Command { sql: &printed.sql, args: &args, reuse: Reuse::Keep };
    connection.run(command, &mut ()).await.map(|outcome| outcome.affected)
}

fn without_table(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UndefinedTable => {
            error.with_help("call `db.prepare_commit_tokens()` once, at the start of the program")
        }
        _ => error,
    }
}

#[cold]
fn silent() -> Error {
    Error::new(ErrorKind::Deadline, "what became of the commit could not be had in time").with_help("ask again later")
}

impl Db {
    /// Makes the table `_covet_commits` for the tokens of commits ([`TxOptions::token`]), unless it is there.
    ///
    /// SQL: `CREATE TABLE _covet_commits (token …, fenced …, at …)`
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prepare_commit_tokens(&self) -> Result<()> {
        let table = Table {
            name: TABLE.to_owned(),
            primary_key: vec!["token".to_owned()],
            columns: vec![
                Column::new("token", ColumnType::Uuid),
                Column::new("fenced", ColumnType::Bool),
                Column::new("at", ColumnType::Timestamp),
            ],
            ..Table::default()
        };
        own_table::ensure(self, TABLE, table).await
    }

    /// Tells what became of a commit, and sees to it that a transaction which has not committed never will.
    ///
    /// It waits for a transaction that is still open, and for a server that is not there, 15 seconds at most.
    ///
    /// SQL: `INSERT INTO _covet_commits …`, and where that is refused `SELECT fenced FROM _covet_commits WHERE token = ?`
    ///
    /// # Errors
    /// Those of the connection; `LockTimeout` when the transaction is still open after that time, and `Deadline` when
    /// nobody has answered. Then nothing is decided, and it can be asked again.
    pub async fn outcome_of(&self, token: CommitToken) -> Result<CommitOutcome> {
        self.outcome_within(token, None).await
    }

    /// As [`outcome_of`](Db::outcome_of), until then at the latest.
    pub(crate) async fn outcome_within(&self, token: CommitToken, ends: Option<Instant>) -> Result<CommitOutcome> {
        let patient = Instant::now() + PATIENCE;
        let end = ends.map_or(patient, |ends| ends.min(patient));
        let mut last = None;
        loop {
            // Dropped half-way, it leaves a row, or none: the next question is told either way.
            let Ok(answer) = tokio::time::timeout_at(end.into(), self.fence(token)).await else {
                return Err(last.map_or_else(silent, without_table));
            };
            let error = match answer {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            let passes = error.is_retryable() || error.is_connection_lost() || error.kind() == ErrorKind::PoolTimeout;
            if !passes || Instant::now() >= end {
                return Err(without_table(error));
            }
            last = Some(error);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn fence(&self, token: CommitToken) -> Result<CommitOutcome> {
        let wait = TxOptions::new().lock_timeout(Duration::from_secs(1));
        let tx = self.begin_with(wait).await?;
        match tx.run(&token.insert(true), &mut ()).await {
            Ok(_) => {
                // Should the answer to this commit be lost, the row tells the next question.
                tx.commit().await?;
                return Ok(CommitOutcome::NotCommitted);
            }
            Err(error) if error.kind() == ErrorKind::Unique => tx.rollback().await?,
            Err(error) => return Err(error),
        }
        let mut fenced = None;
        let mut select = Select::new(TABLE, vec![Node::column("fenced")]);
        select.filter = Some(Node::binary(BinaryOp::Eq, Node::column("token"), token.value()));
        let mut sink = |row: &mut Row<'_>| {
            fenced = Some(row.get::<bool>(0, &ColumnType::Bool)?);
            Ok(Flow::Continue)
        };
        self.run(&select.into(), &mut sink).await?;
        match fenced {
            Some(true) => Ok(CommitOutcome::NotCommitted),
            Some(false) => Ok(CommitOutcome::Committed),
            None => Err(Error::new(ErrorKind::NotFound, "the token of the commit was deleted meanwhile")),
        }
    }

    /// Deletes the tokens that are older, and gives their number: nobody can ask for these commits any more.
    ///
    /// SQL: `DELETE FROM _covet_commits WHERE at < ?`
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_commits(&self, older_than: Duration) -> Result<u64> {
        let age = i64::try_from(older_than.as_micros()).unwrap_or(i64::MAX);
        let before = Node::Value(Value::Timestamp(now().saturating_sub(age)));
        let filter = Some(Node::binary(BinaryOp::Lt, Node::column("at"), before));
        let delete = Statement::from(Delete { table: TABLE, filter, returning: Many::EMPTY });
        self.run(&delete, &mut ()).await.map(|outcome| outcome.affected).map_err(without_table)
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for CommitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitToken({self})")
    }
}

impl FromStr for CommitToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::InvalidInput, "the token of a commit has 32 hexadecimal digits");
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(|number| CommitToken(number.to_be_bytes())).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::OWN_TABLES;

    use super::{CommitToken, TABLE};

    #[test]
    fn a_token_is_its_text_and_no_other() {
        let (one, two) = (CommitToken::new(), CommitToken::new());
        assert_ne!(one, two);
        assert_eq!(one.to_string().parse::<CommitToken>().ok(), Some(one));
        for wrong in ["", "0", "+0000000000000000000000000000001", "0000000000000000000000000000000g"] {
            assert!(wrong.parse::<CommitToken>().is_err(), "{wrong}");
        }
        assert!(OWN_TABLES.contains(&TABLE));
    }
}
