//! Whether a statement has taken effect, by its text: `sqlite_schema` is asked.
//!
//! Only statements that run outside a transaction are ever in doubt.

use crate::contract::Effect;
use crate::sql::{Reader, Word, words};
use crate::sqlite::ddl::literal::literal;
use crate::sqlite::dialect::QUOTING;

/// As [`Ddl::effect`](crate::contract::Ddl::effect).
pub(super) fn effect(sql: &str) -> Effect {
    // Whatever it is, an error undoes all of it.
    let effect = words(sql, QUOTING).ok().and_then(|words| statement(&mut Reader::new(&words)));
    effect.unwrap_or(Effect::Unknown { atomic: true })
}

/// `None` for what is not understood.
fn statement(words: &mut Reader<'_>) -> Option<Effect> {
    let first = words.keyword()?;
    match first.as_str() {
        "create" => {
            words.take();
            words.eat(&["unique"]);
            if !KINDS.iter().any(|kind| words.eat(&[kind])) {
                return None;
            }
            if words.eat(&["if", "not", "exists"]) {
                return Some(Effect::Again);
            }
            Some(Effect::probe(format!("SELECT {}", object(&only(words)?))))
        }
        "drop" => {
            words.take();
            if !KINDS.iter().any(|kind| words.eat(&[kind])) {
                return None;
            }
            if words.eat(&["if", "exists"]) {
                return Some(Effect::Again);
            }
            Some(Effect::probe(format!("SELECT NOT {}", object(&only(words)?))))
        }
        "alter" => alter(words),
        "select" | "vacuum" | "analyze" | "reindex" | "explain" | "pragma" | "attach" => Some(Effect::Again),
        _ => None,
    }
}

const KINDS: [&str; 4] = ["table", "index", "view", "trigger"];

fn alter(words: &mut Reader<'_>) -> Option<Effect> {
    if !words.eat(&["alter", "table"]) {
        return None;
    }
    let table = only(words)?;
    if words.eat(&["rename", "to"]) {
        let to = only(words)?;
        return Some(Effect::probe(format!("SELECT NOT {} AND {}", object(&table), object(&to))));
    }
    if words.eat(&["rename"]) {
        words.eat(&["column"]);
        let from = name(words)?;
        if !words.eat(&["to"]) {
            return None;
        }
        let to = name(words)?;
        return Some(Effect::probe(format!("SELECT NOT {} AND {}", column(&table, &from), column(&table, &to))));
    }
    let adds = words.eat(&["add"]);
    if !adds && !words.eat(&["drop"]) {
        return None;
    }
    words.eat(&["column"]);
    let not = if adds { "" } else { "NOT " };
    Some(Effect::probe(format!("SELECT {not}{}", column(&table, &name(words)?))))
}

fn name(words: &mut Reader<'_>) -> Option<String> {
    words.name(str::to_owned)
}

/// A name that no other follows behind a point: another file is not asked.
fn only(words: &mut Reader<'_>) -> Option<String> {
    let name = name(words)?;
    if words.peek() == Some(&Word::Sign('.')) { None } else { Some(name) }
}

fn object(name: &str) -> String {
    format!("EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = {} COLLATE NOCASE)", literal(name))
}

fn column(table: &str, column: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM pragma_table_xinfo({}) WHERE name = {} COLLATE NOCASE)",
        literal(table),
        literal(column)
    )
}

#[cfg(test)]
mod tests {
    use super::effect;
    use crate::contract::Effect;

    #[test]
    fn what_can_be_asked_and_what_cannot() {
        for (sql, part) in [
            ("CREATE TABLE a AS SELECT 1", "SELECT EXISTS"),
            ("CREATE UNIQUE INDEX \"i\" ON a (x)", "'i'"),
            ("DROP TRIGGER x", "SELECT NOT EXISTS"),
            ("ALTER TABLE a RENAME TO b", "'b'"),
            ("ALTER TABLE a RENAME x TO y", "'y'"),
            ("ALTER TABLE a ADD c INT", "pragma_table_xinfo('a')"),
        ] {
            let Effect::Probe { taken, .. } = effect(sql) else { panic!("{sql}") };
            assert!(taken.contains(part), "{sql}: {taken}");
        }
        assert_eq!(effect("VACUUM"), Effect::Again);
        assert_eq!(effect("CREATE TABLE IF NOT EXISTS a (x)"), Effect::Again);
        assert_eq!(effect("PRAGMA journal_mode = WAL"), Effect::Again);
        for sql in [
            "CREATE TEMP TABLE a (x)",
            "INSERT INTO a VALUES (1)",
            "CREATE TABLE main.a (x)",
            "WITH x AS (SELECT 1) SELECT 1",
        ] {
            assert_eq!(effect(sql), Effect::Unknown { atomic: true }, "{sql}");
        }
    }
}
