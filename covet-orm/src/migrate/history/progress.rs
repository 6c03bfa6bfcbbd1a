//! How far a statement came that goes in batches, as a line of text in the history.

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::history::table::TABLE;

/// How far it came. What it is about is part of it, so that it is never taken for that of another statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct Progress {
    /// On which way: `up` or `down`.
    pub(in crate::migrate) way: String,
    /// The place of the statement in its script, from 0.
    pub(in crate::migrate) step: usize,
    /// The short hash of the statement.
    pub(in crate::migrate) hash: String,
    /// Rows that were gone through.
    pub(in crate::migrate) rows: u64,
    /// Rows that there were when it began.
    pub(in crate::migrate) total: u64,
    /// The last key that was gone through, as a literal.
    pub(in crate::migrate) after: String,
}

impl Progress {
    /// The line.
    pub(super) fn text(&self) -> String {
        let Progress { way, step, hash, rows, total, after } = self;
        format!("{way} {step} {hash} {rows} {total} {after}")
    }

    /// What such a line says.
    pub(super) fn read(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            Error::new(ErrorKind::Decode, format!("the column progress of {TABLE} holds what Covet never wrote"))
                .with_table(TABLE)
                .with_column("progress")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ' ');
        Some(Progress {
            way: parts.next()?.to_owned(),
            step: parts.next()?.parse().ok()?,
            hash: parts.next()?.to_owned(),
            rows: parts.next()?.parse().ok()?,
            total: parts.next()?.parse().ok()?,
            after: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn comes_back_with_any_key() {
        let (way, hash) = ("up".to_owned(), "0f".to_owned());
        let progress = Progress { way, step: 3, hash, rows: 1000, total: 5000, after: "'it''s a key'".to_owned() };
        assert_eq!(Progress::read(&progress.text()).ok(), Some(progress));
        assert!(Progress::read("up 3 0f x 1 'a'").is_err() && Progress::read("").is_err());
    }
}
