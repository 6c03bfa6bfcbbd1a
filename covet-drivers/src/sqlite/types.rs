//! Covet's types and SQLite's: INTEGER, REAL, TEXT or BLOB, and the CHECK that says the rest.
//!
//! | type | storage | CHECK |
//! |---|---|---|
//! | bool | INTEGER | `c IN (0, 1)` |
//! | i8 i16 i32 u8 u16 u32 | INTEGER | `c BETWEEN … AND …` |
//! | i64 | INTEGER | |
//! | u64 | INTEGER | `c >= 0` |
//! | f32 | REAL | no larger than an f32, or infinite |
//! | f64 | REAL | |
//! | text, text(n) | TEXT | `length(c) <= n` |
//! | bytes | BLOB | |
//! | date, time, datetime | TEXT | the text is what `date`, `time`, `datetime` write, with six digits of a fraction |
//! | timestamp | TEXT | as datetime, read as UTC (`… || 'Z'`) |
//! | uuid | BLOB | `length(c) = 16` |
//! | decimal(p, s), p ≤ 18 | INTEGER, at 10⁻ˢ | `abs(c) < 10ᵖ⁻ˢ * 10ˢ`, written out |
//! | decimal(p, s), p > 18 | TEXT that sorts as the numbers | `length(c) = 1 + (p − s) + s`, written out, digits only |
//! | json | TEXT | `json_valid(c)` |
//! | enum | TEXT | `'name' <> '' AND c IN (…)` |
//!
//! NULL passes every CHECK. Reading a schema back goes the other way: [`recognise`].

use std::borrow::Cow;

use crate::catalog::{ColumnType, EnumType};
use crate::render::ansi;
use crate::sqlite::codec::INTEGER_DIGITS;
use crate::sqlite::parse::ParsedColumn;
use crate::sqlite::token::{Token, tokens};

/// How a column of the type is stored; an unknown type is its own spelling.
pub(super) fn storage(ty: &ColumnType) -> Cow<'_, str> {
    Cow::Borrowed(match ty {
        ColumnType::Bool
        | ColumnType::I8
        | ColumnType::I16
        | ColumnType::I32
        | ColumnType::I64
        | ColumnType::U8
        | ColumnType::U16
        | ColumnType::U32
        | ColumnType::U64 => "INTEGER",
        ColumnType::Decimal { precision, .. } if *precision <= INTEGER_DIGITS => "INTEGER",
        ColumnType::F32 | ColumnType::F64 => "REAL",
        ColumnType::Bytes | ColumnType::Uuid => "BLOB",
        ColumnType::Text { .. }
        | ColumnType::Date
        | ColumnType::Time
        | ColumnType::DateTime
        | ColumnType::Timestamp
        | ColumnType::Decimal { .. }
        | ColumnType::Json
        | ColumnType::Enum(_) => "TEXT",
        ColumnType::Other(name) => name,
    })
}

/// The condition that a value of the type meets, about an expression such as a quoted column.
pub(super) fn condition(ty: &ColumnType, c: &str) -> Option<String> {
    const FRACTION: &str = "'.[0-9][0-9][0-9][0-9][0-9][0-9]'";
    Some(match ty {
        ColumnType::I64 | ColumnType::F64 | ColumnType::Bytes => return None,
        ColumnType::Text { max_len: None } | ColumnType::Other(_) => return None,
        ColumnType::Bool => format!("{c} IN (0, 1)"),
        ColumnType::U64 => format!("{c} >= 0"),
        ColumnType::I8 | ColumnType::I16 | ColumnType::I32 | ColumnType::U8 | ColumnType::U16 | ColumnType::U32 => {
            let (low, high) = ty.integer_range()?;
            format!("{c} BETWEEN {low} AND {high}")
        }
        ColumnType::F32 => format!("abs({c}) <= 3.4028234663852886e38 OR abs({c}) = 9e999"),
        ColumnType::Text { max_len: Some(most) } => format!("length({c}) <= {most}"),
        ColumnType::Date => format!("date({c}) IS {c}"),
        ColumnType::Time => format!("time(substr({c}, 1, 8)) IS substr({c}, 1, 8) AND substr({c}, 9) GLOB {FRACTION}"),
        ColumnType::DateTime => {
            format!("datetime(substr({c}, 1, 19)) IS substr({c}, 1, 19) AND substr({c}, 20) GLOB {FRACTION}")
        }
        ColumnType::Timestamp => {
            format!("datetime(substr({c}, 1, 19) || 'Z') IS substr({c}, 1, 19) AND substr({c}, 20) GLOB {FRACTION}")
        }
        ColumnType::Uuid => format!("length({c}) = 16"),
        ColumnType::Decimal { precision, scale } => {
            let whole = precision.saturating_sub(*scale);
            if *precision <= INTEGER_DIGITS {
                format!("abs({c}) < {} * {}", power(whole), power(*scale))
            } else {
                format!(
                    "length({c}) = 1 + {whole} + {scale} AND {c} GLOB '[-0]*' AND substr({c}, 2) NOT GLOB '*[^0-9]*'"
                )
            }
        }
        ColumnType::Json => format!("json_valid({c})"),
        ColumnType::Enum(ty) => {
            let mut text = String::new();
            ansi::literal(&ty.name, &mut text);
            text.push_str(" <> '' AND ");
            text.push_str(c);
            text.push_str(" IN (");
            for (index, label) in ty.labels.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                ansi::literal(label, &mut text);
            }
            text.push(')');
            text
        }
    })
}

