//! Whether a statement has taken effect, by its text: `information_schema` is asked.
//!
//! One `ALTER TABLE` takes effect as a whole or not at all, so of several clauses all must be there.

use crate::contract::Effect;
use crate::mysql::dialect::{QUOTING, literal};
use crate::sql::{Reader, Word, words};

/// As [`Ddl::effect`](crate::contract::Ddl::effect).
pub(super) fn effect(sql: &str) -> Effect {
    words(sql, QUOTING).ok().and_then(|words| statement(&mut Reader::new(&words))).unwrap_or(Effect::Unknown)
}

/// `None` for what is not understood.
fn statement(words: &mut Reader<'_>) -> Option<Effect> {
    let first = words.keyword()?;
    match first.as_str() {
        "create" => create(words),
        "drop" => drop(words),
        "rename" => rename(words),
        "alter" => alter(words),
        "set" => Some(Effect::Session),
        // A file that is written, and variables of the session.
        "select" if words.has(&["into"]) => None,
        "select" | "show" | "explain" | "describe" | "desc" | "analyze" | "optimize" | "check" | "do" => {
            Some(Effect::Again)
        }
        _ => None,
    }
}

fn create(words: &mut Reader<'_>) -> Option<Effect> {
    // Rows that are selected into a table may not have come along as a whole.
    let fills = words.has(&["select"]);
    words.take();
    if words.eat(&["or", "replace"]) {
        return if words.keyword()? == "table" && fills { None } else { Some(Effect::Again) };
    }
    if words.eat(&["table"]) {
        if fills {
            return None;
        }
        if words.eat(&["if", "not", "exists"]) {
            return Some(Effect::Again);
        }
        return Some(Effect::probe(format!("SELECT {}", table(&only(words)?))));
    }
    if words.eat(&["view"]) {
        return Some(Effect::probe(format!("SELECT {}", table(&only(words)?))));
    }
    if let Some((view, column)) = stored(words) {
        return if words.eat(&["if", "not", "exists"]) {
            Some(Effect::Again)
        } else {
            Some(Effect::probe(format!("SELECT {}", named(view, column, &only(words)?))))
        };
    }
    let _ = words.eat(&["unique"]) || words.eat(&["fulltext"]) || words.eat(&["spatial"]);
    if words.eat(&["index"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Effect::Again);
        }
        let name = name(words)?;
        let _ = words.eat(&["using", "btree"]) || words.eat(&["using", "hash"]);
        if !words.eat(&["on"]) {
            return None;
        }
        return Some(Effect::probe(format!("SELECT {}", index(&only(words)?, &name))));
    }
    None
}

fn drop(words: &mut Reader<'_>) -> Option<Effect> {
    words.take();
    if words.eat(&["table"]) || words.eat(&["view"]) {
        if words.eat(&["if", "exists"]) {
            return Some(Effect::Again);
        }
        let name = only(words)?;
        // More than one goes one by one.
        return if words.is_end() { Some(Effect::probe(format!("SELECT NOT {}", table(&name)))) } else { None };
    }
    if let Some((view, column)) = stored(words) {
        return if words.eat(&["if", "exists"]) {
            Some(Effect::Again)
        } else {
            Some(Effect::probe(format!("SELECT NOT {}", named(view, column, &only(words)?))))
        };
    }
    if words.eat(&["index"]) {
        if words.eat(&["if", "exists"]) {
            return Some(Effect::Again);
        }
        let name = name(words)?;
        if !words.eat(&["on"]) {
            return None;
        }
        return Some(Effect::probe(format!("SELECT NOT {}", index(&only(words)?, &name))));
    }
    None
}

/// Where the server lists what is stored as a program, and the column of its name.
fn stored(words: &mut Reader<'_>) -> Option<(&'static str, &'static str)> {
    if words.eat(&["trigger"]) {
        Some(("TRIGGERS WHERE TRIGGER_SCHEMA", "TRIGGER_NAME"))
    } else if words.eat(&["function"]) {
        Some(("ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA", "ROUTINE_NAME"))
    } else if words.eat(&["procedure"]) {
        Some(("ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA", "ROUTINE_NAME"))
    } else {
        None
    }
}

fn named(view: &str, column: &str, name: &str) -> String {
    format!("EXISTS (SELECT 1 FROM information_schema.{view} = DATABASE() AND {column} = {})", literal(name))
}

/// One table; several may swap their names, and would look the same before and after.
fn rename(words: &mut Reader<'_>) -> Option<Effect> {
    if !words.eat(&["rename", "table"]) {
        return None;
    }
    let from = only(words)?;
    if !words.eat(&["to"]) {
        return None;
    }
    let to = only(words)?;
    if words.is_end() { Some(renamed(&from, &to)) } else { None }
}

fn renamed(from: &str, to: &str) -> Effect {
    Effect::probe(format!("SELECT NOT {} AND {}", table(from), table(to)))
}

