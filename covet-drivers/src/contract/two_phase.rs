//! Transactions that are prepared before they commit, so that those of several databases end alike.
//!
//! A *branch* is the part of a distributed transaction that one database does. Preparing it makes it outlive its
//! session and the server's crash, and binds the server to commit it when it is told to. Each branch writes its name
//! into a table as the last thing before it is prepared: as long as the name stands there, anybody can tell a branch
//! that was committed from one that was rolled back, by whomever.

use std::fmt;
use std::str::FromStr;

use crate::contract::{BoxFuture, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};

/// The table into which each branch writes its name; it has the one column `gid`, which is its key.
pub const BRANCH_TABLE: &str = "_covet_branches";

/// The longest name of a coordinator: XA leaves 64 bytes for the whole.
const LONGEST_NAME: usize = 24;

/// What the names of all branches begin with.
const PREFIX: &str = "covet";

/// Branches, on a database that can prepare transactions.
pub trait TwoPhase: Send {
    /// Refuses a server whose settings or permissions make distributed transactions impossible, or unsafe because
    /// what it has prepared or committed would not outlive a crash.
    ///
    /// # Errors
    /// `Config`, `Permission` or `Unsupported`, with what to change.
    fn check_two_phase(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Begins a branch; as [`begin`](crate::contract::Connection::begin).
    ///
    /// # Errors
    /// As there.
    fn begin_branch<'a>(
        &'a mut self,
        branch: &'a BranchId,
        options: &'a TransactionOptions,
    ) -> BoxFuture<'a, Result<()>>;

    /// Writes the branch's name into [`BRANCH_TABLE`] and prepares it. `true` only when the server has prepared it;
    /// `false` when the server never heard of the transaction, so that there is nothing to prepare. A transaction that
    /// has failed is never prepared.
    ///
    /// Behind this the session is idle, or it says [`Broken`](crate::contract::ConnectionState::Broken) because the
    /// database binds it to the branch until that is ended: it takes only
    /// [`commit_prepared`](TwoPhase::commit_prepared) and [`rollback_prepared`](TwoPhase::rollback_prepared) then, and
    /// closing it leaves the branch prepared.
    ///
    /// # Errors
    /// Those of a commit. The branch is rolled back then; when the connection is lost with the error, or the future was
    /// dropped, the branch is in doubt: it may be prepared, now or a little later.
    fn prepare<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<bool>>;

    /// Commits a branch that was prepared, in whatever session.
    ///
    /// # Errors
    /// `LockTimeout` while another session holds the branch; those of the connection, with which the branch may or may
    /// not be committed. It can be tried again after any error.
    fn commit_prepared<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<Ended>>;

    /// Rolls a branch back that was prepared, in whatever session.
    ///
    /// # Errors
    /// As [`commit_prepared`](TwoPhase::commit_prepared).
    fn rollback_prepared<'a>(&'a mut self, branch: &'a BranchId) -> BoxFuture<'a, Result<Ended>>;

    /// The branches that are prepared in this database, or on its server where that makes no difference.
    ///
    /// # Errors
    /// The database's.
    fn prepared(&mut self) -> BoxFuture<'_, Result<Prepared>>;
}

/// How ending a prepared branch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is ended as asked.
    Now,
    /// There is no such branch: it was ended before, or never prepared.
    Absent,
}

/// What is prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Branches of Covet's, of whichever coordinator.
    pub branches: Vec<BranchId>,
    /// How many others there are.
    pub others: usize,
}

/// The name of a branch: `covet:shop:0123456789abcdef0123456789abcdef:0`, of coordinator, transaction and number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchId {
    coordinator: String,
    transaction: [u8; 16],
    number: u8,
}

impl BranchId {
    /// The name of a transaction's branch of this number.
    ///
    /// # Errors
    /// `InvalidInput` for a coordinator that is not named by 1 to 24 characters of `a`–`z`, `0`–`9`, `-` and `_`.
    pub fn new(coordinator: &str, transaction: [u8; 16], number: u8) -> Result<Self> {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
        if coordinator.is_empty() || coordinator.len() > LONGEST_NAME || !coordinator.bytes().all(fits) {
            return Err(Error::new(ErrorKind::InvalidInput, "this is no name for a coordinator")
                .with_help("it has 1 to 24 characters: a to z, 0 to 9, `-` and `_`"));
        }
        Ok(BranchId { coordinator: coordinator.to_owned(), transaction, number })
    }

    /// The coordinator's name.
    #[must_use]
    pub fn coordinator(&self) -> &str {
        &self.coordinator
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> [u8; 16] {
        self.transaction
    }

    /// Which of the transaction's branches it is, counted from 0.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    /// What the branches of a transaction have in common; at most 63 bytes.
    #[must_use]
    pub fn global(&self) -> String {
        let mut text = format!("{PREFIX}:{}:", self.coordinator);
        for byte in self.transaction {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}

/// Letters, digits and `:-_`, so that it can stand in SQL between quotation marks.
impl fmt::Display for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.global(), self.number)
    }
}

impl fmt::Debug for BranchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BranchId({self})")
    }
}

impl FromStr for BranchId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split(':');
            let (prefix, coordinator) = (parts.next()?, parts.next()?);
            let (hex, number) = (parts.next()?, parts.next()?.parse().ok()?);
            let transaction = u128::from_str_radix(hex, 16).ok()?.to_be_bytes();
            let read = BranchId::new(coordinator, transaction, number).ok()?;
            // Whatever else could be read as the same is not the same.
            (prefix == PREFIX && parts.next().is_none() && read.to_string() == text).then_some(read)
        };
        read().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "this is not the name of a branch"))
    }
}

#[cfg(test)]
mod tests {
    use super::BranchId;
    use crate::error::{ErrorKind, Result};

    #[test]
    fn a_name_is_its_text_and_no_other() -> Result<()> {
        let branch = BranchId::new("shop", [0xab; 16], 7)?;
        let text = format!("covet:shop:{}:7", "ab".repeat(16));
        assert_eq!((branch.to_string(), text.parse::<BranchId>()?), (text.clone(), branch));
        for wrong in [
            "",
            "covet",
            &text[1..],
            &format!("{text}:1"),
            &text.replace(":7", ":07"),
            &text.replace(":7", ":256"),
            &text.replace("ab", "AB"),
            &text.replace("abab", "+0"),
            &text.replace("shop", "Shop"),
            &text.replace("shop", ""),
        ] {
            assert!(wrong.parse::<BranchId>().is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn names_of_coordinators() -> Result<()> {
        let longest = BranchId::new(&"x".repeat(24), [0; 16], u8::MAX)?;
        assert!(longest.global().len() <= 64);
        for wrong in ["", "a b", "a:b", "A", "é", "a'b", &"x".repeat(25)] {
            let error = BranchId::new(wrong, [0; 16], 0).map(drop);
            assert_eq!(
                error.map_err(|error| (error.kind(), error.help().is_some())),
                Err((ErrorKind::InvalidInput, true))
            );
        }
        Ok(())
    }
}
