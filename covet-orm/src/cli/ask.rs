//! Questions on a terminal.

use covet_drivers::{Error, ErrorKind, Result};
use inquire::{Confirm, InquireError, Select, Text};

use crate::cli::context::Context;

/// Who answers.
pub(super) trait Ask {
    /// Which of these; `None` for none of them.
    fn pick(&mut self, question: &str, answers: &[String]) -> Result<Option<usize>>;

    /// A text.
    fn text(&mut self, question: &str, hint: &str) -> Result<String>;

    /// Yes or no.
    fn yes(&mut self, question: &str) -> Result<bool>;

    /// Something that is to be known before the next question.
    fn tell(&mut self, text: &str);
}

/// The terminal, by its standard error: results may go elsewhere.
#[derive(Debug)]
pub(super) struct Terminal;

const NONE: &str = "none of these: stop here";

impl Ask for Terminal {
    fn pick(&mut self, question: &str, answers: &[String]) -> Result<Option<usize>> {
        let mut options: Vec<&str> = answers.iter().map(String::as_str).collect();
        options.push(NONE);
        let picked = Select::new(question, options).raw_prompt().map_err(stopped)?;
        Ok(Some(picked.index).filter(|index| *index < answers.len()))
    }

    fn text(&mut self, question: &str, hint: &str) -> Result<String> {
        Text::new(question).with_help_message(hint).prompt().map_err(stopped)
    }

    fn yes(&mut self, question: &str) -> Result<bool> {
        Confirm::new(question).with_default(false).prompt().map_err(stopped)
    }

    fn tell(&mut self, text: &str) {
        // It is said on the way to a question; without a terminal there is none.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
    }
}

fn stopped(error: InquireError) -> Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => nothing_done(),
        other => Error::new(ErrorKind::Io, format!("the terminal cannot be asked: {other}")).with_source(other),
    }
}

/// Goes on only if somebody wants this: `told` is what nobody has confirmed where nobody can be asked, and `help` what
/// confirms it there.
///
/// # Errors
/// `Decision` when nobody can be asked; `Cancelled` when the answer is no.
pub(super) fn confirmed(context: &Context, question: &str, told: &str, help: &'static str) -> Result<()> {
    match context.asker() {
        Some(mut asker) => {
            if asker.yes(question)? {
                Ok(())
            } else {
                Err(nothing_done())
            }
        }
        None => Err(Error::new(ErrorKind::Decision, format!("nobody has confirmed: {told}")).with_help(help)),
    }
}

/// The user does not want it.
pub(super) fn nothing_done() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped: nothing was done")
}

/// Answers that are known before, for tests.
#[cfg(test)]
pub(super) mod tests {
    use std::collections::VecDeque;

    use covet_drivers::Result;

    use super::Ask;

    /// Gives these answers, and keeps what it was asked.
    #[derive(Debug, Default)]
    pub(in crate::cli) struct Script {
        pub(in crate::cli) answers: VecDeque<&'static str>,
        pub(in crate::cli) asked: Vec<String>,
    }

    impl Ask for Script {
        fn pick(&mut self, question: &str, answers: &[String]) -> Result<Option<usize>> {
            self.asked.push(format!("{question} {answers:?}"));
            let wanted = self.answers.pop_front().unwrap_or_default();
            Ok(answers.iter().position(|answer| answer.starts_with(wanted) && !wanted.is_empty()))
        }

        fn text(&mut self, question: &str, hint: &str) -> Result<String> {
            self.asked.push(format!("{question} ({hint})"));
            Ok(self.answers.pop_front().unwrap_or_default().to_owned())
        }

        fn yes(&mut self, question: &str) -> Result<bool> {
            self.asked.push(question.to_owned());
            Ok(self.answers.pop_front() == Some("yes"))
        }

        fn tell(&mut self, text: &str) {
            self.asked.push(text.to_owned());
        }
    }
}
