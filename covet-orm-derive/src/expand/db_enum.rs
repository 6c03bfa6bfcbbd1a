//! What `#[derive(DbEnum)]` becomes.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::paths::{block, covet};
use crate::model::{DbEnum, Variant};

/// The enum as a type that a column can have.
pub(crate) fn db_enum(item: &DbEnum) -> TokenStream {
    let p = covet();
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
        impl #p::ColumnValue for #ident {
            const TYPE: #p::ColumnType = #p::ColumnType::Enum(#p::EnumType {
                name: #p::Cow::Borrowed(#name),
                labels: #p::Cow::Borrowed(&[#(#p::Cow::Borrowed(#labels)),*]),
            });
            #relabels
            fn into_value(self, _: &#p::ColumnType) -> #p::Result<#p::Value> {
                Ok(#p::Value::Label(#p::Cow::Borrowed(self.label())))
            }
            fn write_to(&self, _: &#p::ColumnType, to: &mut dyn #p::ValueWriter) -> #p::Result<()> {
                to.lend(#p::ValueRef::Label(self.label()))
            }
            fn from_value(value: #p::ValueRef<'_>, _: &#p::ColumnType) -> #p::Result<Self> {
                let label = match value {
                    #p::ValueRef::Label(label) | #p::ValueRef::Text(label) => Some(label),
                    _ => None,
                };
                match label {
                    #(Some(#labels) => Ok(Self::#variants),)*
                    _ => Err(#p::unknown_label(#title, value)),
                }
            }
        }
        #[automatically_derived]
        impl #p::Field for #ident {
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
