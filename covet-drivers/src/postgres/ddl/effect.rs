//! Whether a statement has taken effect, by its text: the catalogue is asked.
//!
//! Only statements that run outside a transaction are ever in doubt. An index that is built concurrently and does not
//! come to its end is left behind invalid: it is no index, and goes before another attempt.

use crate::contract::{Effect, Leftover};
use crate::postgres::dialect::QUOTING;
use crate::postgres::types::{literal, quoted};
use crate::sql::{Reader, Word, calls, words};

/// As [`Ddl::effect`](crate::contract::Ddl::effect).
pub(super) fn effect(sql: &str) -> Effect {
    let Ok(words) = words(sql, QUOTING) else { return Effect::Unknown { atomic: false } };
    statement(&mut Reader::new(&words), &words).unwrap_or_else(|| Effect::Unknown { atomic: is_atomic(&words) })
}

/// Whether a statement that is not understood takes effect as a whole: a procedure commits when it likes, and what is
/// done concurrently is done in steps.
fn is_atomic(words: &[Word<'_>]) -> bool {
    let words = Reader::new(words);
    words.keyword().is_some_and(|word| !["call", "do"].contains(&word.as_str())) && !words.has(&["concurrently"])
}

/// `None` for what is not understood.
fn statement(words: &mut Reader<'_>, all: &[Word<'_>]) -> Option<Effect> {
    let first = words.keyword()?;
    match first.as_str() {
        "create" => create(words),
        "drop" => drop(words),
        "alter" => alter(words),
        "set" | "reset" | "show" | "analyze" | "vacuum" | "reindex" | "cluster" | "comment" | "refresh" => {
            Some(Effect::Again)
        }
        // A function does what it likes.
        "select" if words.has(&["into"]) || calls(all, COMPUTING) => None,
        "select" => Some(Effect::Again),
        // Measured, the statement runs.
        "explain" if !words.has(&["analyze"]) => Some(Effect::Again),
        _ => None,
    }
}

/// What may stand before a parenthesis and does nothing but compute, wait, or set what the session has.
const COMPUTING: &str = "\
    select from where on join and or not in exists any all as by having union values using over filter \
    lateral distinct case when then else between like count sum min max avg coalesce nullif greatest \
    least abs round floor ceil concat lower upper trim replace substring length cast numeric now \
    current_schema to_regclass to_regtype version pg_sleep set_config";

fn create(words: &mut Reader<'_>) -> Option<Effect> {
    words.take();
    if words.eat(&["or", "replace"]) {
        return Some(Effect::Again);
    }
    if words.eat(&["table"]) || words.eat(&["view"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Effect::Again);
        }
        return Some(Effect::probe(is_there(&Place::read(words)?)));
    }
    if words.eat(&["schema"]) {
        if words.eat(&["if", "not", "exists"]) {
            return Some(Effect::Again);
        }
        if words.keyword().as_deref() == Some("authorization") {
            return None;
        }
        return Some(Effect::probe(schema_count(&name(words)?)));
    }
    words.eat(&["unique"]);
    if !words.eat(&["index"]) {
        return None;
    }
    let concurrently = words.eat(&["concurrently"]);
    let careful = words.eat(&["if", "not", "exists"]);
    let name = Place::read(words)?;
    if !words.eat(&["on"]) {
        return None;
    }
    words.eat(&["only"]);
    if careful && !concurrently {
        return Some(Effect::Again);
    }
    // An index is where its table is; one of the same name elsewhere in the search path is another.
    let table = Place::read(words)?;
    let of = format!(
        "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = {} AND c.relname = {}",
        table.regclass(),
        literal(&name.name)
    );
    // What is taken away by a name without a schema is what is first in the search path.
    let first = if table.schema.is_some() { "" } else { " AND c.relnamespace = current_schema()::regnamespace" };
    let index = Place { schema: table.schema, name: name.name };
    Some(Effect::Probe {
        taken: format!("SELECT count(*) {of} AND i.indisvalid"),
        leftover: concurrently.then(|| Leftover {
            is_there: format!("SELECT count(*) {of} AND NOT i.indisvalid{first}"),
            remove: format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index.text()),
        }),
        patient: concurrently,
    })
}

