//! From one type of a column to another: the expression that converts, and the rows that it would harm.
//!
//! Nothing is cut, rounded or zeroed: what would be is counted by a guard before anything changes.

use crate::catalog::{Column, ColumnType};
use crate::error::{Error, Result};
use crate::postgres::types::{literal, native, quoted, range};

/// How values get into their new type.
#[derive(Debug, Default)]
pub(super) struct Cast {
    /// The expression for `USING`; the server's own conversion when absent.
    pub(super) using: Option<String>,
    /// The condition of rows that do not fit, and what it means when there are some.
    pub(super) guard: Option<(String, String)>,
}

/// The conversion of a column that keeps its name.
pub(super) fn cast(table: &str, before: &Column, after: &Column) -> Result<Cast> {
    let name = quoted(&before.name);
    let (using, refused) = convert(&name, &before.ty, &after.ty).ok_or_else(|| {
        Error::unsupported(
            format_args!("a change of {table}.{} from {} to {}", after.name, before.ty, after.ty),
            "PostgreSQL",
        )
        .with_table(table)
        .with_column(&after.name)
        .with_help("add a new column, move the values in a migration of your own, and drop the old column")
    })?;
    let found = format!("rows of {table} have a value in {} that {} cannot hold as it is", after.name, after.ty);
    Ok(Cast { using, guard: refused.map(|condition| (condition, found)) })
}

/// The conversion of a value, `None` in it where the server's own is meant.
pub(super) fn value(value: &str, from: &ColumnType, to: &ColumnType) -> Option<Option<String>> {
    convert(value, from, to).map(|(using, _)| using)
}

/// Expression and condition of what does not fit; `None` when there is no safe way.
type Conversion = Option<(Option<String>, Option<String>)>;

fn convert(c: &str, from: &ColumnType, to: &ColumnType) -> Conversion {
    use ColumnType as T;
    let plain = || Some((None, None));
    let using = |expression: String| Some((Some(expression), None));
    let guarded = |expression: Option<String>, condition: String| Some((expression, Some(condition)));
    let target = native(to);
    match (from, to) {
        (T::Other(_), _) | (_, T::Other(_)) => None,
        _ if from == to => plain(),
        _ if from.integer_range().is_some() => from_integer(c, from, to),
        (T::Text { .. }, _) => from_text(c, from, to),
        (T::Decimal { .. }, _) => from_decimal(c, from, to),
        (T::F32 | T::F64, _) => from_float(c, from, to),
        (T::Bool, _) if to.integer_range().is_some() => using(format!("{c}::integer::{target}")),
        (T::Enum(_), T::Enum(ty)) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| literal(label)).collect();
            guarded(Some(format!("{c}::text::{target}")), format!("{c}::text NOT IN ({})", labels.join(", ")))
        }
        (T::Date, T::DateTime) => using(format!("{c}::timestamp")),
        (T::Date, T::Timestamp) => using(format!("{c}::timestamp AT TIME ZONE 'UTC'")),
        (T::DateTime, T::Timestamp) | (T::Timestamp, T::DateTime) => using(format!("{c} AT TIME ZONE 'UTC'")),
        (T::DateTime, T::Date) => guarded(Some(format!("{c}::date")), format!("{c} <> date_trunc('day', {c})")),
        (T::Timestamp, T::Date) => {
            let utc = format!("({c} AT TIME ZONE 'UTC')");
            guarded(Some(format!("{utc}::date")), format!("{utc} <> date_trunc('day', {utc})"))
        }
        (T::Uuid, T::Bytes) => using(format!("uuid_send({c})")),
        (T::Bytes, T::Uuid) => guarded(Some(format!("encode({c}, 'hex')::uuid")), format!("octet_length({c}) <> 16")),
        (_, T::Text { max_len }) => to_text(c, from, *max_len),
        _ => None,
    }
}

fn from_integer(c: &str, from: &ColumnType, to: &ColumnType) -> Conversion {
    let (low, high) = limits(from)?;
    if let Some((least, most)) = limits(to) {
        let fits = least <= low && high <= most;
        return Some((None, (!fits).then(|| format!("{c} NOT BETWEEN {least} AND {most}"))));
    }
    match to {
        ColumnType::Decimal { precision, scale } => {
            let most = 10_i128.pow(u32::from(precision.saturating_sub(*scale)));
            let fits = i128::from(high) < most && -i128::from(low) < most;
            Some((None, (!fits).then(|| format!("abs({c}::numeric) >= {most}"))))
        }
        ColumnType::F64 => {
            Some((None, (high > 1 << 53).then(|| format!("{c} NOT BETWEEN -9007199254740992 AND 9007199254740992"))))
        }
        ColumnType::F32 => Some((None, (high > 1 << 24).then(|| format!("{c} NOT BETWEEN -16777216 AND 16777216")))),
        ColumnType::Bool => Some((Some(format!("({c} = 1)")), Some(format!("{c} NOT IN (0, 1)")))),
        ColumnType::Text { max_len } => to_text(c, from, *max_len),
        _ => None,
    }
}

