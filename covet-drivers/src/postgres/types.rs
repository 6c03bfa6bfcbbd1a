//! Column types and defaults, to PostgreSQL's spelling and back: one table.

use std::borrow::Cow;

use crate::catalog::{Column, ColumnDefault, ColumnType, EnumType, Qualified, constraint_name};
use crate::postgres::dialect::NAME;
use crate::render::ansi;

/// The collation of columns that ignore case; made in the schema when first needed.
pub(crate) const NO_CASE: &str = "covet_nocase";

/// The statement that makes it: Unicode's second level, where accents count and case does not.
pub(crate) const CREATE_NO_CASE: &str = "CREATE COLLATION IF NOT EXISTS \"covet_nocase\" \
     (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";

/// The most characters of a `varchar`.
pub(crate) const MAX_VARCHAR: u32 = 10_485_760;

/// Type, spelling as the server reports it, and the range that a check stands for.
type Entry = (ColumnType, &'static str, Option<(i64, i64)>);

const TYPES: &[Entry] = &[
    (ColumnType::Bool, "boolean", None),
    (ColumnType::I8, "smallint", Some((-128, 127))),
    (ColumnType::I16, "smallint", None),
    (ColumnType::I32, "integer", None),
    (ColumnType::I64, "bigint", None),
    (ColumnType::U8, "smallint", Some((0, 255))),
    (ColumnType::U16, "integer", Some((0, 65_535))),
    (ColumnType::U32, "bigint", Some((0, 4_294_967_295))),
    (ColumnType::U64, "bigint", Some((0, i64::MAX))),
    (ColumnType::F32, "real", None),
    (ColumnType::F64, "double precision", None),
    (ColumnType::Text { max_len: None }, "text", None),
    (ColumnType::Bytes, "bytea", None),
    (ColumnType::Date, "date", None),
    (ColumnType::Time, "time without time zone", None),
    (ColumnType::DateTime, "timestamp without time zone", None),
    (ColumnType::Timestamp, "timestamp with time zone", None),
    (ColumnType::Uuid, "uuid", None),
    (ColumnType::Json, "jsonb", None),
];

/// The type in SQL, without collation.
pub(crate) fn native(ty: &ColumnType) -> Cow<'static, str> {
    match ty {
        ColumnType::Text { max_len: Some(most) } => format!("character varying({most})").into(),
        ColumnType::Decimal { precision, scale } => format!("numeric({precision},{scale})").into(),
        ColumnType::Enum(ty) => qualified(&ty.name).into(),
        ColumnType::Other(spelling) => spelling.clone(),
        simple => TYPES.iter().find(|(ty, ..)| ty == simple).map_or("text", |(_, spelling, _)| spelling).into(),
    }
}

/// The type of a column in SQL, with its collation: text compares by code point unless it ignores case.
pub(crate) fn spelled(column: &Column) -> String {
    let native = native(&column.ty);
    match column.ty {
        ColumnType::Text { .. } if column.case_insensitive => format!("{native} COLLATE \"{NO_CASE}\""),
        ColumnType::Text { .. } => format!("{native} COLLATE \"C\""),
        _ => native.into_owned(),
    }
}

/// The condition of the check that stands for the type.
pub(crate) fn condition(column: &Column) -> Option<String> {
    let (low, high) = range(&column.ty)?;
    let name = quoted(&column.name);
    Some(if high == i64::MAX { format!("{name} >= {low}") } else { format!("{name} BETWEEN {low} AND {high}") })
}

/// The last word in the names of checks that stand for types, by which an error knows them.
pub(crate) const RANGE: &str = "range";

/// The name of the check that stands for the type of a column.
pub(crate) fn check_name(table: &str, column: &str) -> String {
    constraint_name(table, &[column], RANGE)
}

/// The name of the sequence that numbers a column.
pub(crate) fn sequence_name(table: &str, column: &str) -> String {
    constraint_name(table, &[column], "seq")
}