fn drop(words: &mut Reader<'_>) -> Option<Effect> {
    words.take();
    if words.eat(&["schema"]) {
        if words.eat(&["if", "exists"]) {
            return Some(Effect::Again);
        }
        let count = schema_count(&name(words)?);
        if words.sign(',') {
            return None;
        }
        return Some(Effect::probe(format!("SELECT count(*) FROM (SELECT 1) AS one WHERE ({count}) = 0")));
    }
    let index = words.eat(&["index"]);
    if !index && !words.eat(&["table"]) && !words.eat(&["view"]) {
        return None;
    }
    let concurrently = index && words.eat(&["concurrently"]);
    if words.eat(&["if", "exists"]) && !concurrently {
        return Some(Effect::Again);
    }
    let place = Place::read(words)?;
    if words.sign(',') {
        return None;
    }
    Some(Effect::Probe { taken: is_gone(&place), leftover: None, patient: concurrently })
}

fn alter(words: &mut Reader<'_>) -> Option<Effect> {
    words.take();
    if words.eat(&["type"]) {
        let ty = Place::read(words)?;
        if !words.eat(&["add", "value"]) {
            return None;
        }
        if words.eat(&["if", "not", "exists"]) {
            return Some(Effect::Again);
        }
        let Some(Word::Text(label)) = words.take() else { return None };
        return Some(Effect::probe(format!(
            "SELECT count(*) FROM pg_catalog.pg_enum WHERE enumtypid = to_regtype({}) AND enumlabel = {label}",
            literal(&ty.text())
        )));
    }
    if !words.eat(&["table"]) || words.eat(&["if"]) {
        return None;
    }
    words.eat(&["only"]);
    let table = Place::read(words)?;
    let effect = clause(words, &table)?;
    // What several clauses did together is told by none of them alone.
    if words.next_clause() { None } else { Some(effect) }
}

fn clause(words: &mut Reader<'_>, table: &Place) -> Option<Effect> {
    if words.eat(&["validate", "constraint"]) {
        return Some(Effect::Again);
    }
    if words.eat(&["alter"]) {
        words.eat(&["column"]);
        name(words)?;
        // They say what the column shall be; an expression would be applied to what it has made.
        let says = words.eat(&["set", "default"])
            || words.eat(&["drop", "default"])
            || words.eat(&["set", "not", "null"])
            || words.eat(&["drop", "not", "null"])
            || words.eat(&["set", "data", "type"])
            || words.eat(&["type"]);
        return if says && !words.has(&["using"]) { Some(Effect::Again) } else { None };
    }
    if words.eat(&["rename", "column"]) {
        let from = name(words)?;
        if !words.eat(&["to"]) {
            return None;
        }
        let to = name(words)?;
        let count = |column: &str| column_count(table, column);
        return Some(Effect::probe(format!(
            "SELECT count(*) FROM (SELECT 1) AS one WHERE ({}) = 0 AND ({}) = 1",
            count(&from),
            count(&to)
        )));
    }
    let adds = words.eat(&["add"]);
    if !adds && !words.eat(&["drop"]) {
        return None;
    }
    let constraint = words.eat(&["constraint"]);
    let said = words.eat(&["column"]);
    if words.eat(&["if"]) {
        return Some(Effect::Again);
    }
    if !constraint && !said && words.keyword().is_some_and(|word| UNNAMED.contains(&word.as_str())) {
        return None;
    }
    let name = name(words)?;
    let count = if constraint {
        format!(
            "SELECT count(*) FROM pg_catalog.pg_constraint WHERE conrelid = {} AND conname = {}",
            table.regclass(),
            literal(&name)
        )
    } else {
        column_count(table, &name)
    };
    Some(Effect::probe(if adds {
        count
    } else {
        format!("SELECT count(*) FROM (SELECT 1) AS one WHERE ({count}) = 0")
    }))
}

/// Words that begin a constraint without a name.
const UNNAMED: &[&str] = &["check", "foreign", "primary", "unique", "exclude"];

fn column_count(table: &Place, column: &str) -> String {
    format!(
        "SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = {} AND attname = {} AND NOT attisdropped",
        table.regclass(),
        literal(column)
    )
}

fn schema_count(schema: &str) -> String {
    format!("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = {}", literal(schema))
}

fn is_there(place: &Place) -> String {
    format!("SELECT count(*) FROM (SELECT 1) AS one WHERE {} IS NOT NULL", place.made())
}

fn is_gone(place: &Place) -> String {
    format!("SELECT count(*) FROM (SELECT 1) AS one WHERE {} IS NULL", place.made())
}

/// A name, with that of its schema where it was said.
struct Place {
    schema: Option<String>,
    name: String,
}

impl Place {
    fn read(words: &mut Reader<'_>) -> Option<Self> {
        let first = name(words)?;
        if !words.sign('.') {
            return Some(Place { schema: None, name: first });
        }
        Some(Place { schema: Some(first), name: name(words)? })
    }

