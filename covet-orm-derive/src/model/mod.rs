//! Meaning: what the user's item stands for, in terms that `expand` can write down as they are.

mod casing;
mod column;
mod db_enum;
mod default;
mod foreign_key;
mod hints;
mod index;
mod kind;
mod newtype;
mod relation;
mod special;
mod table;
mod types;

pub(crate) use casing::{plural, snake};
pub(crate) use column::{Column, Reference};
pub(crate) use db_enum::{DbEnum, Variant};
pub(crate) use default::DefaultValue;
pub(crate) use foreign_key::{ForeignKey, IMMEDIATE, NO_ACTION};
pub(crate) use index::{Index, More, Term};
pub(crate) use kind::Kind;
pub(crate) use newtype::DbNewtype;
pub(crate) use relation::{Relation, RelationKind};
pub(crate) use table::Model;
pub(crate) use types::{same_model, spelt};

use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::errors::Errors;
use crate::names::MAX_IDENTIFIER;

/// The name of a field, without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// A name for the database that the user wrote or that came from one of his own.
fn identifier(name: String, tokens: &dyn quote::ToTokens, what: &str, errors: &mut Errors) -> String {
    if name.is_empty() || name.contains('\0') {
        errors.at(tokens, format!("{what} cannot be empty or contain NUL"));
    } else if name.len() > MAX_IDENTIFIER {
        errors.at(tokens, format!("{what} has {} bytes, and databases keep {MAX_IDENTIFIER}", name.len()));
    }
    name
}

/// A name with that of its schema before it, as the catalog of `covet-drivers` writes both: a part with a dot in it, or
/// with a double quote at its beginning, stands in double quotes.
fn qualified(schema: Option<&LitStr>, name: &str, errors: &mut Errors) -> String {
    let written = |part: &str| match part.contains('.') || part.starts_with('"') {
        true => format!("\"{}\"", part.replace('"', "\"\"")),
        false => part.to_owned(),
    };
    let Some(given) = schema else { return written(name) };
    let schema = identifier(given.value(), given, "a schema's name", errors);
    if schema.starts_with("pg_") || schema == "information_schema" {
        errors.at(given, format!("the schema `{schema}` belongs to PostgreSQL itself"));
    }
    format!("{}.{}", written(&schema), written(name))
}