/// The range that a check stands for.
pub(crate) fn range(ty: &ColumnType) -> Option<(i64, i64)> {
    TYPES.iter().find(|(known, ..)| known == ty).and_then(|(.., range)| *range)
}

/// The column type of what the server reports: `format_type`, the definition of the type's check and the
/// column's name as the server quotes it, and the enum if it is one.
pub(crate) fn read(reported: &str, check: Option<&str>, name: &str, labels: Option<EnumType>) -> ColumnType {
    if let Some(ty) = labels {
        return ColumnType::Enum(ty);
    }
    let stands_for = check.and_then(|check| read_range(check, name));
    let exact = |with: Option<(i64, i64)>| {
        TYPES.iter().find(|(_, spelling, range)| *spelling == reported && *range == with).map(|(ty, ..)| ty.clone())
    };
    if let Some(ty) = exact(stands_for).or_else(|| exact(None)) {
        return ty;
    }
    let inside = |prefix: &str| reported.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(most) = inside("character varying(").and_then(|most| most.parse().ok()) {
        return ColumnType::Text { max_len: Some(most) };
    }
    if let Some((precision, scale)) = inside("numeric(").and_then(|digits| digits.split_once(','))
        && let (Ok(precision), Ok(scale)) = (precision.parse(), scale.parse())
        && precision <= crate::value::Decimal::MAX_PRECISION
        && scale <= precision
    {
        return ColumnType::Decimal { precision, scale };
    }
    ColumnType::Other(reported.to_owned().into())
}

/// The range in `CHECK (((c >= '-128'::integer) AND (c <= 127)))`.
fn read_range(check: &str, name: &str) -> Option<(i64, i64)> {
    let plain = |text: &str| text.replace(['(', ')', '\''], "");
    let name = plain(name);
    let text =
        plain(check.strip_prefix("CHECK ")?).replace("::smallint", "").replace("::integer", "").replace("::bigint", "");
    let mut rest = text.strip_prefix(&name)?.strip_prefix(" >= ")?;
    let mut high = i64::MAX;
    if let Some((low, upper)) = rest.split_once(" AND ") {
        high = upper.strip_prefix(&name)?.strip_prefix(" <= ")?.parse().ok()?;
        rest = low;
    }
    Some((rest.parse().ok()?, high))
}

/// A default in SQL, for a column of this type.
pub(crate) fn default(default: &ColumnDefault, ty: &ColumnType) -> String {
    match default {
        ColumnDefault::Bool(value) => if *value { "true" } else { "false" }.to_owned(),
        ColumnDefault::Int(value) => value.to_string(),
        ColumnDefault::Number(number) => {
            let plain = number.parse::<f64>().is_ok_and(f64::is_finite);
            if plain { number.clone().into_owned() } else { literal(number) }
        }
        ColumnDefault::Text(text) => literal(text),
        ColumnDefault::Now => now(ty).to_owned(),
        ColumnDefault::Expression(expression) => format!("({})", expression.on(NAME).unwrap_or_default()),
    }
}

/// The current time as the type holds it, in UTC whatever the session's zone.
fn now(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Date => "(now() AT TIME ZONE 'utc')::date",
        ColumnType::Time => "(now() AT TIME ZONE 'utc')::time",
        ColumnType::DateTime => "(now() AT TIME ZONE 'utc')",
        _ => "now()",
    }
}

/// The default of what the server reports; `None` for an expression that Covet has no word for.
pub(crate) fn read_default(reported: &str, ty: &ColumnType) -> Option<ColumnDefault> {
    match reported {
        "true" => return Some(ColumnDefault::Bool(true)),
        "false" => return Some(ColumnDefault::Bool(false)),
        "now()"
        | "CURRENT_TIMESTAMP"
        | "(now() AT TIME ZONE 'utc'::text)"
        | "((now() AT TIME ZONE 'utc'::text))::date"
        | "((now() AT TIME ZONE 'utc'::text))::time without time zone"
        | "timezone('utc'::text, now())"
        | "(timezone('utc'::text, now()))::date"
        | "(timezone('utc'::text, now()))::time without time zone" => return Some(ColumnDefault::Now),
        _ => {}
    }
    let constant = read_constant(reported)?;
    match ty {
        ColumnType::Text { .. } | ColumnType::Enum(_) if reported.starts_with(['\'', 'E']) => {
            Some(ColumnDefault::Text(constant.into()))
        }
        ColumnType::Bool => constant.parse().ok().map(ColumnDefault::Bool),
        ColumnType::Decimal { .. } | ColumnType::F32 | ColumnType::F64 => Some(ColumnDefault::Number(constant.into())),
        _ if ty.integer_range().is_some() => constant.parse().ok().map(ColumnDefault::Int),
        _ => None,
    }
}