/// The type that others mean by a name that SQLite takes for one of its own.
fn meant(ty: &str) -> Option<ColumnType> {
    let bare = ty.split('(').next().unwrap_or_default().trim();
    Some(match bare {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "INT2" | "INT4" | "INT8" | "UNSIGNED BIG INT"
        | "INTEGER UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED" | "SMALLINT UNSIGNED" | "TINYINT UNSIGNED"
        | "INT" | "INTEGER" => ColumnType::I64,
        "CHAR" | "CHARACTER" | "VARCHAR" | "VARYING CHARACTER" | "CHARACTER VARYING" | "NCHAR" | "NATIVE CHARACTER"
        | "NVARCHAR" | "CLOB" | "TEXT" => ColumnType::Text { max_len: None },
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" => ColumnType::F64,
        "BOOL" | "BOOLEAN" => ColumnType::Bool,
        _ => return None,
    })
}

/// Whether the name of a column's type is Covet's own for it.
pub(super) fn is_own_name(declared: &str) -> bool {
    ["INTEGER", "INT", "REAL", "TEXT", "BLOB"].iter().any(|own| declared.eq_ignore_ascii_case(own))
}

/// The type of a column, from its storage and its CHECK; and which of its checks it was that stands for the type.
pub(super) fn recognise(column: &ParsedColumn) -> (ColumnType, Option<usize>) {
    let storage = column.ty.to_ascii_uppercase();
    let storage = if storage == "INT" { "INTEGER" } else { storage.as_str() };
    let plain = match storage {
        "INTEGER" => ColumnType::I64,
        "REAL" => ColumnType::F64,
        "TEXT" => ColumnType::Text { max_len: None },
        "BLOB" => ColumnType::Bytes,
        other => {
            let meant = meant(other).unwrap_or_else(|| ColumnType::Other(Cow::Owned(column.ty.clone())));
            return (meant, None);
        }
    };
    let fits = |ty: &ColumnType, found: &[Token]| {
        self::storage(ty) == storage
            && condition(ty, "\"c\"")
                .and_then(|text| tokens(&text))
                .is_some_and(|wanted| same(&wanted, "c", found, &column.name))
    };
    for (index, check) in column.checks.iter().enumerate() {
        let fixed = FIXED.iter().find(|ty| fits(ty, &check.tokens)).cloned();
        if let Some(ty) = fixed.or_else(|| from_numbers(&check.tokens).into_iter().find(|ty| fits(ty, &check.tokens))) {
            return (ty, Some(index));
        }
    }
    (plain, None)
}

/// The types whose CHECK has nothing in it to read.
const FIXED: &[ColumnType] = &[
    ColumnType::Bool,
    ColumnType::I8,
    ColumnType::I16,
    ColumnType::I32,
    ColumnType::U8,
    ColumnType::U16,
    ColumnType::U32,
    ColumnType::U64,
    ColumnType::F32,
    ColumnType::Date,
    ColumnType::Time,
    ColumnType::DateTime,
    ColumnType::Timestamp,
    ColumnType::Uuid,
    ColumnType::Json,
];

