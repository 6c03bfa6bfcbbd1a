//! What the tool says about migrations.

use std::path::{Path, PathBuf};

use covet_drivers::Result;
use serde_json::{Value, json};

use crate::cli::out::{BAD, FAINT, GOOD, Out, WARN, paint};
use crate::migrate::{Draft, Planned, Report, Standing, Status};
use crate::schema::describe;

/// There was nothing to do.
pub(super) fn nothing(out: &Out, text: &str) -> Result<()> {
    out.done(text);
    out.json(&json!({ "migration": null, "changes": [] }))
}

/// A migration that was made, or would be.
pub(super) fn draft(out: &Out, draft: &Draft, written: Option<&Path>) -> Result<()> {
    let answer = shown(out, draft, written);
    out.json(&answer)
}

/// A migration, or the parts of one, that were made or would be.
pub(super) fn drafts(out: &Out, drafts: &[Draft], written: Option<&[PathBuf]>) -> Result<()> {
    let path = |at: usize| written.and_then(|written| written.get(at)).map(PathBuf::as_path);
    if let [one] = drafts {
        return draft(out, one, path(0));
    }
    let all: Vec<Value> = drafts.iter().enumerate().map(|(at, draft)| shown(out, draft, path(at))).collect();
    out.json(&json!({ "parts": all }))
}

/// Shows a migration to people, and gives what programs get.
fn shown(out: &Out, draft: &Draft, written: Option<&Path>) -> Value {
    let changes: Vec<String> = draft.changes().iter().map(describe).collect();
    let losses: Vec<String> = draft.losses().collect();
    match written {
        Some(path) => out.done(format_args!("{} {}", paint(GOOD, &"made"), path.display())),
        None => out.line(format_args!("would make {}", draft.name())),
    }
    for change in &changes {
        out.done(format_args!("    {change}"));
    }
    for loss in &losses {
        out.done(format_args!("{}: {loss}", paint(WARN, &"data is lost")));
    }
    for why in draft.irreversible() {
        out.done(format_args!("{}: {why}", paint(WARN, &"there is no way back")));
    }
    if written.is_none() {
        for (name, content) in draft.files() {
            out.line(format_args!("\n==> {name}\n{content}"));
        }
    }
    let files: Vec<Value> =
        draft.files().iter().map(|(name, content)| json!({ "name": name, "content": content })).collect();
    json!({
        "migration": draft.name(),
        "path": written,
        "changes": changes,
        "loses_data": losses,
        "irreversible": draft.irreversible(),
        "files": if written.is_none() { files } else { Vec::new() },
    })
}

/// What would run.
pub(super) fn planned(out: &Out, planned: &[Planned], nothing: &str) -> Result<()> {
    if planned.is_empty() {
        out.done(nothing);
    }
    for migration in planned {
        out.line(format_args!("-- {}_{}", migration.id, migration.name));
        if migration.done > 0 {
            out.line(format_args!("-- {} statements are done already", migration.done));
        }
        out.line(&migration.sql);
    }
    let all: Vec<Value> = planned
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name, "statements_done": one.done, "sql": one.sql }))
        .collect();
    out.json(&json!({ "would_run": all }))
}

/// What was run.
pub(super) fn report(out: &Out, report: &Report, word: &str, nothing: &str) -> Result<()> {
    if report.done.is_empty() {
        out.done(nothing);
    }
    for done in &report.done {
        let statements =
            if done.statements == 1 { "1 statement".to_owned() } else { format!("{} statements", done.statements) };
        let word = paint(GOOD, &word);
        out.done(format_args!("{word} {}_{} ({statements}, {:.1?})", done.id, done.name, done.took));
    }
    let all: Vec<Value> = report
        .done
        .iter()
        .map(|done| {
            let seconds = done.took.as_secs_f64();
            json!({ "id": done.id, "name": done.name, "statements": done.statements, "seconds": seconds })
        })
        .collect();
    out.json(&json!({ word: all }))
}

/// Where every migration stands.
pub(super) fn status(out: &Out, all: &[Status]) -> Result<()> {
    out.json(&json!({ "migrations": all }))?;
    if all.is_empty() {
        out.line("there is no migration");
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
        let style = match status.standing {
            Standing::Applied | Standing::Baseline => GOOD,
            Standing::Pending => FAINT,
            Standing::Edited | Standing::Missing | Standing::Conflicting => BAD,
            _ => WARN,
        };
        let standing = paint(style, &format_args!("{standing:<12}"));
        let when = status.finished_at.as_deref().unwrap_or_default();
        out.line(format_args!("{standing} {when:<19}  {}_{}", status.id, status.name));
        for line in [&status.error, &status.detail].into_iter().flatten() {
            out.line(format_args!("{:12} {line}", ""));
        }
    }
    Ok(())
}
