//! Rules about indexes.

use crate::errors::Errors;
use crate::model::{Index, Model};

/// An index has each column once.
pub(super) fn name_a_column_once(model: &Model, errors: &mut Errors) {
    for index in &model.indexes {
        let repeated =
            index.columns.iter().enumerate().find(|(at, column)| index.columns.iter().take(*at).any(|c| c == *column));
        if let Some(column) = repeated.and_then(|(_, column)| model.columns.get(*column)) {
            errors.at(&index.tokens, format!("`{}` is in this index twice", column.name));
        }
    }
}

/// No index is there twice, and none repeats the key: unless it has a name of its own, as one has that was there before.
pub(super) fn are_different(model: &Model, errors: &mut Errors) {
    for (at, index) in model.indexes.iter().enumerate() {
        if index.more.is_some() || index.name.is_some() {
            continue;
        }
        if index.unique && index.columns == model.key {
            errors.at(&index.tokens, "the key is unique already");
        } else if model
            .indexes
            .iter()
            .take(at)
            .any(|other| other.more.is_none() && other.name.is_none() && other.columns == index.columns)
        {
            errors.at(&index.tokens, format!("there is an index over {} already", columns(model, index)));
        }
    }
}

fn columns(model: &Model, index: &Index) -> String {
    let names = index.columns.iter().filter_map(|at| model.columns.get(*at)).map(|column| format!("`{}`", column.name));
    names.collect::<Vec<_>>().join(", ")
}
