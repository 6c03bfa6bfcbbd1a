//! Defaults as SQLite literals, and back.

use crate::catalog::{Column, ColumnDefault, ColumnType};
use crate::error::{Error, ErrorKind, Result};
use crate::render::ansi;
use crate::sqlite::codec::{INTEGER_DIGITS, sortable};
use crate::sqlite::dialect::{NAME, NOW, PRODUCT};
use crate::sqlite::token::Token;
use crate::value::{Decimal, parse_uuid};

/// The default of a column as an expression; one that is no literal stands in parentheses.
///
/// # Errors
/// `InvalidInput` for a default that is no value of the type.
pub(super) fn default(table: &str, column: &Column, default: &ColumnDefault) -> Result<String> {
    expression(&column.ty, default).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidInput,
            format!("the default of {table}.{} is no value of type {}", column.name, column.ty),
        )
        .with_table(table)
        .with_column(&column.name)
    })
}

fn expression(ty: &ColumnType, default: &ColumnDefault) -> Option<String> {
    Some(match (ty, default) {
        (ColumnType::Bool, ColumnDefault::Bool(v)) => String::from(if *v { "1" } else { "0" }),
        (ty, ColumnDefault::Int(v))
            if ty.integer_range().is_some_and(|(low, high)| (low..=high).contains(&(*v).into())) =>
        {
            v.to_string()
        }
        (ColumnType::F32, ColumnDefault::Int(v)) => single(&v.to_string())?,
        (ColumnType::F32, ColumnDefault::Number(v)) => single(v)?,
        (ColumnType::F64, ColumnDefault::Int(v)) => v.to_string(),
        (ColumnType::F64, ColumnDefault::Number(v)) => {
            v.parse::<f64>().ok().filter(|v| v.is_finite())?;
            v.to_string()
        }
        (ColumnType::Decimal { precision, scale }, ColumnDefault::Int(_) | ColumnDefault::Number(_)) => {
            let text = match default {
                ColumnDefault::Int(v) => v.to_string(),
                ColumnDefault::Number(v) => v.to_string(),
                _ => return None,
            };
            let mantissa = Decimal::parse(&text, *precision, *scale).ok()?.mantissa();
            if *precision <= INTEGER_DIGITS { mantissa.to_string() } else { literal(&sortable(mantissa, *precision)) }
        }
        (
            ColumnType::Text { .. }
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::DateTime
            | ColumnType::Timestamp
            | ColumnType::Json,
            ColumnDefault::Text(v),
        ) if !v.contains('\0') => literal(v),
        (ColumnType::Enum(ty), ColumnDefault::Text(v)) if ty.labels.contains(v) => literal(v),
        (ColumnType::Uuid, ColumnDefault::Text(v)) => {
            format!("x'{:032x}'", u128::from_be_bytes(parse_uuid(v)?))
        }
        (ColumnType::DateTime | ColumnType::Timestamp, ColumnDefault::Now) => format!("({NOW})"),
        (_, ColumnDefault::Expression(expression)) => format!("({})", expression.on(NAME)?),
        (ColumnType::Date, ColumnDefault::Now) => String::from("(date('now'))"),
        (ColumnType::Time, ColumnDefault::Now) => String::from("(strftime('%H:%M:%f000', 'now'))"),
        _ => return None,
    })
}

/// A float of 32 bits as SQLite keeps it: in 64, of which it takes no others than those that are such floats.
fn single(text: &str) -> Option<String> {
    let number: f32 = text.parse().ok()?;
    number.is_finite().then(|| f64::from(number).to_string())
}

/// The default that the tokens of a column's `DEFAULT` stand for; `None` for what Covet has no word for.
pub(in crate::sqlite) fn recognise(ty: &ColumnType, found: &[Token]) -> Option<ColumnDefault> {
    let number = || match found {
        [Token::Number(number)] => Some(number.clone()),
        [Token::Symbol('-'), Token::Number(number)] => Some(format!("-{number}")),
        _ => None,
    };
    let text = || match found {
        [Token::Text(text)] => Some(text.clone()),
        _ => None,
    };
    let default = match ty {
        ColumnType::Bool => match found {
            [Token::Word(word)] if word.eq_ignore_ascii_case("true") => ColumnDefault::Bool(true),
            [Token::Word(word)] if word.eq_ignore_ascii_case("false") => ColumnDefault::Bool(false),
            _ => ColumnDefault::Bool(number()?.parse::<u8>().ok()? != 0),
        },
        ColumnType::Decimal { precision, scale } if *precision <= INTEGER_DIGITS => {
            let decimal = Decimal::new(number()?.parse().ok()?, *precision, *scale).ok()?;
            ColumnDefault::Number(decimal.to_string().into())
        }
        ColumnType::Decimal { precision, scale } => {
            let decimal = crate::sqlite::codec::unsort(&text()?, *precision, *scale)?;
            ColumnDefault::Number(decimal.to_string().into())
        }
        ColumnType::F32 | ColumnType::F64 => {
            let number = number()?;
            match number.parse() {
                Ok(whole) => ColumnDefault::Int(whole),
                // As it was said, and not with the digits that 64 bits have more.
                Err(_) if *ty == ColumnType::F32 => {
                    ColumnDefault::Number(number.parse::<f32>().ok()?.to_string().into())
                }
                Err(_) => ColumnDefault::Number(number.into()),
            }
        }
        ColumnType::Uuid => match found {
            [Token::Blob(hex)] if hex.len() == 32 => {
                let hex = hex.to_ascii_lowercase();
                let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?];
                ColumnDefault::Text(parts.join("-").into())
            }
            _ => return None,
        },
        ty if ty.integer_range().is_some() => ColumnDefault::Int(number()?.parse().ok()?),
        ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp if is_now(ty, found) => {
            ColumnDefault::Now
        }
        _ => ColumnDefault::Text(text()?.into()),
    };
    Some(default)
}

fn is_now(ty: &ColumnType, found: &[Token]) -> bool {
    expression(ty, &ColumnDefault::Now)
        .and_then(|text| crate::sqlite::token::tokens(text.strip_prefix('(')?.strip_suffix(')')?))
        .is_some_and(|wanted| wanted.iter().map(Token::normal).eq(found.iter().map(Token::normal)))
}

/// A text literal.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::new();
    ansi::literal(text, &mut out);
    out
}

/// Refuses a construct.
pub(super) fn unsupported(construct: impl std::fmt::Display) -> Error {
    Error::unsupported(construct, PRODUCT)
}
