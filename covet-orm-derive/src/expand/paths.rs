//! The one file that knows where the generated code finds Covet.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Type, Visibility};

/// The block around everything that a derive writes.
pub(super) fn block(items: &TokenStream) -> TokenStream {
    let import = import();
    quote! {
        #[allow(non_upper_case_globals, non_camel_case_types, dead_code)]
        const _: () = {
            #import
            #items
        };
    }
}

/// What makes the names known in the block: `__Record` is Covet's `Record`, and so on.
pub(crate) fn import() -> TokenStream {
    quote!(
        use ::covet_orm::__private::names::*;
    )
}

/// `<T as ColumnValue>::item`, all at the place of the type: rustc says once that it is no column type.
pub(super) fn column_value(ty: &Type, item: &str) -> TokenStream {
    of_trait(ty, "__ColumnValue", item)
}

/// `<T as Record>::item`, all at the place of the type: rustc says once that it is no model.
pub(super) fn record(ty: &Type, item: &str) -> TokenStream {
    of_trait(ty, "__Record", item)
}

fn of_trait(ty: &Type, of: &str, item: &str) -> TokenStream {
    let (first, last) = ends(ty);
    let (of, item) = (Ident::new(of, last), Ident::new(item, last));
    let begin = quote_spanned!(first=> <#ty);
    quote_spanned!(last=> #begin as #of>::#item)
}

/// `<T as Stored>::item`, likewise: what a model asks of a field's type.
pub(super) fn stored(ty: &Type, item: &str) -> TokenStream {
    of_trait(ty, "__Stored", item)
}

/// The places of the first and the last token, from which rustc makes the place of the whole.
fn ends(ty: &Type) -> (Span, Span) {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    (first, tokens.last().map_or(first, |token| token.span()))
}

/// `Operand<User, T>` at the place of a field: messages about a wrong value show the field.
pub(super) fn operand(model: &Ident, field: Span, ty: &Type) -> TokenStream {
    quote_spanned!(field=> __Operand<#model, #ty>)
}

/// `Input<User, T>` at the place of a field: messages about a wrong value show the field.
pub(super) fn input(model: &Ident, field: Span, ty: &Type) -> TokenStream {
    quote_spanned!(field=> __Input<#model, #ty>)
}

/// The place of the user's token, as the place of generated code: errors point there, lints do not
/// take it for the user's own code.
pub(super) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The user's visibility at a place of generated code: an item takes the place of its first token.
pub(super) fn vis_at(vis: &Visibility, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    vis.to_token_stream().into_iter().map(respan).collect()
}
