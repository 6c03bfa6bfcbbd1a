//! Looks decisions up, notes which were used, and gathers the questions that none answers.

use covet_drivers::catalog::{Column, ColumnDefault, EnumType};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::diff::decision::place;
use crate::schema::diff::names::show_qualified;
use crate::schema::diff::{Answer, Decision, Question, literal};

/// The decisions at hand while two schemas are compared.
pub(super) struct Judge<'d> {
    decisions: &'d [Decision],
    used: Vec<bool>,
    consents: bool,
    questions: Vec<Question>,
}

/// What rows that exist get in a column that must not be NULL.
pub(super) enum Fill {
    /// This value.
    Value(ColumnDefault),
    /// Nothing: a row that lacks a value stops the migration.
    Guard,
    /// It was not decided; the question is noted.
    Undecided,
}

impl<'d> Judge<'d> {
    /// For a comparison in which every doubt is a question.
    pub(super) fn new(decisions: &'d [Decision]) -> Self {
        Judge { decisions, used: vec![false; decisions.len()], consents: false, questions: Vec::new() }
    }

    /// For the way back: whatever is not a rename is consented to.
    pub(super) fn consenting(renames: &'d [Decision]) -> Self {
        Judge { consents: true, ..Judge::new(renames) }
    }

    /// Every decision, to pick the renames from.
    pub(super) fn decisions(&self) -> &'d [Decision] {
        self.decisions
    }

    /// Notes that a decision was used.
    pub(super) fn used(&mut self, decision: &Decision) {
        for (known, used) in self.decisions.iter().zip(&mut self.used) {
            *used |= known == decision;
        }
    }

    /// Whether this was decided; notes the question otherwise.
    pub(super) fn decided(&mut self, decision: &Decision, question: impl FnOnce() -> Question) -> bool {
        if self.consents || self.decisions.contains(decision) {
            self.used(decision);
            return true;
        }
        self.questions.push(question());
        false
    }

    /// What becomes of the labels of an enum that go: which label takes the place of which. A label without one stops
    /// the migration where a row has it. `None` when that is not decided; the question is noted.
    ///
    /// # Errors
    /// `Migration` for a label that is to become one which there is not.
    pub(super) fn relabels(&mut self, before: &EnumType, after: &EnumType) -> Result<Option<Vec<(String, String)>>> {
        let (name, mut map, mut undecided) = (after.name.to_string(), Vec::new(), false);
        for label in before.labels.iter().filter(|label| !after.labels.contains(label)) {
            let given = self.decisions.iter().find_map(|decision| match decision {
                Decision::MapLabel { ty, label: from, to } if *ty == name && from == label => Some((decision, to)),
                _ => None,
            });
            if let Some((decision, to)) = given {
                if !after.labels.iter().any(|known| known == to) {
                    let error = format!("the decision `{decision}` does not fit: {name} has no label '{to}'");
                    return Err(Error::new(ErrorKind::Migration, error));
                }
                self.used(decision);
                map.push((label.to_string(), to.clone()));
                continue;
            }
            let drop = Decision::DropLabel { ty: name.clone(), label: label.to_string() };
            undecided |= !self.decided(&drop, || lost_label(before, after, label, &drop));
        }
        Ok((!undecided).then_some(map))
    }

    /// What rows that exist get in this column, which is new and has no default.
    pub(super) fn fill_new(&mut self, table: &str, column: &Column) -> Result<Fill> {
        let guard = Decision::TableIsEmpty(table.to_owned());
        let effect = "a row in the table stops the migration";
        self.fill(table, column, &guard, effect, "the column is new, allows no NULL and has no default")
    }

    /// What takes the place of NULL in this column, which no longer allows it.
    pub(super) fn fill_nulls(&mut self, table: &str, column: &Column) -> Result<Fill> {
        let guard = Decision::NoNulls { table: table.to_owned(), column: column.name.clone() };
        let effect = "a NULL in the column stops the migration";
        self.fill(table, column, &guard, effect, "the column no longer allows NULL")
    }

    fn fill(&mut self, table: &str, column: &Column, guard: &Decision, effect: &str, found: &str) -> Result<Fill> {
        let given = self.decisions.iter().find_map(|decision| match decision {
            Decision::Backfill { table: t, column: c, value } if t == table && *c == column.name => {
                Some((decision, value))
            }
            _ => None,
        });
        if let Some((decision, value)) = given {
            let value = literal::fit(value, &column.ty).map_err(|wanted| {
                let error = Error::new(
                    ErrorKind::Migration,
                    format!("the value of `{decision}` is none for a column of type {}", column.ty),
                );
                if wanted.is_empty() {
                    error.with_help("make the column nullable, fill it, and forbid NULL in a later migration")
                } else {
                    error.with_help(format!("it must be {wanted}"))
                }
            })?;
            self.used(decision);
            return Ok(Fill::Value(value));
        }
        if self.consents || self.decisions.contains(guard) {
            self.used(guard);
            return Ok(Fill::Guard);
        }
        let mut answers = Vec::new();
        let wanted = literal::wanted(&column.ty);
        let at = place(table, &column.name);
        if !wanted.is_empty() {
            answers.push(Answer {
                decision: format!("backfill {at} with <{wanted}>"),
                effect: "rows that exist get this value".to_owned(),
                similarity: None,
            });
        }
        answers.push(Answer { decision: guard.to_string(), effect: effect.to_owned(), similarity: None });
        self.questions.push(Question { about: at, found: found.to_owned(), answers });
        Ok(Fill::Undecided)
    }

    /// The questions that no decision answered.
    ///
    /// # Errors
    /// `Migration` for a decision that nothing asked for.
    pub(super) fn finish(self) -> Result<Vec<Question>> {
        // While something is undecided, a decision may still wait for its turn.
        if self.questions.is_empty()
            && let Some((unused, _)) = self.decisions.iter().zip(&self.used).find(|(_, used)| !**used)
        {
            return Err(Error::new(ErrorKind::Migration, format!("the decision `{unused}` fits nothing that changed"))
                .with_help("leave it away, or look for a mistyped name"));
        }
        Ok(self.questions)
    }
}

/// A label that goes: what could take its place, the new ones first.
fn lost_label(before: &EnumType, after: &EnumType, label: &str, drop: &Decision) -> Question {
    let mut others: Vec<&str> = after.labels.iter().map(|label| &**label).collect();
    others.sort_by_key(|other| before.labels.iter().any(|known| known == other));
    let mut answers: Vec<Answer> = others
        .into_iter()
        .map(|to| {
            let decision =
                Decision::MapLabel { ty: after.name.to_string(), label: label.to_owned(), to: to.to_owned() };
            Answer { decision: decision.to_string(), effect: format!("rows with it get '{to}'"), similarity: None }
        })
        .collect();
    let effect = "a row with it stops the migration".to_owned();
    answers.push(Answer { decision: drop.to_string(), effect, similarity: None });
    Question { about: show_qualified(&after.name), found: format!("the enum has no label '{label}' any more"), answers }
}