/// The values that an integer column can hold on PostgreSQL.
fn limits(ty: &ColumnType) -> Option<(i64, i64)> {
    if let Some(range) = range(ty) {
        return Some(range);
    }
    let (low, high) = ty.integer_range()?;
    Some((i64::try_from(low).ok()?, i64::try_from(high).unwrap_or(i64::MAX)))
}

fn from_decimal(c: &str, from: &ColumnType, to: &ColumnType) -> Conversion {
    if let Some((low, high)) = limits(to) {
        return Some((None, Some(format!("{c} <> trunc({c}) OR {c} NOT BETWEEN {low} AND {high}"))));
    }
    match (from, to) {
        (ColumnType::Decimal { precision: p, scale: s }, ColumnType::Decimal { precision, scale }) => {
            let mut refused = Vec::new();
            if scale < s {
                refused.push(format!("{c} <> round({c}, {scale})"));
            }
            let whole = precision.saturating_sub(*scale);
            if whole < p.saturating_sub(*s) {
                refused.push(format!("abs({c}) >= {}", 10_i128.pow(u32::from(whole))));
            }
            Some((None, (!refused.is_empty()).then(|| refused.join(" OR "))))
        }
        // Back in decimal a float has as many digits as are sure.
        (_, ColumnType::F64) => Some((None, Some(format!("{c} <> {c}::double precision::numeric")))),
        (_, ColumnType::F32) => Some((None, Some(format!("{c} <> {c}::real::numeric")))),
        (_, ColumnType::Text { max_len }) => to_text(c, from, *max_len),
        _ => None,
    }
}

fn from_float(c: &str, from: &ColumnType, to: &ColumnType) -> Conversion {
    let infinite = format!("{c} IN ('NaN', 'Infinity', '-Infinity')");
    if let Some((low, high)) = limits(to) {
        // Compared as a float: in decimal the server keeps six or fifteen digits of it, and rounds. The number above
        // the highest is one that a float can be, and NaN is above all.
        let (float, above) = (format!("{c}::double precision"), i128::from(high) + 1);
        return Some((None, Some(format!("{float} <> trunc({float}) OR {float} < {low} OR {float} >= {above}"))));
    }
    match to {
        ColumnType::F64 => Some((None, None)),
        ColumnType::F32 => {
            let lost = format!("abs({c}) > 3.4028234663852886e38 OR {c} <> {c}::real::double precision");
            let most = format!("CASE WHEN {infinite} THEN false WHEN abs({c}) > 3.4028234663852886e38 THEN true");
            Some((None, Some(format!("{most} ELSE {lost} END"))))
        }
        ColumnType::Decimal { precision, scale } => {
            let most = 10_i128.pow(u32::from(precision.saturating_sub(*scale)));
            let kept = format!("{c}::numeric::{} <> {c}", native(from));
            let fits = format!("{c}::numeric <> round({c}::numeric, {scale}) OR abs({c}::numeric) >= {most}");
            Some((None, Some(format!("CASE WHEN {infinite} THEN true ELSE {kept} OR {fits} END"))))
        }
        ColumnType::Text { max_len } => to_text(c, from, *max_len),
        _ => None,
    }
}

