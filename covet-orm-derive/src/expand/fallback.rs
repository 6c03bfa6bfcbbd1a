//! What stands in for the code when there were mistakes: enough for rustc to say nothing about
//! every use of the item, so that one mistake gives one message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::expand::paths::block;
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
    let ident = &item.ident;
    let name = ident.to_string();
    block(&quote! {
        static META: __ModelMeta = __ModelMeta {
            name: #name, path: #name, table: #name, columns: COLUMNS, key: &[0], indexes: &[], relations: &[],
            version: __None, created_at: __None, updated_at: __None, texts: __Texts::new(), more: __None,
        };
        static LIST: [__ColumnMeta; 1] = [__column_meta(#name, "id", "id", 0, <i64 as __Stored>::KIND)];
        const COLUMNS: &[__ColumnMeta] = &LIST;
        #[diagnostic::do_not_recommend]
        impl __Record for #ident {
            const TABLE: &'static str = #name;
            const KEY_FIELD: &'static str = "id";
            const KEY_AT: usize = 0;
            const COLUMNS: &'static [__ColumnMeta] = COLUMNS;
            type Key = i64;
            fn meta() -> &'static __ModelMeta { &META }
            fn decode(_: &mut __Row<'_>, _: usize) -> __Result<Self> { __incomplete() }
            fn write_column(&self, column: &'static __ColumnMeta, _: &mut dyn __ValueWriter) -> __Result<()> {
                __Err(__no_column(#name, column))
            }
            fn set_column(&mut self, column: &'static __ColumnMeta, _: __ValueRef<'_>) -> __Result<()> {
                __Err(__no_column(#name, column))
            }
        }
        #[diagnostic::do_not_recommend]
        impl __Model for #ident {
            type Create = __Insert<#ident>;
            fn create() -> Self::Create { __Insert::new() }
        }
    })
}

/// A type that a column can have, of which nothing is known but its name.
pub(crate) fn column_value(item: &DeriveInput) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let ident = &item.ident;
    let name = ident.to_string();
    block(&quote! {
        impl #ident {
            #[doc(hidden)]
            pub const fn label(&self) -> &'static str { "" }
        }
        #[diagnostic::do_not_recommend]
        impl __ColumnValue for #ident {
            const TYPE: __ColumnType = __ColumnType::Text { max_len: __None };
            fn into_value(self, _: &__ColumnType) -> __Result<__Value> { __Ok(__Value::Null) }
            fn write_to(&self, _: &__ColumnType, to: &mut dyn __ValueWriter) -> __Result<()> {
                to.lend(__ValueRef::Null)
            }
            fn from_value(value: __ValueRef<'_>, _: &__ColumnType) -> __Result<Self> {
                __Err(__unknown_label(#name, value))
            }
        }
        impl __Field for #ident { type Inner = Self; }
    })
}
