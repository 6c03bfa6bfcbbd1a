//! A tuple struct around one value.

use proc_macro2::Ident;
use syn::{Data, DeriveInput, Fields, Type};

use crate::attr;
use crate::errors::Errors;
use crate::model::types::option;
use crate::names::Place;

/// A newtype.
pub(crate) struct DbNewtype {
    /// The struct.
    pub(crate) ident: Ident,
    /// The type inside.
    pub(crate) inner: Type,
}

impl DbNewtype {
    /// Reads the item; `None` when it is no struct around one value, which has been reported.
    pub(crate) fn read(item: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        attr::none(&item.attrs, Place::Newtype, errors);
        let field = match &item.data {
            Data::Struct(data) => match &data.fields {
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
                _ => None,
            },
            _ => None,
        };
        let Some(field) = field else {
            errors.at_with_help(
                &item.ident,
                format!("`{}` is no struct around one value", item.ident),
                format!("a newtype is written `struct {}(i64);`", item.ident),
            );
            return None;
        };
        if !item.generics.params.is_empty() {
            errors.at(
                &item.generics.params,
                format!("`{}` is one type of column: it cannot have parameters", item.ident),
            );
            return None;
        }
        attr::none(&field.attrs, Place::Newtype, errors);
        if option(&field.ty).is_some() {
            errors.at_with_help(
                &field.ty,
                "a newtype holds a value that is there",
                format!("use `Option<{}>` where it may be absent", item.ident),
            );
            return None;
        }
        Some(DbNewtype { ident: item.ident.clone(), inner: field.ty.clone() })
    }
}
