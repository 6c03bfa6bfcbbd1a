//! Steps as a script that people read and edit, and back.
//!
//! Comments that begin with `-- covet:` steer the runner:
//!
//! | comment above a statement | meaning |
//! |---|---|
//! | `-- covet:guard what was found` | the statement counts rows that do not fit; a count above 0 stops the migration |
//! | `-- covet:alone` | the statement runs outside a transaction |
//! | `-- covet:transaction` | the statement begins a transaction, and does not share that of those before it |
//! | `-- covet:batches 1000 of "t" by "id"` | the statement runs in batches: see [`batches`](super::batches) |
//! | `-- covet:allow ID why` | lint may find this here |
//! | `-- covet:rust name` | between statements: a function of the program runs here |
//! | `-- covet:irreversible why` | alone in a way back: there is none |
//!
//! A mark has a line of its own. A comment that looks like one and stands where nobody would heed it is refused, because
//! what it asks for would be left out in silence: see [`marks`](super::marks).

use covet_drivers::contract::Step;
use covet_drivers::render::Dialect;
use covet_drivers::sql::{Section, sections};
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::batches;
use crate::migrate::files::marks::{Lines, Mark, heed, mark, on_line};
use crate::migrate::files::text::plain;
use crate::schema::digest;

pub(super) const MARK: &str = "-- covet:";
const GUARD: &str = "guard";
const ALONE: &str = "alone";
const TRANSACTION: &str = "transaction";
const BATCHES: &str = "batches";
const ALLOW: &str = "allow";
const RUST: &str = "rust";
const IRREVERSIBLE: &str = "irreversible";

/// A script, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migrate) struct Script {
    /// The statements.
    pub(in crate::migrate) steps: Vec<Step>,
    /// Why there is no way back, if there is none.
    pub(in crate::migrate) irreversible: Option<String>,
    /// Where the statements stand, and what lint may find in them; one a statement.
    pub(in crate::migrate) places: Vec<Place>,
}

/// Where a statement stands in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    /// What lint may find in it.
    pub(crate) allows: Vec<Allow>,
}

/// A finding that is consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allow {
    /// The rule.
    pub(crate) id: String,
    /// Why.
    pub(crate) reason: String,
}

impl Script {
    /// Whether every statement can run in one transaction.
    pub(in crate::migrate) fn is_one_transaction(&self) -> bool {
        !self.steps.iter().enumerate().any(|(at, step)| step.alone || step.batches.is_some() || at > 0 && step.begins)
    }

    /// The script of a text.
    ///
    /// # Errors
    /// `Syntax` for what is not closed, `Migration` for a `-- covet:` comment that is not known, or that nobody would
    /// heed where it stands.
    pub(in crate::migrate) fn parse(text: &str, dialect: &dyn Dialect) -> Result<Self> {
        Script::read(text, dialect, true)
    }

    /// The script of a text that the history kept, which nobody can write anew: what looks like a mark and is none stays
    /// the comment that it was when it was applied.
    ///
    /// # Errors
    /// `Syntax` for what is not closed, `Migration` for a mark that does not say what it must.
    pub(in crate::migrate) fn parse_kept(text: &str, dialect: &dyn Dialect) -> Result<Self> {
        Script::read(text, dialect, false)
    }

    fn read(text: &str, dialect: &dyn Dialect, strict: bool) -> Result<Self> {
        let text = plain(text);
        let mut script = Script { steps: Vec::new(), irreversible: None, places: Vec::new() };
        let mut lines = Lines::new(&text);
        for section in sections(&text, dialect.quoting())? {
            script.section(&mut lines, &section, dialect, strict)?;
        }
        Ok(script)
    }

    /// A statement with its comments, and the steps in Rust that stand before it; or comments alone.
    fn section(
        &mut self,
        lines: &mut Lines<'_>,
        section: &Section<'_>,
        dialect: &dyn Dialect,
        strict: bool,
    ) -> Result<()> {
        let text = lines.text;
        let mut step = Step::new("");
        let mut place = Place::default();
        let mut notes: Vec<&str> = Vec::new();
        // A comment in other signs, and what follows it, stays with the statement: it may be a hint for the database.
        let mut sql = None::<String>;
        let mut seen = section.begins;
        for comment in &section.before {
            let found = match mark(text, comment) {
                Err(_) if !strict => None,
                found => found?,
            };
            match (&mut sql, &found) {
                (None, None) if comment.text.starts_with("--") => {
                    notes.push(comment.text.trim_start_matches('-').trim())
                }
                (None, None) => {
                    (sql, seen) = (Some(String::new()), comment.at);
                    place.line = lines.of(comment.at);
                }
                (Some(sql), Some(_)) => {
                    sql.push_str(text.get(seen..comment.at).unwrap_or_default());
                    seen = comment.at + comment.text.len();
                    seen += usize::from(text.get(seen..).is_some_and(|rest| rest.starts_with('\n')));
                }
                _ => {}
            }
            if let Some(found) = found {
                let line = lines.of(comment.at);
                if section.text.is_empty() && !strict && !matches!(found.word, RUST | IRREVERSIBLE) {
                    continue;
                }
                self.mark(&found, line, section, &mut step, &mut place.allows, dialect)
                    .map_err(|error| on_line(line, &error))?;
            }
        }
        for comment in section.inside.iter().filter(|_| strict) {
            heed(text, comment, step.batches.is_some())?;
        }
        if section.text.is_empty() {
            return Ok(());
        }
        if !step.guard {
            step.note = notes.join("\n");
        }
        let ends = section.at + section.text.len();
        if sql.is_none() {
            place.line = lines.of(section.begins);
        }
        step.sql = sql.unwrap_or_default() + text.get(seen..ends).unwrap_or_default();
        batches::check(&step).map_err(|error| on_line(place.line, &error))?;
        self.steps.push(step);
        self.places.push(place);
        Ok(())
    }

