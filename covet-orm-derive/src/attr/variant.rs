//! The attributes of an enum and of its variants, and the absence of attributes.

use syn::{Attribute, LitStr};

use crate::attr::{Once, items};
use crate::errors::Errors;
use crate::names::{self, Place};

/// What stands at the enum.
#[derive(Default)]
pub(crate) struct EnumAttr {
    pub(crate) name: Once<LitStr>,
    pub(crate) schema: Once<LitStr>,
    pub(crate) rename_all: Once<LitStr>,
}

impl EnumAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = EnumAttr::default();
        for item in &items(attrs, errors) {
            match item {
                _ if item.is(names::NAME) => attr.name.set(item, item.value(names::NAME, errors), errors),
                _ if item.is(names::SCHEMA) => attr.schema.set(item, item.value(names::SCHEMA, errors), errors),
                _ if item.is(names::RENAME_ALL) => {
                    attr.rename_all.set(item, item.value(names::RENAME_ALL, errors), errors);
                }
                _ => item.misplaced(Place::Enum, errors),
            }
        }
        attr
    }
}

/// What stands at a variant.
#[derive(Default)]
pub(crate) struct VariantAttr {
    pub(crate) rename: Once<LitStr>,
    pub(crate) renamed_from: Once<LitStr>,
}

impl VariantAttr {
    /// Reads them all.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attr = VariantAttr::default();
        for item in &items(attrs, errors) {
            match item {
                _ if item.is(names::RENAME) => attr.rename.set(item, item.value(names::RENAME, errors), errors),
                _ if item.is(names::RENAMED_FROM) => {
                    attr.renamed_from.set(item, item.value(names::RENAMED_FROM, errors), errors);
                }
                _ => item.misplaced(Place::Variant, errors),
            }
        }
        attr
    }
}

/// No attribute may stand here.
pub(crate) fn none(attrs: &[Attribute], place: Place, errors: &mut Errors) {
    for item in &items(attrs, errors) {
        item.misplaced(place, errors);
    }
}
