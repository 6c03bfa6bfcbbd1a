//! `cargo covet explain`: how the database would run a statement.

use covet_drivers::contract::adapter_for;
use covet_drivers::sql::{Quoting, Word, split, words};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::cli::args::Database;
use crate::cli::context::Context;
use crate::cli::db::rows;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    #[command(flatten)]
    database: Database,

    /// The statement; it is not run
    sql: String,
}

pub(super) async fn explain(context: &Context, options: &Explain) -> Result<()> {
    let chosen = context.database(&options.database)?;
    let admin = chosen.admin()?;
    let quoting = adapter_for(chosen.url.scheme())?.dialect().quoting();
    let statements = split(&options.sql, quoting)?;
    let [statement] = &statements[..] else {
        let message = format!("one statement is explained at a time, not {}", statements.len());
        return Err(Error::new(ErrorKind::InvalidInput, message));
    };
    if runs(statement, quoting)? {
        return Err(Error::new(ErrorKind::InvalidInput, "a statement is explained, and not run: leave ANALYZE out")
            .with_help("`cargo covet db execute` runs statements"));
    }
    let answers = admin.ask(&admin.existing(&chosen.url), &admin.explain(statement), usize::MAX).await?;
    let plans = answers.iter().filter(|answer| !answer.columns.is_empty());
    let mut all: Vec<Value> = Vec::new();
    for plan in plans {
        match &plan.columns[..] {
            // A text of many lines reads better without a head.
            [_] => plan.rows.iter().flatten().flatten().for_each(|line| context.out.line(line)),
            _ => context.out.line(rows(plan)),
        }
        all.push(json!({ "columns": plan.columns, "rows": plan.rows }));
    }
    context.out.json(&json!({ "plan": all }))
}

/// Whether the text begins with what makes a database run what it explains: the word `ANALYZE`, or a list of options
/// that has it. A parenthesis that holds a query is none.
fn runs(statement: &str, quoting: Quoting) -> Result<bool> {
    let words = words(statement, quoting)?;
    let options = match words.split_first() {
        Some((Word::Sign('('), inner)) if !inner.first().is_some_and(begins_a_query) => inner,
        Some((first, _)) => std::slice::from_ref(first),
        None => &[],
    };
    Ok(options.iter().take_while(|word| **word != Word::Sign(')')).any(is_analyze))
}

fn begins_a_query(word: &Word<'_>) -> bool {
    *word == Word::Sign('(') || ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|keyword| word.is(keyword))
}

/// The word by which databases run what they explain. As an option PostgreSQL takes it in quotes too, and MySQL in a
/// comment that is code.
fn is_analyze(word: &Word<'_>) -> bool {
    let said = match word {
        Word::Plain(word) => word,
        Word::Name(name) => name.as_str(),
        code => code.code().map_or("", str::trim),
    };
    ["analyze", "analyse"].iter().any(|analyze| said.split_whitespace().any(|word| word.eq_ignore_ascii_case(analyze)))
}

#[cfg(test)]
mod tests {
    use super::runs;
    use covet_drivers::Result;
    use covet_drivers::sql::Quoting;

    #[test]
    fn what_would_run_is_seen() -> Result<()> {
        for text in [
            "ANALYZE DELETE FROM t",
            "  analyse delete from t",
            "/* plan */ ANALYZE DELETE FROM t",
            "-- plan\nANALYZE DELETE FROM t",
            "(ANALYZE) DELETE FROM t",
            "(VERBOSE, ANALYZE on) DELETE FROM t",
            "(FORMAT json, \"analyze\") DELETE FROM t",
        ] {
            assert!(runs(text, Quoting::ANSI)?, "{text}");
        }
        assert!(runs("/*!80018 ANALYZE */ DELETE FROM t", Quoting::ANSI)?);
        for text in [
            "DELETE FROM t",
            "(VERBOSE, COSTS off) DELETE FROM t",
            "(SELECT analyze FROM t) UNION SELECT 1",
            "((SELECT analyze FROM t))",
            "SELECT analyze FROM t",
            "SELECT 1 -- ANALYZE",
        ] {
            assert!(!runs(text, Quoting::ANSI)?, "{text}");
        }
        Ok(())
    }
}
