//! Indexes, from single fields and from lists.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use crate::attr::IndexAttr;
use crate::errors::Errors;
use crate::model::{Column, Relation, identifier, plain};

/// An index.
pub(crate) struct Index {
    /// The name, where the user gave one.
    pub(crate) name: Option<String>,
    /// The columns, as positions.
    pub(crate) columns: Vec<usize>,
    /// Whether it is unique.
    pub(crate) unique: bool,
    /// Where the user asked for it.
    pub(crate) tokens: TokenStream,
}

impl Index {
    /// Those of single columns, then the lists, in the user's order.
    pub(super) fn all(
        lists: &[IndexAttr],
        columns: &[Column],
        relations: &[Relation],
        errors: &mut Errors,
    ) -> Vec<Index> {
        let mut indexes = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let unique = column.attr.unique.word();
            // Both together have been reported; the unique one stays.
            if let Some(word) = unique.or(column.attr.index.word()) {
                let tokens = word.to_token_stream();
                indexes.push(Index { name: None, columns: vec![at], unique: unique.is_some(), tokens });
            }
        }
        for list in lists {
            let positions: Vec<usize> =
                list.fields.iter().filter_map(|field| position(field, columns, relations, errors)).collect();
            if positions.len() < list.fields.len() {
                continue;
            }
            let name = list.name.get().map(|name| identifier(name.value(), name, "an index's name", errors));
            let tokens = list.word.to_token_stream();
            indexes.push(Index { name, columns: positions, unique: list.unique, tokens });
        }
        indexes
    }
}

fn position(field: &Ident, columns: &[Column], relations: &[Relation], errors: &mut Errors) -> Option<usize> {
    let name = plain(field);
    let found = columns.iter().position(|column| column.name == name);
    if found.is_none() {
        match relations.iter().any(|relation| relation.name == name) {
            true => errors.at(field, format!("`{name}` is a relation: an index is over columns")),
            false => {
                let known = columns.iter().map(|column| column.name.as_str());
                errors.unknown(field, format!("there is no column `{name}`"), known);
            }
        }
    }
    found
}