/// The types that the numbers and texts of a CHECK could stand for.
fn from_numbers(found: &[Token]) -> Vec<ColumnType> {
    let mut types = Vec::new();
    let numbers: Vec<&str> = found
        .iter()
        .filter_map(|token| match token {
            Token::Number(number) => Some(number.as_str()),
            _ => None,
        })
        .collect();
    let texts: Vec<&String> = found
        .iter()
        .filter_map(|token| match token {
            Token::Text(text) => Some(text),
            _ => None,
        })
        .collect();
    match numbers.as_slice() {
        [most] => types.extend(most.parse().ok().map(|most| ColumnType::Text { max_len: Some(most) })),
        [whole, scale] => types.extend(zeros(whole).zip(zeros(scale)).map(|(whole, scale)| decimal(whole, scale))),
        ["1", whole, scale, "2"] => {
            types.extend(whole.parse().ok().zip(scale.parse().ok()).map(|(whole, scale)| decimal(whole, scale)));
        }
        _ => {}
    }
    if let [name, empty, labels @ ..] = texts.as_slice()
        && empty.is_empty()
    {
        let labels: Vec<Cow<'static, str>> = labels.iter().map(|label| Cow::Owned((*label).clone())).collect();
        types.push(ColumnType::Enum(EnumType { name: Cow::Owned((*name).clone()), labels: labels.into() }));
    }
    types
}

fn decimal(whole: u8, scale: u8) -> ColumnType {
    ColumnType::Decimal { precision: whole.saturating_add(scale), scale }
}

fn power(exponent: u8) -> String {
    format!("1{}", "0".repeat(exponent.into()))
}

fn zeros(power: &str) -> Option<u8> {
    let zeros = power.strip_prefix('1')?;
    zeros.bytes().all(|digit| digit == b'0').then(|| u8::try_from(zeros.len()).ok()).flatten()
}

/// Whether both are the same condition, each about its own column.
fn same(a: &[Token], a_column: &str, b: &[Token], b_column: &str) -> bool {
    let is_column = |token: &Token, column: &str| matches!(token, Token::Word(name) | Token::Quoted(name) if name.eq_ignore_ascii_case(column));
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| match (is_column(a, a_column), is_column(b, b_column)) {
            (true, true) => true,
            (false, _) => a.normal() == b.normal(),
            (true, false) => false,
        })
}

#[cfg(test)]
mod tests {
    use super::{FIXED, condition, recognise, storage};
    use crate::catalog::{ColumnType, EnumType};
    use crate::sqlite::parse::{Check, ParsedColumn};
    use crate::sqlite::token::tokens;

    #[test]
    fn every_type_is_recognised_by_its_check() {
        let labels = vec!["a".into(), "it's, \"1\" ) [".into(), "".into()].into();
        let mut types = FIXED.to_vec();
        types.extend([
            ColumnType::I64,
            ColumnType::F64,
            ColumnType::Bytes,
            ColumnType::Text { max_len: None },
            ColumnType::Text { max_len: Some(0) },
            ColumnType::Text { max_len: Some(u32::MAX) },
            ColumnType::Decimal { precision: 1, scale: 0 },
            ColumnType::Decimal { precision: 18, scale: 18 },
            ColumnType::Decimal { precision: 10, scale: 2 },
            ColumnType::Decimal { precision: 19, scale: 0 },
            ColumnType::Decimal { precision: 38, scale: 38 },
            ColumnType::Enum(EnumType { name: "mood's".into(), labels }),
            ColumnType::Enum(EnumType { name: "none".into(), labels: vec!["x".into()].into() }),
        ]);
        for ty in types {
            for name in ["c", "in", "a\"b", "abs", "0"] {
                let quoted = format!("\"{}\"", name.replace('"', "\"\""));
                let mut column =
                    ParsedColumn { name: name.into(), ty: storage(&ty).into_owned(), ..Default::default() };
                if let Some(text) = condition(&ty, &quoted) {
                    column.checks.push(Check { tokens: tokens(&text).unwrap_or_default(), ..Check::default() });
                }
                assert_eq!(recognise(&column).0, ty, "{name}");
            }
        }
    }

    #[test]
    fn a_check_of_its_own_is_no_type() {
        for text in ["c > 3", "length(c) <= 3 AND c <> ''", "c IN ('a', 'b')", "length(d) <= 3"] {
            let tokens = tokens(text).unwrap_or_default();
            let column = ParsedColumn {
                name: "c".into(),
                ty: "TEXT".into(),
                checks: vec![Check { tokens, ..Check::default() }],
                ..Default::default()
            };
            assert_eq!(recognise(&column), (ColumnType::Text { max_len: None }, None), "{text}");
        }
    }
}
