//! `cargo covet explain`: how the database would run a statement.

use covet_drivers::contract::adapter_for;
use covet_drivers::sql::split;
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
    if statement.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).is_some_and(runs) {
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

/// The word by which databases run what they explain.
fn runs(word: &str) -> bool {
    word.eq_ignore_ascii_case("analyze") || word.eq_ignore_ascii_case("analyse")
}
