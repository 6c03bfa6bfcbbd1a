//! What stands in for the code when there were mistakes: enough for rustc to say nothing about
//! every use of the item, so that one mistake gives one message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::expand::paths::{block, covet};
use crate::model::Model;

/// The same description with less to go wrong: nothing is required, there is a key, nothing is checked.
pub(crate) fn soften(mut model: Model) -> Model {
    model.softened = true;
    if model.key.is_empty() {
        model.key.push(0);
    }
    model.key.truncate(1);
    model.columns.iter_mut().for_each(|column| column.required = false);
    model.indexes.iter_mut().for_each(|index| index.columns.dedup());
    model
}

/// A model of which nothing is known but its name.
pub(crate) fn model(item: &DeriveInput) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let p = covet();
    let ident = &item.ident;
    let name = ident.to_string();
    block(&quote! {
        static META: #p::ModelMeta = #p::ModelMeta {
            name: #name, path: #name, table: #name, columns: COLUMNS, key: &[0], indexes: &[], relations: &[],
            version: None, created_at: None, updated_at: None, texts: #p::Texts::new(), more: None,
        };
        const COLUMNS: &[#p::ColumnMeta] = &[#p::ColumnMeta {
            model: #name, field: "id", column: "id", index: 0, ty: #p::ColumnType::I64, nullable: false, default: None,
            auto: true, new_uuid: false, case_insensitive: false, references: None, relabels: &[], more: None,
        }];
        #[diagnostic::do_not_recommend]
        impl #p::Record for #ident {
            const TABLE: &'static str = #name;
            const KEY_FIELD: &'static str = "id";
            const KEY_AT: usize = 0;
            const COLUMNS: &'static [#p::ColumnMeta] = COLUMNS;
            type Key = i64;
            fn meta() -> &'static #p::ModelMeta { &META }
            fn decode(_: &mut #p::Row<'_>, _: usize) -> #p::Result<Self> { Err(#p::no_columns()) }
            fn write_column(&self, column: &'static #p::ColumnMeta, _: &mut dyn #p::ValueWriter) -> #p::Result<()> {
                Err(#p::no_column(#name, column))
            }
            fn set_column(&mut self, column: &'static #p::ColumnMeta, _: #p::ValueRef<'_>) -> #p::Result<()> {
                Err(#p::no_column(#name, column))
            }
        }
        #[diagnostic::do_not_recommend]
        impl #p::Model for #ident {
            type Create = #p::Insert<#ident>;
            fn create() -> Self::Create { #p::Insert::new() }
        }
    })
}

/// A type that a column can have, of which nothing is known but its name.
pub(crate) fn column_value(item: &DeriveInput) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let p = covet();
    let ident = &item.ident;
    let name = ident.to_string();
    block(&quote! {
        impl #ident {
            #[doc(hidden)]
            pub const fn label(&self) -> &'static str { "" }
        }
        #[diagnostic::do_not_recommend]
        impl #p::ColumnValue for #ident {
            const TYPE: #p::ColumnType = #p::ColumnType::Text { max_len: None };
            fn into_value(self, _: &#p::ColumnType) -> #p::Result<#p::Value> { Ok(#p::Value::Null) }
            fn write_to(&self, _: &#p::ColumnType, to: &mut dyn #p::ValueWriter) -> #p::Result<()> {
                to.lend(#p::ValueRef::Null)
            }
            fn from_value(value: #p::ValueRef<'_>, _: &#p::ColumnType) -> #p::Result<Self> {
                Err(#p::unknown_label(#name, value))
            }
        }
        impl #p::Field for #ident { type Inner = Self; }
    })
}
