//! Texts in SQL as expressions of the schema.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attr::Sql;

/// The expression.
pub(super) fn expression(sql: &Sql) -> TokenStream {
    match sql {
        Sql::Same(text) => quote!(__Expression::Same(__Cow::Borrowed(#text))),
        Sql::Each(texts) => {
            let texts = texts.iter().map(|(name, text)| quote!((__Cow::Borrowed(#name), __Cow::Borrowed(#text))));
            quote!(__Expression::Each(__Cow::Borrowed(&[#(#texts),*])))
        }
    }
}

/// The same, where it may be absent.
pub(super) fn optional(sql: Option<&Sql>) -> TokenStream {
    match sql {
        Some(sql) => {
            let expression = expression(sql);
            quote!(__Some(#expression))
        }
        None => quote!(__None),
    }
}
