//! An enum without data whose values are labels.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Fields, LitStr, Visibility};

use crate::attr::{EnumAttr, VariantAttr};
use crate::errors::Errors;
use crate::model::{hints, identifier, plain, qualified, snake};
use crate::names::{CASES, Case};

/// An enum.
pub(crate) struct DbEnum {
    /// The enum.
    pub(crate) ident: Ident,
    /// Its visibility.
    pub(crate) vis: Visibility,
    /// The name of the type, where a database has such types.
    pub(crate) name: String,
    /// The variants, in order.
    pub(crate) variants: Vec<Variant>,
}

/// A variant.
pub(crate) struct Variant {
    /// The variant.
    pub(crate) ident: Ident,
    /// The label in the database.
    pub(crate) label: String,
    /// What the label was before.
    pub(crate) renamed_from: Option<LitStr>,
}

impl DbEnum {
    /// Reads the item; `None` when it is no enum, which has been reported.
    pub(crate) fn read(item: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let Data::Enum(data) = &item.data else {
            errors.at(&item.ident, format!("`{}` is no enum, and `DbEnum` is for enums", item.ident));
            return None;
        };
        if !item.generics.params.is_empty() {
            errors.at(
                &item.generics.params,
                format!("`{}` is one list of labels: it cannot have parameters", item.ident),
            );
            return None;
        }
        if data.variants.is_empty() {
            errors.at(&item.ident, format!("`{}` has no variants, so a column could hold nothing", item.ident));
        }
        let attr = EnumAttr::read(&item.attrs, errors);
        let case = case(&attr, errors);
        let name = match attr.name.get() {
            Some(given) => identifier(given.value(), given, "an enum's name", errors),
            None => identifier(snake(&plain(&item.ident)), &item.ident, "an enum's name", errors),
        };
        let name = qualified(attr.schema.get(), &name, errors);
        let mut variants = Vec::new();
        let mut labels = BTreeMap::new();
        for variant in &data.variants {
            if !matches!(variant.fields, Fields::Unit) {
                errors.at(variant, format!("`{}` holds data, and a label cannot", variant.ident));
            }
            let attr = VariantAttr::read(&variant.attrs, errors);
            let label = match attr.rename.get() {
                Some(given) => identifier(given.value(), given, "a label", errors),
                None => identifier(case.apply(&plain(&variant.ident)), &variant.ident, "a label", errors),
            };
            if let Some(first) = labels.insert(label.clone(), &variant.ident) {
                errors.at(&variant.ident, format!("`{first}` and `{}` have the same label `{label}`", variant.ident));
            }
            let renamed_from = hints::former(&attr.renamed_from, &label, "a label", errors);
            variants.push(Variant { ident: variant.ident.clone(), label, renamed_from });
        }
        hints::of_labels(&variants, errors);
        Some(DbEnum { ident: item.ident.clone(), vis: item.vis.clone(), name, variants })
    }
}

fn case(attr: &EnumAttr, errors: &mut Errors) -> Case {
    let Some(given) = attr.rename_all.get() else { return Case::Snake };
    match CASES.iter().find(|(name, _)| *name == given.value()) {
        Some((_, case)) => *case,
        None => {
            let known: Vec<String> = CASES.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format!("`{}` is no spelling of labels", given.value());
            errors.at_with_help(given, message, format!("there are {}", known.join(", ")));
            Case::Snake
        }
    }
}