fn alter(words: &mut Reader<'_>) -> Option<Effect> {
    if !words.eat(&["alter", "table"]) {
        return None;
    }
    let place = only(words)?;
    if !words.eat(&["nowait"]) && words.eat(&["wait"]) {
        words.take();
    }
    let mut all = Vec::new();
    loop {
        if let Some(condition) = clause(words, &place)? {
            all.push(condition);
        }
        if !words.next_clause() {
            break;
        }
    }
    if all.is_empty() { Some(Effect::Again) } else { Some(Effect::probe(format!("SELECT {}", all.join(" AND ")))) }
}

/// What holds once the clause has taken effect; an inner `None` when it does no harm a second time.
#[allow(clippy::option_option)] // what is not understood, what need not be asked, and what is asked
fn clause(words: &mut Reader<'_>, place: &str) -> Option<Option<String>> {
    let first = words.keyword()?;
    match first.as_str() {
        "add" => {
            words.take();
            added(words, place)
        }
        "drop" => {
            words.take();
            dropped(words, place)
        }
        "rename" => {
            words.take();
            if words.eat(&["column"]) {
                return pair(words).map(|(from, to)| Some(moved(&column(place, &from), &column(place, &to))));
            }
            if words.eat(&["index"]) || words.eat(&["key"]) {
                return pair(words).map(|(from, to)| Some(moved(&index(place, &from), &index(place, &to))));
            }
            let _ = words.eat(&["to"]) || words.eat(&["as"]);
            let to = only(words)?;
            if words.is_end() { Some(Some(moved(&table(place), &table(&to)))) } else { None }
        }
        // They say the whole of what the column shall be.
        "modify" => Some(None),
        "alter" => {
            if words.has(&["default"]) {
                Some(None)
            } else {
                None
            }
        }
        "change" => {
            words.take();
            words.eat(&["column"]);
            let (from, to) = (name(words)?, name(words)?);
            let same = from.eq_ignore_ascii_case(&to);
            Some(if same { None } else { Some(moved(&column(place, &from), &column(place, &to))) })
        }
        "algorithm" | "lock" | "comment" | "engine" | "row_format" => Some(None),
        _ => None,
    }
}

#[allow(clippy::option_option)] // as above
fn added(words: &mut Reader<'_>, place: &str) -> Option<Option<String>> {
    if words.eat(&["constraint"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(None);
        }
        let name = constraint_name(words)?;
        return Some(Some(if words.eat(&["primary"]) { primary_key(place) } else { constraint(place, &name) }));
    }
    if words.eat(&["primary", "key"]) {
        return Some(Some(primary_key(place)));
    }
    let unique = words.eat(&["unique"]) || words.eat(&["fulltext"]) || words.eat(&["spatial"]);
    if words.eat(&["index"]) || words.eat(&["key"]) || unique {
        if words.eat(&["if", "not", "exists"]) {
            return Some(None);
        }
        // Without a name the server makes one up, and each time another.
        return name(words).map(|name| Some(index(place, &name)));
    }
    if words.eat(&["column"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(None);
        }
    } else if words.keyword().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
        return None;
    }
    name(words).map(|name| Some(column(place, &name)))
}

#[allow(clippy::option_option)] // as above
fn dropped(words: &mut Reader<'_>, place: &str) -> Option<Option<String>> {
    let gone = |what: String| Some(Some(format!("NOT {what}")));
    if words.eat(&["primary", "key"]) {
        return gone(primary_key(place));
    }
    let kind: fn(&str, &str) -> String =
        if words.eat(&["foreign", "key"]) || words.eat(&["constraint"]) || words.eat(&["check"]) {
            constraint
        } else if words.eat(&["index"]) || words.eat(&["key"]) {
            index
        } else if words.eat(&["column"]) || !words.keyword().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
            column
        } else {
            return None;
        };
    if words.eat(&["if", "exists"]) {
        return Some(None);
    }
    gone(kind(place, &name(words)?))
}

/// Words that begin another clause than one about a column.
const KEYWORDS: &[&str] = &["check", "foreign", "partition", "period", "system", "if", "primary", "constraint"];

fn constraint_name(words: &mut Reader<'_>) -> Option<String> {
    match words.peek()? {
        Word::Plain(word) if ["primary", "unique", "foreign", "check"].iter().any(|w| word.eq_ignore_ascii_case(w)) => {
            None
        }
        _ => name(words),
    }
}

fn pair(words: &mut Reader<'_>) -> Option<(String, String)> {
    let from = name(words)?;
    if !words.eat(&["to"]) {
        return None;
    }
    Some((from, name(words)?))
}

fn name(words: &mut Reader<'_>) -> Option<String> {
    words.name(str::to_owned)
}

/// A name that no other follows behind a point: one of another database is not asked for.
fn only(words: &mut Reader<'_>) -> Option<String> {
    let name = name(words)?;
    if words.peek() == Some(&Word::Sign('.')) { None } else { Some(name) }
}

fn moved(from: &str, to: &str) -> String {
    format!("NOT {from} AND {to}")
}

fn exists(view: &str, table: &str, rest: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM information_schema.{view} WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {}{rest})",
        literal(table)
    )
}

fn table(table: &str) -> String {
    exists("TABLES", table, "")
}

