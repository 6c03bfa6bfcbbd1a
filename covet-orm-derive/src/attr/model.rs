//! The attributes of a model's struct.

use proc_macro2::Ident;
use syn::{Attribute, LitStr};

use crate::attr::{Item, Once, items};
use crate::errors::Errors;
use crate::names::{self, Place};

/// What stands at the struct.
#[derive(Default)]
pub(crate) struct ModelAttr {
    pub(crate) table: Once<LitStr>,
    pub(crate) timestamps: Once<Timestamps>,
    pub(crate) indexes: Vec<IndexAttr>,
}

/// The fields that `timestamps` is about, where they are named.
#[derive(Default)]
pub(crate) struct Timestamps {
    pub(crate) created: Once<Ident>,
    pub(crate) updated: Once<Ident>,
}

/// `unique(a, b)` or `index(a, b)`
pub(crate) struct IndexAttr {
    pub(crate) word: Ident,
    pub(crate) unique: bool,
    pub(crate) fields: Vec<Ident>,
    pub(crate) name: Once<LitStr>,
}

impl ModelAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = ModelAttr::default();
        for item in &items(attrs, errors) {
            match item {
                _ if item.is(names::TABLE) => attr.table.set(item, item.value(names::TABLE, errors), errors),
                _ if item.is(names::TIMESTAMPS) => attr.timestamps.set(item, timestamps(item, errors), errors),
                _ if item.is(names::UNIQUE_LIST) => attr.indexes.extend(index(item, names::UNIQUE_LIST, errors)),
                _ if item.is(names::INDEX_LIST) => attr.indexes.extend(index(item, names::INDEX_LIST, errors)),
                _ => item.misplaced(Place::Model, errors),
            }
        }
        attr
    }
}

fn timestamps(item: &Item, errors: &mut Errors) -> Option<Timestamps> {
    let mut read = Timestamps::default();
    if item.is_bare() {
        return Some(read);
    }
    for part in &item.nested(names::TIMESTAMPS, errors)? {
        match part {
            _ if part.is(names::CREATED) => read.created.set(part, part.value(names::CREATED, errors), errors),
            _ if part.is(names::UPDATED) => read.updated.set(part, part.value(names::UPDATED, errors), errors),
            _ => {
                let known = [names::CREATED.text, names::UPDATED.text];
                errors.unknown(&part.word, format!("`{}` is no part of `timestamps`", part.word), known);
            }
        }
    }
    Some(read)
}

fn index(item: &Item, word: names::Word, errors: &mut Errors) -> Option<IndexAttr> {
    let mut name = Once::default();
    let mut fields = Vec::new();
    for part in item.nested(word, errors)? {
        match part.is_bare() {
            true => fields.push(part.word),
            false if part.is(names::INDEX_NAME) => name.set(&part, part.value(names::INDEX_NAME, errors), errors),
            false => {
                part.malformed(names::INDEX_NAME, errors);
                return None;
            }
        }
    }
    if fields.is_empty() {
        item.malformed(word, errors);
        return None;
    }
    Some(IndexAttr { word: item.word.clone(), unique: word.text == names::UNIQUE.text, fields, name })
}
