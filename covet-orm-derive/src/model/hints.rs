//! What a model says about its own past: former names, and what rows that exist get.

use quote::quote;
use syn::{LitStr, Type};

use crate::attr::{ColumnAttr, Once};
use crate::errors::Errors;
use crate::model::db_enum::Variant;
use crate::model::types::option;
use crate::model::{Column, DefaultValue, Kind, identifier};
use crate::names;

/// What the table was called before.
pub(super) fn of_table(given: &Once<LitStr>, table: &str, errors: &mut Errors) -> Option<LitStr> {
    former(given, table, "a table's name", errors)
}

/// What a column or label was called before, which is not what it is called.
pub(super) fn former(given: &Once<LitStr>, now: &str, what: &str, errors: &mut Errors) -> Option<LitStr> {
    let text = given.get()?;
    let name = identifier(text.value(), text, what, errors);
    if name == now {
        errors.at(text, format!("`{name}` is what it is called now: leave out `renamed_from`"));
    }
    Some(text.clone())
}

/// The rules over the hints of all columns.
pub(super) fn of_columns(columns: &[Column], errors: &mut Errors) {
    for (at, column) in columns.iter().enumerate() {
        let Some(text) = former(&column.attr.renamed_from, &column.column, "a column's name", errors) else { continue };
        let same = |other: &&Column| other.attr.renamed_from.get().is_some_and(|other| other.value() == text.value());
        if let Some(first) = columns.iter().take(at).find(same) {
            let (first, second) = (&first.name, &column.name);
            errors.at(&text, format!("`{first}` was called `{}` already, and `{second}` cannot be, too", text.value()));
        }
    }
}

/// What rows that exist get in a column.
pub(super) fn backfill(
    name: &str,
    attr: &ColumnAttr,
    ty: &Type,
    kind: Kind,
    errors: &mut Errors,
) -> Option<DefaultValue> {
    let (word, expr) = (attr.backfill.word()?, attr.backfill.get()?);
    if option(ty).is_some() {
        errors.at(word, format!("`{name}` may be NULL, so rows need no value: leave out `backfill`"));
        return None;
    }
    let made = [attr.generated.word(), attr.generated_virtual.word()];
    if let Some(other) = made.into_iter().flatten().next() {
        errors.at(quote!(#other #word), format!("`{name}` is generated: leave out `backfill`"));
        return None;
    }
    if let Some(key) = attr.key.word() {
        errors.at(quote!(#key #word), "every row would get the same key: leave out `backfill`");
        return None;
    }
    if matches!(kind, Kind::Uuid | Kind::Bytes) {
        let help = "make it an `Option`, fill it, and take the `Option` away in a later migration";
        errors.at_with_help(expr, format!("`{name}` cannot be filled with one value"), help);
        return None;
    }
    match DefaultValue::read(names::BACKFILL, expr, kind, attr.decimal.get().copied(), errors)? {
        DefaultValue::Text(text) => {
            let most = attr.max_len.get().copied();
            if kind == Kind::Time {
                errors.at(expr, format!("`{name}` is a time: write `backfill = now`"));
                return None;
            }
            if let Some(most) = most.filter(|most| text.chars().count() > *most as usize) {
                errors.at(expr, format!("the backfill is longer than `max_len = {most}`"));
                return None;
            }
            Some(DefaultValue::Text(text))
        }
        value => Some(value),
    }
}

/// The rules over the hints of all labels.
pub(super) fn of_labels(variants: &[Variant], errors: &mut Errors) {
    for (at, variant) in variants.iter().enumerate() {
        let Some(text) = &variant.renamed_from else { continue };
        let before = text.value();
        let stays = variants.iter().find(|other| other.label == before && other.ident != variant.ident);
        let same = |other: &&Variant| other.renamed_from.as_ref().is_some_and(|other| other.value() == before);
        if let Some(other) = stays {
            errors.at(text, format!("`{before}` is the label of `{}`, which stays", other.ident));
        } else if let Some(first) = variants.iter().take(at).find(same) {
            let (first, second) = (&first.ident, &variant.ident);
            errors.at(text, format!("`{first}` was called `{before}` already, and `{second}` cannot be, too"));
        }
    }
}
