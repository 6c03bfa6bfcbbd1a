//! Answers to all that `make` asks.

use covet_orm::drivers::catalog::Schema;
use covet_orm::schema::{Decision, Diff, Question, diff};

use crate::random::make::Maker;

/// What is decided: names that changed, and answers to questions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) renames: Vec<Decision>,
    pub(crate) others: Vec<Decision>,
}

impl Answers {
    pub(crate) fn all(&self) -> Vec<Decision> {
        self.renames.iter().chain(&self.others).cloned().collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.all().iter().map(Decision::to_string).collect()
    }
}

impl Maker<'_> {
    /// Decides until nothing is asked any more, or until it is refused; as before, where that still is an answer.
    pub(crate) fn decide(&mut self, before: &Schema, after: &Schema, prior: &Answers) -> Answers {
        let mut answers = Answers { renames: prior.renames.clone(), others: Vec::new() };
        for _ in 0..100 {
            let Ok(Diff::Missing(questions)) = diff(before, after, &answers.all()) else { break };
            for question in &questions {
                if let Some(known) = prior.others.iter().find(|decision| answers_it(question, decision)) {
                    if !answers.others.contains(known) {
                        answers.others.push(known.clone());
                    }
                    continue;
                }
                let answer = self.answer(question, after);
                let is_rename = matches!(answer, Decision::RenameTable { .. } | Decision::RenameColumn { .. });
                let known = if is_rename { &mut answers.renames } else { &mut answers.others };
                // One answer may do for several questions.
                if !known.contains(&answer) {
                    known.push(answer);
                }
                if is_rename {
                    // It changes what else is asked.
                    break;
                }
            }
        }
        answers
    }

    fn answer(&mut self, question: &Question, after: &Schema) -> Decision {
        let texts: Vec<&str> = question.answers.iter().map(|answer| answer.decision.as_str()).collect();
        let is_rename = |text: &&&str| text.starts_with("rename ");
        if self.percent(10)
            && let Some(text) = texts.iter().find(is_rename)
        {
            return text.parse().unwrap();
        }
        let others: Vec<&str> = texts.iter().filter(|text| !is_rename(text)).copied().collect();
        // What stops at rows is the smaller part.
        let first = others.first().filter(|text| text.starts_with("backfill") && self.chance.percent(70));
        let text = first.copied().unwrap_or_else(|| others[self.chance.below(others.len())]);
        if !text.starts_with("backfill") {
            return text.parse().unwrap();
        }
        for table in &after.tables {
            for column in &table.columns {
                let (table, name) = (table.name.clone(), column.name.clone());
                let no_nulls = Decision::NoNulls { table: table.clone(), column: name.clone() };
                if no_nulls.to_string() == format!("no nulls in {}", question.about)
                    && let Some(value) = self.value_default(&column.ty)
                {
                    return Decision::Backfill { table, column: name, value };
                }
            }
        }
        (*others.last().unwrap()).parse().unwrap()
    }
}

/// Whether the decision is one of those that the question offers.
fn answers_it(question: &Question, decision: &Decision) -> bool {
    let text = decision.to_string();
    question.answers.iter().any(|answer| match answer.decision.split_once(" with <") {
        Some((start, _)) => text.starts_with(&format!("{start} with ")),
        None => answer.decision == text,
    })
}
