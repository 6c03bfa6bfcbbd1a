//! Values of one type as values of another, in SQL: how, and which rows do not fit.
//!
//! Nothing is rounded, cut or turned into zero: whatever would be is counted by a guard first.

use crate::catalog::ColumnType;
use crate::sqlite::codec::INTEGER_DIGITS;
use crate::sqlite::types::{condition, storage};

/// A way from one type to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    /// The value of the new type, where there is one.
    pub(super) value: String,
    /// A condition that holds for the rows whose value has no counterpart; NULL never counts.
    pub(super) misfit: Option<String>,
}

/// The way from one type to another for an expression; `None` when there is no safe one.
pub(super) fn convert(c: &str, from: &ColumnType, to: &ColumnType) -> Option<Conversion> {
    use ColumnType as T;
    if from == to {
        return Some(same(c));
    }
    let is_integer = |ty: &T| ty.integer_range().is_some() || matches!(ty, T::Bool);
    let is_plain_text = |ty: &T| matches!(ty, T::Text { .. } | T::Enum(_) | T::Json);
    let is_time = |ty: &T| matches!(ty, T::Date | T::Time | T::DateTime | T::Timestamp);
    Some(match (from, to) {
        (from, to) if is_integer(from) && is_integer(to) => fitting(c, String::from(c), to),
        (from, T::F64) if is_integer(from) => {
            Conversion { value: format!("CAST({c} AS REAL)"), misfit: Some(format!("abs({c}) > 9007199254740992")) }
        }
        (from, T::F32) if is_integer(from) => {
            Conversion { value: format!("CAST({c} AS REAL)"), misfit: Some(format!("abs({c}) > 16777216")) }
        }
        (T::F32, T::F64) => same(c),
        (T::F32 | T::F64, to) if is_integer(to) => {
            let whole = format!("CAST({c} AS INTEGER)");
            let range = condition(to, &whole).map(|fits| format!(" OR NOT ({fits})")).unwrap_or_default();
            // 2⁶³ itself is cast to the largest integer, and would pass for equal.
            Conversion {
                misfit: Some(format!("{c} <> {whole} OR abs({c}) >= 9223372036854775808.0{range}")),
                value: whole,
            }
        }
        (from, T::Decimal { precision, scale }) if is_integer(from) && *precision <= INTEGER_DIGITS => Conversion {
            value: format!("{c} * {}", power(*scale)),
            misfit: Some(format!("abs({c}) >= {}", power(precision - scale))),
        },
        (T::Decimal { precision, scale }, to) if is_integer(to) && *precision <= INTEGER_DIGITS => {
            let whole = format!("{c} / {}", power(*scale));
            let fits = condition(to, &whole).map(|fits| format!(" OR NOT ({fits})")).unwrap_or_default();
            Conversion { misfit: Some(format!("{c} % {} <> 0{fits}", power(*scale))), value: whole }
        }
        (T::Decimal { .. }, T::Decimal { .. }) => decimals(c, from, to)?,
        (T::Decimal { precision, scale }, T::Text { .. }) if *precision <= INTEGER_DIGITS => {
            let whole = format!("CASE WHEN {c} < 0 THEN '-' ELSE '' END || (abs({c}) / {})", power(*scale));
            let fraction = format!(" || '.' || printf('%0{scale}d', abs({c}) % {})", power(*scale));
            fitting(c, if *scale == 0 { whole } else { whole + &fraction }, to)
        }
        (T::Bool, T::Text { .. }) => fitting(c, format!("CASE {c} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"), to),
        (from, T::Text { .. }) if is_integer(from) => fitting(c, format!("CAST({c} AS TEXT)"), to),
        (T::Text { .. }, to) if to.integer_range().is_some() => {
            let whole = format!("CAST({c} AS INTEGER)");
            let range = condition(to, &whole).map(|fits| format!(" OR NOT ({fits})")).unwrap_or_default();
            // What is cast back differs for '007', '1.0', ' 1', 'x' and numbers too large.
            Conversion { misfit: Some(format!("CAST({whole} AS TEXT) <> {c}{range}")), value: whole }
        }
        (T::Uuid, T::Text { .. }) => {
            let part = |from: u8, len: u8| format!("lower(substr(hex({c}), {from}, {len}))");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ");
            fitting(c, parts, to)
        }
        (T::Text { .. }, T::Uuid) => {
            let bytes = format!("unhex(replace({c}, '-', ''))");
            Conversion { misfit: Some(format!("length({bytes}) IS NOT 16")), value: bytes }
        }
        (T::Text { .. } | T::Json, T::Bytes) => Conversion { value: format!("CAST({c} AS BLOB)"), misfit: None },
        (T::Date, T::DateTime | T::Timestamp) => {
            Conversion { value: format!("{c} || ' 00:00:00.000000'"), misfit: None }
        }
        (T::DateTime | T::Timestamp, T::Date) => Conversion {
            value: format!("substr({c}, 1, 10)"),
            misfit: Some(format!("substr({c}, 11) <> ' 00:00:00.000000'")),
        },
        // A date and time of no zone is read as UTC, and the other way round.
        (T::DateTime, T::Timestamp) | (T::Timestamp, T::DateTime) => same(c),
        (from, to) if (is_plain_text(from) || is_time(from)) && is_plain_text(to) => fitting(c, String::from(c), to),
        (T::Text { .. }, to) if is_time(to) => fitting(c, String::from(c), to),
        _ => return None,
    })
}

