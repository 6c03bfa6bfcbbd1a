//! Defaults of columns, to the database's words and back.

use crate::catalog::{ColumnDefault, ColumnType};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::dialect::{NAME, hex, literal};
use crate::mysql::server::Product;
use crate::mysql::types::{bytes_of, native, quoted};
use crate::value::parse_uuid;

/// A default as the value of a column of this type, without the word `DEFAULT`.
///
/// # Errors
/// `Unsupported` for what the type cannot have.
pub(crate) fn default(default: &ColumnDefault, ty: &ColumnType, place: &str) -> Result<String> {
    let text = match (default, ty) {
        (ColumnDefault::Bool(value), _) => if *value { "1" } else { "0" }.to_owned(),
        (ColumnDefault::Int(value), _) => value.to_string(),
        (ColumnDefault::Number(text), _) => {
            let plain = text.trim_start_matches(['-', '+']);
            let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
            if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !plain.chars().all(digits) {
                return Err(Error::new(ErrorKind::InvalidInput, format!("the default of {place} is no number")));
            }
            text.clone().into_owned()
        }
        (ColumnDefault::Text(text), ColumnType::Uuid) => {
            let bytes = parse_uuid(text)
                .ok_or_else(|| Error::new(ErrorKind::InvalidInput, format!("the default of {place} is no uuid")))?;
            unhex(&bytes)
        }
        (ColumnDefault::Text(text), ColumnType::Bytes) => unhex(text.as_bytes()),
        (ColumnDefault::Text(text), ty) if is_unbounded(ty) => expression(text),
        (ColumnDefault::Text(text), _) => literal(text),
        (ColumnDefault::Now, ColumnType::Date) => "(CURRENT_DATE)".to_owned(),
        (ColumnDefault::Now, ColumnType::Time) => "(CURRENT_TIME(6))".to_owned(),
        (ColumnDefault::Now, ColumnType::DateTime | ColumnType::Timestamp) => "CURRENT_TIMESTAMP(6)".to_owned(),
        (ColumnDefault::Expression(expression), _) => {
            return Ok(format!("({})", expression.on(NAME).unwrap_or_default()));
        }
        (ColumnDefault::Now, ty) => {
            return Err(Error::unsupported(format_args!("the default `now` of {place}, which is a {ty}"), "mysql"));
        }
    };
    Ok(if is_unbounded(ty) { format!("({text})") } else { text })
}

/// Bytes as an expression: what the server keeps of a literal cannot be read back.
fn unhex(bytes: &[u8]) -> String {
    format!("(UNHEX({}))", hex(bytes).trim_start_matches('x'))
}

/// Whether MySQL takes a default of the type only as an expression.
fn is_unbounded(ty: &ColumnType) -> bool {
    matches!(native(ty).as_ref(), "longtext" | "longblob" | "json")
}

/// A text in an expression that the server keeps: MariaDB writes such an expression down and reads
/// it again, and stumbles over what it has written of some literals.
fn expression(text: &str) -> String {
    if text.chars().any(|c| matches!(c, '\'' | '"' | '\\') || c.is_control()) {
        return format!("CONVERT({} USING utf8mb4)", hex(text.as_bytes()));
    }
    literal(text)
}

