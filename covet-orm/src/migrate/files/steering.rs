//! What a script may not say: the runner begins and ends transactions, and writes its notes by them.

use covet_drivers::render::Dialect;
use covet_drivers::sql::{Quoting, Reader, Word, words};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::Script;

/// First words of what begins, ends or cuts transactions.
const STEERING: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "xa"];

impl Script {
    /// Refuses a script that begins or ends transactions itself: what it had changed by then would stay without a note,
    /// and be changed again by the next run.
    ///
    /// # Errors
    /// `Migration`, with the statement.
    pub(in crate::migrate) fn check_steering(&self, dialect: &dyn Dialect) -> Result<()> {
        match self.steps.iter().position(|step| steers(&step.sql, dialect.quoting())) {
            None => Ok(()),
            Some(index) => {
                let text = self.steps.get(index).map(|step| one_line(&step.sql)).unwrap_or_default();
                Err(Error::new(
                    ErrorKind::Migration,
                    format!("statement {} of {} begins or ends a transaction: {text}", index + 1, self.steps.len()),
                )
                .with_help(
                    "leave it out: the runner does that; a statement that cannot be in a transaction is marked with \
                     `-- covet:alone`",
                ))
            }
        }
    }
}

fn steers(sql: &str, quoting: Quoting) -> bool {
    let Ok(words) = words(sql, quoting) else { return false };
    // A comment that some servers run is what stands in it.
    if let Some(code) = words.first().and_then(Word::code) {
        return steers(code, quoting);
    }
    let mut words = Reader::new(&words);
    if words.eat(&["prepare", "transaction"]) {
        return true;
    }
    match words.keyword().as_deref() {
        Some("set") => words.has(&["autocommit"]),
        Some(first) => STEERING.contains(&first),
        None => false,
    }
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use covet_drivers::sql::Quoting;

    use super::steers;

    const QUOTING: Quoting = Quoting { backslash: true, backtick: true, hash_comment: true, ..Quoting::ANSI };

    #[test]
    fn what_steers() {
        for sql in [
            "BEGIN",
            "begin immediate",
            "START TRANSACTION",
            "/* c */ COMMIT AND CHAIN",
            "END",
            "ROLLBACK TO a",
            "ABORT",
            "SAVEPOINT a",
            "RELEASE a",
            "PREPARE TRANSACTION 'x'",
            "XA START 'x'",
            "SET autocommit = 0",
            "SET sql_mode = '', @@session.autocommit = 0",
            "/*!40000 SET AUTOCOMMIT=0 */",
        ] {
            assert!(steers(sql, QUOTING), "{sql}");
        }
        for sql in [
            "SET sql_mode = 'autocommit'",
            "PREPARE p FROM 'SELECT 1'",
            "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW BEGIN SET NEW.a = 1; END",
            "UPDATE t SET begin = 1",
            "`commit`",
            "",
        ] {
            assert!(!steers(sql, QUOTING), "{sql}");
        }
    }
}