fn same(c: &str) -> Conversion {
    Conversion { value: c.to_owned(), misfit: None }
}

/// A value that fits where the new type's own condition holds for it.
fn fitting(c: &str, value: String, to: &ColumnType) -> Conversion {
    // `date(x) IS x` and the like hold for NULL, and so their opposites do not.
    let about = if value == c { value.clone() } else { format!("({value})") };
    Conversion { misfit: condition(to, &about).map(|fits| format!("NOT ({fits})")), value }
}

fn decimals(c: &str, from: &ColumnType, to: &ColumnType) -> Option<Conversion> {
    let (ColumnType::Decimal { precision: p1, scale: s1 }, ColumnType::Decimal { precision: p2, scale: s2 }) =
        (from, to)
    else {
        return None;
    };
    let (whole1, whole2) = (p1 - s1, p2 - s2);
    let grows = s2.saturating_sub(*s1);
    match (storage(from) == "INTEGER", storage(to) == "INTEGER") {
        (true, true) => {
            let large = (whole2 < whole1).then(|| format!("abs({c}) >= {} * {}", power(whole2), power(*s1)));
            if s2 >= s1 {
                return Some(Conversion { value: format!("{c} * {}", power(grows)), misfit: large });
            }
            let lost = power(s1 - s2);
            let fine = format!("{c} % {lost} <> 0");
            let misfit = large.map_or_else(|| fine.clone(), |large| format!("{fine} OR {large}"));
            Some(Conversion { value: format!("{c} / {lost}"), misfit: Some(misfit) })
        }
        // The text of a long decimal grows by zeros on both sides, or by nines where it is a complement.
        (true, false) if whole2 >= whole1 && s2 >= s1 => {
            let width = p2 - grows;
            let positive = format!("'0' || printf('%0{width}d', {c})");
            let digits = width.min(INTEGER_DIGITS);
            let nines = "9".repeat(digits.into());
            let negative =
                format!("'-{}' || printf('%0{digits}d', {nines} + {c})", "9".repeat((width - digits).into()));
            Some(Conversion { value: both(&positive, &negative, &format!("{c} < 0"), grows), misfit: None })
        }
        (false, false) if whole2 >= whole1 && s2 >= s1 => {
            let wider = usize::from(whole2 - whole1);
            let positive = format!("'0{}' || substr({c}, 2)", "0".repeat(wider));
            let negative = format!("'-{}' || substr({c}, 2)", "9".repeat(wider));
            let is_negative = format!("substr({c}, 1, 1) = '-'");
            Some(Conversion { value: both(&positive, &negative, &is_negative, grows), misfit: None })
        }
        _ => None,
    }
}

fn both(positive: &str, negative: &str, is_negative: &str, grows: u8) -> String {
    let tail = |digit: &str| if grows == 0 { String::new() } else { format!(" || '{}'", digit.repeat(grows.into())) };
    format!("CASE WHEN {is_negative} THEN {negative}{} ELSE {positive}{} END", tail("9"), tail("0"))
}

fn power(exponent: u8) -> String {
    format!("1{}", "0".repeat(exponent.into()))
}
