//! What generated code names, and nobody else: no promise holds here.

use covet_drivers::catalog::{ColumnDefault, ColumnType};
use covet_drivers::sql::Node;
use covet_drivers::value::{ColumnValue, ValueRef};
use covet_drivers::{Error, ErrorKind};
pub use inventory;

use crate::model::{ColumnKind, ColumnMeta, Model, ModelMeta, pointed_at};
use crate::query::{Column, Input, Insert, InsertMany, Operand, operand};
use crate::relation::{RelationKind, RelationMeta};

/// The names as generated code says them. Its block imports them with one glob: a path of one word is less for rustc to
/// read, to keep and to resolve than one of two, and a model says some two hundred of them (`cargo xtask bench
/// compile`). The underscores keep them apart from the user's own.
pub mod names {
    pub use std::borrow::Cow as __Cow;
    pub use std::convert::From as __From;
    pub use std::future::Future as __Future;
    pub use std::iter::IntoIterator as __IntoIterator;
    pub use std::marker::{PhantomData as __PhantomData, Send as __Send};
    pub use std::option::Option::{self as __Option, None as __None, Some as __Some};
    pub use std::result::Result::{Err as __Err, Ok as __Ok};

    pub use covet_drivers::Result as __Result;
    pub use covet_drivers::catalog::{
        Action as __Action, ColumnDefault as __ColumnDefault, ColumnType as __ColumnType, EnumType as __EnumType,
        Expression as __Expression, Generated as __Generated, Timing as __Timing,
    };
    pub use covet_drivers::contract::{BoxFuture as __BoxFuture, Row as __Row};
    pub use covet_drivers::value::{
        ColumnValue as __ColumnValue, Field as __Field, RowSource as __RowSource, Value as __Value,
        ValueRef as __ValueRef, ValueWriter as __ValueWriter,
    };
    pub use inventory as __inventory;

    pub use super::{
        at as __at, backfill_fits as __backfill_fits, column as __column, column_meta as __column_meta,
        compared as __compared, default_fits as __default_fits, given as __given, incomplete as __incomplete,
        insert_many as __insert_many, is_decimal as __is_decimal, is_integer as __is_integer, is_text as __is_text,
        is_uuid as __is_uuid, joined as __joined, no_column as __no_column, relation_meta as __relation_meta,
        require as __require, same_type as __same_type, sides as __sides, unknown_label as __unknown_label,
    };
    pub use crate::db::Executor as __Executor;
    pub use crate::migrate::Embedded as __Embedded;
    pub use crate::model::{
        CheckName as __CheckName, ColumnMeta as __ColumnMeta, ColumnMore as __ColumnMore,
        ForeignKeyMeta as __ForeignKeyMeta, IndexMeta as __IndexMeta, IndexMore as __IndexMore, Model as __Model,
        ModelMeta as __ModelMeta, ModelMore as __ModelMore, Record as __Record, References as __References,
        Stored as __Stored, TermMeta as __TermMeta, column_named as __column_named, pointed_at as __pointed_at,
        referencing as __referencing,
    };
    pub use crate::query::{
        Column as __Column, ConflictTarget as __ConflictTarget, Find as __Find, Input as __Input, Insert as __Insert,
        InsertMany as __InsertMany, No as __No, Operand as __Operand, Texts as __Texts, Upsert as __Upsert,
        Yes as __Yes,
    };
    pub use crate::relation::{
        BelongsTo as __BelongsTo, HasMany as __HasMany, HasOne as __HasOne, Links as __Links,
        ManyToMany as __ManyToMany, RelationKind as __RelationKind, RelationMeta as __RelationMeta,
        Through as __Through, ToMany as __ToMany, ToOne as __ToOne,
    };
    pub use crate::schema::Registered as __Registered;
}

/// A column of which no attribute says anything; a free function, because a method would have to be looked for.
#[must_use]
pub const fn column_meta(
    model: &'static str,
    field: &'static str,
    column: &'static str,
    index: usize,
    kind: ColumnKind,
) -> ColumnMeta {
    let ColumnKind { ty, nullable, relabels } = kind;
    ColumnMeta {
        model,
        field,
        column,
        index,
        ty,
        nullable,
        default: None,
        auto: false,
        new_uuid: false,
        case_insensitive: false,
        references: None,
        relabels,
        more: None,
    }
}

