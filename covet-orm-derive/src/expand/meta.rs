//! The description of the model, and its registration.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use crate::attr::CheckName;
use crate::expand::sql;
use crate::model::{ForeignKey, Index, Model, More, Term, plain};

/// The static and what makes it known to the schema.
pub(super) fn statics(model: &Model) -> TokenStream {
    let Model { name, table, key, .. } = model;
    let path = format!("::{name}");
    let indexes = model.indexes.iter().map(index);
    let relations = match model.relations.is_empty() {
        true => quote!(&[]),
        false => quote!(&RELATIONS),
    };
    let version = position(model.version);
    let [created_at, updated_at] = model.timestamps.map(position);
    let more = more(model);
    quote! {
        static META: __ModelMeta = __ModelMeta {
            name: #name,
            path: ::core::concat!(::core::module_path!(), #path),
            table: #table,
            columns: COLUMNS,
            key: &[#(#key),*],
            indexes: &[#(#indexes),*],
            relations: #relations,
            version: #version,
            created_at: #created_at,
            updated_at: #updated_at,
            texts: __Texts::new(),
            more: #more,
        };
        __inventory::submit! { __Registered(&META) }
    }
}

fn index(index: &Index) -> TokenStream {
    let Index { columns, unique, .. } = index;
    let name = match &index.name {
        Some(name) => quote!(__Some(#name)),
        None => quote!(__None),
    };
    let more = match &index.more {
        Some(more) => of_index(more),
        None => quote!(__None),
    };
    quote!(__IndexMeta { name: #name, columns: &[#(#columns),*], unique: #unique, more: #more })
}

/// What few indexes have, in a static of its own.
fn of_index(more: &More) -> TokenStream {
    let More { terms, include, nulls_agree, .. } = more;
    let terms = terms.iter().map(|term| match term {
        Term::Column(at, descending) => quote!(__TermMeta::Column(#at, #descending)),
        Term::Expression(sql) => {
            let expression = sql::expression(sql);
            quote!(__TermMeta::Expression(#expression))
        }
    });
    let condition = sql::optional(more.condition.as_ref());
    let classes = more.classes.iter().map(|(at, class)| quote!((#at, #class)));
    let method = optional(more.method.as_ref());
    quote!({
        static MORE: __IndexMore = __IndexMore {
            terms: &[#(#terms),*],
            condition: #condition,
            include: &[#(#include),*],
            method: #method,
            nulls_agree: #nulls_agree,
            classes: &[#(#classes),*],
        };
        __Some(&MORE)
    })
}

/// What few models have, in a static of its own.
fn more(model: &Model) -> TokenStream {
    let has_text = model.comment.is_some() || model.renamed_from.is_some();
    if !has_text && model.checks.is_empty() && model.foreign_keys.is_empty() {
        return quote!(__None);
    }
    let checks = model.checks.iter().map(|check| {
        let expression = sql::expression(&check.sql);
        match &check.name {
            CheckName::Word(word) => {
                let word = plain(word);
                quote!((__CheckName::Word(#word), #expression))
            }
            CheckName::Whole(name) => quote!((__CheckName::Whole(#name), #expression)),
        }
    });
    let keys = model.foreign_keys.iter().map(foreign_key);
    let comment = optional(model.comment.as_ref());
    let renamed_from = optional(model.renamed_from.as_ref());
    quote!({
        static MORE: __ModelMore = __ModelMore {
            comment: #comment,
            checks: &[#(#checks),*],
            foreign_keys: &[#(#keys),*],
            renamed_from: #renamed_from,
        };
        __Some(&MORE)
    })
}

fn foreign_key(key: &ForeignKey) -> TokenStream {
    let ForeignKey { columns, model, fields, on_delete, on_update, timing, name } = key;
    let name = optional(name.as_ref());
    let fields = fields.iter().map(plain);
    let [on_delete, on_update, timing] = [on_delete, on_update, timing].map(|variant| format_ident!("{variant}"));
    quote! {
        __ForeignKeyMeta {
            columns: &[#(#columns),*],
            table: <#model as __Record>::TABLE,
            fields: &[#(#fields),*],
            on_delete: __Action::#on_delete,
            on_update: __Action::#on_update,
            timing: __Timing::#timing,
            name: #name,
        }
    }
}

fn optional<T: ToTokens>(value: Option<&T>) -> TokenStream {
    match value {
        Some(value) => quote!(__Some(#value)),
        None => quote!(__None),
    }
}

fn position(column: Option<usize>) -> TokenStream {
    match column {
        Some(at) => quote!(__Some(#at)),
        None => quote!(__None),
    }
}
