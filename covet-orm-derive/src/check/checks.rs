//! Rules about checks.

use crate::attr::CheckName;
use crate::errors::Errors;
use crate::model::{Model, plain};

/// No two are called the same; the check of a column is called as the column.
pub(super) fn have_different_names(model: &Model, errors: &mut Errors) {
    for (at, check) in model.checks.iter().enumerate() {
        let before = || model.checks.iter().take(at).map(|check| &check.name);
        match &check.name {
            CheckName::Word(word) => {
                let name = plain(word);
                let of_column =
                    model.columns.iter().any(|column| column.column == name && column.attr.check.is_given());
                if of_column || before().any(|other| matches!(other, CheckName::Word(other) if plain(other) == name)) {
                    errors.at(word, format!("a check is called `{name}` already"));
                }
            }
            CheckName::Whole(text) => {
                let name = text.value();
                if before().any(|other| matches!(other, CheckName::Whole(other) if other.value() == name)) {
                    errors.at(text, format!("a check is called `{name}` already"));
                }
            }
        }
    }
}
