//! The description of the columns: `static LIST`, and `const COLUMNS`, which borrows it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::expand::paths::stored;
use crate::expand::sql;
use crate::model::{Column, DefaultValue, IMMEDIATE, Model, NO_ACTION, Reference, plain as plain_name};

/// The list, and what everything else calls it by.
pub(super) fn list(model: &Model) -> TokenStream {
    let columns = model.columns.iter().enumerate().map(|(at, column)| meta(&model.name, at, column));
    let count = model.columns.len();
    quote! {
        static LIST: [__ColumnMeta; #count] = [#(#columns),*];
        const COLUMNS: &[__ColumnMeta] = &LIST;
    }
}

/// The description: a call that says what every column has, and around it what is special.
fn meta(model: &str, index: usize, column: &Column) -> TokenStream {
    let Column { name: field, column: name, ty, auto, new_uuid, .. } = column;
    let kind = stored(ty, "KIND");
    let plain = quote!(__column_meta(#model, #field, #name, #index, #kind));
    let mut special = TokenStream::new();
    for (flag, given) in
        [("auto", *auto), ("new_uuid", *new_uuid), ("case_insensitive", column.attr.case_insensitive.is_given())]
    {
        if given {
            let flag = format_ident!("{flag}");
            special.extend(quote!(#flag: true,));
        }
    }
    special.extend(narrower(column));
    special.extend(default(column).map(|default| quote!(default: __Some(&__ColumnDefault::#default),)));
    special.extend(column.references.as_ref().map(references));
    special.extend(more(column));
    match special.is_empty() {
        true => plain,
        false => quote!(__ColumnMeta { #special ..#plain }),
    }
}

/// The column's type, where attributes say more than the field's type.
fn narrower(column: &Column) -> Option<TokenStream> {
    if let Some(max) = column.attr.max_len.get() {
        return Some(quote!(ty: &__ColumnType::Text { max_len: __Some(#max) },));
    }
    let (precision, scale) = column.attr.decimal.get()?;
    Some(quote!(ty: &__ColumnType::Decimal { precision: #precision, scale: #scale },))
}

/// The variant of `ColumnDefault`.
fn default(column: &Column) -> Option<TokenStream> {
    if let Some(sql) = column.attr.default_sql.get() {
        let expression = sql::expression(sql);
        return Some(quote!(Expression(#expression)));
    }
    value(column.default.as_ref(), column)
}

/// A value in the terms of the catalogue, if it is one that the database makes.
fn value(value: Option<&DefaultValue>, column: &Column) -> Option<TokenStream> {
    Some(match value? {
        DefaultValue::Uuid => return None,
        DefaultValue::Bool(value) => quote!(Bool(#value)),
        DefaultValue::Int(value) => quote!(Int(#value)),
        DefaultValue::Number(text) => quote!(Number(__Cow::Borrowed(#text))),
        DefaultValue::Text(text) => quote!(Text(__Cow::Borrowed(#text))),
        DefaultValue::Now => quote!(Now),
        DefaultValue::Variant(path) => {
            let ty = &column.inner;
            // The constant makes sure that the variant is one of the column's own type.
            quote!(Text(__Cow::Borrowed({ const DEFAULT: #ty = #path; DEFAULT.label() })))
        }
    })
}

/// What few columns have, in a static of its own.
fn more(column: &Column) -> Option<TokenStream> {
    let attr = &column.attr;
    let hints = attr.renamed_from.is_given() || column.backfill.is_some();
    if !column.is_generated() && !attr.check.is_given() && !attr.comment.is_given() && !hints {
        return None;
    }
    let check = sql::optional(attr.check.get());
    let [comment, renamed_from] = [&attr.comment, &attr.renamed_from].map(|text| match text.get() {
        Some(text) => quote!(__Some(#text)),
        None => quote!(__None),
    });
    let backfill = match value(column.backfill.as_ref(), column) {
        Some(value) => quote!(__Some(__ColumnDefault::#value)),
        None => quote!(__None),
    };
    let generated = attr.generated.get().map(|sql| (sql, true));
    let generated = match generated.or_else(|| attr.generated_virtual.get().map(|sql| (sql, false))) {
        Some((sql, stored)) => {
            let expression = sql::expression(sql);
            quote!(__Some(__Generated { expression: #expression, stored: #stored }))
        }
        None => quote!(__None),
    };
    Some(quote! {
        more: {
            static MORE: __ColumnMore = __ColumnMore {
                check: #check,
                generated: #generated,
                comment: #comment,
                renamed_from: #renamed_from,
                backfill: #backfill,
            };
            __Some(&MORE)
        },
    })
}

fn references(reference: &Reference) -> TokenStream {
    let Reference { model, field, on_delete, on_update, timing, constraint, .. } = reference;
    let plain = quote!(<#model as __Record>::REFERENCES);
    let mut special = TokenStream::new();
    if let Some(field) = field {
        let name = plain_name(field);
        special.extend(quote!(field: #name,));
    }
    for (field, action) in [("on_delete", on_delete), ("on_update", on_update)] {
        if *action != NO_ACTION {
            let (field, action) = (format_ident!("{field}"), format_ident!("{action}"));
            special.extend(quote!(#field: __Action::#action,));
        }
    }
    if *timing != IMMEDIATE {
        let timing = format_ident!("{timing}");
        special.extend(quote!(timing: __Timing::#timing,));
    }
    special.extend(constraint.as_ref().map(|name| quote!(name: __Some(#name),)));
    match special.is_empty() {
        true => quote!(references: __Some(#plain),),
        false => quote!(references: __Some(&__References { #special ..*#plain }),),
    }
}

/// The column that a foreign key points at.
pub(super) fn target(reference: &Reference) -> TokenStream {
    let model = &reference.model;
    match &reference.field {
        Some(field) => {
            let (columns, name) = (quote!(<#model as __Record>::COLUMNS), plain_name(field));
            let index = quote_spanned!(field.span()=> __column_named(#columns, #name));
            quote!(__at(#columns, #index))
        }
        None => quote!(<#model as __Record>::KEY_COLUMN),
    }
}
