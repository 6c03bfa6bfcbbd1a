//! The rules over more than one field of a model, as a list of calls.

mod checks;
mod indexes;
mod key;
mod names;
mod references;
mod relations;
mod version;

use crate::errors::Errors;
use crate::model::Model;

/// Applies every rule.
pub(crate) fn model(model: &Model, errors: &mut Errors) {
    key::exists(model, errors);
    key::is_usable(model, errors);
    key::auto_is_for_numbers(model, errors);
    version::is_one(model, errors);
    version::stands_alone(model, errors);
    names::do_not_hide_functions(model, errors);
    names::are_different_columns(model, errors);
    indexes::name_a_column_once(model, errors);
    indexes::are_different(model, errors);
    checks::have_different_names(model, errors);
    references::actions_have_what_they_need(model, errors);
    relations::agree_with_their_foreign_key(model, errors);
    relations::have_a_key_to_be_reached_by(model, errors);
    relations::to_the_same_model_are_told_apart(model, errors);
}
