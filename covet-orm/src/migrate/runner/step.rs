//! Runs one statement of a migration.

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, Ddl, Flow, Leaves, Leftover, Reuse, Row, Step};
use covet_drivers::render::Dialect;
use covet_drivers::sql::{Quoting, Reader, Word, words};
use covet_drivers::value::ValueRef;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::runner::told;

/// Runs a statement; a guard that finds rows is an error.
///
/// # Errors
/// The database's, with the statement's number and beginning.
pub(super) async fn run(connection: &mut dyn Connection, step: &Step, number: usize, total: usize) -> Result<()> {
    let result = if step.guard { guard(connection, step).await } else { connection.script(&step.sql).await };
    result.map_err(|error| match error.kind() {
        // A guard's finding speaks for itself.
        ErrorKind::Migration => error,
        _ => in_statement(step, number, total, error),
    })
}

async fn guard(connection: &mut dyn Connection, step: &Step) -> Result<()> {
    let found = count(connection, &step.sql).await?;
    if found == 0 {
        return Ok(());
    }
    let rows = if found == 1 { "1 row".to_owned() } else { format!("{found} rows") };
    Err(Error::new(ErrorKind::Migration, format!("{} ({rows})", step.note))
        .with_help("change what it found, or edit the migration, or make it again with another decision"))
}

/// The number that a statement gives.
///
/// # Errors
/// The database's, and `Decode` for anything else.
pub(super) async fn count(connection: &mut dyn Connection, sql: &str) -> Result<u64> {
    let mut found = 0_u64;
    let mut take = |row: &mut Row<'_>| {
        found = match row.value(0, &ColumnType::I64)? {
            ValueRef::Int(count) => u64::try_from(count).unwrap_or_default(),
            ValueRef::UInt(count) => count,
            ValueRef::Bool(found) => found.into(),
            _ => return Err(Error::new(ErrorKind::Decode, "a guard must count rows")),
        };
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}

/// Takes away what a failed attempt of a statement has left behind.
///
/// # Errors
/// The database's.
pub(super) async fn clear(connection: &mut dyn Connection, leftover: Option<&Leftover>) -> Result<()> {
    if let Some(leftover) = leftover
        && count(connection, &leftover.is_there).await? > 0
    {
        connection.script(&leftover.remove).await?;
    }
    Ok(())
}

