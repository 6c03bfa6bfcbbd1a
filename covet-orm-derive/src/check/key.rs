//! Rules about the primary key.

use crate::errors::Errors;
use crate::model::{Column, Model};
use crate::names::MAX_KEY;

/// There is a key.
pub(super) fn exists(model: &Model, errors: &mut Errors) {
    if !model.key.is_empty() {
        return;
    }
    let name = &model.name;
    let help = match model.columns.iter().any(|column| column.name == "id") {
        true => "mark the field that tells rows apart: `#[covet(key)]` on `id`",
        false => "mark the field that tells rows apart, or add one: `#[covet(key)] id: i64`",
    };
    errors.at_with_help(&model.ident, format!("`{name}` has no key"), help);
}

/// Its columns can be one.
pub(super) fn is_usable(model: &Model, errors: &mut Errors) {
    if model.key.len() > MAX_KEY {
        errors.at(&model.ident, format!("the key has {} columns, and may have {MAX_KEY}", model.key.len()));
    }
    for column in key_columns(model) {
        if column.optional {
            errors.at(&column.ty, format!("`{}` is of the key: it cannot be an `Option`", column.name));
        }
    }
}

/// `auto` stands on a key of one number, and nothing else fills it.
pub(super) fn auto_is_for_numbers(model: &Model, errors: &mut Errors) {
    for column in &model.columns {
        let Some(word) = column.attr.auto.word() else { continue };
        let name = &column.name;
        if !column.attr.key.is_given() {
            errors.at(word, format!("`auto` is for the key, and `{name}` is not"));
        } else if column.attr.auto.get() != Some(&true) {
            continue;
        } else if column.kind.is_int() == Some(false) {
            errors.at(word, format!("`auto` is for numbers, and `{name}` is not"));
        } else if model.key.len() > 1 {
            errors.at(word, "`auto` is for a key of one column");
        } else if let Some(default) = column.default_tokens() {
            errors.at(default, format!("`{name}` is numbered by the database: it takes no default"));
        }
    }
}

fn key_columns(model: &Model) -> impl Iterator<Item = &Column> {
    model.key.iter().filter_map(|at| model.columns.get(*at))
}
