//! Whether a statement has taken effect, by its text: `information_schema` is asked.
//!
//! One `ALTER TABLE` takes effect as a whole or not at all, so of several clauses all must be there; and each must be
//! about something else, because one that undoes what another does leaves nothing to be asked for.

use std::collections::BTreeSet;

use crate::contract::Effect;
use crate::mysql::dialect::{QUOTING, literal};
use crate::sql::{Reader, Word, calls, words};

/// As [`Ddl::effect`](crate::contract::Ddl::effect).
pub(super) fn effect(sql: &str) -> Effect {
    let Ok(words) = words(sql, QUOTING) else { return Effect::Unknown { atomic: false } };
    statement(&mut Reader::new(&words), &words).unwrap_or_else(|| Effect::Unknown { atomic: is_atomic(&words) })
}

/// Whether a statement that is not understood takes effect as a whole: those that change rows do so only in tables
/// that have transactions, a procedure commits when it likes, and several tables are dropped one by one.
fn is_atomic(words: &[Word<'_>]) -> bool {
    let mut words = Reader::new(words);
    match words.keyword().as_deref() {
        Some("create" | "alter" | "rename" | "truncate") => true,
        Some("drop") => !words.next_clause(),
        _ => false,
    }
}

/// `None` for what is not understood.
fn statement(words: &mut Reader<'_>, all: &[Word<'_>]) -> Option<Effect> {
    let first = words.keyword()?;
    match first.as_str() {
        "create" => create(words),
        "drop" => drop(words),
        "rename" => rename(words),
        "alter" => alter(words),
        // A function does what it likes, and so does what a query plan is measured with.
        "set" | "select" | "do" | "explain" | "describe" | "desc" if calls(all, COMPUTING) => None,
        // A file that is written.
        "select" if words.has(&["outfile", "dumpfile"]) => None,
        "explain" | "describe" | "desc" if words.has(&["analyze"]) => None,
        "analyze" => {
            words.take();
            let _ = words.eat(&["local"]) || words.eat(&["no_write_to_binlog"]);
            if words.eat(&["table"]) { Some(Effect::Again) } else { None }
        }
        "set" | "use" | "lock" | "unlock" | "select" | "do" | "show" | "explain" | "describe" | "desc" | "optimize"
        | "check" => Some(Effect::Again),
        _ => None,
    }
}

/// What may stand before a parenthesis and does nothing but compute, or wait.
const COMPUTING: &str = "\
    select from where on join and or not in exists any all as by having union values using over case \
    when then else between like set do count sum min max avg coalesce ifnull nullif if greatest least \
    abs round floor ceiling mod concat concat_ws lower upper trim replace substring left right length \
    char_length cast convert now current_timestamp curdate date year month day database version sleep \
    json_extract hex unhex";

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
    let (mut all, mut several) = (Vec::new(), false);
    loop {
        all.extend(clause(words, &place)?);
        if !words.next_clause() {
            break;
        }
        several = true;
    }
    // A column that goes and comes again under its name is there before and afterwards, and says nothing; what else the
    // statement does must tell.
    let named = |all: &[Fact], there: bool| -> BTreeSet<String> {
        let columns = all.iter().filter(|fact| fact.thing == Thing::Column && fact.there == there);
        columns.map(|fact| fact.name.to_lowercase()).collect()
    };
    let (comes, goes) = (named(&all, true), named(&all, false));
    let facts = all.len();
    all.retain(|fact| {
        let name = fact.name.to_lowercase();
        fact.thing != Thing::Column || !(comes.contains(&name) && goes.contains(&name))
    });
    if all.is_empty() && facts > 0 {
        return None;
    }
    // Under its old name the table has nothing any more that other clauses could have made.
    let moves = all.iter().any(|fact| fact.thing == Thing::Table);
    let things: BTreeSet<(Thing, String)> = all.iter().map(|fact| (fact.thing, fact.name.to_lowercase())).collect();
    if things.len() < all.len() || (moves && several) {
        return None;
    }
    let conditions: Vec<String> = all.iter().map(|fact| fact.condition(&place)).collect();
    Some(if all.is_empty() { Effect::Again } else { Effect::probe(format!("SELECT {}", conditions.join(" AND "))) })
}

/// What a clause is about. An index and a constraint may be one thing of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Table,
    Column,
    Key,
    PrimaryKey,
}

/// Something of a table that is there, or is not, once a clause has taken effect.
struct Fact {
    thing: Thing,
    name: String,
    /// The question whether it is there, where that is another than by the thing itself.
    asks: fn(&str, &str) -> String,
    there: bool,
}

impl Fact {
    fn new(thing: Thing, asks: fn(&str, &str) -> String, name: &str, there: bool) -> Self {
        Fact { thing, name: name.to_owned(), asks, there }
    }

    fn condition(&self, place: &str) -> String {
        format!("{}{}", if self.there { "" } else { "NOT " }, (self.asks)(place, &self.name))
    }
}

