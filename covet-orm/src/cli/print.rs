//! What the tool says: results on standard output, errors on standard error.

use std::error::Error as StdError;
use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::migrate::{Draft, Planned, Report, Standing, Status};
use crate::schema::{MissingDecisions, describe};

/// An error: what happened, why, and the way out.
pub(super) fn error(error: &Error, json: bool) {
    let missing = MissingDecisions::of(error);
    if json {
        let mut value = json!({ "error": error.kind().name(), "message": error.message() });
        if let (Some(missing), Some(object)) = (missing, value.as_object_mut()) {
            object.insert("missing_decisions".to_owned(), json!(missing.missing));
        }
        println!("{value}");
    }
    if let Some(missing) = missing {
        eprintln!("error: {}{missing}", error.message());
        eprintln!("help: give each decision with --decide, or all in a file with --decisions");
        return;
    }
    let mut place = String::new();
    for part in [error.model(), error.field()].into_iter().flatten() {
        place.push_str(if place.is_empty() { "" } else { "." });
        place.push_str(part);
    }
    let colon = if place.is_empty() { "" } else { ": " };
    let code = error.code().map(|code| format!(" [{code}]")).unwrap_or_default();
    eprintln!("error: {place}{colon}{}{code}", error.message());
    let mut cause: Option<&dyn StdError> = error.source();
    while let Some(inner) = cause {
        let text = match inner.downcast_ref::<Error>() {
            Some(error) => error.message().to_owned(),
            None => inner.to_string(),
        };
        if !error.message().contains(&text) {
            eprintln!("cause: {text}");
        }
        cause = inner.source();
    }
    if let Some(help) = error.help() {
        eprintln!("help: {help}");
    }
}

/// There was nothing to do.
pub(super) fn nothing(json: bool, text: &str) {
    if json {
        println!("{}", json!({ "migration": null, "changes": [] }));
    } else {
        println!("{text}");
    }
}

/// A migration that was made, or would be.
pub(super) fn draft(draft: &Draft, written: Option<&Path>, json: bool) -> Result<()> {
    let changes: Vec<String> = draft.changes().iter().map(describe).collect();
    let losses: Vec<String> = draft.losses().collect();
    if json {
        print_json(&json!({
            "migration": draft.name(),
            "path": written,
            "changes": changes,
            "loses_data": losses,
            "irreversible": draft.irreversible(),
        }))?;
        return Ok(());
    }
    match written {
        Some(path) => println!("made {}", path.display()),
        None => println!("would make {}", draft.name()),
    }
    for change in changes {
        println!("    {change}");
    }
    for loss in losses {
        println!("data is lost: {loss}");
    }
    for why in draft.irreversible() {
        println!("there is no way back: {why}");
    }
    if written.is_none() {
        for (name, content) in draft.files() {
            println!("\n==> {name}\n{content}");
        }
    }
    Ok(())
}

/// What would run.
pub(super) fn planned(planned: &[Planned], nothing: &str) {
    if planned.is_empty() {
        println!("{nothing}");
    }
    for migration in planned {
        println!("-- {}_{}", migration.id, migration.name);
        if migration.done > 0 {
            println!("-- {} statements are done already", migration.done);
        }
        println!("{}", migration.sql);
    }
}

/// What was run.
pub(super) fn report(report: &Report, word: &str, nothing: &str) {
    if report.done.is_empty() {
        println!("{nothing}");
    }
    for done in &report.done {
        println!("{word} {}_{} ({} statements, {:.1?})", done.id, done.name, done.statements, done.took);
    }
}

/// Where every migration stands.
pub(super) fn status(all: &[Status], json: bool) -> Result<()> {
    if json {
        return print_json(&json!({ "migrations": all }));
    }
    if all.is_empty() {
        println!("there is no migration");
    }
    for status in all {
        let standing = match status.standing {
            Standing::Pending => "pending".to_owned(),
            Standing::Conflicting => "conflicting".to_owned(),
            Standing::Applied => "applied".to_owned(),
            Standing::Baseline => "baseline".to_owned(),
            Standing::Edited => "edited".to_owned(),
            Standing::Missing => "missing".to_owned(),
            Standing::Unfinished { done, total } => format!("{done} of {total}"),
            Standing::Reverting { done } => format!("undoing, {done}"),
        };
        let when = status.finished_at.as_deref().unwrap_or_default();
        println!("{standing:<12} {when:<19}  {}_{}", status.id, status.name);
        for line in [&status.error, &status.detail].into_iter().flatten() {
            println!("{:12} {line}", "");
        }
    }
    Ok(())
}

fn print_json(value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Io, "the answer cannot be written as JSON").with_source(error))?;
    println!("{text}");
    Ok(())
}
