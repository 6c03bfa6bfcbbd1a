//! What the text of a statement tells before it runs: does it steer transactions, does it change the
//! session, does it count rows that it only reads.

use crate::postgres::dialect::QUOTING;
use crate::sql::split;

/// What a text tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wording {
    /// BEGIN, COMMIT and the like: afterwards the server is asked where the session stands.
    pub(crate) steers: bool,
    /// Reads only: its command tag counts rows that were not changed.
    pub(crate) reads: bool,
    /// May leave something behind in the session.
    pub(crate) leaves: bool,
    /// An insert; also when it comes only once it is Covet's own and not raw text.
    pub(crate) inserts: bool,
}

impl Wording {
    /// Of one statement.
    pub(crate) fn of(sql: &str) -> Self {
        let word = first_word(sql).to_ascii_lowercase();
        let steers = STEERING.contains(&word.as_str());
        let reads = matches!(word.as_str(), "select" | "values" | "table" | "show" | "explain" | "fetch");
        let plain = matches!(
            word.as_str(),
            "select" | "values" | "table" | "explain" | "insert" | "update" | "delete" | "merge" | "with"
        );
        let lower = sql.to_ascii_lowercase();
        let leaves = !plain || LEAVING.iter().any(|name| lower.contains(name));
        Wording { steers, reads, leaves, inserts: word == "insert" }
    }

    /// Of a script. One that cannot be cut is taken to do everything.
    pub(crate) fn steers(script: &str) -> bool {
        split(script, QUOTING).map_or(true, |statements| statements.into_iter().any(|sql| Self::of(sql).steers))
    }
}

const STEERING: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort", "prepare", "savepoint", "release"];

/// Functions whose effect outlives the statement.
const LEAVING: &[&str] = &["set_config", "advisory_lock", "lo_open", "dblink_connect", "setseed"];

/// The first word behind blanks, comments and parentheses.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_comment(comment);
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            return &rest[..end];
        }
    }
}

/// What follows a comment that has been entered; comments nest.
fn after_comment(text: &str) -> &str {
    let mut depth = 1_u32;
    let mut rest = text;
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else { return "" };
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("/*") {
            depth += 1;
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::{Wording, first_word};

    #[test]
    fn first_words() {
        assert_eq!(first_word("  -- a\n /* b /* c */ */ ((SELECT 1))"), "SELECT");
        assert_eq!(first_word("/* open"), "");
        assert_eq!(first_word("é"), "");
    }

    #[test]
    fn what_texts_tell() {
        assert!(Wording::of("SELECT 1").reads && !Wording::of("SELECT 1").leaves);
        assert!(!Wording::of("INSERT INTO t VALUES (1)").leaves);
        assert!(Wording::of("SET x = 1").leaves && Wording::of("select Set_Config('a', 'b', false)").leaves);
        assert!(Wording::of("BEGIN").steers && !Wording::of("INSERT INTO t VALUES ('begin')").steers);
        assert!(Wording::steers("CREATE TABLE t (); COMMIT") && !Wording::steers("SELECT 'commit; commit'"));
    }
}
