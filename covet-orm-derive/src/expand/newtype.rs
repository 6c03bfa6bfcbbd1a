//! What `#[derive(DbNewtype)]` becomes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::paths::{block, column_value};
use crate::model::DbNewtype;

/// The newtype as a type that a column can have.
pub(crate) fn db_newtype(item: &DbNewtype) -> TokenStream {
    let DbNewtype { ident, inner } = item;
    let [ty, nullable, relabels, into, write, from, row] =
        ["TYPE", "NULLABLE", "RELABELS", "into_value", "write_to", "from_value", "from_row"]
            .map(|item| column_value(inner, item));
    block(&quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __ColumnValue for #ident {
            const TYPE: __ColumnType = #ty;
            const NULLABLE: bool = #nullable;
            const RELABELS: &'static [(&'static str, &'static str)] = #relabels;
            fn into_value(self, column: &__ColumnType) -> __Result<__Value> {
                #into(self.0, column)
            }
            fn write_to(&self, column: &__ColumnType, to: &mut dyn __ValueWriter) -> __Result<()> {
                #write(&self.0, column, to)
            }
            fn from_value(value: __ValueRef<'_>, column: &__ColumnType) -> __Result<Self> {
                __Ok(Self(#from(value, column)?))
            }
            fn from_row(row: &mut dyn __RowSource, index: usize, column: &__ColumnType) -> __Option<Self> {
                #row(row, index, column).map(Self)
            }
        }
        #[automatically_derived]
        impl __Field for #ident {
            type Inner = Self;
        }
    })
}
