//! What a text will do, from its words alone: whose turn it is, what it may leave behind, and whether
//! it may run on its caller's thread.

use crate::sqlite::token::{Token, tokens};

/// What kind of statement a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads, and leaves nothing behind in the session.
    Read,
    /// It may write rows, and leaves nothing behind in the session.
    Write,
    /// Anything else: it may change the session.
    Other,
}

/// How much of the database a statement goes through in one step of SQLite's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// A row at a time: what stops it between two steps stops it soon.
    Rows,
    /// A whole table, or more: nothing stops it.
    Table,
}

/// The kind of the first statement of a text.
pub(super) fn kind(sql: &str) -> Kind {
    let rest = after_comments(sql);
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, explained) = rest.split_at(end);
    if !word.eq_ignore_ascii_case("explain") {
        return of_word(word);
    }
    // Of a PRAGMA some take effect when they are prepared, explained or not.
    let explained = tokens(explained).unwrap_or_default();
    let first = explained.iter().find(|token| !(token.is_word("query") || token.is_word("plan")));
    match first {
        Some(Token::Word(word)) if of_word(word) != Kind::Other => Kind::Read,
        _ => Kind::Other,
    }
}

/// The kind of a statement that begins with this word.
fn of_word(word: &str) -> Kind {
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    // What `WITH` really is SQLite says when it has prepared it.
    if is(&["select", "values", "with"]) {
        Kind::Read
    } else if is(&["insert", "update", "delete", "replace"]) {
        Kind::Write
    } else {
        Kind::Other
    }
}

/// How far a statement reaches. When in doubt it is the whole table.
pub(super) fn reach(sql: &str) -> Reach {
    let Some(tokens) = tokens(sql) else { return Reach::Table };
    let has = |word: &str| tokens.iter().any(|token| token.is_word(word));
    let counts = tokens.windows(3).any(|three| {
        matches!(three, [count, open, all]
            if count.is_word("count") && open.is_symbol('(') && (all.is_symbol('*') || all.is_symbol(')')))
    });
    let selects = tokens.iter().filter(|token| token.is_word("select")).count();
    // Without a condition SQLite counts and empties a table page by page.
    let counted_whole = counts && (selects > 1 || !has("where"));
    let first = tokens.first();
    let changes = |word: &str| first.is_some_and(|token| token.is_word(word) || (token.is_word("with") && has(word)));
    let changed_whole = (changes("update") || changes("delete")) && !has("where");
    // `SELECT … FROM pragma_integrity_check` is a PRAGMA.
    let pragma = tokens
        .iter()
        .filter_map(Token::name)
        .any(|name| name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("pragma_")));
    if counted_whole || changed_whole || pragma { Reach::Table } else { Reach::Rows }
}

fn after_comments(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start();
        let end = if rest.starts_with("--") {
            rest.find('\n').map(|end| end + 1)
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            return rest;
        };
        rest = end.and_then(|end| rest.get(end..)).unwrap_or("");
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Reach, kind, reach};

    #[test]
    fn the_first_word_decides() {
        for (sql, want) in [
            (" select 1", Kind::Read),
            ("-- insert\n/* x */ SELECT 1", Kind::Read),
            ("INSERT INTO a DEFAULT VALUES", Kind::Write),
            ("PRAGMA foreign_keys=off", Kind::Other),
            ("explain query /* */ plan with a as (select 1) select * from a", Kind::Read),
            ("EXPLAIN DELETE FROM a", Kind::Read),
            ("EXPLAIN PRAGMA foreign_keys = OFF", Kind::Other),
            ("EXPLAIN QUERY PLAN PRAGMA foreign_keys = OFF", Kind::Other),
            ("explain", Kind::Other),
            ("BEGIN", Kind::Other),
            ("CREATE TEMP TABLE a (b)", Kind::Other),
            ("", Kind::Other),
            ("-- nothing", Kind::Other),
        ] {
            assert_eq!(kind(sql), want, "{sql}");
        }
    }

    #[test]
    fn whole_tables_are_found() {
        for sql in [
            "SELECT count(*) FROM t",
            "select Count ( * ) from t -- where",
            "SELECT (SELECT count(*) FROM big) FROM t WHERE id = 1",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "DELETE FROM \"where\"",
            "DELETE FROM t RETURNING 'where'",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "SELECT * FROM pragma_integrity_check",
            "SELECT * FROM \"pragma_quick_check\"(1)",
            "SELECT 'not closed",
        ] {
            assert_eq!(reach(sql), Reach::Table, "{sql}");
        }
        for sql in [
            "SELECT a FROM t",
            "SELECT count(*) FROM t WHERE a = ?1",
            "SELECT count(a) FROM t",
            "UPDATE t SET a = 1 WHERE id = ?1",
            "DELETE FROM t WHERE id = ?1",
            "INSERT INTO t (a) VALUES (?1) ON CONFLICT DO UPDATE SET a = 1",
            "SELECT \"delete\", \"update\" FROM t",
        ] {
            assert_eq!(reach(sql), Reach::Rows, "{sql}");
        }
    }
}
