//! Rules about names.

use std::collections::BTreeMap;

use crate::errors::Errors;
use crate::model::{Column, Model, Relation};
use crate::names::{BUILDER, FIND_BY, FUNCTIONS};

/// No column or relation hides a function of the model.
pub(super) fn do_not_hide_functions(model: &Model, errors: &mut Errors) {
    for Column { ident, name, column, .. } in &model.columns {
        let help = format!("keep the column: `#[covet(column = \"{column}\")] {name}_`");
        if is_function(name) {
            let message = format!("`{name}` is taken: `{}::{name}` is a function of the model", model.name);
            errors.at_with_help(ident, message, help);
        } else if BUILDER.contains(&name.as_str()) {
            let message = format!("`{name}` is taken: `{}::create().{name}(…)` is a function already", model.name);
            errors.at_with_help(ident, message, help);
        }
    }
    for Relation { ident, name, .. } in &model.relations {
        if is_function(name) {
            let message = format!("`{name}` is taken: `{}::{name}` is a function of the model", model.name);
            errors.at_with_help(ident, message, "give the relation another name");
        }
    }
}

fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || name.starts_with(FIND_BY)
}

/// No two fields are the same column.
pub(super) fn are_different_columns(model: &Model, errors: &mut Errors) {
    let mut seen = BTreeMap::new();
    for column in &model.columns {
        if let Some(first) = seen.insert(column.column.as_str(), column.name.as_str()) {
            let message = format!("`{first}` and `{}` are both the column `{}`", column.name, column.column);
            match column.attr.column.get() {
                Some(given) => errors.at(given, message),
                None => errors.at(&column.ident, message),
            }
        }
    }
}
