//! Prepared statements of one connection, the most recently used ones, and what their texts say.

use std::collections::HashMap;
use std::sync::Arc;

use mysql_async::Statement;

use crate::mysql::dialect::KEPT;

/// A bounded store of prepared statements.
#[derive(Debug)]
pub(crate) struct StatementCache {
    most: usize,
    clock: u64,
    kept: HashMap<Arc<str>, Kept>,
}

#[derive(Debug)]
struct Kept {
    statement: Statement,
    traits: Traits,
    used: u64,
}

/// What the text of a statement tells about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Every row that it gives back is a row that it inserted, changed or deleted.
    pub(crate) writes: bool,
    /// The server counts a row twice that an upsert changed.
    pub(crate) upsert: bool,
    /// It may leave something behind in the session.
    pub(crate) leaves_traces: bool,
    /// It may commit what came before it, as DDL does.
    pub(crate) may_commit: bool,
}

impl StatementCache {
    /// A store for so many statements.
    pub(crate) fn new(most: usize) -> Self {
        StatementCache { most, clock: 0, kept: HashMap::new() }
    }

    /// Whether it keeps anything at all.
    pub(crate) fn keeps(&self) -> bool {
        self.most > 0
    }

    /// The statement of this text.
    pub(crate) fn get(&mut self, sql: &str) -> Option<(Statement, Traits)> {
        self.clock += 1;
        let kept = self.kept.get_mut(sql)?;
        kept.used = self.clock;
        Some((kept.statement.clone(), kept.traits))
    }

    /// Keeps a statement; gives back the one that has to go for it, to be closed.
    pub(crate) fn put(&mut self, sql: &str, statement: Statement, traits: Traits) -> Option<Statement> {
        self.clock += 1;
        let oldest = if self.kept.len() >= self.most {
            self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(sql, _)| Arc::clone(sql))
        } else {
            None
        };
        let gone = oldest.and_then(|sql| self.kept.remove(&sql)).map(|kept| kept.statement);
        self.kept.insert(sql.into(), Kept { statement, traits, used: self.clock });
        gone
    }

    /// Forgets a statement that the server no longer knows.
    pub(crate) fn forget(&mut self, sql: &str) {
        self.kept.remove(sql);
    }

    /// Forgets every statement.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}

impl Traits {
    /// Reads a text.
    pub(crate) fn of(sql: &str) -> Self {
        let upper: String = bare(sql).chars().take(12).collect();
        let upper = upper.to_ascii_uppercase();
        let begins = |word: &str| upper.starts_with(word);
        let writes = begins("INSERT") || begins("REPLACE") || begins("UPDATE") || begins("DELETE");
        let plain = writes || ["SELECT", "WITH", "SHOW", "EXPLAIN", "DESC"].iter().any(|word| begins(word));
        Traits {
            writes,
            may_commit: !plain,
            upsert: begins("INSERT") && contains(sql, "ON DUPLICATE KEY UPDATE"),
            // User variables, and the functions that take locks or set session state.
            leaves_traces: !plain
                || sql.contains('@')
                || contains(sql, "_LOCK")
                || (contains(sql, "LAST_INSERT_ID") && !sql.contains(KEPT)),
        }
    }
}

/// The text from its first word on: without blanks, parentheses and comments.
fn bare(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let end = match rest.as_bytes() {
            [b'/', b'*', next, ..] if !matches!(next, b'!' | b'M') => rest.find("*/").map(|at| at + 2),
            [b'#', ..] | [b'-', b'-', ..] => rest.find('\n'),
            _ => return rest,
        };
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
    }
}

/// Whether the text holds the upper-case word, in whatever case.
fn contains(sql: &str, word: &str) -> bool {
    sql.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::Traits;

    #[test]
    fn what_texts_say() {
        for sql in [
            "select 1",
            " (SELECT 1) UNION (SELECT 2)",
            "insert into t values (?)",
            "DELETE FROM t",
            "/* a */ -- b\n# c\n(select 1)",
        ] {
            assert!(!Traits::of(sql).leaves_traces && !Traits::of(sql).may_commit, "{sql}");
        }
        for sql in [
            "set x = 1",
            "select @a := 1",
            "select get_lock('x', 1)",
            "call p()",
            "/* x */ set x = 1",
            "use b",
            "/*! select */ 1",
        ] {
            assert!(Traits::of(sql).leaves_traces, "{sql}");
        }
        assert!(Traits::of("TRUNCATE t").may_commit && Traits::of("CALL p()").may_commit);
        assert!(Traits::of("INSERT INTO t VALUES (1) on duplicate key update a = a").upsert);
        assert!(!Traits::of("UPDATE t SET a = 'ON DUPLICATE KEY UPDATE'").upsert);
    }
}
