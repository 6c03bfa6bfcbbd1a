//! Values on their way to and from a database, in a form no type crate is part of.
//!
//! [`Value`] is what is bound, [`ValueRef`] what a row lends; the Rust types a field may have
//! implement [`ColumnValue`], one file a family. What a database stores for each
//! [`ColumnType`](crate::catalog::ColumnType) is its adapter's affair.

mod convert;
mod decimal;
mod number;
mod source;
mod text;
mod time;
mod uuid_text;
mod writer;

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
#[cfg(feature = "uuid")]
mod uuid;

pub use convert::{ColumnValue, Field, Key, KeyValues};
pub use decimal::Decimal;
#[cfg(feature = "json")]
pub use json::Json;
pub use source::RowSource;
pub use text::fits;
#[allow(unused_imports)] // what of it is used depends on the adapters
pub(crate) use text::has_nul;
#[cfg(feature = "mysql")]
pub(crate) use time::{DAY, civil, days};
pub use time::{date_text, datetime_text, parse_date, parse_datetime, parse_time, time_text};
pub use uuid_text::parse_uuid;
pub use writer::ValueWriter;

use std::fmt;

/// A value to bind. Its `Debug` names the kind and never the content.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// Any signed integer.
    Int(i64),
    /// Any unsigned integer.
    UInt(u64),
    /// A 32-bit float, kept apart so that its decimal text stays short.
    Float32(f32),
    /// A 64-bit float.
    Float(f64),
    /// Text.
    Text(String),
    /// The label of an enum.
    Label(std::borrow::Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00:00, in no zone.
    DateTime(i64),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// A UUID, in network order.
    Uuid([u8; 16]),
    /// An exact decimal together with its column's precision and scale.
    Decimal(Decimal),
    /// JSON text.
    Json(String),
}

/// A value that a row lends.
#[derive(Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the variants are those of `Value`
pub enum ValueRef<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float32(f32),
    Float(f64),
    Text(&'a str),
    Label(&'a str),
    Bytes(&'a [u8]),
    Date(i32),
    Time(i64),
    DateTime(i64),
    Timestamp(i64),
    Uuid([u8; 16]),
    Decimal(Decimal),
    Json(&'a str),
}

impl Value {
    /// The same value, lent.
    #[must_use]
    pub fn lend(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Bool(v) => ValueRef::Bool(*v),
            Value::Int(v) => ValueRef::Int(*v),
            Value::UInt(v) => ValueRef::UInt(*v),
            Value::Float32(v) => ValueRef::Float32(*v),
            Value::Float(v) => ValueRef::Float(*v),
            Value::Text(v) => ValueRef::Text(v),
            Value::Label(v) => ValueRef::Label(v),
            Value::Bytes(v) => ValueRef::Bytes(v),
            Value::Date(v) => ValueRef::Date(*v),
            Value::Time(v) => ValueRef::Time(*v),
            Value::DateTime(v) => ValueRef::DateTime(*v),
            Value::Timestamp(v) => ValueRef::Timestamp(*v),
            Value::Uuid(v) => ValueRef::Uuid(*v),
            Value::Decimal(v) => ValueRef::Decimal(*v),
            Value::Json(v) => ValueRef::Json(v),
        }
    }

    /// The kind in words, for messages: never the content.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.lend().kind()
    }

    /// Whether this is SQL NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl ValueRef<'_> {
    /// The same value, owned.
    #[must_use]
    pub fn to_owned(self) -> Value {
        match self {
            ValueRef::Null => Value::Null,
            ValueRef::Bool(v) => Value::Bool(v),
            ValueRef::Int(v) => Value::Int(v),
            ValueRef::UInt(v) => Value::UInt(v),
            ValueRef::Float32(v) => Value::Float32(v),
            ValueRef::Float(v) => Value::Float(v),
            ValueRef::Text(v) => Value::Text(v.to_owned()),
            ValueRef::Label(v) => Value::Label(v.to_owned().into()),
            ValueRef::Bytes(v) => Value::Bytes(v.to_owned()),
            ValueRef::Date(v) => Value::Date(v),
            ValueRef::Time(v) => Value::Time(v),
            ValueRef::DateTime(v) => Value::DateTime(v),
            ValueRef::Timestamp(v) => Value::Timestamp(v),
            ValueRef::Uuid(v) => Value::Uuid(v),
            ValueRef::Decimal(v) => Value::Decimal(v),
            ValueRef::Json(v) => Value::Json(v.to_owned()),
        }
    }

    /// The kind in words, for messages: never the content.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            ValueRef::Null => "NULL",
            ValueRef::Bool(_) => "a bool",
            ValueRef::Int(_) | ValueRef::UInt(_) => "an integer",
            ValueRef::Float32(_) | ValueRef::Float(_) => "a float",
            ValueRef::Text(_) => "text",
            ValueRef::Label(_) => "an enum label",
            ValueRef::Bytes(_) => "bytes",
            ValueRef::Date(_) => "a date",
            ValueRef::Time(_) => "a time",
            ValueRef::DateTime(_) => "a date and time",
            ValueRef::Timestamp(_) => "a timestamp",
            ValueRef::Uuid(_) => "a uuid",
            ValueRef::Decimal(_) => "a decimal",
            ValueRef::Json(_) => "json",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.kind())
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueRef({})", self.kind())
    }
}
