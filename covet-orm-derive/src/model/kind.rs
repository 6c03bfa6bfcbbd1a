//! What the tokens of a column's type say about it.

use syn::Type;

use crate::model::types::{arguments, last_segment};

/// The family of a type that the macro can recognise by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    /// With the least and the greatest value.
    Int(i128, i128),
    Float,
    Text,
    Bytes,
    Uuid,
    Decimal,
    /// A date, a time, or both.
    Time,
    /// A type of the user's, or one that only rustc can tell.
    Other,
}

impl Kind {
    /// The kind of the type inside an `Option`.
    pub(super) fn of(ty: &Type) -> Kind {
        let Some(segment) = last_segment(ty) else { return Kind::Other };
        match segment.ident.to_string().as_str() {
            "bool" => Kind::Bool,
            "i8" => Kind::Int(i8::MIN.into(), i8::MAX.into()),
            "i16" => Kind::Int(i16::MIN.into(), i16::MAX.into()),
            "i32" => Kind::Int(i32::MIN.into(), i32::MAX.into()),
            "i64" => Kind::Int(i64::MIN.into(), i64::MAX.into()),
            "u8" => Kind::Int(0, u8::MAX.into()),
            "u16" => Kind::Int(0, u16::MAX.into()),
            "u32" => Kind::Int(0, u32::MAX.into()),
            "u64" => Kind::Int(0, u64::MAX.into()),
            "f32" | "f64" => Kind::Float,
            "String" => Kind::Text,
            "Uuid" => Kind::Uuid,
            "Decimal" => Kind::Decimal,
            "DateTime" | "NaiveDateTime" | "NaiveDate" | "NaiveTime" => Kind::Time,
            "Vec" => {
                let inner = arguments(segment).first().and_then(|ty| last_segment(ty));
                match inner {
                    Some(inner) if inner.ident == "u8" => Kind::Bytes,
                    _ => Kind::Other,
                }
            }
            _ => Kind::Other,
        }
    }

    /// Whether the macro can be sure that it is an integer, or sure that it is none.
    pub(crate) fn is_int(self) -> Option<bool> {
        match self {
            Kind::Other => None,
            kind => Some(matches!(kind, Kind::Int(..))),
        }
    }

    /// Whether it holds numbers, where the macro can tell.
    pub(crate) fn is_number(self) -> Option<bool> {
        match self {
            Kind::Int(..) => Some(true),
            kind => kind.is_fractional(),
        }
    }

    /// Whether it holds numbers with a fraction, where the macro can tell.
    pub(crate) fn is_fractional(self) -> Option<bool> {
        match self {
            Kind::Other => None,
            kind => Some(matches!(kind, Kind::Float | Kind::Decimal)),
        }
    }

    /// Whether it is this kind, where the macro can tell.
    pub(crate) fn is(self, kind: Kind) -> Option<bool> {
        match self {
            Kind::Other => None,
            this => Some(this == kind),
        }
    }
}
