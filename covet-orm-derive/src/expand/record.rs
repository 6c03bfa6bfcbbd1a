//! `impl Record`: the row as the struct, and the struct's fields by position.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::paths::{covet, stored};
use crate::expand::relations;
use crate::model::{Column, Model, Relation};

/// The impl.
pub(super) fn implement(model: &Model) -> TokenStream {
    let p = covet();
    let Model { ident, name, table, .. } = model;
    let key: Vec<_> = model.key.iter().filter_map(|at| model.columns.get(*at)).collect();
    let key_field = key.first().map(|column| column.name.as_str()).unwrap_or_default();
    let key_at = model.key.first().copied().unwrap_or_default();
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
            const KEY_AT: usize = #key_at;
            const COLUMNS: &'static [#p::ColumnMeta] = &COLUMNS;
            type Key = #key_type;
            fn meta() -> &'static #p::ModelMeta {
                &META
            }
            fn decode(row: &#p::Row<'_>, at: usize) -> #p::Result<Self> {
                Ok(#ident { #(#decoded,)* #(#unloaded,)* })
            }
            fn write(&self, columns: ::core::ops::Range<usize>, to: &mut dyn #p::ValueWriter) -> #p::Result<()> {
                #(#read)*
                Ok(())
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

// The calls stand at the place of the type, callee included: what rustc says of the type it then says once. A
// `match` costs rustc less than `?`, for which it must select three traits.

fn decoded((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let decode = stored(ty, "decode");
    quote! {
        #field: match #decode(row, at + #index, &COLUMNS[#index]) {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    }
}

fn read((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let read = stored(ty, "read");
    quote! {
        if columns.start <= #index && #index < columns.end {
            if let Err(error) = #read(&self.#field, &COLUMNS[#index], to) {
                return Err(error);
            }
        }
    }
}

fn written((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let write = stored(ty, "write");
    quote!(#index => #write(&mut self.#field, value, &COLUMNS[#index]))
}

fn unloaded((index, relation): (usize, &Relation)) -> TokenStream {
    let p = covet();
    let field = &relation.ident;
    let kind = relations::kind(&relation.kind);
    quote!(#field: #p::#kind::unloaded(&RELATIONS[#index]))
}
