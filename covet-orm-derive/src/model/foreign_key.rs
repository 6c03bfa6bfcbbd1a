//! Foreign keys of several columns, which stand at the struct.

use proc_macro2::Ident;
use syn::Path;

use crate::attr::{ForeignKeyAttr, Once};
use crate::errors::Errors;
use crate::model::index::position;
use crate::model::{Column, Relation, identifier};
use crate::names;

/// A foreign key.
pub(crate) struct ForeignKey {
    /// The columns, as positions.
    pub(crate) columns: Vec<usize>,
    /// The model that it points at.
    pub(crate) model: Path,
    /// The fields that it points at.
    pub(crate) fields: Vec<Ident>,
    /// The variant of `Action`.
    pub(crate) on_delete: &'static str,
    /// The variant of `Action`.
    pub(crate) on_update: &'static str,
    /// The variant of `Timing`.
    pub(crate) timing: &'static str,
    /// The name in the database, where the user gave one.
    pub(crate) name: Option<String>,
}

impl ForeignKey {
    pub(super) fn all(
        attrs: &[ForeignKeyAttr],
        model: &Ident,
        columns: &[Column],
        relations: &[Relation],
        errors: &mut Errors,
    ) -> Vec<ForeignKey> {
        let mut keys = Vec::new();
        for attr in attrs {
            let positions: Vec<usize> =
                attr.fields.iter().filter_map(|field| position(field, columns, relations, errors)).collect();
            if positions.len() < attr.fields.len() {
                continue;
            }
            if attr.fields.is_empty() {
                errors.at(&attr.word, "this foreign key has no columns");
                continue;
            }
            let (on_delete, on_update) = (variant(&attr.on_delete), variant(&attr.on_update));
            let stays = positions.iter().filter_map(|at| columns.get(*at)).find(|column| !column.optional);
            if [on_delete, on_update].contains(&"SetNull")
                && let Some(column) = stays
            {
                errors.at(&attr.word, format!("`{}` cannot be set to NULL: make it an `Option`", column.name));
            }
            keys.push(ForeignKey {
                columns: positions,
                model: own(&attr.references.model, model),
                fields: attr.references.fields.clone(),
                on_delete,
                on_update,
                timing: timing(attr.deferrable.is_given(), attr.deferred.is_given()),
                name: attr.name.get().map(|name| identifier(name.value(), name, "a foreign key's name", errors)),
            });
        }
        keys
    }
}

/// The variant of `Action` when no word says another.
pub(crate) const NO_ACTION: &str = "NoAction";

/// The variant of `Timing` when no word says another.
pub(crate) const IMMEDIATE: &str = "Immediate";

/// The variant of `Action` that a word stands for.
pub(super) fn variant(given: &Once<Ident>) -> &'static str {
    let named = given.get().and_then(|action| names::ACTIONS.iter().find(|(word, _)| action == word));
    named.map_or(NO_ACTION, |(_, variant)| variant)
}

/// The variant of `Timing`.
pub(super) fn timing(deferrable: bool, deferred: bool) -> &'static str {
    match (deferrable, deferred) {
        (_, true) => "Deferred",
        (true, false) => "Deferrable",
        (false, false) => IMMEDIATE,
    }
}

/// The model, with `Self` written out.
pub(super) fn own(path: &Path, model: &Ident) -> Path {
    match path.segments.first() {
        Some(first) if path.is_ident("Self") => Path::from(Ident::new(&model.to_string(), first.ident.span())),
        _ => path.clone(),
    }
}
