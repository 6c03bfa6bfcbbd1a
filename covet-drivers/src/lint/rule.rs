//! Rules as data: what they look for, what it does, and how to do it more safely.

use std::fmt;

use crate::contract::{BoxFuture, Connection};
use crate::error::Result;
use crate::lint::act::Act;
use crate::lint::scene::{Scene, Statement};
use crate::lint::token::Reading;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at.
    Warn,
    /// Not to be run without consent.
    Error,
}

impl Severity {
    /// `info`, `warn`, `error`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warn => "warn",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule. Help, documents, JSON and tests are made from it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The id: two or three letters and a number.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What triggers it.
    pub trigger: &'static str,
    /// What the database does then: the lock, the rewrite, the loss.
    pub effect: &'static str,
    /// The safer way.
    pub safer: &'static str,
    /// Rules that say less about the same statement and table, and are silent where this one speaks.
    pub covers: &'static [&'static str],
    /// How it is looked for.
    pub check: Check,
    /// Scripts in which it is found.
    pub fires: &'static [&'static str],
    /// Scripts in which it is not.
    pub silent: &'static [&'static str],
}

/// How a rule is looked for.
#[derive(Clone, Copy)]
pub enum Check {
    /// In each act on a table that was there before the script: what is wrong with it.
    Act(fn(&At<'_>) -> Option<String>),
    /// In each act, also on tables that the script makes.
    Any(fn(&At<'_>) -> Option<String>),
    /// In the script as a whole.
    Script(fn(&Scene<'_>) -> Vec<Hit>),
    /// On a running server.
    Live(Live),
}

/// A look at a running server.
pub type Live = for<'a> fn(&'a mut dyn Connection, &'a Scene<'a>) -> BoxFuture<'a, Result<Vec<Hit>>>;

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Act(_) => "Act",
            Check::Any(_) => "Any",
            Check::Script(_) => "Script",
            Check::Live(_) => "Live",
        })
    }
}

/// An act, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The script.
    pub scene: &'a Scene<'a>,
    /// The statement.
    pub statement: &'a Statement,
    /// The act.
    pub act: &'a Act,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The place of the statement in the script, from 0.
    pub statement: usize,
    /// The table; empty where it is about none.
    pub table: String,
    /// What is wrong.
    pub message: String,
}

impl Hit {
    /// A hit in a statement.
    pub fn new(statement: usize, table: impl Into<String>, message: impl Into<String>) -> Self {
        Hit { statement, table: table.into(), message: message.into() }
    }
}

/// What a database adds to the rules that hold everywhere.
pub trait Lint: fmt::Debug + Send + Sync {
    /// Its rules, in the order of their ids.
    fn rules(&self) -> &'static [Rule];

    /// How its scripts are read; more than one where products read the same file in their own ways.
    fn readings(&self) -> &'static [Reading];

    /// The most bytes of a name.
    fn max_identifier(&self) -> usize;

    /// Whether a migration is one transaction, unless a statement stands alone.
    fn one_transaction(&self) -> bool;
}

impl Rule {
    /// Whether a rule that looks at acts is met here.
    #[must_use]
    pub fn fires_at(&self, at: &At<'_>) -> bool {
        match self.check {
            Check::Act(check) | Check::Any(check) => check(at).is_some(),
            Check::Script(_) | Check::Live(_) => false,
        }
    }

    /// The hits in a script. None for what only a server can tell.
    #[must_use]
    pub fn hits(&self, scene: &Scene<'_>) -> Vec<Hit> {
        match self.check {
            Check::Act(check) => acts(scene, false, check),
            Check::Any(check) => acts(scene, true, check),
            Check::Script(check) => check(scene),
            Check::Live(_) => Vec::new(),
        }
    }
}

fn acts(scene: &Scene<'_>, new_ones_too: bool, check: fn(&At<'_>) -> Option<String>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for statement in &scene.statements {
        for act in &statement.read.acts {
            let table = scene.table_of(act);
            if !new_ones_too && !table.is_empty() && scene.is_new(&table, statement.index) {
                continue;
            }
            let found = check(&At { scene, statement, act });
            hits.extend(found.map(|message| Hit::new(statement.index, table, message)));
        }
    }
    hits
}
