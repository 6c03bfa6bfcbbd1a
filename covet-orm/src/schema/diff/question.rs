//! What must be decided, with the exact texts that decide it.

use std::error::Error as StdError;
use std::fmt;

use covet_drivers::{Error, ErrorKind};
use serde::Serialize;

/// A difference that has more than one meaning, or that would destroy something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The table or column, as `t` or `t.c`.
    pub about: String,
    /// What was found.
    pub found: String,
    /// The decisions of which one answers it.
    pub answers: Vec<Answer>,
}

/// One way to answer a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The text to give; `<…>` stands for a value that only you know.
    pub decision: String,
    /// What it leads to.
    pub effect: String,
    /// For a rename: how alike both are, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<u8>,
}

/// The questions, as the source of an error of kind `Decision`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingDecisions {
    /// The questions, in the order of tables and columns.
    pub missing: Vec<Question>,
}

impl MissingDecisions {
    /// The error that carries the questions.
    #[must_use]
    pub fn into_error(self) -> Error {
        let places: Vec<&str> = self.missing.iter().map(|question| question.about.as_str()).collect();
        let message = format!("a decision is needed about {}", places.join(", "));
        Error::new(ErrorKind::Decision, message).with_help(format!("decide each of them:{self}")).with_source(self)
    }

    /// The questions that an error carries.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        error.source().and_then(|source| source.downcast_ref())
    }
}

impl fmt::Display for MissingDecisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for question in &self.missing {
            write!(f, "\n{}: {}", question.about, question.found)?;
            for answer in &question.answers {
                write!(f, "\n    {}", answer.decision)?;
                match answer.similarity {
                    Some(percent) => write!(f, "    ({}; {percent} % alike)", answer.effect)?,
                    None => write!(f, "    ({})", answer.effect)?,
                }
            }
        }
        Ok(())
    }
}

impl StdError for MissingDecisions {}