/// Runs the guards of a migration that is no single transaction before its first statement: all that can be answered
/// now. One that asks for what the migration itself makes, fills or renames waits for its turn, at which every guard
/// is run again.
///
/// # Errors
/// As [`run`].
pub(super) async fn guards_first(connection: &mut dyn Connection, steps: &[Step], dialect: &dyn Dialect) -> Result<()> {
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| step.guard) {
        let earlier = steps.iter().take(index).filter(|step| !step.guard);
        if waits(step, earlier, dialect.quoting()) {
            continue;
        }
        match run(connection, step, index + 1, steps.len()).await {
            Err(error) if matches!(error.kind(), ErrorKind::UndefinedTable | ErrorKind::UndefinedColumn) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Whether an earlier statement may change what the guard finds.
fn waits<'s>(guard: &Step, mut earlier: impl Iterator<Item = &'s Step>, quoting: Quoting) -> bool {
    // What cannot be read is run when its turn comes.
    let Some(asked) = Names::of(guard, quoting) else { return true };
    earlier.any(|step| {
        let Some(touched) = Names::of(step, quoting).filter(|_| step.rust.is_none()) else { return true };
        // What names a table only to point at it or to read it leaves its rows alone.
        let is_asked = |own| asked.all.contains(own) || asked.tables.contains(own);
        let is_other = touched.own.as_ref().is_some_and(|own| !touched.renames && !is_asked(own));
        let shares_table = !is_other && asked.tables.iter().any(|table| touched.all.contains(table));
        let shares_more = asked.all.iter().any(|name| !asked.tables.contains(name) && touched.all.contains(name));
        let keeps_rows = matches!(touched.first.as_str(), "alter" | "update") && !touched.renames;
        let keeps_answer = touched.is_index || (touched.constrains && !asked.by_function);
        shares_table && !keeps_answer && (!keeps_rows || shares_more || asked.by_function)
    })
}

/// The names in a statement.
struct Names {
    first: String,
    /// The table that is altered, where its name stands alone.
    own: Option<String>,
    /// Those behind FROM and JOIN, and those of which a guard asks a catalog.
    tables: Vec<String>,
    /// All words that may be names.
    all: Vec<String>,
    /// A table gets another name.
    renames: bool,
    /// A function is asked, `FROM columns_of('t')`, and tells what the table is like.
    by_function: bool,
    /// It makes or drops an index, which no answer depends on.
    is_index: bool,
    /// It makes or drops a constraint and nothing else, which leaves rows alone.
    constrains: bool,
}

/// Words of guards and of changes that are no names; any other word may be one.
const NO_NAMES: &[&str] = &[
    "alter",
    "table",
    "add",
    "drop",
    "column",
    "modify",
    "select",
    "count",
    "from",
    "where",
    "is",
    "not",
    "null",
    "and",
    "or",
    "exists",
    "as",
    "in",
    "default",
    "constraint",
    "key",
    "foreign",
    "references",
    "check",
    "type",
    "using",
    "set",
    "character",
    "collate",
];

impl Names {
    fn of(step: &Step, quoting: Quoting) -> Option<Self> {
        let words = words(&step.sql, quoting).ok()?;
        let mut start = Reader::new(&words);
        let is_index = start.eat(&["create", "index"])
            || start.eat(&["create", "unique", "index"])
            || start.eat(&["drop", "index"]);
        let mut names = Names {
            first: String::new(),
            own: own(&words),
            tables: Vec::new(),
            all: Vec::new(),
            renames: false,
            by_function: false,
            is_index,
            constrains: constrains(&words),
        };
        let mut before = String::new();
        let mut is_table = false;
        for word in &words {
            let name = match word {
                Word::Plain(word) => word.to_ascii_lowercase(),
                Word::Name(name) => name.to_ascii_lowercase(),
                // One word alone, such as a collation, does nothing by itself.
                Word::Code(_) if word.code().is_some_and(is_one_word) => continue,
                Word::Code(_) => return None,
                // Where a catalog is asked, the table's name is a text.
                Word::Text(text) if step.guard => {
                    names.tables.push(text.trim_matches('\'').to_ascii_lowercase());
                    continue;
                }
                Word::Sign('(') => {
                    names.by_function |= std::mem::take(&mut is_table);
                    continue;
                }
                Word::Text(_) | Word::Sign(_) => {
                    is_table = false;
                    continue;
                }
            };
            is_table = false;
            let plain = matches!(word, Word::Plain(_));
            if names.first.is_empty() {
                names.first.clone_from(&name);
            }
            // What is renamed within a table keeps its rows, and shares a name with a guard that asks for it.
            let within = plain && matches!(name.as_str(), "column" | "constraint" | "index");
            names.renames |= before == "rename" && !within;
            if matches!(before.as_str(), "from" | "join") && !(plain && name == "select") {
                names.tables.push(name.clone());
                is_table = true;
            }
            if !(plain && (NO_NAMES.contains(&name.as_str()) || name.starts_with(|c: char| c.is_ascii_digit()))) {
                names.all.push(name.clone());
            }
            before = if plain { name } else { String::new() };
        }
        Some(names)
    }
}

/// The table of `ALTER TABLE t`, the only one whose rows change; as Covet writes it, with the name in quotes and without
/// a schema. An UPDATE may change other tables too: it can name several, and foreign keys and triggers hand it on.
fn own(words: &[Word<'_>]) -> Option<String> {
    let mut start = Reader::new(words);
    if !start.eat(&["alter", "table"]) {
        return None;
    }
    match start.take()? {
        Word::Name(name) if !start.sign('.') => Some(name.to_ascii_lowercase()),
        _ => None,
    }
}

/// Whether it is one `ALTER TABLE t ADD CONSTRAINT` or `DROP CONSTRAINT`, as Covet writes them.
fn constrains(words: &[Word<'_>]) -> bool {
    let mut start = Reader::new(words);
    if !start.eat(&["alter", "table"]) || !matches!(start.take(), Some(Word::Name(_))) {
        return false;
    }
    let is_one = start.eat(&["add", "constraint"])
        || start.eat(&["drop", "constraint"])
        || start.eat(&["drop", "foreign", "key"]);
    let mut depth = 0_u32;
    let more = words.iter().any(|word| match word {
        Word::Sign('(') => {
            depth += 1;
            false
        }
        Word::Sign(')') => {
            depth = depth.saturating_sub(1);
            false
        }
        Word::Sign(sign) => *sign == ',' && depth == 0,
        _ => false,
    });
    is_one && !more
}

/// Whether there is one word in a comment that some servers run, behind the version that it is for.
fn is_one_word(code: &str) -> bool {
    let mut words = code.split_whitespace().filter(|word| !word.chars().all(|c| c.is_ascii_digit()));
    let word = words.next().unwrap_or_default();
    words.next().is_none() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether the statement changes rows, as its first word tells; and so can share a transaction with its note.
pub(super) fn changes_rows(step: &Step, dialect: &dyn Dialect) -> bool {
    let Ok(words) = words(&step.sql, dialect.quoting()) else { return false };
    let Some(Word::Plain(first)) = words.first() else { return false };
    ["update", "insert", "delete", "replace", "merge", "with"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// What is to be run again on a new session before a statement that is not the first: settings of the session, with
/// their places.
pub(super) fn settings<'s>(steps: &'s [Step], before: usize, ddl: &'static dyn Ddl) -> Vec<(usize, &'s Step)> {
    let earlier = steps.iter().enumerate().take(before);
    earlier.filter(|(_, step)| !step.guard && ddl.leaves(&step.sql) == Leaves::Setting).collect()
}

/// What a session had by an earlier statement and no new one can have, where there is something left to run.
pub(super) fn lost<'s>(steps: &'s [Step], before: usize, ddl: &'static dyn Ddl) -> Option<(usize, &'s Step)> {
    if before >= steps.len() {
        return None;
    }
    let mut earlier = steps.iter().enumerate().take(before);
    earlier.find(|(_, step)| !step.guard && ddl.leaves(&step.sql) == Leaves::State)
}

/// A statement, short enough for a message.
pub(super) fn short(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect()
}

fn in_statement(step: &Step, number: usize, total: usize, error: Error) -> Error {
    let message = format!("statement {number} of {total} failed: {}: {}", error.message(), short(&step.sql));
    told(error, message)
}

#[cfg(test)]
mod tests {
    use covet_drivers::contract::Step;
    use covet_drivers::sql::Quoting;

    use super::waits;

    const QUOTING: Quoting = Quoting { backslash: true, backtick: true, hash_comment: true, ..Quoting::ANSI };

    #[test]
    fn a_guard_waits_for_what_may_change_its_answer() {
        let guard = Step::guard("SELECT COUNT(*) FROM `t` WHERE `a` IS NULL", "NULL");
        for (sql, wanted) in [
            ("UPDATE `t` SET `b` = 1", false),
            ("UPDATE `t` SET `a` = 1 WHERE `a` IS NULL", true),
            ("UPDATE `u` SET `a` = 1", false),
            ("ALTER TABLE `t` ADD COLUMN `b` INT NOT NULL DEFAULT 1", false),
            ("ALTER TABLE `t` MODIFY COLUMN `a` BIGINT NULL", true),
            ("ALTER TABLE `t` RENAME COLUMN `x` TO `a`", true),
            ("ALTER TABLE `t` RENAME COLUMN `x` TO `y`", false),
            ("ALTER TABLE `t` RENAME INDEX `x` TO `y`", false),
            ("ALTER TABLE `t` ADD CONSTRAINT `c` CHECK (`a` IS NOT NULL OR coalesce(`b`, 1) > 0)", false),
            ("ALTER TABLE `t` ADD CONSTRAINT `c` CHECK (`a` > 0), MODIFY COLUMN `a` BIGINT", true),
            ("ALTER TABLE `t` DROP FOREIGN KEY `a`", false),
            ("ALTER TABLE `t` DROP CONSTRAINT `a`", false),
            ("ALTER TABLE `s` RENAME TO `t`", true),
            ("RENAME TABLE `s` TO `t`", true),
            ("DROP TABLE `t`", true),
            ("DROP TABLE `u`", false),
            ("CREATE UNIQUE INDEX `i` ON `t` (`a`)", false),
            ("DROP INDEX `i` ON `t`", false),
            ("CREATE TABLE `u` (`b` INT) COLLATE /*M! utf8mb4_bin */ /*!80000 utf8mb4_0900_bin */", false),
            ("CREATE TABLE `u` (`b` INT) /*!80000 SELECT * FROM t */", true),
            ("CREATE TABLE `t` (`a` INT)", true),
            ("UPDATE `u` JOIN `t` ON `t`.`id` = `u`.`id` SET `t`.`a` = 1", true),
            ("UPDATE `u`, `t` SET `t`.`a` = 1", true),
            ("UPDATE `u` SET `a` = 2 WHERE EXISTS (SELECT 1 FROM `t` WHERE `t`.`a` = `u`.`a`)", true),
            ("INSERT INTO u SELECT * FROM t", true),
            ("/*!80000 UPDATE t SET a = 1 */", true),
        ] {
            assert_eq!(waits(&guard, [Step::new(sql)].iter(), QUOTING), wanted, "{sql}");
        }
        let points = "ALTER TABLE `u` ADD CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `t` (`a`)";
        assert!(!waits(&guard, [Step::new(points)].iter(), QUOTING));
        let twice = Step::guard("SELECT COUNT(*) FROM (SELECT 1 FROM `t` GROUP BY `a`) AS twice", "twice");
        assert!(!waits(&twice, [Step::new("CREATE TABLE `u` (`select` INT)")].iter(), QUOTING));
        let shape = Step::guard("SELECT count(*) FROM columns_of('t') WHERE name <> 'a'", "columns");
        assert!(waits(&shape, [Step::new("ALTER TABLE `t` RENAME COLUMN `x` TO `y`")].iter(), QUOTING));
        assert!(waits(&shape, [Step::new("ALTER TABLE `t` DROP CONSTRAINT `c`")].iter(), QUOTING));
        assert!(!waits(&shape, [Step::new("ALTER TABLE `u` RENAME COLUMN `x` TO `y`")].iter(), QUOTING));
    }
}
