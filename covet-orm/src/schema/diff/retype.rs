//! What a change of type does to the values that are there.

use covet_drivers::catalog::{Column, ColumnType};

/// What becomes of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retype {
    /// The type stays; an enum may get other labels, which is a change of the enum.
    Same,
    /// Every value is kept as it is.
    Widening,
    /// Some values may not fit, or become others.
    Narrowing,
}

/// What becomes of values when a column of the first type gets the second.
pub(super) fn retype(before: &ColumnType, after: &ColumnType) -> Retype {
    use ColumnType::{Decimal, Enum, F32, F64, Text};
    if let (Enum(before), Enum(after)) = (before, after)
        && before.name == after.name
    {
        return Retype::Same;
    }
    if before == after {
        return Retype::Same;
    }
    let widens = match (before, after) {
        (F32, F64) => true,
        // The enum has another name; its own labels are a change of their own.
        (Enum(before), Enum(after)) => before.labels.iter().all(|label| after.labels.contains(label)),
        (Text { .. }, Text { max_len: None }) => true,
        (Text { max_len: Some(before) }, Text { max_len: Some(after) }) => before <= after,
        (Decimal { precision: p, scale: s }, Decimal { precision: to_p, scale: to_s }) => {
            to_s >= s && i16::from(*to_p) - i16::from(*to_s) >= i16::from(*p) - i16::from(*s)
        }
        _ => match (before.integer_range(), after.integer_range()) {
            (Some((low, high)), Some((to_low, to_high))) => to_low <= low && to_high >= high,
            _ => false,
        },
    };
    if widens { Retype::Widening } else { Retype::Narrowing }
}

/// Whether some values of the first type may not fit the second, or become others.
pub(crate) fn narrows(before: &ColumnType, after: &ColumnType) -> bool {
    retype(before, after) == Retype::Narrowing
}

/// Whether a foreign key on the column has to step aside while it changes.
pub(super) fn moves_keys(before: &Column, after: &Column) -> bool {
    retype(&before.ty, &after.ty) != Retype::Same || before.case_insensitive != after.case_insensitive
}

#[cfg(test)]
mod tests {
    use covet_drivers::catalog::ColumnType::{Bool, Decimal, F32, F64, I8, I16, I32, I64, Text, U8, U32, U64};

    use super::Retype::{Narrowing, Same, Widening};
    use super::retype;

    #[test]
    fn only_what_keeps_every_value_widens() {
        let decimal = |precision, scale| Decimal { precision, scale };
        let text = |max_len| Text { max_len };
        for (before, after, want) in [
            (I32, I32, Same),
            (I8, I64, Widening),
            (U8, I16, Widening),
            (U32, I64, Widening),
            (I64, I32, Narrowing),
            (U32, I32, Narrowing),
            (I32, U64, Narrowing),
            (U64, I64, Narrowing),
            (F32, F64, Widening),
            (F64, F32, Narrowing),
            (I32, F64, Narrowing),
            (Bool, I32, Narrowing),
            (text(Some(5)), text(Some(20)), Widening),
            (text(Some(5)), text(None), Widening),
            (text(Some(20)), text(Some(5)), Narrowing),
            (text(None), text(Some(5)), Narrowing),
            (text(None), I32, Narrowing),
            (decimal(10, 2), decimal(12, 4), Widening),
            (decimal(10, 2), decimal(10, 4), Narrowing),
            (decimal(10, 4), decimal(10, 2), Narrowing),
        ] {
            assert_eq!(retype(&before, &after), want, "{before} to {after}");
        }
    }
}
