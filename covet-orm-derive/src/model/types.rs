//! What a macro can see of a type: its tokens.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, PathSegment, Type};

/// The type with `Self` spelt out, so that it can stand outside the struct.
pub(super) fn without_self(ty: &Type, name: &Ident) -> Type {
    syn::parse2(replace_self(ty.to_token_stream(), name)).unwrap_or_else(|_| ty.clone())
}

fn replace_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => TokenTree::Ident(Ident::new(&name.to_string(), ident.span())),
        TokenTree::Group(group) => {
            let mut inner = proc_macro2::Group::new(group.delimiter(), replace_self(group.stream(), name));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}

/// The last part of a path type: `Option<T>` of `std::option::Option<T>`.
pub(super) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        // A type that came through a `macro_rules!` is wrapped.
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// The type arguments of the last part.
pub(super) fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// `T` of `Option<T>`.
pub(super) fn option(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    arguments(segment).first().copied()
}

/// A type or path as the user would write it.
pub(crate) fn spelt(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">")
}

/// Whether the last parts of two paths to models agree: all that a macro can compare.
pub(crate) fn same_model(path: &Path, ty: &Type) -> bool {
    match (path.segments.last(), last_segment(ty)) {
        (Some(a), Some(b)) => a.ident == b.ident,
        _ => false,
    }
}