/// The constant in `5`, `'-5'::integer`, `'it''s'::text`, `E'a\\b'::text`.
fn read_constant(reported: &str) -> Option<String> {
    let (escapes, quoted) = match reported.strip_prefix("E'") {
        Some(rest) => (true, rest),
        None => match reported.strip_prefix('\'') {
            Some(rest) => (false, rest),
            None => {
                let bare = reported.trim_start_matches('(').trim_end_matches(')');
                return bare.parse::<f64>().ok().map(|_| bare.to_owned());
            }
        },
    };
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
                text.push('\'');
            }
            '\'' => {
                let rest = &quoted[at + 1..];
                return (rest.is_empty() || rest.starts_with("::")).then_some(text);
            }
            '\\' if escapes => text.push(chars.next()?.1),
            other => text.push(other),
        }
    }
    None
}

/// A name in quotes.
pub(crate) fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    ansi::identifier(name, &mut out);
    out
}

/// The name of a table, a type, a view or a function in quotes, behind its schema where it says one.
pub(crate) fn qualified(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    ansi::table(name, &mut out);
    out
}

/// The name of what is in the schema of a table, as an index is, in quotes.
pub(crate) fn beside(table: &str, name: &str) -> String {
    qualified(&Qualified::of(table).beside(name))
}

/// Names in quotes, with commas between.
pub(crate) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A text literal that means the same whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    if text.contains('\\') {
        out.push('E');
        ansi::literal(&text.replace('\\', "\\\\"), &mut out);
    } else {
        ansi::literal(text, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{literal, read, read_constant, read_default};
    use crate::catalog::{ColumnDefault, ColumnType};

    #[test]
    fn checks_tell_types_apart() {
        let small = |check| read("smallint", check, "\"a(b\"", None);
        assert_eq!(small(None), ColumnType::I16);
        let i8 = "CHECK (((\"a(b\" >= '-128'::integer) AND (\"a(b\" <= 127)))";
        assert_eq!(small(Some(i8)), ColumnType::I8);
        assert_eq!(small(Some("CHECK (((\"a(b\" >= 0) AND (\"a(b\" <= 255)))")), ColumnType::U8);
        assert_eq!(small(Some("CHECK ((\"a(b\" > 7))")), ColumnType::I16);
        assert_eq!(read("bigint", Some("CHECK ((c >= 0))"), "c", None), ColumnType::U64);
        assert_eq!(read("numeric", None, "c", None), ColumnType::Other("numeric".into()));
        assert_eq!(read("numeric(10,2)", None, "c", None), ColumnType::Decimal { precision: 10, scale: 2 });
    }

    #[test]
    fn defaults() {
        assert_eq!(read_constant("'it''s a \\'::text").as_deref(), Some("it's a \\"));
        assert_eq!(read_constant("E'a\\\\b'::text").as_deref(), Some("a\\b"));
        assert_eq!(read_constant("'-5'::integer").as_deref(), Some("-5"));
        assert_eq!(read_constant("('a'::text || 'b'::text)"), None);
        assert_eq!(read_constant("nextval('s'::regclass)"), None);
        assert_eq!(read_default("'5'::text", &ColumnType::I32), Some(ColumnDefault::Int(5)));
        assert_eq!(read_default("upper('x'::text)", &ColumnType::Text { max_len: None }), None);
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
