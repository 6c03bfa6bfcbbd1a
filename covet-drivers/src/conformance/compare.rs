//! Whether what came back is what was given, and whether a refusal is one.

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind};
use crate::value::Value;

/// Whether both are the same value, in whichever of the variants that stand for it.
pub(crate) fn same(given: &Value, came: &Value) -> bool {
    if let (Some(given), Some(came)) = (integer(given), integer(came)) {
        return given == came;
    }
    if let (Some(given), Some(came)) = (float(given), float(came)) {
        return given == came || (given.is_nan() && came.is_nan());
    }
    if let (Value::Json(given), Value::Json(came)) = (given, came) {
        return tight(given) == tight(came);
    }
    if let (Value::Decimal(given), Value::Decimal(came)) = (given, came) {
        return given.to_string() == came.to_string();
    }
    given == came
}

/// Whether the error says that the value cannot be held. JSON may be guarded by a check that the
/// database makes by itself, and that nobody can tell from a check of the user's.
pub(crate) fn refuses(error: &Error, ty: &ColumnType) -> bool {
    match error.kind() {
        ErrorKind::OutOfRange | ErrorKind::InvalidInput => true,
        ErrorKind::Check => matches!(ty, ColumnType::Json),
        _ => false,
    }
}

/// Whether `column = value` is a question that has an answer on every database.
pub(crate) fn has_equality(ty: &ColumnType) -> bool {
    !matches!(ty, ColumnType::Json)
}

/// The content, for messages of a suite whose values are its own.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Bool(v) => v.to_string(),
        Value::Float32(v) => format!("{v:e}"),
        Value::Float(v) => format!("{v:e}"),
        Value::Text(v) | Value::Json(v) => format!("{:?}", v.chars().take(40).collect::<String>()),
        Value::Label(v) => format!("label {v:?}"),
        Value::Bytes(v) => format!("{} bytes", v.len()),
        Value::Date(v) => format!("day {v}"),
        Value::Time(v) => format!("time {v}"),
        Value::DateTime(v) => format!("date and time {v}"),
        Value::Timestamp(v) => format!("timestamp {v}"),
        Value::Uuid(v) => format!("uuid {v:?}"),
        Value::Decimal(v) => v.to_string(),
        Value::Null => String::from("NULL"),
        Value::Int(_) | Value::UInt(_) => integer(value).map(|v| v.to_string()).unwrap_or_default(),
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(v) => Some((*v).into()),
        Value::UInt(v) => Some((*v).into()),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(v) => Some(*v),
        Value::Float32(v) => Some((*v).into()),
        _ => None,
    }
}

/// JSON without blanks between its tokens.
fn tight(json: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if quoted || !c.is_whitespace() {
            out.push(c);
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    out
}
