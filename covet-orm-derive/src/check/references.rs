//! Rules about foreign keys.

use crate::errors::Errors;
use crate::model::Model;
use crate::names::{SET_DEFAULT, SET_NULL};

/// `set_null` needs a column that can be NULL, `set_default` one with a default.
pub(super) fn actions_have_what_they_need(model: &Model, errors: &mut Errors) {
    for column in &model.columns {
        let name = &column.name;
        for action in [column.attr.on_delete.get(), column.attr.on_update.get()].into_iter().flatten() {
            if action == SET_NULL && !column.optional {
                errors.at_with_help(
                    action,
                    format!("`{name}` cannot be NULL"),
                    format!("make it an `Option`, or choose another action for `{name}`"),
                );
            }
            if action == SET_DEFAULT
                && column.default.is_none()
                && !column.attr.default.is_given()
                && !column.attr.default_sql.is_given()
            {
                errors.at(action, format!("`{name}` has no default: add `default = …`, or choose another action"));
            }
        }
    }
}
