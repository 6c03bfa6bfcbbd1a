//! What is said of a transfer, to a ledger at hand or, as lines, to that of another process.

use std::fmt;

use covet_orm::CommitToken;

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// It may commit from now on, under this token.
    Begun(i64, CommitToken),
    /// It is acknowledged.
    Acknowledged(i64),
    /// It is not committed.
    Failed(i64),
    /// The answer to its commit was lost.
    Unknown(i64, CommitToken),
    /// A snapshot was read.
    Snapshot,
    /// Something was seen that must not be.
    Wrong(String),
}

/// Who hears it, and gives numbers to transfers.
pub(crate) trait Hears: Send + Sync + 'static {
    /// A number that no transfer has.
    fn next(&self) -> i64;
    /// What is said has been heard when this returns.
    fn hear(&self, word: Word);
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Begun(id, token) => write!(f, "begun {id} {token}"),
            Word::Acknowledged(id) => write!(f, "acknowledged {id}"),
            Word::Failed(id) => write!(f, "failed {id}"),
            Word::Unknown(id, token) => write!(f, "unknown {id} {token}"),
            Word::Snapshot => f.write_str("snapshot"),
            Word::Wrong(what) => write!(f, "wrong {}", what.replace('\n', " ")),
        }
    }
}

impl Word {
    /// Reads a line; `None` where it is not one of these.
    pub(crate) fn read(line: &str) -> Option<Word> {
        if let Some(what) = line.strip_prefix("wrong ") {
            return Some(Word::Wrong(what.to_owned()));
        }
        let mut parts = line.split(' ');
        let word = parts.next()?;
        let id = parts.next().and_then(|id| id.parse().ok());
        let token = parts.next().and_then(|token| token.parse().ok());
        match (word, id, token) {
            ("begun", Some(id), Some(token)) => Some(Word::Begun(id, token)),
            ("acknowledged", Some(id), None) => Some(Word::Acknowledged(id)),
            ("failed", Some(id), None) => Some(Word::Failed(id)),
            ("unknown", Some(id), Some(token)) => Some(Word::Unknown(id, token)),
            ("snapshot", None, None) => Some(Word::Snapshot),
            _ => None,
        }
    }
}

#[test]
fn a_word_is_its_line() {
    let token: CommitToken = "000102030405060708090a0b0c0d0e0f".parse().unwrap();
    for word in [
        Word::Begun(1, token),
        Word::Acknowledged(2),
        Word::Failed(3),
        Word::Unknown(4, token),
        Word::Snapshot,
        Word::Wrong("two words".to_owned()),
    ] {
        assert_eq!(Word::read(&word.to_string()), Some(word));
    }
    // A line that was cut is no other word.
    assert_eq!(Word::read("begun 1"), None);
    assert_eq!(Word::read("test kills::process::worker ... ok"), None);
}
