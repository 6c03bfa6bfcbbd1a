//! Covet's types and the database's names for them: one table, read in both directions.

use std::borrow::Cow;

use crate::catalog::{ColumnType, EnumType, constraint_name};
use crate::mysql::dialect::{hex, literal, quote};

/// The most characters of a `varchar`; a longer text is a `longtext` with a check.
pub(crate) const MAX_VARCHAR: u32 = 16_383;

/// The collation of a table, on either product; each reads the one and takes the other for a comment.
pub(crate) const CASE_SENSITIVE: &str = "/*M! utf8mb4_nopad_bin */ /*!80000 utf8mb4_0900_bin */";

/// The collation of a column that compares without case.
pub(crate) const CASE_INSENSITIVE: &str = "/*M! utf8mb4_uca1400_nopad_as_ci */ /*!80000 utf8mb4_0900_as_ci */";

/// The types whose name says everything.
const PLAIN: &[(ColumnType, &str)] = &[
    (ColumnType::Bool, "tinyint(1)"),
    (ColumnType::I8, "tinyint"),
    (ColumnType::I16, "smallint"),
    (ColumnType::I32, "int"),
    (ColumnType::I64, "bigint"),
    (ColumnType::U8, "tinyint unsigned"),
    (ColumnType::U16, "smallint unsigned"),
    (ColumnType::U32, "int unsigned"),
    (ColumnType::U64, "bigint unsigned"),
    (ColumnType::F32, "float"),
    (ColumnType::F64, "double"),
    (ColumnType::Bytes, "longblob"),
    (ColumnType::Date, "date"),
    (ColumnType::Time, "time(6)"),
    (ColumnType::DateTime, "datetime(6)"),
    (ColumnType::Timestamp, "datetime(6)"),
    (ColumnType::Uuid, "binary(16)"),
    (ColumnType::Json, "json"),
];

/// The comment that tells an instant from a date and time in no zone.
const UTC: &str = "utc";

/// What comes before the name of an enum in the comment that keeps it.
const ENUM: &str = "enum ";

/// The database's name of a type.
pub(crate) fn native(ty: &ColumnType) -> Cow<'static, str> {
    if let Some((_, name)) = PLAIN.iter().find(|(known, _)| known == ty) {
        return Cow::Borrowed(name);
    }
    match ty {
        ColumnType::Text { max_len: Some(n) } if *n <= MAX_VARCHAR => format!("varchar({n})").into(),
        ColumnType::Decimal { precision, scale } => format!("decimal({precision},{scale})").into(),
        ColumnType::Enum(ty) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| label_literal(label)).collect();
            format!("enum({})", labels.join(",")).into()
        }
        ColumnType::Other(name) => name.clone(),
        _ => Cow::Borrowed("longtext"),
    }
}

/// The comment of a column in the database: what its owner says, and what Covet keeps there of its type because the
/// database's type does not say it: `utc`, `a comment [utc]`, `a comment`.
pub(crate) fn comment(ty: &ColumnType, said: Option<&str>) -> Option<String> {
    let mark = match ty {
        ColumnType::Timestamp => Some(UTC.to_owned()),
        ColumnType::Enum(ty) => Some(format!("{ENUM}{}", ty.name)),
        _ => None,
    };
    match (mark, said) {
        (Some(mark), None) => Some(mark),
        (Some(mark), Some(said)) => Some(format!("{said} [{mark}]")),
        // A comment that would be taken for a mark is told from one by an empty mark behind it.
        (None, Some(said)) if split_comment(said) != (None, Some(said)) => Some(format!("{said} []")),
        (None, said) => said.map(str::to_owned),
    }
}

/// The mark in a column's comment, and what its owner says.
pub(crate) fn split_comment(comment: &str) -> (Option<&str>, Option<&str>) {
    let is_mark = |mark: &str| mark == UTC || mark.starts_with(ENUM);
    if let Some((said, mark)) = comment.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["))
        && (is_mark(mark) || mark.is_empty())
    {
        return (Some(mark).filter(|mark| !mark.is_empty()), Some(said));
    }
    // Behind, because a comment may begin like a mark; no enum's name ends like one.
    if is_mark(comment) {
        return (Some(comment), None);
    }
    (None, Some(comment).filter(|comment| !comment.is_empty()))
}

/// The check that stands for the length of a text too long for `varchar`: its name and condition.
pub(crate) fn check(table: &str, column: &str, ty: &ColumnType) -> Option<(String, String)> {
    match ty {
        ColumnType::Text { max_len: Some(n) } if *n > MAX_VARCHAR => {
            Some((constraint_name(table, &[column], "check"), format!("char_length({}) <= {n}", quote(column))))
        }
        _ => None,
    }
}

/// A column as `information_schema` describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    pub(crate) table: String,
    pub(crate) name: String,
    /// `int(10) unsigned`
    pub(crate) column_type: String,
    pub(crate) charset: Option<String>,
    pub(crate) comment: String,
    /// The check that carries the column's constraint name.
    pub(crate) length_check: Option<String>,
    /// Whether a check says that it holds JSON.
    pub(crate) is_json: bool,
}

