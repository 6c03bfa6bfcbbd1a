//! Values in decisions: what rows that exist get.

use covet_drivers::catalog::{ColumnDefault, ColumnType};

use crate::schema::diff::names::{Piece, quote};

/// The value of a piece of text.
pub(super) fn read(piece: &Piece) -> Option<ColumnDefault> {
    match piece {
        Piece::Text(text) => Some(ColumnDefault::Text(text.clone().into())),
        Piece::Word(word) => Some(match word.as_str() {
            "true" => ColumnDefault::Bool(true),
            "false" => ColumnDefault::Bool(false),
            "now" => ColumnDefault::Now,
            number => match number.parse() {
                Ok(number) => ColumnDefault::Int(number),
                Err(_) => {
                    digits(number)?;
                    ColumnDefault::Number(number.to_owned().into())
                }
            },
        }),
        Piece::Name(_) | Piece::Dot => None,
    }
}

/// The value as a decision writes it.
pub(super) fn show(value: &ColumnDefault) -> String {
    match value {
        ColumnDefault::Bool(value) => value.to_string(),
        ColumnDefault::Int(value) => value.to_string(),
        ColumnDefault::Number(value) => value.to_string(),
        ColumnDefault::Text(value) => quote(value, '\''),
        ColumnDefault::Now => "now".to_owned(),
        ColumnDefault::Expression(expression) => expression.to_string(),
    }
}

/// The value for a column of this type, or what such a value looks like.
pub(super) fn fit(value: &ColumnDefault, ty: &ColumnType) -> Result<ColumnDefault, String> {
    let fits = match (ty, value) {
        (ColumnType::Bool, ColumnDefault::Bool(_)) => true,
        (ColumnType::F32 | ColumnType::F64, ColumnDefault::Int(number)) => {
            return Ok(ColumnDefault::Number(number.to_string().into()));
        }
        (ColumnType::F32 | ColumnType::F64, ColumnDefault::Number(_)) => true,
        (ColumnType::Decimal { precision, scale }, ColumnDefault::Int(_) | ColumnDefault::Number(_)) => {
            let text = show(value);
            return match digits(&text) {
                Some((whole, fraction))
                    if fraction <= usize::from(*scale) && whole <= usize::from(precision.saturating_sub(*scale)) =>
                {
                    Ok(ColumnDefault::Number(text.into()))
                }
                _ => Err(wanted(ty)),
            };
        }
        (ColumnType::Text { max_len }, ColumnDefault::Text(text)) => {
            max_len.is_none_or(|most| u32::try_from(text.chars().count()).is_ok_and(|length| length <= most))
        }
        (ColumnType::Enum(ty), ColumnDefault::Text(text)) => ty.labels.contains(text),
        (ColumnType::Json, ColumnDefault::Text(text)) => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        (ColumnType::DateTime | ColumnType::Timestamp, ColumnDefault::Now) => true,
        (ty, ColumnDefault::Int(number)) => {
            ty.integer_range().is_some_and(|(low, high)| (low..=high).contains(&i128::from(*number)))
        }
        _ => false,
    };
    if fits { Ok(value.clone()) } else { Err(wanted(ty)) }
}

/// What a value of the type looks like; empty when a decision cannot say one.
pub(super) fn wanted(ty: &ColumnType) -> String {
    match ty {
        ColumnType::Bool => "true or false".to_owned(),
        ColumnType::F32 | ColumnType::F64 => "a number".to_owned(),
        ColumnType::Decimal { precision, scale } => {
            format!(
                "a number of at most {} digits before and {scale} after the point",
                precision.saturating_sub(*scale)
            )
        }
        ColumnType::Text { max_len: None } => "'a text'".to_owned(),
        ColumnType::Text { max_len: Some(most) } => format!("'a text' of at most {most} characters"),
        ColumnType::Enum(ty) => ty.labels.iter().map(|label| quote(label, '\'')).collect::<Vec<_>>().join(" or "),
        ColumnType::Json => "'json'".to_owned(),
        ColumnType::DateTime | ColumnType::Timestamp => "now".to_owned(),
        other => match other.integer_range() {
            Some((low, high)) => format!("an integer from {low} to {}", high.min(i64::MAX.into())),
            None => String::new(),
        },
    }
}

/// The significant digits before and after the point of a plain decimal number.
fn digits(number: &str) -> Option<(usize, usize)> {
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction))
        .then(|| (whole.trim_start_matches('0').len(), fraction.trim_end_matches('0').len()))
}
