//! Columns: their types, defaults and enums.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::Expression;

/// The type of a column, in Covet's terms; how each database spells and stores it is in `docs/types.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// true or false
    Bool,
    /// −128 … 127
    I8,
    /// −32 768 … 32 767
    I16,
    /// −2³¹ … 2³¹−1
    I32,
    /// −2⁶³ … 2⁶³−1
    I64,
    /// 0 … 255
    U8,
    /// 0 … 65 535
    U16,
    /// 0 … 2³²−1
    U32,
    /// 0 … 2⁶⁴−1 where the database can hold it, else 0 … 2⁶³−1
    U64,
    /// 32-bit IEEE float
    F32,
    /// 64-bit IEEE float
    F64,
    /// Unicode text, at most `max_len` characters (code points)
    Text {
        /// The most characters; unbounded when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_len: Option<u32>,
    },
    /// Bytes
    Bytes,
    /// A day
    Date,
    /// A time of day, in microseconds
    Time,
    /// A date and time in no zone, in microseconds
    #[serde(rename = "datetime")]
    DateTime,
    /// An instant (UTC), in microseconds
    Timestamp,
    /// A UUID
    Uuid,
    /// An exact decimal number
    Decimal {
        /// All digits, 1 … 38.
        precision: u8,
        /// Digits after the point, at most the precision.
        scale: u8,
    },
    /// JSON
    Json,
    /// One of a list of labels
    Enum(EnumType),
    /// A type Covet has no word for, as the database spells it; only introspection makes it.
    Other(Cow<'static, str>),
}

/// An enum: its name and labels, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnumType {
    /// The name of the type, where the database has enum types.
    pub name: Cow<'static, str>,
    /// The labels in order.
    pub labels: Cow<'static, [Cow<'static, str>]>,
}

/// What a column gets when an insert does not name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnDefault {
    /// true or false
    Bool(bool),
    /// An integer
    Int(i64),
    /// A decimal or float, as the user wrote it
    Number(Cow<'static, str>),
    /// Text or an enum label
    Text(Cow<'static, str>),
    /// The time of the insert, by the database's clock
    Now,
    /// What the database makes of this
    Expression(Expression),
}

/// How the value of a column comes about that nobody writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// The value, over other columns of the row.
    pub expression: Expression,
    /// Whether it lies in the row; else it is made whenever it is read.
    pub stored: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name in the database.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// Whether NULL is allowed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// What an insert that does not name it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<ColumnDefault>,
    /// Whether the database numbers it (identity, AUTO_INCREMENT, rowid).
    #[serde(default, skip_serializing_if = "is_false")]
    pub auto: bool,
    /// Whether text compares and is unique without regard to case.
    #[serde(default, skip_serializing_if = "is_false")]
    pub case_insensitive: bool,
    /// How its value comes about, where nobody writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// What its owner says about it; kept where the database keeps comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape serde asks for
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

impl Column {
    /// A column that is NOT NULL and has nothing else.
    pub fn new(name: impl Into<String>, ty: ColumnType) -> Self {
        Column {
            name: name.into(),
            ty,
            nullable: false,
            default: None,
            auto: false,
            case_insensitive: false,
            generated: None,
            comment: None,
        }
    }

    /// Whether it is the same but for how its expressions are spelled.
    #[must_use]
    pub fn means(&self, other: &Column) -> bool {
        let defaults = match (&self.default, &other.default) {
            (Some(ColumnDefault::Expression(a)), Some(ColumnDefault::Expression(b))) => a.means(b),
            (a, b) => a == b,
        };
        let generated = match (&self.generated, &other.generated) {
            (Some(a), Some(b)) => a.stored == b.stored && a.expression.means(&b.expression),
            (a, b) => a.is_none() && b.is_none(),
        };
        let rest = |column: &Column| Column { default: None, generated: None, ..column.clone() };
        defaults && generated && rest(self) == rest(other)
    }

    /// Whether its generated value, or its default, is made of another column.
    #[must_use]
    pub fn reads(&self, column: &str) -> bool {
        let default = match &self.default {
            Some(ColumnDefault::Expression(expression)) => Some(expression),
            _ => None,
        };
        let generated = self.generated.as_ref().map(|generated| &generated.expression);
        default.into_iter().chain(generated).any(|expression| expression.mentions(column))
    }

    /// Changes every expression.
    pub(super) fn expressions(&mut self, change: &mut dyn FnMut(&mut Expression)) {
        if let Some(ColumnDefault::Expression(expression)) = &mut self.default {
            change(expression);
        }
        if let Some(generated) = &mut self.generated {
            change(&mut generated.expression);
        }
    }

    /// Another column of the table has another name.
    pub(super) fn follow(&mut self, from: &str, to: &str) {
        self.expressions(&mut |expression| *expression = expression.renamed(from, to));
    }
}

impl ColumnType {
    /// Whether values of the type are text to the user: text, and the labels of an enum.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, ColumnType::Text { .. })
    }

    /// The enum, if it is one.
    #[must_use]
    pub fn as_enum(&self) -> Option<&EnumType> {
        match self {
            ColumnType::Enum(ty) => Some(ty),
            _ => None,
        }
    }

    /// The range of an integer type, `None` for every other type.
    #[must_use]
    pub fn integer_range(&self) -> Option<(i128, i128)> {
        Some(match self {
            ColumnType::I8 => (i8::MIN.into(), i8::MAX.into()),
            ColumnType::I16 => (i16::MIN.into(), i16::MAX.into()),
            ColumnType::I32 => (i32::MIN.into(), i32::MAX.into()),
            ColumnType::I64 => (i64::MIN.into(), i64::MAX.into()),
            ColumnType::U8 => (0, u8::MAX.into()),
            ColumnType::U16 => (0, u16::MAX.into()),
            ColumnType::U32 => (0, u32::MAX.into()),
            ColumnType::U64 => (0, u64::MAX.into()),
            _ => return None,
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnType::Bool => "bool",
            ColumnType::I8 => "i8",
            ColumnType::I16 => "i16",
            ColumnType::I32 => "i32",
            ColumnType::I64 => "i64",
            ColumnType::U8 => "u8",
            ColumnType::U16 => "u16",
            ColumnType::U32 => "u32",
            ColumnType::U64 => "u64",
            ColumnType::F32 => "f32",
            ColumnType::F64 => "f64",
            ColumnType::Text { max_len: None } => "text",
            ColumnType::Text { max_len: Some(n) } => return write!(f, "text({n})"),
            ColumnType::Bytes => "bytes",
            ColumnType::Date => "date",
            ColumnType::Time => "time",
            ColumnType::DateTime => "datetime",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Uuid => "uuid",
            ColumnType::Decimal { precision, scale } => return write!(f, "decimal({precision}, {scale})"),
            ColumnType::Json => "json",
            ColumnType::Enum(ty) => return write!(f, "enum {}", ty.name),
            ColumnType::Other(name) => name,
        })
    }
}
