//! Comments that steer the runner, and those that look as if they did.
//!
//! A comment that begins with `covet:` is meant to be heeded. Where it is written in other signs, shares its line with
//! something else or stands inside of a statement nobody would heed it, and what it asks for would be left out in silence:
//! a step in Rust would not run, a guard would be an ordinary `SELECT`. So it is refused there.

use covet_drivers::contract::RANGE;
use covet_drivers::sql::Comment;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::script::MARK;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark<'t> {
    /// Its word: `guard`, `alone` …
    pub(super) word: &'t str,
    /// What follows that.
    pub(super) text: &'t str,
}

/// The mark that a comment before a statement is, if it is one.
///
/// # Errors
/// `Migration`, with the line, for one that only looks like a mark.
pub(super) fn mark<'t>(script: &str, comment: &Comment<'t>) -> Result<Option<Mark<'t>>> {
    if !is_meant(comment) {
        return Ok(None);
    }
    let Some(said) = comment.text.strip_prefix(MARK) else {
        return Err(unheeded(script, comment, &format!("a mark begins with `{MARK}`, exactly so")));
    };
    let line = script.get(..comment.at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    if !line.trim().is_empty() {
        return Err(unheeded(script, comment, "a mark has a line of its own, above the statement that it is about"));
    }
    let (word, text) = said.trim().split_once(char::is_whitespace).unwrap_or((said.trim(), ""));
    Ok(Some(Mark { word, text: text.trim() }))
}

/// Refuses a comment inside of a statement that looks like a mark. The place for the range of a batch is none, where the
/// statement runs in batches.
///
/// # Errors
/// `Migration`, with the line.
pub(super) fn heed(script: &str, comment: &Comment<'_>, in_batches: bool) -> Result<()> {
    if !is_meant(comment) || in_batches && comment.text == RANGE {
        return Ok(());
    }
    let why = match comment.text == RANGE {
        true => format!("it is for a statement with `{MARK}batches` above it"),
        false => "it stands inside of a statement, and a mark stands above the one that it is about".to_owned(),
    };
    Err(unheeded(script, comment, &why))
}

/// Whether a comment begins as a mark does, whatever its signs.
fn is_meant(comment: &Comment<'_>) -> bool {
    let signs = |c: char| matches!(c, '-' | '#' | '/' | '*') || c.is_whitespace();
    comment.text.trim_start_matches(signs).starts_with("covet:")
}

#[cold]
fn unheeded(script: &str, comment: &Comment<'_>, why: &str) -> Error {
    let shown: String = comment.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    let error = Error::new(ErrorKind::Migration, format!("nobody would heed the comment `{shown}`: {why}"))
        .with_help("write it as a mark where it is to be one; else let it begin with another word than `covet:`");
    on_line(line_of(script, comment.at), &error)
}

/// The line of a place in a text, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The lines of places in a text, each of which lies behind the one before: a text is gone through once.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    seen: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lines { text, seen: 0, line: 1 }
    }

    /// The line of a place, from 1.
    pub(super) fn of(&mut self, at: usize) -> usize {
        let Some(between) = self.text.get(self.seen..at) else { return line_of(self.text, at) };
        self.line += between.matches('\n').count();
        self.seen = at;
        self.line
    }
}

/// The error, with the line that it is about.
pub(super) fn on_line(line: usize, error: &Error) -> Error {
    let placed = Error::new(error.kind(), format!("line {line}: {}", error.message()));
    match error.help() {
        Some(help) => placed.with_help(help.to_owned()),
        None => placed,
    }
}
