//! The three derives as a pipeline: read, describe, check, expand.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;
use crate::expand::fallback;
use crate::model::{DbEnum, DbNewtype, Model};
use crate::{check, expand};

/// Parses the item and runs one derive on it.
pub(crate) fn run(input: TokenStream, derive: fn(&DeriveInput) -> TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(item) => derive(&item),
        Err(error) => error.into_compile_error(),
    }
}

/// `#[derive(Model)]`
pub(crate) fn model(item: &DeriveInput) -> TokenStream {
    let mut errors = Errors::new();
    let model = Model::read(item, &mut errors);
    if let Some(model) = &model {
        check::model(model, &mut errors);
    }
    match (errors.finish(), model) {
        (errors, Some(model)) if !model.lacking.is_empty() => {
            let (rest, types) = (fallback::model(item), expand::checks::types(&model.lacking));
            quote::quote!(#errors #rest #types)
        }
        (None, Some(model)) => expand::model(&model),
        (errors, Some(model)) if !model.columns.is_empty() => {
            let rest = expand::model(&fallback::soften(model));
            quote::quote!(#errors #rest)
        }
        (errors, _) => {
            let rest = fallback::model(item);
            quote::quote!(#errors #rest)
        }
    }
}

/// `#[derive(DbEnum)]`
pub(crate) fn db_enum(item: &DeriveInput) -> TokenStream {
    let mut errors = Errors::new();
    let described = DbEnum::read(item, &mut errors);
    match (errors.finish(), described) {
        (None, Some(described)) => expand::db_enum(&described),
        (errors, _) => {
            let rest = fallback::column_value(item);
            quote::quote!(#errors #rest)
        }
    }
}

/// `#[derive(DbNewtype)]`
pub(crate) fn db_newtype(item: &DeriveInput) -> TokenStream {
    let mut errors = Errors::new();
    let described = DbNewtype::read(item, &mut errors);
    match (errors.finish(), described) {
        (None, Some(described)) => expand::db_newtype(&described),
        (errors, _) => {
            let rest = fallback::column_value(item);
            quote::quote!(#errors #rest)
        }
    }
}
