//! Rules about the version column.

use crate::errors::Errors;
use crate::model::{Column, Model};

/// There is at most one.
pub(super) fn is_one(model: &Model, errors: &mut Errors) {
    let words: Vec<_> = versions(model).filter_map(|column| column.attr.version.word()).collect();
    for word in words.iter().skip(1) {
        errors.at(word, format!("`{}` has a version already: a model has one", model.name));
    }
}

/// Covet counts it, so nothing else may fill it.
pub(super) fn stands_alone(model: &Model, errors: &mut Errors) {
    for column in versions(model) {
        let name = &column.name;
        if column.optional {
            errors.at(&column.ty, format!("`{name}` is the version: it cannot be an `Option`"));
        }
        if let Some(default) = column.default_tokens() {
            errors.at(default, format!("`{name}` is the version and begins at 1: it takes no default"));
        }
        let others = [column.attr.key.word(), column.attr.references.word()];
        for word in others.into_iter().flatten() {
            errors.at(word, format!("`{name}` is the version and counts writes: it cannot have `{word}`"));
        }
    }
}

fn versions(model: &Model) -> impl Iterator<Item = &Column> {
    model.columns.iter().filter(|column| column.attr.version.is_given())
}