/// The type of a column that the database describes.
pub(crate) fn read(described: &Described) -> ColumnType {
    let ty = described.column_type.to_ascii_lowercase();
    let (mark, _) = split_comment(&described.comment);
    if let Some(charset) = &described.charset
        && charset != "utf8mb4"
    {
        // It cannot hold every text.
        return ColumnType::Other(format!("{} CHARACTER SET {charset}", described.column_type).into());
    }
    if ty == "tinyint(1)" {
        return ColumnType::Bool;
    }
    match without_width(&ty).as_str() {
        "longtext" if described.is_json => return ColumnType::Json,
        "longtext" => return ColumnType::Text { max_len: described.length_check.as_deref().and_then(length_of) },
        "datetime(6)" if mark == Some(UTC) => return ColumnType::Timestamp,
        plain => {
            if let Some((known, _)) = PLAIN.iter().find(|(_, name)| *name == plain) {
                return known.clone();
            }
        }
    }
    if let Some(n) = between(&ty, "varchar(", ")").and_then(|n| n.parse().ok()) {
        return ColumnType::Text { max_len: Some(n) };
    }
    if let Some((precision, scale)) = between(&ty, "decimal(", ")").and_then(|inner| inner.split_once(','))
        && let (Ok(precision), Ok(scale)) = (precision.parse(), scale.parse())
        && precision <= 38
    {
        return ColumnType::Decimal { precision, scale };
    }
    if let Some(labels) = between(&described.column_type, "enum(", ")").and_then(labels) {
        let name = mark.and_then(|mark| mark.strip_prefix(ENUM)).map(str::to_owned);
        let name = name.unwrap_or_else(|| constraint_name(&described.table, &[&described.name], "enum"));
        return ColumnType::Enum(EnumType { name: name.into(), labels: labels.into() });
    }
    ColumnType::Other(described.column_type.clone().into())
}

/// `int(10) unsigned` without the display width, which means nothing.
fn without_width(ty: &str) -> String {
    let integer = ["tinyint", "smallint", "int", "bigint"].iter().find(|name| ty.starts_with(&format!("{name}(")));
    match (integer, ty.split_once(')')) {
        (Some(name), Some((_, rest))) => format!("{name}{rest}"),
        _ => ty.to_owned(),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// The length in `char_length(…) <= 20000`, however the server wrote it.
fn length_of(condition: &str) -> Option<u32> {
    let lower = condition.to_ascii_lowercase();
    if !lower.contains("char_length(") {
        return None;
    }
    let (_, rest) = lower.rsplit_once("<=")?;
    rest.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

/// The labels between the parentheses of an `enum(…)`.
fn labels(list: &str) -> Option<Vec<Cow<'static, str>>> {
    let mut labels = Vec::new();
    let mut rest = list;
    loop {
        let (label, after) = quoted(rest)?;
        labels.push(Cow::Owned(label));
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return after.is_empty().then_some(labels),
        }
    }
}

/// The text of a quoted literal at the start, and what follows it.
pub(crate) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('\'')?.char_indices();
    let body = &text[1..];
    while let Some((index, c)) = chars.next() {
        match c {
            '\'' if body[index + 1..].starts_with('\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => return Some((out, &body[index + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0' => out.push('\0'),
                'b' => out.push('\u{8}'),
                'Z' => out.push('\u{1a}'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

fn label_literal(label: &str) -> String {
    // No character set may be named here; hexadecimal digits are taken as the bytes of the text.
    if label.contains(['\\', '\0']) { hex(label.as_bytes()) } else { literal(label) }
}

/// The bytes of pairs of hexadecimal digits.
pub(crate) fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks_exact(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::{Described, PLAIN, comment, native, read, split_comment};
    use crate::catalog::{ColumnType, EnumType};

    fn described(column_type: &str, comment: &str) -> Described {
        Described { column_type: column_type.into(), comment: comment.into(), ..Described::default() }
    }

    #[test]
    fn the_table_reads_both_ways() {
        for (ty, name) in PLAIN {
            assert_eq!(read(&described(name, &comment(ty, None).unwrap_or_default())), *ty, "{name}");
        }
        for (old, ty) in [
            ("tinyint(4)", ColumnType::I8),
            ("int(10) unsigned", ColumnType::U32),
            ("bigint(20)", ColumnType::I64),
            ("varchar(20)", ColumnType::Text { max_len: Some(20) }),
            ("decimal(38,10)", ColumnType::Decimal { precision: 38, scale: 10 }),
            ("mediumint(9)", ColumnType::Other("mediumint(9)".into())),
            ("decimal(60,0)", ColumnType::Other("decimal(60,0)".into())),
        ] {
            assert_eq!(read(&described(old, "")), ty, "{old}");
        }
        let labels = ["a", "it's", "b\\c", "d,e"];
        let ty = ColumnType::Enum(EnumType {
            name: "kind".into(),
            labels: labels.iter().map(|label| (*label).into()).collect::<Vec<_>>().into(),
        });
        assert_eq!(native(&ty), "enum('a','it''s',x'625c63','d,e')");
        assert_eq!(read(&described("enum('a','it''s','b\\\\c','d,e')", "enum kind")), ty);
    }

    #[test]
    fn a_comment_and_what_covet_keeps_in_it_are_told_apart() {
        let role = ColumnType::Enum(EnumType { name: "role".into(), labels: vec!["a".into()].into() });
        for ty in [ColumnType::Timestamp, ColumnType::DateTime, role] {
            for said in
                [None, Some("in years"), Some("utc"), Some("enum x"), Some("a [utc]"), Some("a []"), Some("[b]")]
            {
                let kept = comment(&ty, said).unwrap_or_default();
                let (mark, found) = split_comment(&kept);
                assert_eq!((mark.is_some(), found), (ty != ColumnType::DateTime, said), "{kept}");
            }
        }
    }
}
