//! Columns and relations as constants of the struct, and the functions that find a row by a unique index.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Attribute;

use crate::expand::create::Builder;
use crate::expand::find_by;
use crate::model::{Column, Model, Relation, RelationKind};
use crate::names::{FIND_BY, FUNCTIONS};

/// The struct's own impl.
pub(super) fn inherent(model: &Model, builder: &Builder<'_>) -> TokenStream {
    let ident = &model.ident;
    // A name that hides a function has been reported; a constant would be reported again at each call.
    let kept = |name: &str| !(model.softened && (FUNCTIONS.contains(&name) || name.starts_with(FIND_BY)));
    let columns = model.columns.iter().enumerate().filter(|(_, column)| kept(&column.name));
    let columns = columns.map(|(index, column)| of_column(model, index, column));
    let relations = model.relations.iter().enumerate().filter(|(_, relation)| kept(&relation.name));
    let relations = relations.map(|(index, relation)| of_relation(model, index, relation));
    let (find_by, insert_many) = (find_by::functions(model), builder.insert_many());
    quote! {
        #[automatically_derived]
        impl #ident {
            #(#columns)*
            #(#relations)*
            #find_by
            #insert_many
        }
    }
}

fn of_column(model: &Model, index: usize, column: &Column) -> TokenStream {
    let Column { ident: name, vis, ty, .. } = column;
    let ident = &model.ident;
    let docs = documented(&column.docs, || format!("The column `{}`.", column.column));
    quote_spanned! {name.span()=>
        #docs
        #vis const #name: __Column<#ident, #ty> = __column(COLUMNS, #index);
    }
}

fn of_relation(model: &Model, index: usize, relation: &Relation) -> TokenStream {
    let Relation { ident: name, vis, target, .. } = relation;
    let ident = &model.ident;
    let docs = documented(&relation.docs, || format!("The relation `{}`.", relation.name));
    let (handle, make, link) = match &relation.kind {
        RelationKind::BelongsTo(_) if relation.optional => ("__ToOne", "optional", None),
        RelationKind::BelongsTo(_) => ("__ToOne", "belongs_to", None),
        RelationKind::HasOne => ("__ToOne", "has_one", None),
        RelationKind::HasMany => ("__ToMany", "has_many", None),
        RelationKind::ManyToMany(link) => ("__Links", "many_to_many", Some(link)),
    };
    let [handle, make] = [handle, make].map(|word| Ident::new(word, name.span()));
    let link = link.into_iter();
    // The field of a relation that is not whole has another type than the constant, and that has been reported.
    let (row, field) = match relation.whole {
        true => (quote!(row), quote!(&mut row.#name)),
        false => (quote!(_), quote!(__incomplete())),
    };
    quote_spanned! {name.span()=>
        #docs
        #vis const #name: #handle<#ident, #target #(, #link)*> =
            #handle::#make(&RELATIONS[#index], |#row| #field);
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
