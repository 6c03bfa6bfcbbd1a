//! Whether a statement does no more than a handful of steps: read off the program that SQLite made of it.

use rusqlite::Connection;

/// What goes from row to row, runs a trigger or a foreign key's action, or does much in one step.
const MUCH: &[&str] = &[
    "Prev",
    "SorterNext",
    "VNext",
    "VUpdate",
    "VFilter",
    "RowSetRead",
    "RowSetTest",
    "Program",
    "Yield",
    "InitCoroutine",
    "Clear",
    "Count",
    "Destroy",
    "OpenAutoindex",
];

/// What may jump back, where its second operand is the goal.
const JUMPS: &[&str] = &[
    "Goto",
    "Gosub",
    "If",
    "IfNot",
    "IfPos",
    "IfNotZero",
    "DecrJumpZero",
    "IsNull",
    "NotNull",
    "Found",
    "NotFound",
    "NoConflict",
    "NotExists",
    "Rewind",
    "Last",
    "Eq",
    "Ne",
    "Lt",
    "Le",
    "Gt",
    "Ge",
];

/// Whether the program of this statement has no loop and calls no other: an insert of one row or a
/// change by key, on a table without triggers and without keys that point at it.
pub(super) fn are_few(db: &Connection, sql: &str) -> rusqlite::Result<bool> {
    let mut statement = db.prepare(&format!("EXPLAIN {sql}"))?;
    let mut names: Vec<String> = Vec::new();
    let mut program = statement.raw_query();
    while let Some(step) = program.next()? {
        let (name, goal): (String, usize) = (step.get(1)?, step.get::<_, i64>(3)?.try_into().unwrap_or(0));
        let few = match name.as_str() {
            "Next" => names.get(goal..).is_some_and(only_returns),
            // Every program ends with a jump to its second step.
            "Goto" if goal == 1 => true,
            other => !(MUCH.contains(&other) || (JUMPS.contains(&other) && goal <= names.len())),
        };
        if !few {
            return Ok(false);
        }
        names.push(name);
    }
    Ok(true)
}

/// Whether a loop does nothing but give the rows that RETURNING has kept.
fn only_returns(names: &[String]) -> bool {
    names.iter().all(|name| matches!(name.as_str(), "Column" | "RealAffinity" | "ResultRow"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::are_few;

    #[test]
    fn inserts_of_one_row_and_changes_by_key() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, CHECK (b <> '')) STRICT;
             CREATE INDEX tb ON t (b);
             CREATE TABLE k (id BLOB PRIMARY KEY, x, y, UNIQUE (x, y));
             CREATE TABLE w (id TEXT PRIMARY KEY, x) WITHOUT ROWID;
             CREATE TABLE parent (id INTEGER PRIMARY KEY, a);
             CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent ON DELETE CASCADE);
             CREATE TABLE loud (id INTEGER PRIMARY KEY, a);
             CREATE TRIGGER says AFTER INSERT ON loud BEGIN UPDATE t SET b = 'x'; END;",
        )
        .unwrap();
        for (sql, want) in [
            ("INSERT INTO t (a, b) VALUES (?1, ?2)", true),
            ("INSERT INTO t (a, b) VALUES (?1, ?2) RETURNING id, a", true),
            ("INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING id", true),
            ("INSERT INTO t (a) VALUES (?1) ON CONFLICT DO NOTHING", true),
            ("INSERT INTO k VALUES (?1, ?2, ?3)", true),
            ("INSERT INTO w VALUES (?1, ?2)", true),
            ("INSERT INTO child VALUES (?1, ?2)", true),
            ("UPDATE t SET a = ?1 WHERE id = ?2", true),
            ("UPDATE t SET a = ?1 WHERE id = ?2 RETURNING id, a, b", true),
            ("UPDATE k SET x = ?1 WHERE id = ?2", true),
            ("UPDATE k SET id = ?1 WHERE x = ?2 AND y = ?3", true),
            ("UPDATE w SET x = ?1 WHERE id = ?2", true),
            ("UPDATE parent SET a = ?1 WHERE id = ?2", true),
            ("DELETE FROM t WHERE id = ?1", true),
            ("DELETE FROM k WHERE id = ?1", true),
            ("DELETE FROM w WHERE id = ?1", true),
            ("DELETE FROM child WHERE id = ?1", true),
            ("INSERT INTO t (a) VALUES (?1), (?2)", false),
            ("INSERT INTO t (a) SELECT x FROM k", false),
            ("INSERT INTO t (a) SELECT max(x) FROM k", false),
            ("INSERT INTO k SELECT * FROM k", false),
            (
                "INSERT INTO k (x) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
                false,
            ),
            ("INSERT INTO k (x) VALUES ((SELECT count(*) FROM t))", false),
            ("INSERT INTO k (x) VALUES ((SELECT max(b || a) FROM t))", false),
            ("UPDATE t SET a = ?1 WHERE b = ?2", false),
            ("UPDATE t SET a = ?1 WHERE id > ?2", false),
            ("UPDATE t SET a = ?1 WHERE id IN (?2, ?3)", false),
            ("UPDATE k SET id = ?1 WHERE x = ?2", false),
            ("UPDATE t SET a = 1", false),
            ("DELETE FROM t", false),
            ("DELETE FROM t WHERE b = ?1", false),
            ("DELETE FROM parent WHERE id = ?1", false),
            ("UPDATE parent SET id = ?1 WHERE id = ?2", false),
            ("INSERT INTO loud VALUES (?1, ?2)", false),
            ("REPLACE INTO parent VALUES (?1, ?2)", false),
        ] {
            assert_eq!(are_few(&db, sql).unwrap(), want, "{sql}");
        }
    }
}
