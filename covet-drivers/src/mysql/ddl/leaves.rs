//! What a statement leaves behind in its session, and which rows would stay although its transaction is rolled back.

use crate::contract::Leaves;
use crate::mysql::dialect::{QUOTING, literal};
use crate::sql::{Reader, Word, words};

/// As [`Ddl::leaves`](crate::contract::Ddl::leaves).
pub(super) fn leaves(sql: &str) -> Leaves {
    words(sql, QUOTING).map_or(Leaves::Nothing, |words| statement(&words))
}

fn statement(all: &[Word<'_>]) -> Leaves {
    let mut words = Reader::new(all);
    // A comment that some servers run is what stands in it.
    if let Some(code) = words.peek().and_then(Word::code) {
        return leaves(code);
    }
    match words.keyword().as_deref() {
        Some("set") => {
            words.take();
            set(&mut words)
        }
        Some("use" | "lock" | "unlock" | "prepare" | "deallocate") => Leaves::Setting,
        Some("create") if all.iter().take(4).any(|word| word.is("temporary")) => Leaves::State,
        // The body of a program sets nothing yet.
        Some("create" | "alter" | "drop") => Leaves::Nothing,
        _ if binds(all) => Leaves::State,
        _ => Leaves::Nothing,
    }
}

/// A variable of the user that is given what was read or computed cannot be given it again.
fn set(words: &mut Reader<'_>) -> Leaves {
    loop {
        let mut clause = words.clone();
        if clause.sign('@') && !clause.sign('@') {
            clause.take();
            let _ = clause.sign(':');
            clause.sign('=');
            if !is_literal(&mut clause) {
                return Leaves::State;
            }
        }
        if !words.next_clause() {
            return Leaves::Setting;
        }
    }
}

/// One value, and then the next clause.
fn is_literal(words: &mut Reader<'_>) -> bool {
    let _ = words.sign('-') || words.sign('+');
    let is_value = match words.take() {
        Some(Word::Text(_)) => true,
        Some(Word::Plain(word)) => {
            word.starts_with(|c: char| c.is_ascii_digit())
                || ["null", "true", "false"].iter().any(|known| word.eq_ignore_ascii_case(known))
        }
        _ => false,
    };
    if words.sign('.') {
        words.take();
    }
    is_value && (words.is_end() || words.peek() == Some(&Word::Sign(',')))
}

/// Whether a variable of the user gets a value on the way: by `:=`, or by `INTO`.
fn binds(words: &[Word<'_>]) -> bool {
    words.windows(2).any(|pair| match pair {
        [Word::Sign(':'), Word::Sign('=')] => true,
        [into, Word::Sign('@')] => into.is("into"),
        _ => false,
    })
}

/// As [`Ddl::stays`](crate::contract::Ddl::stays): rows in MyISAM, Aria, MEMORY and the like. A view may be of any.
pub(super) fn stays(sql: &str) -> Option<String> {
    let words = words(sql, QUOTING).ok()?;
    let mut names: Vec<String> = Vec::new();
    let mut inserts = false;
    for word in &words {
        match word {
            Word::Plain(word)
                if names.is_empty() && ["insert", "replace"].iter().any(|w| word.eq_ignore_ascii_case(w)) =>
            {
                inserts = true;
            }
            // What an insert reads, and the values of an update, stay where they are.
            Word::Plain(word) if ["select", "values", "value", "set"].iter().any(|w| word.eq_ignore_ascii_case(w)) => {
                if inserts || word.eq_ignore_ascii_case("set") {
                    break;
                }
            }
            Word::Sign('(') if inserts => break,
            Word::Plain(word) => names.push(literal(word)),
            Word::Name(name) => names.push(literal(name)),
            Word::Code(_) | Word::Text(_) | Word::Sign(_) => {}
        }
    }
    if names.is_empty() {
        return None;
    }
    Some(format!(
        "SELECT COUNT(*) FROM information_schema.TABLES t \
         LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
         WHERE t.TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') \
         AND (t.TABLE_SCHEMA = DATABASE() OR t.TABLE_SCHEMA IN ({names})) AND t.TABLE_NAME IN ({names}) \
         AND (e.TRANSACTIONS IS NULL OR e.TRANSACTIONS <> 'YES')",
        names = names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::{leaves, stays};
    use crate::contract::Leaves;

    #[test]
    fn what_is_left_behind() {
        for sql in [
            "SET foreign_key_checks = 0",
            "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
            "SET @a = 1, @b := 'x', @c = -1.5, @d = NULL",
            "SET SESSION x = @a",
            "USE other",
            "/*!40101 SET NAMES utf8 */",
            "LOCK TABLES t WRITE",
        ] {
            assert_eq!(leaves(sql), Leaves::Setting, "{sql}");
        }
        for sql in [
            "SET @m := (SELECT MAX(id) FROM t)",
            "SET @a = 1, @b = @a + 1",
            "SET @a = NOW()",
            "SET @a = CURRENT_TIMESTAMP",
            "SELECT MAX(id) INTO @m FROM t",
            "SELECT @m := MAX(id) FROM t",
            "UPDATE t SET n = (@i := @i + 1)",
            "CREATE TEMPORARY TABLE t (id INT)",
            "/*!40101 SET @old = @@sql_mode */",
        ] {
            assert_eq!(leaves(sql), Leaves::State, "{sql}");
        }
        for sql in [
            "UPDATE t SET a = 1",
            "INSERT INTO t VALUES (':=')",
            "CREATE TABLE t (id INT)",
            "SELECT 1",
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a := NEW.id",
        ] {
            assert_eq!(leaves(sql), Leaves::Nothing, "{sql}");
        }
    }

    #[test]
    fn whose_rows_are_asked_about() {
        for (sql, asked, not) in [
            ("INSERT INTO a SELECT * FROM b", "'a'", "'b'"),
            ("INSERT INTO a (b) VALUES (1)", "'a'", "'b'"),
            ("UPDATE a SET x = (SELECT 1 FROM b)", "'a'", "'b'"),
            ("UPDATE a, b SET a.x = 1", "'b'", "'x'"),
            ("DELETE a FROM a JOIN c ON true", "'c'", "'x'"),
            ("WITH q AS (SELECT 1) UPDATE `a``b` SET x = 1", "'a`b'", "'x'"),
        ] {
            let found = stays(sql).unwrap_or_default();
            assert!(found.contains(asked) && !found.contains(not), "{sql}: {found}");
        }
    }
}