/// The default that the database describes; `Err` with its text for one that Covet has no word for.
pub(crate) fn read_default(
    product: Product,
    said: &str,
    is_expression: bool,
    ty: &ColumnType,
) -> Result<Option<ColumnDefault>, String> {
    let said = said.trim();
    if product == Product::MariaDb && said.eq_ignore_ascii_case("NULL") {
        return Ok(None);
    }
    let lower = said.to_ascii_lowercase();
    let now = ["current_timestamp", "now(", "curdate(", "curtime(", "current_date", "current_time"];
    if (product == Product::MariaDb || is_expression) && now.iter().any(|word| lower.starts_with(word)) {
        return Ok(Some(ColumnDefault::Now));
    }
    let inner = said.trim_start_matches('(').trim_end_matches(')');
    let text: Option<String> = if product == Product::MySql && !is_expression {
        Some(said.to_owned())
    } else {
        // MySQL writes an expression with its quotes escaped: _utf8mb4\'x\'
        let unescaped = if product == Product::MySql { inner.replace("\\'", "'") } else { inner.to_owned() };
        let bare = unescaped.strip_prefix("_utf8mb4").unwrap_or(&unescaped);
        let whole = quoted(bare).filter(|(_, rest)| rest.is_empty()).map(|(text, _)| text);
        whole.or_else(|| converted(&lower))
    };
    let plain = text.as_deref().unwrap_or(inner);
    let bytes = lower.split_once("unhex(").and_then(|(_, rest)| {
        bytes_of(rest.trim_start_matches("_utf8mb4").trim_matches(|c: char| !c.is_ascii_hexdigit()))
    });
    let read = match ty {
        ColumnType::Bool => match plain {
            "0" => Some(ColumnDefault::Bool(false)),
            "1" => Some(ColumnDefault::Bool(true)),
            _ => None,
        },
        ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal { .. } => {
            plain.parse::<f64>().ok().map(|_| ColumnDefault::Number(plain.to_owned().into()))
        }
        ColumnType::Uuid => bytes.filter(|bytes| bytes.len() == 16).map(|bytes| {
            let hex = |range: std::ops::Range<usize>| -> String {
                bytes.iter().take(range.end).skip(range.start).map(|byte| format!("{byte:02x}")).collect()
            };
            let text = [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-");
            ColumnDefault::Text(text.into())
        }),
        ColumnType::Bytes => {
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| ColumnDefault::Text(text.into()))
        }
        ty if ty.integer_range().is_some() => plain.parse().ok().map(ColumnDefault::Int),
        ColumnType::Other(_) if text.is_none() => None,
        _ => text.map(|text| ColumnDefault::Text(text.into())),
    };
    match read {
        Some(read) => Ok(Some(read)),
        None => Err(said.to_owned()),
    }
}

/// The text of `convert(X'…' using utf8mb4)`, which MySQL writes as `convert(0x… using utf8mb4)`.
fn converted(lower: &str) -> Option<String> {
    let (_, rest) = lower.split_once("convert(")?;
    let (digits, rest) = rest.split_once(" using utf8mb4")?;
    let digits = digits.trim_start_matches("0x").trim_matches(|c: char| !c.is_ascii_hexdigit());
    if !rest.chars().all(|c| c == ')') {
        return None;
    }
    String::from_utf8(bytes_of(digits)?).ok()
}

#[cfg(test)]
mod tests {
    use super::read_default;
    use crate::catalog::{ColumnDefault, ColumnType};
    use crate::mysql::server::Product;

    #[test]
    fn defaults_of_either_product() {
        let text = ColumnType::Text { max_len: None };
        let x = || Ok(Some(ColumnDefault::Text("it's".into())));
        assert_eq!(read_default(Product::MariaDb, "'it''s'", false, &text), x());
        assert_eq!(read_default(Product::MySql, "it's", false, &text), x());
        let behind = Ok(Some(ColumnDefault::Text("a\\".into())));
        assert_eq!(read_default(Product::MariaDb, "'a\\\\'", false, &text), behind);
        assert_eq!(read_default(Product::MySql, "_utf8mb4\\'it\\'\\'s\\'", true, &text), x());
        assert_eq!(read_default(Product::MariaDb, "NULL", false, &text), Ok(None));
        assert_eq!(
            read_default(Product::MySql, "CURRENT_TIMESTAMP(6)", true, &ColumnType::Timestamp),
            Ok(Some(ColumnDefault::Now))
        );
        assert_eq!(
            read_default(Product::MySql, "current_timestamp", false, &text),
            Ok(Some(ColumnDefault::Text("current_timestamp".into())))
        );
        for said in ["convert(X'6127' using utf8mb4)", "convert(0x6127 using utf8mb4)"] {
            assert_eq!(read_default(Product::MySql, said, true, &text), Ok(Some(ColumnDefault::Text("a'".into()))));
        }
        assert!(read_default(Product::MariaDb, "uuid()", false, &text).is_err());
        assert_eq!(read_default(Product::MariaDb, "1", false, &ColumnType::Bool), Ok(Some(ColumnDefault::Bool(true))));
    }
}
