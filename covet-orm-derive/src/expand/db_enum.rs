//! What `#[derive(DbEnum)]` becomes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::paths::block;
use crate::model::{DbEnum, Variant};

/// The enum as a type that a column can have.
pub(crate) fn db_enum(item: &DbEnum) -> TokenStream {
    let DbEnum { ident, vis, name, variants } = item;
    let title = ident.to_string();
    let relabels = relabels(variants);
    let labels: Vec<_> = variants.iter().map(|variant| &variant.label).collect();
    let variants: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    block(&quote! {
        #[automatically_derived]
        impl #ident {
            /// The label that stands for this in the database.
            #vis const fn label(&self) -> &'static str {
                match self {
                    #(Self::#variants => #labels,)*
                }
            }
        }
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __ColumnValue for #ident {
            const TYPE: __ColumnType = __ColumnType::Enum(__EnumType {
                name: __Cow::Borrowed(#name),
                labels: __Cow::Borrowed(&[#(__Cow::Borrowed(#labels)),*]),
            });
            #relabels
            fn into_value(self, _: &__ColumnType) -> __Result<__Value> {
                __Ok(__Value::Label(__Cow::Borrowed(self.label())))
            }
            fn write_to(&self, _: &__ColumnType, to: &mut dyn __ValueWriter) -> __Result<()> {
                to.lend(__ValueRef::Label(self.label()))
            }
            fn from_value(value: __ValueRef<'_>, _: &__ColumnType) -> __Result<Self> {
                let label = match value {
                    __ValueRef::Label(label) | __ValueRef::Text(label) => __Some(label),
                    _ => __None,
                };
                match label {
                    #(__Some(#labels) => __Ok(Self::#variants),)*
                    _ => __Err(__unknown_label(#title, value)),
                }
            }
        }
        #[automatically_derived]
        impl __Field for #ident {
            type Inner = Self;
        }
    })
}

/// The labels that were called otherwise before, where there are some.
fn relabels(variants: &[Variant]) -> TokenStream {
    let renamed = variants.iter().filter_map(|variant| Some((variant.renamed_from.as_ref()?, &variant.label)));
    let pairs: Vec<TokenStream> = renamed.map(|(before, label)| quote!((#before, #label))).collect();
    match pairs.is_empty() {
        true => TokenStream::new(),
        false => quote!(const RELABELS: &'static [(&'static str, &'static str)] = &[#(#pairs),*];),
    }
}
