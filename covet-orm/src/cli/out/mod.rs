//! What the tool says: results on standard output; questions, progress and errors on standard error.

mod error;
mod progress;
mod table;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::cli::args::{ColorWhen, Globals};
use crate::migrate::Batch;

pub(super) use table::table;

/// A thing that went well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// A thing to look at.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
/// A thing that went wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is beside the point.
pub(super) const FAINT: Style = Style::new().dimmed();

/// In which form results are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How much is said beside the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chat {
    Quiet,
    Normal,
    Detailed,
}

/// The way out.
#[derive(Debug)]
pub(super) struct Out {
    form: Form,
    chat: Chat,
    color: ColorChoice,
    /// Whether a program has its one answer.
    answered: Cell<bool>,
    /// Why nothing more can be written; work goes on all the same.
    lost: RefCell<Option<io::Error>>,
}

impl Out {
    pub(super) fn new(globals: &Globals) -> Self {
        Out {
            form: if globals.json { Form::Json } else { Form::Text },
            chat: match (globals.quiet, globals.verbose) {
                (true, _) => Chat::Quiet,
                (false, 0) => Chat::Normal,
                (false, _) => Chat::Detailed,
            },
            color: match globals.color {
                ColorWhen::Auto => ColorChoice::Auto,
                ColorWhen::Always => ColorChoice::Always,
                ColorWhen::Never => ColorChoice::Never,
            },
            answered: Cell::new(false),
            lost: RefCell::new(None),
        }
    }

    /// The form of results.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// A line of what was asked for. Programs get theirs by [`json`](Out::json).
    pub(super) fn line(&self, text: impl Display) {
        if self.form == Form::Text {
            self.print(&text);
        }
    }

    /// A line about what was done.
    pub(super) fn done(&self, text: impl Display) {
        if self.chat > Chat::Quiet {
            self.line(text);
        }
    }

    /// The answer for a program.
    pub(super) fn json(&self, value: &Value) -> Result<()> {
        if self.form == Form::Json {
            let text = serde_json::to_string_pretty(value).map_err(|error| {
                Error::new(ErrorKind::Io, "the answer cannot be written as JSON").with_source(error)
            })?;
            self.print(&text);
            self.answered.set(true);
        }
        Ok(())
    }

    /// A text that has a form of its own, whoever reads it.
    pub(super) fn raw(&self, text: impl Display) {
        self.print(&text);
    }

    /// A line beside the results, for people.
    pub(super) fn note(&self, text: impl Display) {
        if self.chat > Chat::Quiet {
            self.aside(&text);
        }
    }

    /// Shows how far a statement is that goes in batches: on a terminal, unless less is wanted.
    pub(super) fn batches(&self) -> impl Fn(&Batch<'_>) + Send + Sync + 'static {
        let shows = self.chat > Chat::Quiet && self.form == Form::Text && io::stderr().is_terminal();
        let bar = shows.then(progress::Bar::default);
        move |batch| {
            if let Some(bar) = &bar {
                bar.show(batch);
            }
        }
    }

    /// A line for who wants to know more.
    pub(super) fn detail(&self, text: impl Display) {
        if self.chat > Chat::Normal {
            self.aside(&paint(FAINT, &text));
        }
    }

    /// An error, for people and, where they asked for it, for programs: unless it follows from the answer that they have.
    pub(super) fn error(&self, error: &Error) {
        if self.form == Form::Json && !self.answered.get() {
            self.print(&error::as_json(error));
        }
        self.aside(&error::as_text(error));
    }

    /// Whether there is somebody to ask.
    pub(super) fn is_interactive(&self) -> bool {
        self.form == Form::Text && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// The error that kept results from being written. A reader that has seen enough is none.
    pub(super) fn lost(&self) -> Option<Error> {
        let error = self.lost.borrow_mut().take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)?;
        Some(Error::new(ErrorKind::Io, format!("cannot write to standard output: {error}")).with_source(error))
    }

    fn print(&self, text: &dyn Display) {
        if self.lost.borrow().is_some() {
            return;
        }
        let mut out = AutoStream::new(io::stdout().lock(), self.color);
        if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
            *self.lost.borrow_mut() = Some(error);
        }
    }

    fn aside(&self, text: &dyn Display) {
        let mut out = AutoStream::new(io::stderr().lock(), self.color);
        // Who closes the standard error does not want to hear of it.
        let _ = writeln!(out, "{text}");
    }
}

/// The text in a style, which is left out again where nobody sees colours.
pub(super) fn paint(style: Style, text: &impl Display) -> String {
    format!("{style}{text}{style:#}")
}
