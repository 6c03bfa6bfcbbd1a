//! `impl Record`: the row as the struct, and the struct's fields by position.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::expand::paths::{column_value, covet, ends, function_at};
use crate::expand::relations;
use crate::model::{Column, Model, Relation};

/// The impl.
pub(super) fn implement(model: &Model) -> TokenStream {
    let p = covet();
    let Model { ident, name, table, .. } = model;
    let key: Vec<_> = model.key.iter().filter_map(|at| model.columns.get(*at)).collect();
    let key_field = key.first().map(|column| column.name.as_str()).unwrap_or_default();
    let key_type = match key.as_slice() {
        [one] => {
            let ty = &one.ty;
            quote!(#ty)
        }
        several => {
            let types = several.iter().map(|column| &column.ty);
            quote!((#(#types,)*))
        }
    };
    let decoded = model.columns.iter().enumerate().map(decoded);
    let read = model.columns.iter().enumerate().map(read);
    let written = model.columns.iter().enumerate().map(written);
    let unloaded = model.relations.iter().enumerate().map(unloaded);
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #p::Record for #ident {
            const NAME: &'static str = #name;
            const TABLE: &'static str = #table;
            const KEY_FIELD: &'static str = #key_field;
            const COLUMNS: &'static [#p::ColumnMeta] = &COLUMNS;
            type Key = #key_type;
            fn meta() -> &'static #p::ModelMeta {
                &META
            }
            fn decode(row: &#p::Row<'_>, at: usize) -> #p::Result<Self> {
                Ok(#ident { #(#decoded,)* #(#unloaded,)* })
            }
            fn get(&self, column: usize) -> #p::Result<#p::Value> {
                match column {
                    #(#read,)*
                    _ => Err(#p::no_column(#name, column)),
                }
            }
            fn set(&mut self, column: usize, value: #p::ValueRef<'_>) -> #p::Result<()> {
                match column {
                    #(#written,)*
                    _ => Err(#p::no_column(#name, column)),
                }
            }
        }
    }
}

// The calls stand at the place of the type, callee included: what rustc says of the type it then says once.

fn decoded((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let decode = function_at(ty, "decode_with");
    let [plain, from] = ["from_plain", "from_value"].map(|item| column_value(ty, item));
    let offset = (index > 0).then(|| quote!(+ #index));
    quote!(#field: #decode(row, at #offset, &COLUMNS[#index], #plain, #from)?)
}

fn read((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let (read, into) = (function_at(ty, "read_with"), column_value(ty, "into_value"));
    let (first, last) = ends(ty);
    let begin = quote_spanned!(first=> <#ty);
    let clone = quote_spanned!(last=> #begin as ::core::clone::Clone>::clone);
    quote!(#index => #read(#clone(&self.#field), &COLUMNS[#index], #into))
}

fn written((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let (write, from) = (function_at(ty, "write_with"), column_value(ty, "from_value"));
    quote!(#index => #write(&mut self.#field, value, &COLUMNS[#index], #from))
}

fn unloaded((index, relation): (usize, &Relation)) -> TokenStream {
    let p = covet();
    let field = &relation.ident;
    let kind = relations::kind(&relation.kind);
    quote!(#field: #p::#kind::unloaded(&RELATIONS[#index]))
}
