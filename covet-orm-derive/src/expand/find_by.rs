//! `find_by_email`, `find_by_name_and_city`: one function for each unique index.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Visibility;

use crate::expand::paths::operand;
use crate::model::{Column, Index, Model};
use crate::names::FIND_BY;

/// The functions.
pub(super) fn functions(model: &Model) -> TokenStream {
    let mut seen: Vec<&[usize]> = Vec::new();
    let unique = model.indexes.iter().filter(|index| index.finds_one());
    // Two of them may be over the same columns.
    let each_once = unique.filter(|index| {
        let new = !seen.contains(&index.columns.as_slice());
        seen.push(&index.columns);
        new
    });
    each_once.filter_map(|index| function(model, index)).collect()
}

fn function(model: &Model, index: &Index) -> Option<TokenStream> {
    let ident = &model.ident;
    let columns: Vec<(usize, &Column)> =
        index.columns.iter().filter_map(|at| Some((*at, model.columns.get(*at)?))).collect();
    let (_, first) = columns.first()?;
    let names: Vec<&str> = columns.iter().map(|(_, column)| column.name.as_str()).collect();
    let name = format_ident!("{FIND_BY}{}", names.join("_and_"), span = first.ident.span());
    let doc = match names.as_slice() {
        [one] => format!("The row with this `{one}`."),
        several => format!("The row with these values of `{}`.", several.join("`, `")),
    };
    let vis = least_visible(&columns);
    let positions = columns.iter().map(|(at, _)| at);
    let parameters = columns.iter().map(|(_, column)| {
        let Column { ident: name, inner, .. } = column;
        let operand = operand(ident, name.span(), inner);
        quote!(#name: impl #operand)
    });
    let nodes = columns.iter().map(|(at, column)| {
        let Column { ident: name, inner, .. } = column;
        quote!(__compared::<#ident, #inner>(#name, __at(COLUMNS, #at)))
    });
    Some(quote_spanned! {first.ident.span()=>
        #[doc = #doc]
        #vis fn #name(#(#parameters),*) -> __Find<#ident> {
            __Find::by_unique(&[#(#positions),*], ::std::vec![#(#nodes),*])
        }
    })
}

/// The visibility of the field that fewest can see, so that no private type is given away.
fn least_visible<'a>(columns: &[(usize, &'a Column)]) -> &'a Visibility {
    let rank = |vis: &Visibility| match vis {
        Visibility::Inherited => 0,
        Visibility::Restricted(_) => 1,
        Visibility::Public(_) => 2,
    };
    columns.iter().map(|(_, column)| &column.vis).min_by_key(|vis| rank(vis)).unwrap_or(&Visibility::Inherited)
}