/// A relation without a model between, likewise.
#[must_use]
pub const fn relation_meta(
    model: &'static str,
    field: &'static str,
    kind: RelationKind,
    target: fn() -> &'static ModelMeta,
    sides: [&'static ColumnMeta; 2],
) -> RelationMeta {
    let [own, theirs] = sides;
    RelationMeta { model, field, kind, target, own, theirs, through: None }
}

/// Stands in for what does not compile: the insert of a row that lacks a required column, the field of a relation that
/// is not whole, the row of a model with mistakes. It is of any type, so that rustc has nothing to find out, and never called.
#[must_use]
pub fn incomplete<T>() -> T {
    unreachable!("what calls this does not compile")
}

/// The description at this position; evaluated while compiling.
#[must_use]
#[track_caller]
pub const fn at(columns: &'static [ColumnMeta], index: usize) -> &'static ColumnMeta {
    &columns[index]
}

/// The column at this position of a model's columns; evaluated while compiling.
#[must_use]
pub const fn column<M, T>(columns: &'static [ColumnMeta], at: usize) -> Column<M, T> {
    Column::new(&columns[at])
}

/// Gives a column of a new row its value.
#[inline]
pub fn given<M, T>(
    mut row: Insert<M>,
    columns: &'static [ColumnMeta],
    at: usize,
    value: impl Input<M, T>,
) -> Insert<M> {
    if let Some(column) = columns.get(at) {
        row.give(column, value);
    }
    row
}

/// The node of a value that a column is compared with.
pub fn compared<S, T>(value: impl Operand<S, T>, column: &'static ColumnMeta) -> Node {
    operand::compared(value, column)
}

/// Inserts the rows that the builders hold.
pub fn insert_many<'a, M: Model, C>(
    rows: impl IntoIterator<Item = C, IntoIter: Send + 'a>,
    row: impl Fn(C) -> Insert<M> + Send + 'a,
) -> InsertMany<'a, M> {
    InsertMany::new(rows.into_iter().map(row))
}

/// The model has no such column.
#[cold]
#[must_use]
pub fn no_column(model: &'static str, column: &ColumnMeta) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("there is no column {} of {}", column.field, column.model))
        .with_model(model)
}

/// What came is none of the enum's labels.
#[cold]
#[must_use]
pub fn unknown_label(name: &'static str, came: ValueRef<'_>) -> Error {
    if !matches!(came, ValueRef::Label(_) | ValueRef::Text(_)) {
        return Error::new(ErrorKind::Decode, format!("{} came for the enum `{name}`", came.kind()));
    }
    Error::new(ErrorKind::Decode, format!("the label in the row is none of the enum `{name}`"))
        .with_help("add the variant to the enum, or correct the row")
}

/// Refuses to compile with a message that the derive wrote.
///
/// # Panics
/// While compiling, when it does not fit.
#[track_caller] // so that rustc points at the user's word and not here
pub const fn require(fits: bool, message: &'static str) {
    assert!(fits, "{}", message);
}

/// Whether `max_len` and `case_insensitive` make sense; evaluated while compiling.
#[must_use]
pub const fn is_text<T: ColumnValue>() -> bool {
    matches!(T::TYPE_REF, ColumnType::Text { .. })
}

/// Whether `version` and `auto` make sense; evaluated while compiling.
#[must_use]
pub const fn is_integer<T: ColumnValue>() -> bool {
    range(T::TYPE_REF).is_some()
}

/// Whether `decimal(precision, scale)` makes sense; evaluated while compiling.
#[must_use]
pub const fn is_decimal<T: ColumnValue>() -> bool {
    matches!(T::TYPE_REF, ColumnType::Decimal { .. })
}

/// Whether `default = uuid` makes sense; evaluated while compiling.
#[must_use]
pub const fn is_uuid<T: ColumnValue>() -> bool {
    matches!(T::TYPE_REF, ColumnType::Uuid)
}

/// Whether the column's default is a value of its type; evaluated while compiling.
#[must_use]
pub const fn default_fits(column: &ColumnMeta) -> bool {
    fits(column.default, column.ty)
}

