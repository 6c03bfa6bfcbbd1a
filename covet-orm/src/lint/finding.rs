//! What was found.

use std::fmt;

use covet_drivers::lint::{Rule, Severity};
use serde::{Serialize, Serializer};

/// What a rule found in a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of the rule.
    pub rule: &'static str,
    /// How grave it is.
    #[serde(serialize_with = "severity")]
    pub severity: Severity,
    /// The migration: id and name.
    pub migration: String,
    /// The kind of database.
    pub database: &'static str,
    /// The file.
    pub file: String,
    /// The line on which the statement begins, from 1.
    pub line: usize,
    /// The number of the statement in the file, from 1; guards count.
    pub statement: usize,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What the database does.
    pub effect: &'static str,
    /// The safer way.
    pub safer: &'static str,
    /// Why it may be so, where a line above the statement says it.
    pub allowed: Option<String>,
}

fn severity<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity.name())
}

impl Finding {
    /// Whether it counts: it is at least so grave, and not allowed.
    #[must_use]
    pub fn counts(&self, least: Severity) -> bool {
        self.allowed.is_none() && self.severity >= least
    }

    pub(super) fn of(rule: &Rule) -> Self {
        Finding {
            rule: rule.id,
            severity: rule.severity,
            migration: String::new(),
            database: "",
            file: String::new(),
            line: 1,
            statement: 1,
            table: None,
            message: String::new(),
            effect: rule.effect,
            safer: rule.safer,
            allowed: None,
        }
    }
}

/// Two lines: place and message, and the safer way.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { rule, severity, file, line, message, safer, .. } = self;
        write!(f, "{severity}[{rule}] {file}:{line}: {message}")?;
        match &self.allowed {
            Some(reason) => write!(f, "\n  allowed: {reason}"),
            None => write!(f, "\n  safer: {safer}"),
        }
    }
}
