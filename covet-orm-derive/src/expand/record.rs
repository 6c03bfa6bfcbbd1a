//! `impl Record`: the row as the struct, and the struct's fields by position.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::expand::paths::stored;
use crate::expand::relations;
use crate::model::{Column, Model, Relation};

/// The impl.
pub(super) fn implement(model: &Model) -> TokenStream {
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
    let columns = (0..model.columns.len()).map(|index| numbered("column", index));
    let relations = (0..model.relations.len()).map(|index| numbered("relation", index));
    let described = match model.relations.is_empty() {
        true => quote!([#(#columns),*] = &LIST),
        false => quote!(([#(#columns),*], [#(#relations),*]) = (&LIST, &RELATIONS)),
    };
    let decoded = model.columns.iter().enumerate().map(decoded);
    let read = model.columns.iter().enumerate().map(read);
    let written = model.columns.iter().enumerate().map(written);
    let unloaded = model.relations.iter().enumerate().map(unloaded);
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __Record for #ident {
            const TABLE: &'static str = #table;
            const KEY_FIELD: &'static str = #key_field;
            const KEY_AT: usize = #key_at;
            const COLUMNS: &'static [__ColumnMeta] = COLUMNS;
            type Key = #key_type;
            fn meta() -> &'static __ModelMeta {
                &META
            }
            fn decode(row: &mut __Row<'_>, at: usize) -> __Result<Self> {
                let #described;
                __Ok(#ident { #(#decoded,)* #(#unloaded,)* })
            }
            fn write_column(&self, column: &'static __ColumnMeta, to: &mut dyn __ValueWriter) -> __Result<()> {
                match column.index {
                    #(#read,)*
                    _ => __Err(__no_column(#name, column)),
                }
            }
            fn set_column(&mut self, column: &'static __ColumnMeta, value: __ValueRef<'_>) -> __Result<()> {
                match column.index {
                    #(#written,)*
                    _ => __Err(__no_column(#name, column)),
                }
            }
        }
    }
}

// The descriptions are taken out of their lists by one pattern, of which the optimizer leaves nothing: it
// knows the statics. The calls stand at the place of the type, callee included: what rustc says of the type it then says
// once. A `match` costs rustc less than `?`, for which it must select three traits.

/// The name of a description in `decode`.
fn numbered(what: &str, index: usize) -> Ident {
    format_ident!("{what}{index}")
}

fn decoded((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let (decode, meta) = (stored(ty, "decode_from"), numbered("column", index));
    quote! {
        #field: match #decode(row, at, #meta) {
            __Ok(value) => value,
            __Err(error) => return __Err(error),
        }
    }
}

fn read((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let read = stored(ty, "read");
    quote!(#index => #read(&self.#field, column, to))
}

fn written((index, Column { ident: field, ty, .. }): (usize, &Column)) -> TokenStream {
    let write = stored(ty, "write");
    quote!(#index => #write(&mut self.#field, value, column))
}

fn unloaded((index, relation): (usize, &Relation)) -> TokenStream {
    let field = &relation.ident;
    let kind = format_ident!("__{}", relations::word(&relation.kind));
    let meta = numbered("relation", index);
    quote!(#field: #kind::unloaded(#meta))
}
