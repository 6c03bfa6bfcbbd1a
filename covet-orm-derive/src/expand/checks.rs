//! What only rustc can know of a column's type: constants that fail to evaluate where an attribute does not fit.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::expand::columns;
use crate::expand::paths::{block, column_value};
use crate::model::{Column, DefaultValue, Kind, Model, spelt};

/// The constants; none where the type's name said enough.
pub(super) fn constants(model: &Model) -> TokenStream {
    if model.softened {
        return TokenStream::new();
    }
    model.columns.iter().enumerate().map(|(index, column)| of_column(index, column)).collect()
}

fn of_column(index: usize, column: &Column) -> TokenStream {
    let Column { attr, name, inner, kind, .. } = column;
    let unknown = kind.is_int().is_none();
    let mut checks = TokenStream::new();
    let types = [
        (attr.max_len.word(), quote!(__is_text), "text"),
        (attr.case_insensitive.word(), quote!(__is_text), "text"),
        (attr.decimal.word(), quote!(__is_decimal), "a decimal"),
        (attr.version.word(), quote!(__is_integer), "an integer"),
        (attr.auto.word().filter(|_| column.auto), quote!(__is_integer), "an integer"),
    ];
    for (word, check, what) in types {
        if let (Some(word), true) = (word, unknown) {
            let message = format!("`{word}` is for {what}, and `{name}` is not");
            checks.extend(assert(word.span(), &quote!(#check::<#inner>()), &message));
        }
    }
    if let (Some(default), Some(tokens), true) = (&column.default, column.default_tokens(), unknown) {
        let mut message = format!("the default does not fit the type of `{name}`");
        match default {
            // Its own constant has the column's type.
            DefaultValue::Variant(_) => {}
            DefaultValue::Uuid => checks.extend(assert(tokens.span(), &quote!(__is_uuid::<#inner>()), &message)),
            other => {
                if let DefaultValue::Text(_) = other {
                    message.push_str("; for an enum, write the variant");
                }
                checks.extend(assert(tokens.span(), &quote!(__default_fits(__at(COLUMNS, #index))), &message));
            }
        }
    }
    if let (Some(backfill), Some(tokens), true) =
        (&column.backfill, attr.backfill.get(), unknown || *kind == Kind::Time)
        && !matches!(backfill, DefaultValue::Variant(_))
    {
        let message = format!("the backfill does not fit the type of `{name}`");
        checks.extend(assert(tokens.span(), &quote!(__backfill_fits(__at(COLUMNS, #index))), &message));
    }
    if let Some(reference) = &column.references {
        let target = columns::target(reference);
        let to = spelt(&reference.model);
        let message = match &reference.field {
            Some(field) => format!("`{name}` and `{to}::{field}` differ in type"),
            None => format!("`{name}` and the key of `{to}` differ in type"),
        };
        checks.extend(assert(column.ty.span(), &quote!(__same_type(__at(COLUMNS, #index), #target)), &message));
    }
    checks
}

/// Types that rustc has something to say of, written once.
pub(crate) fn types(types: &[Type]) -> TokenStream {
    let types = types.iter().map(|ty| column_value(ty, "NULLABLE"));
    block(&quote!(#(const _: bool = #types;)*))
}

fn assert(span: Span, condition: &TokenStream, message: &str) -> TokenStream {
    quote_spanned!(span=> const _: () = __require(#condition, #message);)
}
