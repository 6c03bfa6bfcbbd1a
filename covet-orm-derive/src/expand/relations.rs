//! The description of the relations: `static RELATIONS`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::columns;
use crate::expand::paths::record;
use crate::model::{Model, Relation, RelationKind, plain};
use crate::names;

/// The static, when there are relations: what is wrong with a relation is then said once, and not again of each
/// constant that names it.
pub(super) fn statics(model: &Model) -> TokenStream {
    if model.relations.is_empty() {
        return TokenStream::new();
    }
    let relations = model.relations.iter().map(|relation| meta(model, relation));
    let count = model.relations.len();
    quote!(static RELATIONS: [__RelationMeta; #count] = [#(#relations),*];)
}

fn meta(model: &Model, relation: &Relation) -> TokenStream {
    let Relation { name: field, target, .. } = relation;
    let target = record(target, "meta");
    let name = &model.name;
    let kind = Ident::new(word(&relation.kind), Span::call_site());
    let Sides { both, through } = Sides::of(model, relation);
    let plain = quote!(__relation_meta(#name, #field, __RelationKind::#kind, #target, #both));
    match through {
        Some(through) => quote!(__RelationMeta { through: __Some(#through), ..#plain }),
        None => plain,
    }
}

/// What takes part in a relation.
struct Sides {
    /// The own column and the other model's.
    both: TokenStream,
    /// The model between.
    through: Option<TokenStream>,
}

impl Sides {
    fn of(model: &Model, relation: &Relation) -> Self {
        let key_at = model.key.first().copied().unwrap_or_default();
        let target = &relation.target;
        if !relation.whole || model.softened {
            // Rustc shall not look for columns that are not there because of the mistake.
            return Sides { both: quote!([__at(COLUMNS, #key_at), __at(COLUMNS, #key_at)]), through: None };
        }
        let table = model.table.to_token_stream();
        let by = relation.attr.by.get();
        match &relation.kind {
            RelationKind::BelongsTo(at) => {
                let own = at.unwrap_or(key_at);
                let reference = model.columns.get(own).and_then(|column| column.references.as_ref());
                let own = quote!(__at(COLUMNS, #own));
                let theirs = match reference.map(columns::target) {
                    // The foreign key's own check compares the types.
                    Some(target) => target,
                    None => joined(relation, &own, &quote!(<#target as __Record>::KEY_COLUMN)),
                };
                Sides { both: quote!([#own, #theirs]), through: None }
            }
            RelationKind::HasOne | RelationKind::HasMany => {
                let pointing = pointing(target, &table, by, target.span());
                let (span, message) = (relation.ident.span(), unlike(relation));
                let both = quote_spanned!(span=> __sides(COLUMNS, #pointing, #message));
                Sides { both, through: None }
            }
            RelationKind::ManyToMany(link) => {
                let other = quote!(<#target as __Record>::TABLE);
                let here = pointing(link, &table, by, link.span());
                let there = pointing(link, &other, relation.attr.to.get(), link.span());
                let own = pointed_at(&quote!(COLUMNS), &here);
                let theirs = pointed_at(&quote!(<#target as __Record>::COLUMNS), &there);
                let (here, there) = (joined(relation, &own, &here), joined(relation, &theirs, &there));
                let through = quote!(__Through { model: <#link as __Record>::meta, own: #here, theirs: #there });
                Sides { both: quote!([#own, #theirs]), through: Some(through) }
            }
        }
    }
}

/// The column among these at which the other model's column points.
fn pointed_at(columns: &TokenStream, pointing: &TokenStream) -> TokenStream {
    quote!(__pointed_at(#columns, #pointing))
}

/// The variant of `RelationKind`, which is the field's type too.
pub(super) fn word(kind: &RelationKind) -> &'static str {
    match kind {
        RelationKind::BelongsTo(_) => names::BELONGS_TO,
        RelationKind::HasOne => names::HAS_ONE,
        RelationKind::HasMany => names::HAS_MANY,
        RelationKind::ManyToMany(_) => names::MANY_TO_MANY,
    }
}

/// The column on the other side, if it can be equal to the one on this side.
fn joined(relation: &Relation, own: &TokenStream, theirs: &TokenStream) -> TokenStream {
    let span = relation.ident.span();
    let message = unlike(relation);
    quote_spanned!(span=> __joined(#own, #theirs, #message))
}

fn unlike(relation: &Relation) -> String {
    format!("the columns that `{}` goes by differ in type", relation.name)
}

/// The column of a model that is named, or that points at the table.
fn pointing(model: &impl ToTokens, table: &TokenStream, named: Option<&Ident>, span: Span) -> TokenStream {
    let span = named.map_or(span, Ident::span);
    let columns = quote!(<#model as __Record>::COLUMNS);
    let index = match named {
        Some(field) => {
            let name = plain(field);
            quote_spanned!(span=> __column_named(#columns, #name))
        }
        None => quote_spanned!(span=> __referencing(#columns, #table)),
    };
    quote!(__at(#columns, #index))
}