/// What holds once the clause has taken effect; nothing when it does no harm a second time, and `None` for what is not
/// understood.
fn clause(words: &mut Reader<'_>, place: &str) -> Option<Vec<Fact>> {
    let moved = |thing, asks: fn(&str, &str) -> String, from: &str, to: &str| {
        Some(vec![Fact::new(thing, asks, from, false), Fact::new(thing, asks, to, true)])
    };
    let first = words.keyword()?;
    match first.as_str() {
        "add" => {
            words.take();
            added(words)
        }
        "drop" => {
            words.take();
            dropped(words)
        }
        "rename" => {
            words.take();
            if words.eat(&["column"]) {
                return pair(words).and_then(|(from, to)| moved(Thing::Column, column, &from, &to));
            }
            if words.eat(&["index"]) || words.eat(&["key"]) {
                return pair(words).and_then(|(from, to)| moved(Thing::Key, index, &from, &to));
            }
            let _ = words.eat(&["to"]) || words.eat(&["as"]);
            let to = only(words)?;
            moved(Thing::Table, |_, name| table(name), place, &to)
        }
        // They say the whole of what the column shall be.
        "modify" => Some(Vec::new()),
        "alter" if words.has(&["default"]) => Some(Vec::new()),
        "change" => {
            words.take();
            words.eat(&["column"]);
            let (from, to) = (name(words)?, name(words)?);
            if from.eq_ignore_ascii_case(&to) { Some(Vec::new()) } else { moved(Thing::Column, column, &from, &to) }
        }
        "algorithm" | "lock" | "comment" | "engine" | "row_format" => Some(Vec::new()),
        _ => None,
    }
}

fn added(words: &mut Reader<'_>) -> Option<Vec<Fact>> {
    let there = |thing, asks: fn(&str, &str) -> String, name: &str| Some(vec![Fact::new(thing, asks, name, true)]);
    if words.eat(&["constraint"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Vec::new());
        }
        let name = constraint_name(words)?;
        return if words.eat(&["primary"]) {
            there(Thing::PrimaryKey, primary_key, "")
        } else {
            there(Thing::Key, constraint, &name)
        };
    }
    if words.eat(&["primary", "key"]) {
        return there(Thing::PrimaryKey, primary_key, "");
    }
    let unique = words.eat(&["unique"]) || words.eat(&["fulltext"]) || words.eat(&["spatial"]);
    if words.eat(&["index"]) || words.eat(&["key"]) || unique {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Vec::new());
        }
        // Without a name the server makes one up, and each time another.
        return name(words).and_then(|name| there(Thing::Key, index, &name));
    }
    if words.eat(&["column"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Vec::new());
        }
    } else if words.keyword().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
        return None;
    }
    name(words).and_then(|name| there(Thing::Column, column, &name))
}

fn dropped(words: &mut Reader<'_>) -> Option<Vec<Fact>> {
    if words.eat(&["primary", "key"]) {
        return Some(vec![Fact::new(Thing::PrimaryKey, primary_key, "", false)]);
    }
    let (thing, asks): (Thing, fn(&str, &str) -> String) =
        if words.eat(&["foreign", "key"]) || words.eat(&["constraint"]) || words.eat(&["check"]) {
            (Thing::Key, constraint)
        } else if words.eat(&["index"]) || words.eat(&["key"]) {
            (Thing::Key, index)
        } else if words.eat(&["column"]) || !words.keyword().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
            (Thing::Column, column)
        } else {
            return None;
        };
    if words.eat(&["if", "exists"]) {
        return Some(Vec::new());
    }
    Some(vec![Fact::new(thing, asks, &name(words)?, false)])
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

fn primary_key(table: &str, _: &str) -> String {
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
            "ANALYZE TABLE t",
            "EXPLAIN UPDATE t SET a = 1",
            "SET foreign_key_checks = 0",
            "SET @n = (SELECT COUNT(*) FROM t)",
            "SELECT a INTO @a FROM t WHERE id IN (1, 2)",
        ] {
            assert_eq!(effect(sql), Effect::Again, "{sql}");
        }
        // A lock timeout of one that is atomic says that nothing was done.
        for (sql, atomic) in [
            ("RENAME TABLE a TO x, b TO a, x TO b", true),
            ("DROP TABLE a, b", false),
            ("ALTER TABLE t ADD INDEX (a)", true),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id)", true),
            ("ALTER TABLE t ADD CONSTRAINT FOREIGN KEY (a) REFERENCES p (id)", true),
            ("ALTER TABLE t ADD UNIQUE (a)", true),
            ("ALTER TABLE t ADD (a INT, b INT)", true),
            ("ALTER TABLE t ADD COLUMN a INT, ADD INDEX (a)", true),
            // What one clause does another undoes.
            ("ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", true),
            ("ALTER TABLE t DROP COLUMN a, RENAME COLUMN b TO a, ADD COLUMN B INT", true),
            ("ALTER TABLE t DROP COLUMN a, ADD COLUMN A INT", true),
            ("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b)", true),
            ("ALTER TABLE t DROP INDEX i, ADD UNIQUE i (b)", true),
            ("ALTER TABLE t DROP CONSTRAINT i, ADD UNIQUE i (b)", true),
            ("ALTER TABLE t ADD COLUMN a INT, RENAME TO u", true),
            ("/*!80000 INSERT INTO t SELECT * FROM t */", false),
            ("CREATE TABLE a SELECT * FROM b", true),
            ("CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b", true),
            ("INSERT INTO t VALUES (1)", false),
            ("CALL p()", false),
            ("DO f()", false),
            ("SELECT f(1)", false),
            ("SELECT `count`(1)", false),
            ("SET @a = f(1)", false),
            ("ANALYZE UPDATE t SET a = 1", false),
            ("ANALYZE FORMAT=JSON DELETE FROM t", false),
            ("EXPLAIN ANALYZE UPDATE t SET a = 1", false),
            ("TRUNCATE TABLE t", true),
            ("ALTER TABLE other.t ADD COLUMN a INT", true),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", false),
            ("(SELECT 1)", false),
            ("", false),
        ] {
            assert_eq!(effect(sql), Effect::Unknown { atomic }, "{sql}");
        }
    }
}
