//! The description of the columns: `const COLUMNS`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::expand::paths::{covet, covet_at, stored};
use crate::expand::sql;
use crate::model::{Column, DefaultValue, Model, Reference, plain};

/// The constant.
pub(super) fn constant(model: &Model) -> TokenStream {
    let p = covet();
    let columns = model.columns.iter().enumerate().map(|(at, column)| meta(&model.name, at, column));
    quote!(const COLUMNS: &[#p::ColumnMeta] = &[#(#columns),*];)
}

fn meta(model: &str, index: usize, column: &Column) -> TokenStream {
    let p = covet();
    let Column { name: field, column: name, ty, auto, new_uuid, .. } = column;
    let case_insensitive = column.attr.case_insensitive.is_given();
    let kind = kind(column);
    let default = default(column);
    let nullable = stored(ty, "NULLABLE");
    let references = references(column.references.as_ref());
    let relabels = stored(ty, "RELABELS");
    let more = more(column);
    quote! {
        #p::ColumnMeta {
            model: #model,
            field: #field,
            column: #name,
            index: #index,
            ty: #kind,
            nullable: #nullable,
            default: #default,
            auto: #auto,
            new_uuid: #new_uuid,
            case_insensitive: #case_insensitive,
            references: #references,
            relabels: #relabels,
            more: #more,
        }
    }
}

fn kind(column: &Column) -> TokenStream {
    let p = covet();
    if let Some(max) = column.attr.max_len.get() {
        return quote!(#p::ColumnType::Text { max_len: Some(#max) });
    }
    if let Some((precision, scale)) = column.attr.decimal.get() {
        return quote!(#p::ColumnType::Decimal { precision: #precision, scale: #scale });
    }
    stored(&column.ty, "TYPE")
}

fn default(column: &Column) -> TokenStream {
    let p = covet();
    if let Some(sql) = column.attr.default_sql.get() {
        let expression = sql::expression(sql);
        return quote!(Some(#p::ColumnDefault::Expression(#expression)));
    }
    value(column.default.as_ref(), column)
}

/// A value in the terms of the catalogue, if it is one that the database makes.
fn value(value: Option<&DefaultValue>, column: &Column) -> TokenStream {
    let p = covet();
    let value = match value {
        None | Some(DefaultValue::Uuid) => return quote!(None),
        Some(DefaultValue::Bool(value)) => quote!(Bool(#value)),
        Some(DefaultValue::Int(value)) => quote!(Int(#value)),
        Some(DefaultValue::Number(text)) => quote!(Number(#p::Cow::Borrowed(#text))),
        Some(DefaultValue::Text(text)) => quote!(Text(#p::Cow::Borrowed(#text))),
        Some(DefaultValue::Now) => quote!(Now),
        Some(DefaultValue::Variant(path)) => {
            let ty = &column.inner;
            // The constant makes sure that the variant is one of the column's own type.
            quote!(Text(#p::Cow::Borrowed({ const DEFAULT: #ty = #path; DEFAULT.label() })))
        }
    };
    quote!(Some(#p::ColumnDefault::#value))
}

/// What few columns have, in a static of its own.
fn more(column: &Column) -> TokenStream {
    let attr = &column.attr;
    let hints = attr.renamed_from.is_given() || column.backfill.is_some();
    if !column.is_generated() && !attr.check.is_given() && !attr.comment.is_given() && !hints {
        return quote!(None);
    }
    let p = covet();
    let check = sql::optional(attr.check.get());
    let [comment, renamed_from] = [&attr.comment, &attr.renamed_from].map(|text| match text.get() {
        Some(text) => quote!(Some(#text)),
        None => quote!(None),
    });
    let backfill = value(column.backfill.as_ref(), column);
    let generated = attr.generated.get().map(|sql| (sql, true));
    let generated = match generated.or_else(|| attr.generated_virtual.get().map(|sql| (sql, false))) {
        Some((sql, stored)) => {
            let expression = sql::expression(sql);
            quote!(Some(#p::Generated { expression: #expression, stored: #stored }))
        }
        None => quote!(None),
    };
    quote!({
        static MORE: #p::ColumnMore = #p::ColumnMore {
            check: #check,
            generated: #generated,
            comment: #comment,
            renamed_from: #renamed_from,
            backfill: #backfill,
        };
        Some(&MORE)
    })
}

fn references(reference: Option<&Reference>) -> TokenStream {
    let p = covet();
    let Some(reference) = reference else { return quote!(None) };
    let Reference { model, on_delete, on_update, .. } = reference;
    let (on_delete, on_update) = (format_ident!("{on_delete}"), format_ident!("{on_update}"));
    let timing = format_ident!("{}", reference.timing);
    let constraint = match &reference.constraint {
        Some(name) => quote!(Some(#name)),
        None => quote!(None),
    };
    let field = match &reference.field {
        Some(field) => {
            let name = plain(field);
            quote!(#name)
        }
        None => quote!(<#model as #p::Record>::KEY_FIELD),
    };
    quote! {
        Some(#p::References {
            table: <#model as #p::Record>::TABLE,
            field: #field,
            on_delete: #p::Action::#on_delete,
            on_update: #p::Action::#on_update,
            timing: #p::Timing::#timing,
            name: #constraint,
        })
    }
}

/// The column that a foreign key points at.
pub(super) fn target(reference: &Reference) -> TokenStream {
    let p = covet();
    let model = &reference.model;
    let columns = quote!(<#model as #p::Record>::COLUMNS);
    match &reference.field {
        Some(field) => {
            let (name, named) = (plain(field), covet_at(field.span()));
            let index = quote_spanned!(field.span()=> #named::column_named(#columns, #name));
            quote!(#p::at(#columns, #index))
        }
        None => quote!(#p::at(#columns, <#model as #p::Record>::KEY_AT)),
    }
}
