//! Which types become which, and what must hold of every row so that nothing is lost.

use crate::catalog::ColumnType;
use crate::error::{Error, Result};
use crate::mysql::dialect::{literal, quote};
use crate::mysql::types::native;

/// The condition under which a value of the column would be lost or refused; `None` when every
/// value comes through.
///
/// # Errors
/// `Unsupported` for types between which no change is safe.
pub(crate) fn unfit(table: &str, column: &str, from: &ColumnType, to: &ColumnType) -> Result<Option<String>> {
    let c = quote(column);
    if native(from) == native(to) && from != to {
        // A datetime that becomes a timestamp is read as UTC; a text may get or lose its check.
        return Ok(text_limit(from, to).map(|n| format!("CHAR_LENGTH({c}) > {n}")));
    }
    if from == to {
        return Ok(None);
    }
    let no = || {
        Error::unsupported(format_args!("the change of {table}.{column} from {from} to {to}"), "mysql")
            .with_help("add a column of the new type, fill it, and drop the old one")
            .with_table(table)
            .with_column(column)
    };
    if let (Some((low, high)), Some((to_low, to_high))) = (range(from), range(to)) {
        if *to == ColumnType::Bool {
            return Ok(Some(format!("{c} NOT IN (0, 1)")));
        }
        return Ok((low < to_low || high > to_high).then(|| format!("{c} NOT BETWEEN {to_low} AND {to_high}")));
    }
    match (from, to) {
        (ColumnType::Text { .. }, ColumnType::Text { .. }) => {
            Ok(text_limit(from, to).map(|n| format!("CHAR_LENGTH({c}) > {n}")))
        }
        (ColumnType::Text { .. }, to) => from_text(&c, to).map(Some).ok_or_else(no),
        (from, ColumnType::Text { max_len }) => to_text(&c, from, *max_len).ok_or_else(no),
        (ColumnType::Enum(_), ColumnType::Enum(to)) => {
            let labels: Vec<String> = to.labels.iter().map(|label| literal(label)).collect();
            Ok(Some(format!("{c} NOT IN ({})", labels.join(", "))))
        }
        (
            ColumnType::Decimal { precision, scale },
            ColumnType::Decimal { precision: to_precision, scale: to_scale },
        ) => {
            let mut unfit = Vec::new();
            if to_scale < scale {
                unfit.push(format!("TRUNCATE({c}, {to_scale}) <> {c}"));
            }
            let (digits, to_digits) = (precision.saturating_sub(*scale), to_precision.saturating_sub(*to_scale));
            if to_digits < digits {
                unfit.push(format!("ABS({c}) >= {}", ten_to(to_digits)));
            }
            Ok((!unfit.is_empty()).then(|| unfit.join(" OR ")))
        }
        (from, ColumnType::Decimal { precision, scale }) => {
            let (low, high) = range(from).ok_or_else(no)?;
            let bound = 10_i128.checked_pow(u32::from(precision.saturating_sub(*scale))).unwrap_or(i128::MAX);
            Ok((low <= -bound || high >= bound).then(|| format!("ABS({c}) >= {bound}")))
        }
        (ColumnType::Decimal { .. }, to) if range(to).is_some() && *to != ColumnType::Bool => {
            let (low, high) = range(to).ok_or_else(no)?;
            Ok(Some(format!("TRUNCATE({c}, 0) <> {c} OR {c} NOT BETWEEN {low} AND {high}")))
        }
        (ColumnType::F32, ColumnType::F64) => Ok(None),
        (from, ColumnType::F64 | ColumnType::F32) => {
            let (low, high) = range(from).ok_or_else(no)?;
            let exact: i128 = 1 << if *to == ColumnType::F64 { 53 } else { 24 };
            Ok((low < -exact || high > exact).then(|| format!("{c} NOT BETWEEN -{exact} AND {exact}")))
        }
        (ColumnType::F32 | ColumnType::F64, to) if *to != ColumnType::Bool => {
            let (low, high) = range(to).ok_or_else(no)?;
            Ok(Some(format!("TRUNCATE({c}, 0) <> {c} OR {c} NOT BETWEEN {low} AND {high}")))
        }
        (ColumnType::Date, ColumnType::DateTime | ColumnType::Timestamp) => Ok(None),
        (ColumnType::DateTime | ColumnType::Timestamp, ColumnType::Date) => {
            Ok(Some(format!("TIME({c}) <> '00:00:00'")))
        }
        (ColumnType::Uuid, ColumnType::Bytes) => Ok(None),
        (ColumnType::Bytes, ColumnType::Uuid) => Ok(Some(format!("LENGTH({c}) <> 16"))),
        _ => Err(no()),
    }
}

/// A value after the change of type, of a column whose values all come through; `None` where the statement that changes
/// it knows more than an expression can say.
pub(crate) fn value(c: &str, from: &ColumnType, to: &ColumnType) -> Option<String> {
    use ColumnType as T;
    let is_number = |ty: &ColumnType| range(ty).is_some() || matches!(ty, T::Decimal { .. } | T::F32 | T::F64);
    let cast = |ty: &str| Some(format!("CAST({c} AS {ty})"));
    match (from, to) {
        _ if native(from) == native(to) || (is_number(from) && is_number(to)) => Some(c.to_owned()),
        (T::Text { .. }, T::Text { .. }) | (T::Text { .. } | T::Enum(_), T::Enum(_)) => Some(c.to_owned()),
        (T::Date, T::DateTime | T::Timestamp) | (T::Text { .. }, T::DateTime | T::Timestamp) => cast("DATETIME(6)"),
        (T::DateTime | T::Timestamp | T::Text { .. }, T::Date) => cast("DATE"),
        (T::Text { .. }, T::Time) => cast("TIME(6)"),
        (T::Text { .. }, to) if range(to).is_some() => cast("DECIMAL(20)"),
        (T::Text { .. }, T::Decimal { precision, scale }) => cast(&format!("DECIMAL({precision}, {scale})")),
        (T::Text { .. }, T::F64) => Some(format!("({c} + 0e0)")),
        (T::Uuid, T::Bytes) | (T::Bytes, T::Uuid) => Some(c.to_owned()),
        (_, T::Text { .. }) => cast("CHAR"),
        _ => None,
    }
}

