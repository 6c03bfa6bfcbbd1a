//! `User::create()`: a builder with a method for each column, which knows in its type which of the
//! required columns were given.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use crate::expand::paths::{at, input, vis_at};
use crate::model::{Column, Model};
use crate::names::BUILDER;

/// The builder of a model, and what its parts have in common.
pub(super) struct Builder<'a> {
    model: &'a Model,
    /// Its name.
    create: Ident,
    /// The required columns, by position.
    columns: Vec<(usize, &'a Column)>,
    /// The type parameter of each.
    params: Vec<Ident>,
    /// The trait of each.
    traits: Vec<Ident>,
}

impl<'a> Builder<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        let columns = required(model);
        let traits = columns.iter().map(|(_, column)| format_ident!("required_{}", column.name)).collect();
        let mut taken = BTreeSet::new();
        model.columns.iter().for_each(|column| words(column.ty.to_token_stream(), &mut taken));
        let create = free(format_ident!("Create{}", model.name), &taken);
        taken.insert(model.name.clone());
        let params = columns.iter().map(|(_, column)| parameter(column, &taken)).collect();
        Builder { model, create, columns, params, traits }
    }

    /// The builder and `impl Model`.
    pub(super) fn items(&self) -> TokenStream {
        let Builder { model, create, columns, params, .. } = self;
        let ident = &model.ident;
        let vis = vis_at(&model.vis, Span::call_site());
        let none = params.iter().map(|_| quote!(__No));
        let setters = model.columns.iter().enumerate().map(|(index, column)| {
            let slot = columns.iter().position(|(at, _)| *at == index);
            self.setter(slot, index, column)
        });
        let bounds = columns.iter().zip(&self.traits).map(|((_, column), name)| bound(model, column, name));
        let (complete, on_conflict) = (self.complete(), self.on_conflict());
        let incomplete = (0..params.len()).map(|at| self.incomplete(at));
        quote! {
            #(#bounds)*
            #[doc(hidden)]
            #[must_use = "nothing is inserted before `exec`"]
            #vis struct #create<#(#params),*>(__Insert<#ident>, __PhantomData<fn() -> (#(#params,)*)>);
            impl<#(#params),*> #create<#(#params),*> {
                #(#setters)*
                #on_conflict
            }
            #complete
            #(#incomplete)*
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl __Model for #ident {
                type Create = #create<#(#none),*>;
                fn create() -> Self::Create {
                    #create(__Insert::new(), __PhantomData)
                }
            }
        }
    }

    /// What can be done with a row that has everything. The impl has no parameters: a future that named them would be
    /// complained of at `exec`, at the whole expression and at `.await`.
    fn complete(&self) -> TokenStream {
        let Builder { model, create, params, .. } = self;
        let ident = &model.ident;
        let all: Vec<_> = params.iter().map(|_| quote!(__Yes)).collect();
        quote! {
            impl #create<#(#all),*> {
                /// Inserts the row and gives it back as the database has it.
                pub fn exec(self, on: &__Executor) -> impl __Future<Output = __Result<#ident>> {
                    self.0.exec(on)
                }
            }
            #[automatically_derived]
            impl __From<#create<#(#all),*>> for __Insert<#ident> {
                fn from(create: #create<#(#all),*>) -> Self {
                    create.0
                }
            }
        }
    }

    /// `exec` of a row of which this column is the first that is missing: calling it is an error that names the column.
    /// It comes with the type of an argument, for which rustc quotes no bound.
    fn incomplete(&self, at: usize) -> TokenStream {
        let Builder { model, create, params, traits, .. } = self;
        let ident = &model.ident;
        let states = params.iter().enumerate().map(|(slot, param)| match slot.cmp(&at) {
            Ordering::Less => quote!(__Yes),
            Ordering::Equal => quote!(__No),
            Ordering::Greater => quote!(#param),
        });
        let (name, open) = (traits.get(at), params.iter().skip(at + 1));
        quote! {
            impl<#(#open),*> #create<#(#states),*> {
                #[doc(hidden)]
                pub fn exec<'a>(self, _: <__No as #name<'a>>::On) -> __BoxFuture<'a, __Result<#ident>>
                where __No: #name<'a>
                {
                    __incomplete()
                }
            }
        }
    }

    /// `User::insert_many`, which stands in front of the trait's: what is missing is said of the column here too.
    pub(super) fn insert_many(&self) -> TokenStream {
        let Builder { model, create, params, .. } = self;
        if params.is_empty() {
            return TokenStream::new();
        }
        let ident = &model.ident;
        let vis = vis_at(&model.vis, Span::call_site());
        let traits = self.traits_at_the_struct();
        let function = quote_spanned! {ident.span()=>
            fn insert_many<'rows, #(#params: #traits<'static>),*>
        };
        quote! {
            /// New rows, by the fastest way that the database has, all of them or none. They are taken from the
            /// iterator while they are sent, so there may be any number of them.
            #vis #function(
                rows: impl __IntoIterator<Item = #create<#(#params),*>, IntoIter: __Send + 'rows>,
            ) -> __InsertMany<'rows, #ident> {
                __insert_many(rows, |row| row.0)
            }
        }
    }

    /// `on_conflict`, for a row that has everything.
    fn on_conflict(&self) -> TokenStream {
        let (ident, params, traits) = (&self.model.ident, &self.params, self.traits_at_the_struct());
        let function = quote_spanned!(ident.span()=> fn on_conflict(self, target: impl __ConflictTarget<#ident>));
        let bounds = quote_spanned!(ident.span()=> #(#params: #traits<'static>),*);
        quote! {
            /// Decides what happens when a row with the same unique key is there already.
            pub #function -> __Upsert<#ident> where #bounds {
                self.0.on_conflict(target)
            }
        }
    }

    /// The traits at the place of the struct's name: function and bounds have one place, so that a message shows one
    /// line.
    fn traits_at_the_struct(&self) -> Vec<Ident> {
        let moved = |name: &Ident| Ident::new(&name.to_string(), self.model.ident.span());
        self.traits.iter().map(moved).collect()
    }

    fn setter(&self, slot: Option<usize>, index: usize, column: &Column) -> TokenStream {
        let Builder { model, create, params, .. } = self;
        let Column { ident: name, docs, ty, .. } = column;
        let ident = &model.ident;
        let vis = vis_at(&column.vis, at(name.span()));
        if column.is_generated() || model.softened && BUILDER.contains(&column.name.as_str()) {
            return TokenStream::new();
        }
        let value = quote!(__given::<#ident, #ty>(self.0, COLUMNS, #index, value));
        let (result, value) = match slot {
            None => (quote!(Self), quote!(Self(#value, self.1))),
            Some(slot) => {
                let after = params.iter().enumerate().map(|(at, param)| match at == slot {
                    true => quote!(__Yes),
                    false => quote!(#param),
                });
                (quote!(#create<#(#after),*>), quote!(#create(#value, __PhantomData)))
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
}

fn required(model: &Model) -> Vec<(usize, &Column)> {
    model.columns.iter().enumerate().filter(|(_, column)| column.required).collect()
}

/// The name of the type parameter of a required column: like that of the column, so that messages are about it.
fn parameter(column: &Column, taken: &BTreeSet<String>) -> Ident {
    let mut ident = free(column.ident.clone(), taken);
    ident.set_span(Span::call_site());
    ident
}

/// A name that hides no type that a field speaks of.
fn free(mut ident: Ident, taken: &BTreeSet<String>) -> Ident {
    while taken.contains(&ident.to_string()) {
        ident = format_ident!("{}_", ident);
    }
    ident
}

/// The trait by which a column is required: a trait for each, because its message can then speak of the column
/// by its bare name. A type parameter of one trait is printed with its whole path once two models have the name.
fn bound(model: &Model, column: &Column, ident: &Ident) -> TokenStream {
    let name = &column.name;
    let message = format!("required column `{name}` of `{}` was not given", model.name);
    let label = format!("give `{name}` a value before this call");
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        pub trait #ident<'a> {
            type On;
        }
        #[diagnostic::do_not_recommend]
        impl<'a> #ident<'a> for __Yes {
            type On = &'a __Executor;
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
