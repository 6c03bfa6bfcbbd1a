//! JSON: `serde_json::Value`, and any serde type inside [`Json`].

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Field, Value, ValueRef, ValueWriter};

/// A serde type kept in a JSON column.
///
/// ```
/// use covet_drivers::value::Json;
/// let tags: Json<Vec<String>> = Json(vec!["rust".into()]);
/// assert_eq!(tags.len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

impl<T> std::ops::Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Json(value)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> ColumnValue for Json<T> {
    const TYPE: ColumnType = ColumnType::Json;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        encode(&self.0)
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give(encode(&self.0)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        decode(value).map(Json)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Field for Json<T> {
    type Inner = Json<T>;
}

#[diagnostic::do_not_recommend]
impl ColumnValue for serde_json::Value {
    const TYPE: ColumnType = ColumnType::Json;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        encode(&self)
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give(encode(self)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        decode(value)
    }
}

impl Field for serde_json::Value {
    type Inner = serde_json::Value;
}

/// The deepest that JSON is read back: what is nested deeper must not be stored.
const DEEPEST: usize = 127;

fn encode<T: Serialize>(value: &T) -> Result<Value> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "the value cannot be written as JSON").with_source(error)
    })?;
    if depth(&text) > DEEPEST {
        return Err(Error::new(ErrorKind::InvalidInput, format!("the JSON is nested more than {DEEPEST} deep")));
    }
    Ok(Value::Json(text))
}

/// How deep the brackets of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn decode<T: DeserializeOwned>(value: ValueRef<'_>) -> Result<T> {
    match value {
        ValueRef::Json(text) => serde_json::from_str(text).map_err(|error| {
            // The text of a serde error may quote the data; its place does not.
            let place = format!("at line {}, column {}", error.line(), error.column());
            Error::new(ErrorKind::Decode, format!("the JSON is not of the field's shape ({place})"))
        }),
        other => Err(mismatch("json", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, depth, encode};

    #[test]
    fn what_is_stored_can_be_read_back() {
        let nested =
            |levels: usize| (0..levels).fold(serde_json::json!("[{\\\"["), |inner, _| serde_json::json!([inner]));
        let deepest = encode(&nested(127));
        assert!(deepest.as_ref().is_ok_and(|value| decode::<serde_json::Value>(value.lend()).is_ok()));
        assert!(encode(&nested(128)).is_err());
        assert_eq!(depth(r#"{"a[[[": ["\\", "\"[["], "b": {}}"#), 2);
    }
}
