//! The description of the model, and its registration.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::paths::covet;
use crate::model::{Index, Model};

/// The static and what makes it known to the schema.
pub(super) fn statics(model: &Model) -> TokenStream {
    let p = covet();
    let Model { name, table, key, .. } = model;
    let path = format!("::{name}");
    let indexes = model.indexes.iter().map(index);
    let relations = match model.relations.is_empty() {
        true => quote!(&[]),
        false => quote!(&RELATIONS),
    };
    let version = position(model.version);
    let [created_at, updated_at] = model.timestamps.map(position);
    quote! {
        static META: #p::ModelMeta = #p::ModelMeta {
            name: #name,
            path: ::core::concat!(::core::module_path!(), #path),
            table: #table,
            columns: COLUMNS,
            key: &[#(#key),*],
            indexes: &[#(#indexes),*],
            relations: #relations,
            version: #version,
            created_at: #created_at,
            updated_at: #updated_at,
            texts: #p::Texts::new(),
        };
        #p::inventory::submit! { #p::Registered(&META) }
    }
}

fn index(index: &Index) -> TokenStream {
    let p = covet();
    let Index { columns, unique, .. } = index;
    let name = match &index.name {
        Some(name) => quote!(Some(#name)),
        None => quote!(None),
    };
    quote!(#p::IndexMeta { name: #name, columns: &[#(#columns),*], unique: #unique })
}

fn position(column: Option<usize>) -> TokenStream {
    match column {
        Some(at) => quote!(Some(#at)),
        None => quote!(None),
    }
}
