//! The description of the relations: `static RELATIONS`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::columns;
use crate::expand::paths::{covet, covet_at, record};
use crate::model::{Model, Relation, RelationKind, plain};
use crate::names;

/// The static, when there are relations: what is wrong with a relation is then said once, and not again of each
/// constant that names it.
pub(super) fn statics(model: &Model) -> TokenStream {
    if model.relations.is_empty() {
        return TokenStream::new();
    }
    let p = covet();
    let relations = model.relations.iter().map(|relation| meta(model, relation));
    let count = model.relations.len();
    quote!(static RELATIONS: [#p::RelationMeta; #count] = [#(#relations),*];)
}

fn meta(model: &Model, relation: &Relation) -> TokenStream {
    let p = covet();
    let Relation { name: field, target, .. } = relation;
    let target = record(target, "meta");
    let name = &model.name;
    let kind = kind(&relation.kind);
    let Sides { both, own, theirs, through } = Sides::of(model, relation);
    let meta = quote! {
        #p::RelationMeta {
            model: #name,
            field: #field,
            kind: #p::RelationKind::#kind,
            target: #target,
            own: #own,
            theirs: #theirs,
            through: #through,
        }
    };
    match both {
        Some(both) => quote!({ let [own, theirs] = #both; #meta }),
        None => meta,
    }
}

/// What takes part in a relation.
struct Sides {
    /// What gives `own` and `theirs`, where one look-up finds both.
    both: Option<TokenStream>,
    /// The own column.
    own: TokenStream,
    /// The other model's column.
    theirs: TokenStream,
    /// The model between.
    through: TokenStream,
}

impl Sides {
    fn of(model: &Model, relation: &Relation) -> Self {
        let p = covet();
        let key_at = model.key.first().copied().unwrap_or_default();
        let target = &relation.target;
        let without = quote!(None);
        if !relation.whole || model.softened {
            // Rustc shall not look for columns that are not there because of the mistake.
            let own = quote!(#p::at(COLUMNS, #key_at));
            return Sides { both: None, own: own.clone(), theirs: own, through: without };
        }
        let table = model.table.to_token_stream();
        let by = relation.attr.by.get();
        match &relation.kind {
            RelationKind::BelongsTo(at) => {
                let own = at.unwrap_or(key_at);
                let reference = model.columns.get(own).and_then(|column| column.references.as_ref());
                let own = quote!(#p::at(COLUMNS, #own));
                let theirs = match reference.map(columns::target) {
                    // The foreign key's own check compares the types.
                    Some(target) => target,
                    None => joined(relation, &own, &key_of(target)),
                };
                Sides { both: None, own, theirs, through: without }
            }
            RelationKind::HasOne | RelationKind::HasMany => {
                let pointing = pointing(target, &table, by, target.span());
                let (span, message) = (relation.ident.span(), unlike(relation));
                let p = covet_at(span);
                let both = Some(quote_spanned!(span=> #p::sides(COLUMNS, #pointing, #message)));
                Sides { both, own: quote!(own), theirs: quote!(theirs), through: without }
            }
            RelationKind::ManyToMany(link) => {
                let other = quote!(<#target as #p::Record>::TABLE);
                let here = pointing(link, &table, by, link.span());
                let there = pointing(link, &other, relation.attr.to.get(), link.span());
                let own = pointed_at(&quote!(COLUMNS), &here);
                let theirs = pointed_at(&quote!(<#target as #p::Record>::COLUMNS), &there);
                let (here, there) = (joined(relation, &own, &here), joined(relation, &theirs, &there));
                let through = quote! {
                    Some(#p::Through { model: <#link as #p::Record>::meta, own: #here, theirs: #there })
                };
                Sides { both: None, own, theirs, through }
            }
        }
    }
}

/// The column among these at which the other model's column points.
fn pointed_at(columns: &TokenStream, pointing: &TokenStream) -> TokenStream {
    let p = covet();
    quote!(#p::pointed_at(#columns, #pointing))
}

/// The variant of `RelationKind`, which is the field's type too.
pub(super) fn kind(kind: &RelationKind) -> Ident {
    let name = match kind {
        RelationKind::BelongsTo(_) => names::BELONGS_TO,
        RelationKind::HasOne => names::HAS_ONE,
        RelationKind::HasMany => names::HAS_MANY,
        RelationKind::ManyToMany(_) => names::MANY_TO_MANY,
    };
    Ident::new(name, Span::call_site())
}

/// The column on the other side, if it can be equal to the one on this side.
fn joined(relation: &Relation, own: &TokenStream, theirs: &TokenStream) -> TokenStream {
    let span = relation.ident.span();
    let p = covet_at(span);
    let message = unlike(relation);
    quote_spanned!(span=> #p::joined(#own, #theirs, #message))
}

fn unlike(relation: &Relation) -> String {
    format!("the columns that `{}` goes by differ in type", relation.name)
}

/// The key's column of a model.
fn key_of(model: &impl ToTokens) -> TokenStream {
    let p = covet();
    quote!(#p::at(<#model as #p::Record>::COLUMNS, <#model as #p::Record>::KEY_AT))
}

/// The column of a model that is named, or that points at the table.
fn pointing(model: &impl ToTokens, table: &TokenStream, named: Option<&Ident>, span: Span) -> TokenStream {
    let span = named.map_or(span, Ident::span);
    let p = covet_at(span);
    let columns = quote!(<#model as #p::Record>::COLUMNS);
    let index = match named {
        Some(field) => {
            let name = plain(field);
            quote_spanned!(span=> #p::column_named(#columns, #name))
        }
        None => quote_spanned!(span=> #p::referencing(#columns, #table)),
    };
    let p = covet();
    quote!(#p::at(#columns, #index))
}
