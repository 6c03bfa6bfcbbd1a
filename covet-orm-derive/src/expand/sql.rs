//! Texts in SQL as expressions of the schema.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attr::Sql;
use crate::expand::paths::covet;

/// The expression.
pub(super) fn expression(sql: &Sql) -> TokenStream {
    let p = covet();
    match sql {
        Sql::Same(text) => quote!(#p::Expression::Same(#p::Cow::Borrowed(#text))),
        Sql::Each(texts) => {
            let texts = texts.iter().map(|(name, text)| quote!((#p::Cow::Borrowed(#name), #p::Cow::Borrowed(#text))));
            quote!(#p::Expression::Each(#p::Cow::Borrowed(&[#(#texts),*])))
        }
    }
}

/// The same, where it may be absent.
pub(super) fn optional(sql: Option<&Sql>) -> TokenStream {
    match sql {
        Some(sql) => {
            let expression = expression(sql);
            quote!(Some(#expression))
        }
        None => quote!(None),
    }
}
