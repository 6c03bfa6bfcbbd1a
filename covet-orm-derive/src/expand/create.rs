//! `User::create()`: a builder with a method for each column, which knows in its type which of the
//! required columns were given.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use crate::expand::paths::{at, covet, covet_at, import, input, vis_at};
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
    let none = names.iter().map(|_| quote!(#p::No));
    let setters = model.columns.iter().enumerate().map(|(index, column)| {
        let slot = columns.iter().position(|(at, _)| *at == index);
        setter(model, &create, &params, slot, index, column)
    });
    let bounds: TokenStream = columns.iter().map(|(_, column)| bound(model, column)).collect();
    let bounds = (!names.is_empty()).then(|| {
        let import = import();
        quote!(mod required { #import #bounds })
    });
    let complete = complete(model, &create, &params);
    let incomplete: TokenStream = (0..params.len()).map(|at| incomplete(model, &create, &params, &names, at)).collect();
    let on_conflict = on_conflict(model, &params, &names);
    let many = many(model, &create, &params, &names);
    quote! {
        #bounds
        #[doc(hidden)]
        #[must_use = "nothing is inserted before `exec`"]
        #vis struct #create<#(#params),*>(#p::Insert<#ident>, #p::PhantomData<fn() -> (#(#params,)*)>);
        impl<#(#params),*> #create<#(#params),*> {
            #(#setters)*
            #on_conflict
        }
        #complete
        #incomplete
        #many
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #p::Model for #ident {
            type Create = #create<#(#none),*>;
            fn create() -> Self::Create {
                #create(#p::Insert::new(), #p::PhantomData)
            }
        }
    }
}

/// What can be done with a row that has everything. The impl has no parameters: a future that named them would be
/// complained of at `exec`, at the whole expression and at `.await`.
fn complete(model: &Model, create: &Ident, params: &[Ident]) -> TokenStream {
    let p = covet();
    let ident = &model.ident;
    let all: Vec<_> = params.iter().map(|_| quote!(#p::Yes)).collect();
    quote! {
        impl #create<#(#all),*> {
            /// Inserts the row and gives it back as the database has it.
            pub fn exec(self, on: &#p::Executor) -> impl ::core::future::Future<Output = #p::Result<#ident>> {
                self.0.exec(on)
            }
        }
        #[automatically_derived]
        impl ::core::convert::From<#create<#(#all),*>> for #p::Insert<#ident> {
            fn from(create: #create<#(#all),*>) -> Self {
                create.0
            }
        }
    }
}

/// `exec` of a row of which this column is the first that is missing: calling it is an error that names the column.
/// It comes with the type of an argument, for which rustc quotes no bound.
fn incomplete(model: &Model, create: &Ident, params: &[Ident], names: &[&Ident], at: usize) -> TokenStream {
    let p = covet();
    let ident = &model.ident;
    let states = params.iter().enumerate().map(|(slot, param)| match slot.cmp(&at) {
        Ordering::Less => quote!(#p::Yes),
        Ordering::Equal => quote!(#p::No),
        Ordering::Greater => quote!(#param),
    });
    let (name, open) = (names.get(at), params.iter().skip(at + 1));
    quote! {
        impl<#(#open),*> #create<#(#states),*> {
            #[doc(hidden)]
            pub fn exec<'a>(self, _: <#p::No as required::#name<'a>>::On) -> #p::BoxFuture<'a, #p::Result<#ident>>
            where #p::No: required::#name<'a>
            {
                #p::incomplete()
            }
        }
    }
}

/// `User::insert_many`, which stands in front of the trait's: what is missing is said of the column here too.
fn many(model: &Model, create: &Ident, params: &[Ident], names: &[&Ident]) -> TokenStream {
    if params.is_empty() {
        return TokenStream::new();
    }
    let p = covet();
    let ident = &model.ident;
    let vis = vis_at(&model.vis, Span::call_site());
    let names = at_the_struct(model, names);
    let function = quote_spanned! {ident.span()=>
        fn insert_many<'rows, #(#params: required::#names<'static>),*>
    };
    quote! {
        impl #ident {
            /// New rows, by the fastest way that the database has, all of them or none. They are taken from the
            /// iterator while they are sent, so there may be any number of them.
            #vis #function(
                rows: impl ::core::iter::IntoIterator<
                    Item = #create<#(#params),*>,
                    IntoIter: ::core::marker::Send + 'rows,
                >,
            ) -> #p::InsertMany<'rows, #ident> {
                #p::insert_many(rows, |row| row.0)
            }
        }
    }
}

/// `on_conflict`, for a row that has everything.
fn on_conflict(model: &Model, params: &[Ident], names: &[&Ident]) -> TokenStream {
    let p = covet();
    let (ident, names) = (&model.ident, at_the_struct(model, names));
    let function = {
        let p = covet_at(ident.span());
        quote_spanned!(ident.span()=> fn on_conflict(self, target: impl #p::ConflictTarget<#ident>))
    };
    let bounds = quote_spanned!(ident.span()=> #(#params: required::#names<'static>),*);
    quote! {
        /// Decides what happens when a row with the same unique key is there already.
        pub #function -> #p::Upsert<#ident> where #bounds {
            self.0.on_conflict(target)
        }
    }
}

/// The names at the place of the struct's: function and bounds have one place, so that a message shows one line.
fn at_the_struct(model: &Model, names: &[&Ident]) -> Vec<Ident> {
    let moved = |name: &&Ident| {
        let mut name = (*name).clone();
        name.set_span(model.ident.span());
        name
    };
    names.iter().map(moved).collect()
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
    let p = covet();
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        pub trait #ident<'a> {
            type On;
        }
        #[diagnostic::do_not_recommend]
        impl<'a> #ident<'a> for #p::Yes {
            type On = &'a #p::Executor;
        }
    }
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
    if column.is_generated() || model.softened && BUILDER.contains(&column.name.as_str()) {
        return TokenStream::new();
    }
    let value = quote!(#p::given::<#ident, #ty>(self.0, COLUMNS, #index, value));
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
    let input = input(ident, name.span(), ty);
    quote_spanned! {at(name.span())=>
        #(#docs)*
        #vis fn #name(self, value: impl #input) -> #result {
            #value
        }
    }
}