    /// Does what a mark above the statement says.
    fn mark(
        &mut self,
        found: &Mark<'_>,
        line: usize,
        section: &Section<'_>,
        step: &mut Step,
        allows: &mut Vec<Allow>,
        dialect: &dyn Dialect,
    ) -> Result<()> {
        let Mark { word, text } = *found;
        match word {
            RUST => {
                self.steps.push(rust(text)?);
                self.places.push(Place { line, allows: Vec::new() });
            }
            IRREVERSIBLE => self.irreversible = Some(text.to_owned()),
            GUARD | ALONE | TRANSACTION | BATCHES | ALLOW if section.text.is_empty() => {
                return Err(Error::new(ErrorKind::Migration, format!("no statement follows `{MARK}{word}`"))
                    .with_help("write it above the statement that it is about, or leave it out"));
            }
            GUARD => {
                step.guard = true;
                text.clone_into(&mut step.note);
            }
            ALONE => step.alone = true,
            TRANSACTION => step.begins = true,
            BATCHES => step.batches = Some(batches::read(text, dialect)?),
            ALLOW => allows.push(allow(text)?),
            other => {
                return Err(Error::new(ErrorKind::Migration, format!("`{MARK}{other}` is not known")).with_help(
                    format!("known are {GUARD}, {ALONE}, {TRANSACTION}, {BATCHES}, {ALLOW}, {RUST} and {IRREVERSIBLE}"),
                ));
            }
        }
        Ok(())
    }
}

/// The statements of a text with their places, and why there is no way back, if there is none.
pub(crate) type Placed = (Vec<(Step, Place)>, Option<String>);

/// A text as lint reads it.
///
/// # Errors
/// As [`Script::parse`].
pub(crate) fn placed(text: &str, dialect: &dyn Dialect) -> Result<Placed> {
    let script = Script::parse(text, dialect)?;
    // What the program does is not to be read.
    let steps = script.steps.into_iter().zip(script.places).filter(|(step, _)| step.rust.is_none());
    Ok((steps.collect(), script.irreversible))
}

/// Short hashes of statements, by which an unfinished run knows what it has done.
pub(in crate::migrate) fn hash(step: &Step) -> String {
    digest(&step.sql).chars().skip("sha256:".len()).take(16).collect()
}

/// A step in Rust, of this name.
fn rust(name: &str) -> Result<Step> {
    let name = name.trim();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(Error::new(ErrorKind::Migration, format!("`{MARK}{RUST} {name}` names no function"))
            .with_help(format!("write `{MARK}{RUST} full_names`, on a line of its own")));
    }
    Ok(Step { rust: Some(name.to_owned()), ..Step::new(format!("{MARK}{RUST} {name}")) })
}

/// What follows `-- covet:allow`: a rule, and why, which must be said.
fn allow(text: &str) -> Result<Allow> {
    match text.trim().split_once(char::is_whitespace) {
        Some((id, reason)) => Ok(Allow { id: id.to_owned(), reason: reason.trim().to_owned() }),
        None => Err(Error::new(ErrorKind::Migration, format!("`{MARK}{ALLOW} {}` gives no reason", text.trim()))
            .with_help(format!("write `{MARK}{ALLOW} ID why it may be so here`"))),
    }
}

/// The text of the steps.
///
/// # Errors
/// `Migration` when the text would not be read back as the same steps, which would be a fault of the
/// database's adapter.
pub(in crate::migrate) fn render(heading: &str, steps: &[Step], dialect: &dyn Dialect) -> Result<String> {
    let mut out = format!("-- {}\n", one_line(heading));
    for step in steps {
        out.push('\n');
        if step.rust.is_some() {
            out.push_str(&step.sql);
            out.push('\n');
            continue;
        }
        if step.guard {
            out.push_str(&format!("{MARK}{GUARD} {}\n", one_line(&step.note)));
        } else {
            for line in step.note.lines() {
                out.push_str(&format!("-- {line}\n"));
            }
        }
        if step.alone {
            out.push_str(&format!("{MARK}{ALONE}\n"));
        }
        if step.begins {
            out.push_str(&format!("{MARK}{TRANSACTION}\n"));
        }
        if let Some(found) = &step.batches {
            out.push_str(&format!("{MARK}{BATCHES} {}\n", batches::show(found)));
        }
        out.push_str(&step.sql);
        out.push_str(";\n");
    }
    let read = Script::parse(&out, dialect)?;
    let same = |a: &Step, b: &Step| {
        a.sql.trim() == b.sql && (a.guard, a.alone, a.begins, &a.batches) == (b.guard, b.alone, b.begins, &b.batches)
    };
    if steps.len() != read.steps.len() || !steps.iter().zip(&read.steps).all(|(a, b)| same(a, b)) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("the statements for {} cannot be written so that they are read back the same", dialect.name()),
        )
        .with_help("line ends of Windows in a default do that"));
    }
    Ok(out)
}

/// The text of a way back that does not exist.
pub(in crate::migrate) fn irreversible(heading: &str, why: &str) -> String {
    format!("-- {}\n\n{MARK}{IRREVERSIBLE} {}\n", one_line(heading), one_line(why))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
