//! `User::create()`: a builder with a method for each column, which knows in its type which of the
//! required columns were given.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use crate::expand::paths::{at, covet, operand, vis_at};
use crate::model::{Column, Model};
use crate::names::BUILDER;

/// The builder and `impl Model`.
pub(super) fn builder(model: &Model) -> TokenStream {
    let p = covet();
    let ident = &model.ident;
    let vis = vis_at(&model.vis, Span::call_site());
    let create = format_ident!("Create{}", model.name);
    let columns = required(model);
    let params = parameters(model, &columns);
    let names: Vec<&Ident> = columns.iter().map(|(_, column)| &column.ident).collect();
    let given: TokenStream = params.iter().zip(&names).map(|(param, name)| given(param, name)).collect();
    let none = names.iter().map(|_| quote!(#p::No));
    let setters = model.columns.iter().enumerate().map(|(index, column)| {
        let slot = columns.iter().position(|(at, _)| *at == index);
        setter(model, &create, &params, slot, index, column)
    });
    let bounds: TokenStream = columns.iter().map(|(_, column)| bound(model, column)).collect();
    let bounds = (!names.is_empty()).then(
        || quote!(mod required { #bounds } #(#[diagnostic::do_not_recommend] impl required::#names for #p::Yes {})*),
    );
    // Not `impl Future`: that would name the parameters, and rustc would report what is missing at `exec`,
    // at the whole expression and at `.await`.
    let exec = quote! {
        /// Inserts the row and gives it back as the database has it.
        pub fn exec(self, on: &#p::Executor) -> #p::BoxFuture<'_, #p::Result<#ident>>
        where #given {
            #p::insert(self.0, on)
        }
        /// Decides what happens when a row with the same unique key is there already.
        pub fn on_conflict(self, target: impl #p::ConflictTarget<#ident>) -> #p::Upsert<#ident>
        where #given {
            self.0.on_conflict(target)
        }
    };
    quote! {
        #bounds
        #[doc(hidden)]
        #[must_use = "nothing is inserted before `exec`"]
        #vis struct #create<#(#params),*>(#p::Insert<#ident>, #p::PhantomData<fn() -> (#(#params,)*)>);
        #[automatically_derived]
        impl<#(#params),*> #create<#(#params),*> {
            #(#setters)*
            #exec
        }
        #[automatically_derived]
        impl<#(#params),*> ::core::convert::From<#create<#(#params),*>> for #p::Insert<#ident>
        where #given {
            fn from(create: #create<#(#params),*>) -> Self {
                create.0
            }
        }
        #[automatically_derived]
        impl #p::Model for #ident {
            type Create = #create<#(#none),*>;
            fn create() -> Self::Create {
                #create(#p::Insert::new(), #p::PhantomData)
            }
        }
    }
}

fn required(model: &Model) -> Vec<(usize, &Column)> {
    model.columns.iter().enumerate().filter(|(_, column)| column.required).collect()
}

/// A type parameter for each required column, named like it so that messages are about the column;
/// a type that a field speaks of is not shadowed.
fn parameters(model: &Model, columns: &[(usize, &Column)]) -> Vec<Ident> {
    let mut taken = BTreeSet::new();
    model.columns.iter().for_each(|column| words(column.ty.to_token_stream(), &mut taken));
    taken.insert(model.name.clone());
    let parameter = |(_, column): &(usize, &Column)| {
        let mut ident = column.ident.clone();
        while taken.contains(&ident.to_string()) {
            ident = format_ident!("{}_", ident);
        }
        ident.set_span(Span::call_site());
        ident
    };
    columns.iter().map(parameter).collect()
}

/// The trait by which a column is required: a trait for each, because its message can then speak of the column
/// by its bare name. A type parameter of one trait is printed with its whole path once two models have the name.
fn bound(model: &Model, column: &Column) -> TokenStream {
    let (ident, name) = (&column.ident, &column.name);
    let message = format!("required column `{name}` of `{}` was not given", model.name);
    let label = format!("give `{name}` a value before this call");
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        pub trait #ident {}
    }
}

/// The where clause of a required column; messages show the field.
fn given(param: &Ident, name: &Ident) -> TokenStream {
    let mut param = param.clone();
    param.set_span(name.span());
    quote_spanned!(name.span()=> #param: required::#name,)
}

fn words(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), found),
            _ => {}
        }
    }
}

fn setter(
    model: &Model,
    create: &Ident,
    params: &[Ident],
    slot: Option<usize>,
    index: usize,
    column: &Column,
) -> TokenStream {
    let p = covet();
    let Column { ident: name, docs, ty, .. } = column;
    let ident = &model.ident;
    let vis = vis_at(&column.vis, at(name.span()));
    if model.softened && BUILDER.contains(&column.name.as_str()) {
        return TokenStream::new();
    }
    let value = quote!(self.0.given::<#ty>(&COLUMNS[#index], value));
    let (result, value) = match slot {
        None => (quote!(Self), quote!(Self(#value, self.1))),
        Some(slot) => {
            let after = params.iter().enumerate().map(|(at, param)| match at == slot {
                true => quote!(#p::Yes),
                false => quote!(#param),
            });
            (quote!(#create<#(#after),*>), quote!(#create(#value, #p::PhantomData)))
        }
    };
    let operand = operand(ident, name.span(), ty);
    quote_spanned! {at(name.span())=>
        #(#docs)*
        #vis fn #name(self, value: impl #operand) -> #result {
            #value
        }
    }
}
