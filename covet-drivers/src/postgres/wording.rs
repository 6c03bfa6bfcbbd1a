//! What the text of a statement tells before it runs: does it steer transactions, does it change the
//! session, does it count rows that it only reads.

use crate::contract::Reuse;
use crate::postgres::dialect::QUOTING;
use crate::sql::split;

/// What a text tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wording {
    /// BEGIN, COMMIT and the like: afterwards the server is asked where the session stands.
    pub(crate) steers: bool,
    /// Reads only: its command tag counts rows that were not changed.
    pub(crate) reads: bool,
    /// Reads and writes rows: it can stand in a transaction.
    pub(crate) plain: bool,
    /// Runs what is written elsewhere, so its rows may be of any type, and may not stand in a transaction.
    pub(crate) calls: bool,
    /// May leave something behind in the session.
    pub(crate) leaves: bool,
    /// An insert; also when it comes only once it is Covet's own and not raw text.
    pub(crate) inserts: bool,
    /// Reads, locks nothing, and calls nothing that could write: it may run outside its transaction.
    pub(crate) harmless: bool,
    /// Tells other sessions something, which a read-only transaction may do as well.
    pub(crate) notifies: bool,
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
        let calls = matches!(word.as_str(), "call" | "execute" | "fetch");
        let lower = sql.to_ascii_lowercase();
        let leaves = !plain || LEAVING.iter().any(|name| lower.contains(name)) || makes_table(&word, &lower);
        let harmless = matches!(word.as_str(), "select" | "values") && !leaves && calls_nothing_else(&lower);
        let notifies = lower.contains("pg_notify");
        Wording { steers, reads, plain, calls, leaves, inserts: word == "insert", harmless, notifies }
    }

    /// Whether it is Covet's own and leaves nothing behind in the session; raw text is taken to.
    pub(crate) fn is_clean(self, reuse: Reuse) -> bool {
        !self.leaves && (reuse == Reuse::Keep || self.inserts)
    }

    /// Of a script. One that cannot be cut is taken to do everything.
    pub(crate) fn steers(script: &str) -> bool {
        split(script, QUOTING).map_or(true, |statements| statements.into_iter().any(|sql| Self::of(sql).steers))
    }
}

const STEERING: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort", "prepare", "savepoint", "release"];

/// Functions whose effect outlives the statement.
const LEAVING: &[&str] = &["set_config", "advisory_lock", "lo_open", "dblink_connect", "setseed"];

/// Whether a text in lower case that begins with this word may make a table, which may be a temporary one: `SELECT …
/// INTO`, or what EXPLAIN carries out.
fn makes_table(word: &str, lower: &str) -> bool {
    let makes: &[&str] = match word {
        "explain" => &["into", "create", "execute", "refresh", "declare"],
        "select" | "values" | "table" | "with" => &["into"],
        _ => return false,
    };
    if !makes.iter().any(|word| lower.contains(word)) {
        return false;
    }
    // Every second piece stands in quotes.
    let unquoted = lower.split(['"', '\'']).step_by(2);
    let mut before = "";
    unquoted
        .flat_map(|piece| piece.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|word| !word.is_empty())
        .any(|found| {
            let inserts = matches!(std::mem::replace(&mut before, found), "insert" | "merge");
            makes.contains(&found) && !inserts
        })
}

/// What may stand before a parenthesis in a text that only reads: words of the language, and functions of the
/// server's own that do nothing but compute.
const COMPUTING: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "avg",
    "between",
    "by",
    "case",
    "cast",
    "coalesce",
    "count",
    "distinct",
    "else",
    "except",
    "exists",
    "from",
    "having",
    "in",
    "intersect",
    "is",
    "join",
    "like",
    "limit",
    "lower",
    "max",
    "min",
    "not",
    "numeric",
    "now",
    "offset",
    "on",
    "or",
    "over",
    "select",
    "sum",
    "then",
    "union",
    "upper",
    "using",
    "values",
    "when",
    "where",
];

