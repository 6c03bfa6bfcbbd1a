//! Rules about relations.

use crate::errors::Errors;
use crate::model::{Model, RelationKind, same_model, spelt};

/// A `BelongsTo` is optional when its foreign key is, and goes where that points.
pub(super) fn agree_with_their_foreign_key(model: &Model, errors: &mut Errors) {
    for relation in &model.relations {
        let RelationKind::BelongsTo(Some(at)) = relation.kind else { continue };
        let Some(key) = model.columns.get(at) else { continue };
        let (name, target) = (&relation.name, spelt(&relation.target));
        match (relation.optional, key.optional) {
            (false, true) => errors.at(
                &relation.target,
                format!("`{}` may be NULL: make `{name}` a `BelongsTo<Option<{target}>>`", key.name),
            ),
            (true, false) => errors
                .at(&relation.target, format!("`{}` is never NULL: make `{name}` a `BelongsTo<{target}>`", key.name)),
            _ => {}
        }
        if let Some(reference) = &key.references
            && !same_model(&reference.model, &relation.target)
        {
            let to = spelt(&reference.model);
            errors
                .at(&relation.target, format!("`{}` references `{to}`, and `{name}` belongs to `{target}`", key.name));
        }
    }
}

/// Rows that point here need one column to point at.
pub(super) fn have_a_key_to_be_reached_by(model: &Model, errors: &mut Errors) {
    if model.key.len() < 2 {
        return;
    }
    for relation in &model.relations {
        if !matches!(relation.kind, RelationKind::BelongsTo(_)) {
            let message =
                format!("the key of `{}` has {} columns, and a row points here with one", model.name, model.key.len());
            errors.at(&relation.ident, message);
        }
    }
}

/// Many-to-many with itself cannot be guessed: both columns point at the same model.
pub(super) fn to_the_same_model_are_told_apart(model: &Model, errors: &mut Errors) {
    for relation in &model.relations {
        let RelationKind::ManyToMany(link) = &relation.kind else { continue };
        let itself = relation.whole && same_model(&model.ident.clone().into(), &relation.target);
        if itself && !(relation.attr.by.is_given() && relation.attr.to.is_given()) {
            let link = spelt(link);
            errors.at_with_help(
                &relation.ident,
                format!("`{}` links `{}` with itself, and `{link}` points at it twice", relation.name, model.name),
                format!("name both columns of `{link}`: `#[covet(by = …, to = …)]`"),
            );
        }
    }
}