/// Whether what rows that exist get is of the column's type; evaluated while compiling.
#[must_use]
pub const fn backfill_fits(column: &ColumnMeta) -> bool {
    let Some(more) = column.more else { return true };
    match (more.backfill.as_ref(), column.ty) {
        // Of these a decision can say no value.
        (Some(_), ColumnType::Uuid | ColumnType::Bytes | ColumnType::Date | ColumnType::Time)
        | (Some(ColumnDefault::Text(_)), ColumnType::DateTime | ColumnType::Timestamp) => false,
        (value, ty) => fits(value, ty),
    }
}

const fn fits(value: Option<&ColumnDefault>, ty: &ColumnType) -> bool {
    match (value, ty) {
        (None, _)
        | (Some(ColumnDefault::Bool(_)), ColumnType::Bool)
        | (Some(ColumnDefault::Int(_)), ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal { .. })
        | (
            Some(ColumnDefault::Number(_)),
            ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal { .. } | ColumnType::U64,
        )
        | (Some(ColumnDefault::Text(_)), ColumnType::Text { .. } | ColumnType::Json | ColumnType::Uuid)
        | (
            Some(ColumnDefault::Now | ColumnDefault::Text(_)),
            ColumnType::Date | ColumnType::Time | ColumnType::DateTime | ColumnType::Timestamp,
        ) => true,
        (Some(ColumnDefault::Int(number)), ty) => match range(ty) {
            Some((least, greatest)) => least <= *number && *number <= greatest,
            None => false,
        },
        _ => false,
    }
}

/// Whether a column can point at another; evaluated while compiling.
#[must_use]
pub const fn same_type(from: &ColumnMeta, to: &ColumnMeta) -> bool {
    match (from.ty, to.ty) {
        (ColumnType::Text { .. }, ColumnType::Text { .. })
        | (ColumnType::Bool, ColumnType::Bool)
        | (ColumnType::Bytes, ColumnType::Bytes)
        | (ColumnType::Date, ColumnType::Date)
        | (ColumnType::Time, ColumnType::Time)
        | (ColumnType::DateTime, ColumnType::DateTime)
        | (ColumnType::Timestamp, ColumnType::Timestamp)
        | (ColumnType::Uuid, ColumnType::Uuid)
        | (ColumnType::Enum(_), ColumnType::Enum(_)) => true,
        (
            ColumnType::Decimal { precision, scale },
            ColumnType::Decimal { precision: other_precision, scale: other_scale },
        ) => *precision == *other_precision && *scale == *other_scale,
        (from, to) => match (range(from), range(to)) {
            // The 64-bit types end alike, so the beginning tells the signed from the unsigned one.
            (Some((least, greatest)), Some((other_least, other_greatest))) => {
                least == other_least && greatest == other_greatest
            }
            _ => false,
        },
    }
}

/// The column on the other side of a relation, when the two can be equal; evaluated while compiling.
///
/// # Panics
/// While compiling, when they cannot.
#[must_use]
#[track_caller]
pub const fn joined(own: &ColumnMeta, theirs: &'static ColumnMeta, message: &'static str) -> &'static ColumnMeta {
    require(same_type(own, theirs), message);
    theirs
}

/// Both columns of a relation whose other model points here with this one; evaluated while compiling, once.
///
/// # Panics
/// While compiling, when they cannot be equal.
#[must_use]
#[track_caller]
pub const fn sides(
    columns: &'static [ColumnMeta],
    theirs: &'static ColumnMeta,
    message: &'static str,
) -> [&'static ColumnMeta; 2] {
    let own = pointed_at(columns, theirs);
    [own, joined(own, theirs, message)]
}

/// The range of an integer type, as far as an `i64` goes.
const fn range(ty: &ColumnType) -> Option<(i64, i64)> {
    Some(match ty {
        ColumnType::I8 => (i8::MIN as i64, i8::MAX as i64),
        ColumnType::I16 => (i16::MIN as i64, i16::MAX as i64),
        ColumnType::I32 => (i32::MIN as i64, i32::MAX as i64),
        ColumnType::I64 => (i64::MIN, i64::MAX),
        ColumnType::U8 => (0, u8::MAX as i64),
        ColumnType::U16 => (0, u16::MAX as i64),
        ColumnType::U32 => (0, u32::MAX as i64),
        ColumnType::U64 => (0, i64::MAX),
        _ => return None,
    })
}
