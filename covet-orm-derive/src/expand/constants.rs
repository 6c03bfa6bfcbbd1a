//! Columns and relations as constants of the struct, and the functions that find a row by a unique index.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Attribute;

use crate::expand::find_by;
use crate::expand::paths::{covet, record};
use crate::model::{Column, Model, Relation, RelationKind};
use crate::names::{FIND_BY, FUNCTIONS};

/// The struct's own impl.
pub(super) fn inherent(model: &Model) -> TokenStream {
    let ident = &model.ident;
    // A name that hides a function has been reported; a constant would be reported again at each call.
    let kept = |name: &str| !(model.softened && (FUNCTIONS.contains(&name) || name.starts_with(FIND_BY)));
    let columns = model.columns.iter().enumerate().filter(|(_, column)| kept(&column.name));
    let columns = columns.map(|(index, column)| of_column(model, index, column));
    let relations = model.relations.iter().enumerate().filter(|(_, relation)| kept(&relation.name));
    let relations = relations.map(|(index, relation)| of_relation(model, index, relation));
    let find_by = find_by::functions(model);
    quote! {
        #[automatically_derived]
        impl #ident {
            #(#columns)*
            #(#relations)*
            #find_by
        }
    }
}

fn of_column(model: &Model, index: usize, column: &Column) -> TokenStream {
    let p = covet();
    let Column { ident: name, vis, ty, .. } = column;
    let ident = &model.ident;
    let docs = documented(&column.docs, || format!("The column `{}`.", column.column));
    quote_spanned! {name.span()=>
        #docs
        #vis const #name: #p::Column<#ident, #ty> = #p::Column::new(&COLUMNS[#index]);
    }
}

fn of_relation(model: &Model, index: usize, relation: &Relation) -> TokenStream {
    let p = covet();
    let Relation { ident: name, vis, target, .. } = relation;
    let ident = &model.ident;
    let docs = documented(&relation.docs, || format!("The relation `{}`.", relation.name));
    let (handle, link) = match &relation.kind {
        RelationKind::BelongsTo(_) | RelationKind::HasOne => (quote!(ToOne), None),
        RelationKind::HasMany => (quote!(ToMany), None),
        RelationKind::ManyToMany(link) => (quote!(Links), Some(link.to_token_stream())),
    };
    let link = link.into_iter();
    let fill = match &relation.kind {
        // By way of the other model, of which rustc has then one thing to say, and at one place.
        RelationKind::BelongsTo(_) => {
            let word = if relation.optional { "fill_optional" } else { "fill_required" };
            record(target, word)
        }
        _ => quote!(#p::Fill::fill),
    };
    quote_spanned! {name.span()=>
        #docs
        #vis const #name: #p::#handle<#ident, #target #(, #link)*> =
            #p::#handle::new(&RELATIONS[#index], |row, rows| #fill(&mut row.#name, rows, &RELATIONS[#index]));
    }
}

/// The field's own documentation, or a line in its place: lints take these constants for the user's code.
fn documented(docs: &[Attribute], otherwise: impl FnOnce() -> String) -> TokenStream {
    if docs.is_empty() {
        let text = otherwise();
        return quote!(#[doc = #text]);
    }
    quote!(#(#docs)*)
}