/// The range of a type that the database keeps as an integer.
fn range(ty: &ColumnType) -> Option<(i128, i128)> {
    if *ty == ColumnType::Bool { Some((0, 1)) } else { ty.integer_range() }
}

/// The new limit of a text, where it is tighter than the old one.
fn text_limit(from: &ColumnType, to: &ColumnType) -> Option<u32> {
    match (from, to) {
        (ColumnType::Text { max_len: from }, ColumnType::Text { max_len: Some(to) }) => {
            from.is_none_or(|from| from > *to).then_some(*to)
        }
        _ => None,
    }
}

fn from_text(c: &str, to: &ColumnType) -> Option<String> {
    // No backslash: it would mean something else with NO_BACKSLASH_ESCAPES.
    Some(match to {
        ColumnType::Bool => format!("{c} NOT IN ('0', '1')"),
        ColumnType::Decimal { precision, scale } => {
            let whole = precision.saturating_sub(*scale).max(1);
            let fraction = if *scale == 0 { String::new() } else { format!("([.][0-9]{{1,{scale}}})?") };
            format!("{c} NOT REGEXP '^-?[0-9]{{1,{whole}}}{fraction}$'")
        }
        // The server writes the shortest decimal that leads back to a float: it has other digits where some were lost.
        ColumnType::F64 => format!(
            "{c} NOT REGEXP '^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$' OR {} <> {}",
            digits(c),
            digits(&format!("CONCAT({c} + 0e0)"))
        ),
        ColumnType::Date => format!("{c} NOT REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' OR CAST({c} AS DATE) IS NULL"),
        ColumnType::DateTime | ColumnType::Timestamp => format!(
            "{c} NOT REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,6}})?$' \
             OR CAST({c} AS DATETIME(6)) IS NULL"
        ),
        ColumnType::Time => {
            format!("{c} NOT REGEXP '^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}})?$'")
        }
        ColumnType::Json => format!("NOT JSON_VALID({c})"),
        ColumnType::Bytes => "FALSE".to_owned(),
        ColumnType::Enum(ty) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| literal(label)).collect();
            format!("{c} NOT IN ({})", labels.join(", "))
        }
        to => {
            let (low, high) = to.integer_range()?;
            format!(
                "CASE WHEN {c} REGEXP '^-?[0-9]{{1,20}}$' THEN CAST({c} AS DECIMAL(20)) NOT BETWEEN {low} AND {high} \
                 ELSE TRUE END"
            )
        }
    })
}

/// The digits of a number, without zeros at either end.
fn digits(number: &str) -> String {
    let bare = format!("REPLACE(REPLACE({number}, '-', ''), '.', '')");
    format!("TRIM(BOTH '0' FROM REGEXP_REPLACE({bare}, '[eE].*$', ''))")
}

/// `Some(None)` when every value comes through, `None` when no value surely does.
fn to_text(c: &str, from: &ColumnType, limit: Option<u32>) -> Option<Option<String>> {
    match from {
        ColumnType::F32 | ColumnType::F64 | ColumnType::Uuid | ColumnType::Bytes | ColumnType::Other(_) => None,
        _ => Some(limit.map(|n| format!("CHAR_LENGTH({c}) > {n}"))),
    }
}

fn ten_to(digits: u8) -> String {
    format!("1{}", "0".repeat(usize::from(digits)))
}

#[cfg(test)]
mod tests {
    use super::unfit;
    use crate::catalog::ColumnType;
    use crate::error::ErrorKind;

    #[test]
    fn widening_needs_no_guard_and_narrowing_one() {
        let guard = |from: ColumnType, to: ColumnType| unfit("t", "c", &from, &to).ok().flatten();
        let text = |max_len| ColumnType::Text { max_len };
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        for (from, to) in [
            (ColumnType::I32, ColumnType::I64),
            (ColumnType::U8, ColumnType::I16),
            (text(Some(5)), text(Some(6))),
            (text(Some(20_000)), text(None)),
            (decimal(10, 2), decimal(12, 4)),
            (ColumnType::DateTime, ColumnType::Timestamp),
            (ColumnType::F32, ColumnType::F64),
        ] {
            assert_eq!(guard(from.clone(), to.clone()), None, "{from} to {to}");
        }
        for (from, to) in [
            (ColumnType::I64, ColumnType::I32),
            (ColumnType::I8, ColumnType::U8),
            (text(None), text(Some(20_000))),
            (text(Some(6)), text(Some(5))),
            (decimal(10, 4), decimal(10, 2)),
            (ColumnType::F64, ColumnType::I32),
            (ColumnType::I64, ColumnType::F64),
        ] {
            assert!(guard(from.clone(), to.clone()).is_some(), "{from} to {to}");
        }
        for (from, to) in [
            (ColumnType::I64, ColumnType::Uuid),
            (ColumnType::F64, ColumnType::F32),
            (ColumnType::Time, ColumnType::DateTime),
            (ColumnType::Bytes, text(None)),
            (ColumnType::F64, decimal(10, 2)),
        ] {
            let error = unfit("t", "c", &from, &to).err();
            assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Unsupported), "{from} to {to}");
        }
    }
}
