//! The attributes of a relation.

use proc_macro2::Ident;
use syn::Attribute;

use crate::attr::{Once, items};
use crate::errors::Errors;
use crate::names::{self, Place};

/// What stands at a relation.
#[derive(Default)]
pub(crate) struct RelationAttr {
    pub(crate) by: Once<Ident>,
    pub(crate) to: Once<Ident>,
}

impl RelationAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = RelationAttr::default();
        for item in &items(attrs, errors) {
            match item {
                _ if item.is(names::BY) => attr.by.set(item, item.value(names::BY, errors), errors),
                _ if item.is(names::TO) => attr.to.set(item, item.value(names::TO, errors), errors),
                _ => item.misplaced(Place::Relation, errors),
            }
        }
        attr
    }
}
