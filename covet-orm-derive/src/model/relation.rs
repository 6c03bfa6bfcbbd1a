//! A field that is a relation.

use proc_macro2::Ident;
use syn::{Attribute, Field, Type, Visibility};

use crate::attr::RelationAttr;
use crate::errors::Errors;
use crate::model::column::docs;
use crate::model::types::{arguments, last_segment, option, spelt, without_self};
use crate::model::{Column, plain, same_model};
use crate::names;

/// A relation.
pub(crate) struct Relation {
    /// The field.
    pub(crate) ident: Ident,
    /// The field's name without `r#`.
    pub(crate) name: String,
    /// The field's visibility.
    pub(crate) vis: Visibility,
    /// The field's own documentation.
    pub(crate) docs: Vec<Attribute>,
    /// What kind it is.
    pub(crate) kind: RelationKind,
    /// The other model.
    pub(crate) target: Type,
    /// Whether a `BelongsTo` says that there may be none.
    pub(crate) optional: bool,
    /// What the user wrote.
    pub(crate) attr: RelationAttr,
    /// Whether the description is whole; if not, that has been reported.
    pub(crate) whole: bool,
}

/// The kinds, with what each needs.
pub(crate) enum RelationKind {
    /// With the foreign key's position among the columns; `None` until it is found.
    BelongsTo(Option<usize>),
    HasOne,
    HasMany,
    /// With the model between.
    ManyToMany(Box<Type>),
}

impl Relation {
    /// Whether the field's type has the name of a relation, with or without its parameters.
    pub(super) fn is_meant(field: &Field) -> bool {
        last_segment(&field.ty).is_some_and(|segment| names::RELATIONS.iter().any(|name| segment.ident == name))
    }

    /// Reads a field of the struct `model`; `None` when its type is no relation with all its parameters.
    pub(super) fn read(field: &Field, ident: &Ident, model: &Ident, errors: &mut Errors) -> Option<Self> {
        let whole = without_self(&field.ty, model);
        let segment = last_segment(&whole)?;
        let word = segment.ident.to_string();
        let arguments = arguments(segment);
        let kind = match (word.as_str(), arguments.as_slice()) {
            (names::BELONGS_TO, [_]) => RelationKind::BelongsTo(None),
            (names::HAS_ONE, [_]) => RelationKind::HasOne,
            (names::HAS_MANY, [_]) => RelationKind::HasMany,
            (names::MANY_TO_MANY, [_, link]) => RelationKind::ManyToMany(Box::new((*link).clone())),
            (names::MANY_TO_MANY, [target]) => {
                errors.at_with_help(
                    segment,
                    format!("`{}` does not say which model is between", plain(ident)),
                    format!("write it beside the other: `ManyToMany<{}, …>`", spelt(target)),
                );
                // The other model stands in for it.
                RelationKind::ManyToMany(Box::new((*target).clone()))
            }
            _ => return None,
        };
        let attr = RelationAttr::read(&field.attrs, errors);
        let given = *arguments.first()?;
        let belongs = matches!(kind, RelationKind::BelongsTo(_));
        let optional = option(given).is_some();
        if optional && !belongs {
            errors.at(given, format!("`{word}` takes the model itself, without `Option`"));
        }
        if let (Some(to), false) = (attr.to.word(), matches!(kind, RelationKind::ManyToMany(_))) {
            errors.at(to, format!("`to` is for `ManyToMany`, and `{}` is a `{word}`", plain(ident)));
        }
        Some(Relation {
            ident: ident.clone(),
            name: plain(ident),
            vis: field.vis.clone(),
            docs: docs(&field.attrs),
            kind,
            target: option(given).unwrap_or(given).clone(),
            optional,
            attr,
            whole: word != names::MANY_TO_MANY || arguments.len() == 2,
        })
    }

    /// Finds the foreign key of a `BelongsTo`: the field that `by` names, else `<name>_id`, else the
    /// only column that points at the same model.
    pub(super) fn find_key(&mut self, columns: &[Column], errors: &mut Errors) {
        let RelationKind::BelongsTo(key) = &mut self.kind else { return };
        *key = match self.attr.by.get() {
            Some(by) => named(by, columns, errors),
            // What `by` says could not be read, and that has been reported.
            None if self.attr.by.is_given() => None,
            None => guessed(&self.ident, &self.name, &self.target, columns, errors),
        };
        self.whole = key.is_some();
    }
}

fn named(by: &Ident, columns: &[Column], errors: &mut Errors) -> Option<usize> {
    let found = columns.iter().position(|column| column.name == plain(by));
    if found.is_none() {
        errors.unknown(by, format!("there is no column `{by}`"), columns.iter().map(|column| column.name.as_str()));
    }
    found
}

fn guessed(ident: &Ident, name: &str, target: &Type, columns: &[Column], errors: &mut Errors) -> Option<usize> {
    let usual = format!("{name}_id");
    if let Some(found) = columns.iter().position(|column| column.name == usual) {
        return Some(found);
    }
    let pointing = |column: &Column| column.references.as_ref().is_some_and(|to| same_model(&to.model, target));
    let found: Vec<usize> = (0..columns.len()).filter(|at| columns.get(*at).is_some_and(pointing)).collect();
    match found.as_slice() {
        [only] => Some(*only),
        [] => {
            errors.at_with_help(
                ident,
                format!("`{name}` has no foreign key"),
                format!("add a column `{usual}`, or name it: `#[covet(by = …)]`"),
            );
            None
        }
        several => {
            let several: Vec<String> = several
                .iter()
                .filter_map(|at| columns.get(*at))
                .map(|column| format!("`by = {}`", column.name))
                .collect();
            errors.at_with_help(
                ident,
                format!("`{name}` could go by more than one foreign key"),
                format!("say which with `#[covet(…)]`: {}", several.join(" or ")),
            );
            None
        }
    }
}