fn from_text(c: &str, from: &ColumnType, to: &ColumnType) -> Conversion {
    // Patterns do not work in a collation that ignores case.
    let text = format!("({c} COLLATE \"C\")");
    let using = Some(format!("{c}::{}", native(to)));
    let unlike = |pattern: &str| Some(format!("{text} !~ '{pattern}'"));
    const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
    const TIME: &str = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?";
    if let Some((low, high)) = limits(to) {
        let number = format!("{c}::numeric NOT BETWEEN {low} AND {high}");
        return Some((using, Some(format!("CASE WHEN {text} ~ '^-?[0-9]+$' THEN {number} ELSE {c} IS NOT NULL END"))));
    }
    match to {
        // Blanks beyond the limit are cut in silence by the conversion itself.
        ColumnType::Text { max_len: Some(most) } => {
            let shorter = !matches!(from, ColumnType::Text { max_len: Some(before) } if before <= most);
            Some((None, shorter.then(|| format!("char_length({c}) > {most}"))))
        }
        ColumnType::Text { max_len: None } => Some((None, None)),
        ColumnType::Decimal { precision, scale } => {
            let most = 10_i128.pow(u32::from(precision.saturating_sub(*scale)));
            let number = format!("{c}::numeric <> round({c}::numeric, {scale}) OR abs({c}::numeric) >= {most}");
            let pattern = r"^-?[0-9]+(\.[0-9]+)?$";
            Some((using, Some(format!("CASE WHEN {text} ~ '{pattern}' THEN {number} ELSE {c} IS NOT NULL END"))))
        }
        ColumnType::F64 => Some((using, Some(no_float(c, &text, to, ("5e-324", "1.7976931348623157e308"))))),
        ColumnType::F32 => Some((using, Some(no_float(c, &text, to, ("1e-45", "3.4028235e38"))))),
        ColumnType::Bool => Some((using, unlike("^(true|false)$"))),
        ColumnType::Date => Some((using, unlike(&format!("^{DATE}$")))),
        ColumnType::Time => Some((using, unlike(&format!("^{TIME}$")))),
        ColumnType::DateTime => Some((using, unlike(&format!("^{DATE}[ T]{TIME}$")))),
        // The text is UTC, said or not; another zone is refused.
        ColumnType::Timestamp => {
            let utc = Some(format!("{c}::timestamp AT TIME ZONE 'UTC'"));
            Some((utc, unlike(&format!(r"^{DATE}[ T]{TIME}(Z|\+00(:00)?)?$"))))
        }
        ColumnType::Uuid => Some((using, unlike("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))),
        // Only the server can tell: it refuses the statement, and with it the whole migration.
        ColumnType::Json => Some((using, None)),
        ColumnType::Bytes => Some((Some(format!("convert_to({c}, 'UTF8')")), None)),
        ColumnType::Enum(ty) => {
            let labels: Vec<String> = ty.labels.iter().map(|label| literal(label)).collect();
            Some((using, Some(format!("{text} NOT IN ({})", labels.join(", ")))))
        }
        _ => None,
    }
}

/// The condition of texts that are no float, or whose digits a float of this type, between its least and its most, does
/// not have: the server writes the shortest decimal that leads back to it, which must be the number that was there.
fn no_float(c: &str, text: &str, to: &ColumnType, (least, most): (&str, &str)) -> String {
    let number = r"-?[0-9]+(\.[0-9]+)?([eE][-+]?0*[0-9]{1,3})?";
    format!(
        "CASE WHEN {c} IS NULL OR {text} IN ('NaN', 'Infinity', '-Infinity') THEN false \
         WHEN {text} !~ '^{number}$' THEN true \
         WHEN {c}::numeric = 0 THEN false \
         WHEN abs({c}::numeric) NOT BETWEEN {least} AND {most} THEN true \
         ELSE {c}::numeric <> {c}::{}::text::numeric END",
        native(to)
    )
}

fn to_text(c: &str, from: &ColumnType, max_len: Option<u32>) -> Conversion {
    // The form of a date must not depend on the session.
    let day = "YYYY-MM-DD";
    let moment = "YYYY-MM-DD HH24:MI:SS.US";
    let years = |c: &str| format!("{c} NOT BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'");
    let (text, mut refused) = match from {
        ColumnType::Date => (format!("to_char({c}, '{day}')"), vec![years(&format!("{c}::timestamp"))]),
        ColumnType::Time => (format!("{c}::text"), Vec::new()),
        ColumnType::DateTime => (format!("to_char({c}, '{moment}')"), vec![years(c)]),
        ColumnType::Timestamp => {
            let utc = format!("({c} AT TIME ZONE 'UTC')");
            (format!("to_char({utc}, '{moment}')"), vec![years(&utc)])
        }
        ColumnType::Bytes => (format!("convert_from({c}, 'UTF8')"), Vec::new()),
        _ => (format!("{c}::text"), Vec::new()),
    };
    if let Some(most) = max_len {
        refused.push(format!("char_length({text}) > {most}"));
    }
    Some((Some(text), (!refused.is_empty()).then(|| refused.join(" OR "))))
}