/// Whether a text in lower case calls only what computes, and says neither `FOR UPDATE` and the like nor `INTO`.
/// What it does not understand it takes for a call.
fn calls_nothing_else(lower: &str) -> bool {
    let mut rest = lower;
    let mut last = "";
    while let Some(c) = rest.chars().next() {
        if let Some(text) = rest.strip_prefix(['"', '\'']) {
            // A doubled mark ends one text and begins the next. Before a parenthesis a quoted name is a function.
            let Some((_, after)) = text.split_once(c) else { return false };
            (last, rest) = ("\"", after);
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let qualified = last == ".";
            (last, rest) = rest.split_at(end);
            if qualified {
                last = "\"";
            }
            if matches!(last, "for" | "into") {
                return false;
            }
        } else {
            if c == '(' && !last.is_empty() && !COMPUTING.contains(&last) {
                return false;
            }
            // Comments, other kinds of quotes and escapes are not Covet's own way of writing.
            if matches!(c, '\\' | ';') || rest.starts_with("--") || rest.starts_with("/*") || rest.starts_with("$$") {
                return false;
            }
            rest = &rest[c.len_utf8()..];
            if !c.is_whitespace() {
                last = if c == '.' { "." } else { "" };
            }
        }
    }
    true
}

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
    fn what_may_run_outside_its_transaction() {
        for sql in [
            r#"SELECT t0."id", lower(t0."name") FROM "for" AS t0 WHERE t0."id" IN ($1, $2) AND ("a" = 'into (') LIMIT 2"#,
            r#"SELECT COUNT(*) FROM "t" WHERE EXISTS (SELECT 1 FROM "u" AS t1 WHERE lower(t1."n"::text COLLATE "und-x-icu") LIKE $1 ESCAPE '!')"#,
            "VALUES (1), (2)",
        ] {
            assert!(Wording::of(sql).harmless, "{sql}");
        }
        for sql in [
            r#"SELECT "id" FROM "t" FOR UPDATE"#,
            "SELECT 1 FROM t for\nshare",
            "SELECT a INTO b FROM t",
            "SELECT f(1)",
            "SELECT nextval ('s')",
            r#"SELECT "f"(1)"#,
            "SELECT s.lower(1)",
            "SELECT f/* */(1)",
            "WITH a AS (DELETE FROM t RETURNING id) SELECT id FROM a",
            "INSERT INTO t VALUES (1)",
            "SELECT 'open",
            "SELECT set_config('a', 'b', false)",
        ] {
            assert!(!Wording::of(sql).harmless, "{sql}");
        }
    }

    #[test]
    fn what_texts_tell() {
        assert!(Wording::of("SELECT 1").reads && !Wording::of("SELECT 1").leaves);
        assert!(!Wording::of("INSERT INTO t VALUES (1)").leaves);
        assert!(Wording::of("SET x = 1").leaves && Wording::of("select Set_Config('a', 'b', false)").leaves);
        for sql in [
            "SELECT id INTO TEMP a FROM t",
            "WITH x AS (SELECT 1 AS i) SELECT i\ninto\ttemp a FROM x",
            "EXPLAIN (ANALYZE) CREATE TEMP TABLE a AS SELECT 1",
        ] {
            assert!(Wording::of(sql).leaves, "{sql}");
        }
        for sql in [
            "SELECT \"into\", 'x into y' FROM t",
            "WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT id FROM x",
            "EXPLAIN ANALYZE SELECT 1",
            "SELECT into_it FROM t",
        ] {
            assert!(!Wording::of(sql).leaves, "{sql}");
        }
        assert!(Wording::of("BEGIN").steers && !Wording::of("INSERT INTO t VALUES ('begin')").steers);
        assert!(Wording::steers("CREATE TABLE t (); COMMIT") && !Wording::steers("SELECT 'commit; commit'"));
    }
}