    fn text(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
            None => quoted(&self.name),
        }
    }

    /// What the name means, wherever in the search path that is.
    fn regclass(&self) -> String {
        format!("to_regclass({})", literal(&self.text()))
    }

    /// What is made under the name: without a schema, in the first of the search path. Behind that there may be
    /// something else of this name, before and after.
    fn made(&self) -> String {
        match &self.schema {
            Some(_) => self.regclass(),
            None => format!(
                "to_regclass(quote_ident(current_schema()) || {})",
                literal(&format!(".{}", quoted(&self.name)))
            ),
        }
    }
}

fn name(words: &mut Reader<'_>) -> Option<String> {
    // The server folds no more than ASCII.
    words.name(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::effect;
    use crate::contract::Effect;

    #[test]
    fn what_can_be_asked() {
        for (sql, part) in [
            ("CREATE TABLE Users (id INT)", "to_regclass(quote_ident(current_schema()) || '.\"users\"') IS NOT NULL"),
            ("CREATE TABLE ÄRGER (id INT)", "'.\"Ärger\"'"),
            ("CREATE TABLE s.t (id INT)", "to_regclass('\"s\".\"t\"') IS NOT NULL"),
            ("DROP TABLE \"Users\"", "current_schema()) || '.\"Users\"') IS NULL"),
            ("ALTER TYPE mood ADD VALUE 'it''s' BEFORE 'a'", "enumlabel = 'it''s'"),
            ("ALTER TABLE t ADD COLUMN a INT", "attname = 'a'"),
            ("ALTER TABLE s.t DROP a", "to_regclass('\"s\".\"t\"')"),
            ("ALTER TABLE t RENAME COLUMN a TO b", "attname = 'b'"),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "conname = 'c'"),
            ("CREATE SCHEMA billing", "WHERE nspname = 'billing'"),
            ("DROP SCHEMA \"Billing\"", "nspname = 'Billing') = 0"),
        ] {
            let Effect::Probe { taken, leftover: None, patient: false } = effect(sql) else { panic!("{sql}") };
            assert!(taken.contains(part), "{sql}: {taken}");
        }
        let sql = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a)";
        let Effect::Probe { taken, leftover: Some(leftover), patient: true } = effect(sql) else { panic!("{sql}") };
        assert!(taken.contains("'\"s\".\"t\"'") && taken.ends_with("AND i.indisvalid"), "{taken}");
        assert_eq!(leftover.remove, "DROP INDEX CONCURRENTLY IF EXISTS \"s\".\"i\"");
        let Effect::Probe { patient: true, .. } = effect("DROP INDEX CONCURRENTLY IF EXISTS i") else { panic!() };
    }

    #[test]
    fn what_does_no_harm_and_what_nobody_knows() {
        for sql in [
            "CREATE SCHEMA IF NOT EXISTS s",
            "DROP SCHEMA IF EXISTS s",
            "VACUUM t",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'",
        ] {
            assert_eq!(effect(sql), Effect::Again, "{sql}");
        }
        for sql in [
            "SET lock_timeout = 1",
            "ALTER TABLE t ALTER COLUMN a TYPE bigint",
            "ALTER TABLE t ALTER a SET NOT NULL",
            "SELECT count(*), pg_sleep(1) FROM t",
            "EXPLAIN DELETE FROM t",
        ] {
            assert_eq!(effect(sql), Effect::Again, "{sql}");
        }
        for (sql, atomic) in [
            ("INSERT INTO t VALUES (1)", true),
            ("ALTER TABLE t ADD CHECK (a > 0)", true),
            ("ALTER TABLE t ADD COLUMN a INT, ADD COLUMN b INT", true),
            ("ALTER TABLE t ALTER COLUMN a TYPE text USING a || 'x'", true),
            ("ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY", true),
            ("DROP TABLE a, b", true),
            ("CREATE INDEX ON t (a)", true),
            ("CREATE INDEX CONCURRENTLY ON t (a)", false),
            ("SELECT f()", true),
            ("SELECT s.lower(a) FROM t", true),
            ("SELECT a INTO u FROM t", true),
            ("EXPLAIN ANALYZE DELETE FROM t", true),
            ("EXPLAIN (ANALYZE) DELETE FROM t", true),
            ("DO $$ BEGIN PERFORM f(); END $$", false),
            ("CALL p()", false),
        ] {
            assert_eq!(effect(sql), Effect::Unknown { atomic }, "{sql}");
        }
    }
}