fn column(table: &str, column: &str) -> String {
    exists("COLUMNS", table, &format!(" AND COLUMN_NAME = {}", literal(column)))
}

fn index(table: &str, index: &str) -> String {
    exists("STATISTICS", table, &format!(" AND INDEX_NAME = {}", literal(index)))
}

fn constraint(table: &str, constraint: &str) -> String {
    exists("TABLE_CONSTRAINTS", table, &format!(" AND CONSTRAINT_NAME = {}", literal(constraint)))
}

fn primary_key(table: &str) -> String {
    exists("TABLE_CONSTRAINTS", table, " AND CONSTRAINT_TYPE = 'PRIMARY KEY'")
}

#[cfg(test)]
mod tests {
    use super::effect;
    use crate::contract::Effect;

    #[test]
    fn what_can_be_asked() {
        for (sql, parts) in [
            ("-- c\nCREATE TABLE `a` (`id` INT, CHECK (`id` > 0))", &["SELECT EXISTS", "TABLES", "'a'"][..]),
            ("create unique index `i` on `t` (`a`)", &["STATISTICS", "INDEX_NAME = 'i'"]),
            ("CREATE TRIGGER `x` BEFORE INSERT ON t FOR EACH ROW SET @a = 1", &["SELECT EXISTS", "TRIGGER_NAME = 'x'"]),
            ("DROP TRIGGER x", &["SELECT NOT EXISTS", "TRIGGER_NAME = 'x'"]),
            ("CREATE FUNCTION f () RETURNS INT RETURN 1", &["'FUNCTION'", "ROUTINE_NAME = 'f'"]),
            ("DROP TABLE t", &["SELECT NOT EXISTS", "TABLES"]),
            ("DROP INDEX i ON t", &["SELECT NOT EXISTS", "STATISTICS"]),
            ("RENAME TABLE a TO b", &["SELECT NOT EXISTS", "AND EXISTS", "'a'", "'b'"]),
            ("ALTER TABLE t ADD COLUMN c INT, ADD PRIMARY KEY (c)", &["COLUMNS", "AND EXISTS", "PRIMARY KEY"]),
            ("ALTER TABLE t ADD c INT DEFAULT 1", &["COLUMN_NAME = 'c'"]),
            ("ALTER TABLE t WAIT 5 DROP COLUMN `c`", &["NOT EXISTS", "COLUMN_NAME = 'c'"]),
            ("ALTER TABLE t RENAME COLUMN a TO b", &["NOT EXISTS", "'a'", "AND EXISTS", "'b'"]),
            ("ALTER TABLE t CHANGE a b INT", &["NOT EXISTS", "AND EXISTS"]),
            ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id)", &["CONSTRAINT_NAME = 'f'"]),
            ("ALTER TABLE t DROP FOREIGN KEY f", &["NOT EXISTS", "CONSTRAINT_NAME = 'f'"]),
            ("ALTER TABLE t ADD INDEX i (a)", &["INDEX_NAME = 'i'"]),
            ("ALTER TABLE t RENAME INDEX a TO b", &["INDEX_NAME = 'a'", "INDEX_NAME = 'b'"]),
        ] {
            let Effect::Probe { taken, .. } = effect(sql) else { panic!("{sql}: {:?}", effect(sql)) };
            for part in parts {
                assert!(taken.contains(part), "{sql}: `{part}` is not in {taken}");
            }
        }
    }

    #[test]
    fn what_does_no_harm_and_what_nobody_knows() {
        for sql in [
            "ALTER TABLE t MODIFY COLUMN c BIGINT NOT NULL",
            "CREATE TABLE IF NOT EXISTS t (id INT)",
            "DROP TABLE IF EXISTS a, b",
            "SELECT COUNT(*) FROM t",
            "ALTER TABLE t ALTER c SET DEFAULT 1",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS c INT",
            "DO SLEEP(1)",
        ] {
            assert_eq!(effect(sql), Effect::Again, "{sql}");
        }
        assert_eq!(effect("SET foreign_key_checks = 0"), Effect::Session);
        for sql in [
            "RENAME TABLE a TO x, b TO a, x TO b",
            "DROP TABLE a, b",
            "ALTER TABLE t ADD INDEX (a)",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id)",
            "ALTER TABLE t ADD CONSTRAINT FOREIGN KEY (a) REFERENCES p (id)",
            "ALTER TABLE t ADD UNIQUE (a)",
            "ALTER TABLE t ADD (a INT, b INT)",
            "ALTER TABLE t ADD COLUMN a INT, ADD INDEX (a)",
            "/*!80000 INSERT INTO t SELECT * FROM t */",
            "CREATE TABLE a SELECT * FROM b",
            "CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b",
            "INSERT INTO t VALUES (1)",
            "CALL p()",
            "TRUNCATE TABLE t",
            "ALTER TABLE other.t ADD COLUMN a INT",
            "SELECT 1 INTO OUTFILE '/tmp/x'",
            "(SELECT 1)",
            "",
        ] {
            assert_eq!(effect(sql), Effect::Unknown, "{sql}");
        }
    }
}
