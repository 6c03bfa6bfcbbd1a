//! The models of the boundary tests: every type nullable, every type that can be a key unique, and a row
//! that points at each of those.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use covet_orm::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Low,
    #[covet(rename = "it's \\ \"high\"")]
    High,
}

#[derive(DbNewtype, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(pub(crate) String);

/// A column of every type.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    #[covet(key)]
    pub(crate) id: i64,
    pub(crate) a_bool: Option<bool>,
    pub(crate) an_i8: Option<i8>,
    pub(crate) an_i16: Option<i16>,
    pub(crate) an_i32: Option<i32>,
    pub(crate) an_i64: Option<i64>,
    pub(crate) a_u8: Option<u8>,
    pub(crate) a_u16: Option<u16>,
    pub(crate) a_u32: Option<u32>,
    pub(crate) a_u64: Option<u64>,
    pub(crate) an_f32: Option<f32>,
    pub(crate) an_f64: Option<f64>,
    pub(crate) text: Option<String>,
    #[covet(max_len = 10)]
    pub(crate) short: Option<String>,
    #[covet(max_len = 20000)]
    pub(crate) long: Option<String>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) date: Option<NaiveDate>,
    pub(crate) time: Option<NaiveTime>,
    pub(crate) datetime: Option<NaiveDateTime>,
    pub(crate) timestamp: Option<DateTime<Utc>>,
    pub(crate) uuid: Option<Uuid>,
    #[covet(decimal(1, 0))]
    pub(crate) digit: Option<Decimal>,
    #[covet(decimal(18, 18))]
    pub(crate) fraction: Option<Decimal>,
    #[covet(decimal(18, 6))]
    pub(crate) decimal: Option<Decimal>,
    #[covet(decimal(28, 10))]
    pub(crate) wide: Option<Decimal>,
    #[covet(decimal(38, 0))]
    pub(crate) huge: Option<Decimal>,
    pub(crate) json: Option<serde_json::Value>,
    pub(crate) list: Option<Json<Vec<i32>>>,
    pub(crate) mood: Option<Mood>,
    #[covet(max_len = 20)]
    pub(crate) email: Option<Email>,
}

/// A unique column of every type that can be one.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EdgeKey {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(unique)]
    pub(crate) a_bool: Option<bool>,
    #[covet(unique)]
    pub(crate) an_i8: Option<i8>,
    #[covet(unique)]
    pub(crate) an_i16: Option<i16>,
    #[covet(unique)]
    pub(crate) an_i32: Option<i32>,
    #[covet(unique)]
    pub(crate) an_i64: Option<i64>,
    #[covet(unique)]
    pub(crate) a_u8: Option<u8>,
    #[covet(unique)]
    pub(crate) a_u16: Option<u16>,
    #[covet(unique)]
    pub(crate) a_u32: Option<u32>,
    #[covet(unique)]
    pub(crate) a_u64: Option<u64>,
    #[covet(unique, max_len = 10)]
    pub(crate) short: Option<String>,
    #[covet(unique)]
    pub(crate) date: Option<NaiveDate>,
    #[covet(unique)]
    pub(crate) time: Option<NaiveTime>,
    #[covet(unique)]
    pub(crate) datetime: Option<NaiveDateTime>,
    #[covet(unique)]
    pub(crate) timestamp: Option<DateTime<Utc>>,
    #[covet(unique)]
    pub(crate) uuid: Option<Uuid>,
    #[covet(unique, decimal(18, 6))]
    pub(crate) decimal: Option<Decimal>,
    #[covet(unique, decimal(28, 10))]
    pub(crate) wide: Option<Decimal>,
    #[covet(unique)]
    pub(crate) mood: Option<Mood>,
    #[covet(unique, max_len = 20)]
    pub(crate) email: Option<Email>,
}

/// Points at each of them.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EdgeLink {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = EdgeKey::a_bool)]
    pub(crate) a_bool: Option<bool>,
    #[covet(references = EdgeKey::an_i8)]
    pub(crate) an_i8: Option<i8>,
    #[covet(references = EdgeKey::an_i16)]
    pub(crate) an_i16: Option<i16>,
    #[covet(references = EdgeKey::an_i32)]
    pub(crate) an_i32: Option<i32>,
    #[covet(references = EdgeKey::an_i64)]
    pub(crate) an_i64: Option<i64>,
    #[covet(references = EdgeKey::a_u8)]
    pub(crate) a_u8: Option<u8>,
    #[covet(references = EdgeKey::a_u16)]
    pub(crate) a_u16: Option<u16>,
    #[covet(references = EdgeKey::a_u32)]
    pub(crate) a_u32: Option<u32>,
    #[covet(references = EdgeKey::a_u64)]
    pub(crate) a_u64: Option<u64>,
    #[covet(references = EdgeKey::short, max_len = 10)]
    pub(crate) short: Option<String>,
    #[covet(references = EdgeKey::date)]
    pub(crate) date: Option<NaiveDate>,
    #[covet(references = EdgeKey::time)]
    pub(crate) time: Option<NaiveTime>,
    #[covet(references = EdgeKey::datetime)]
    pub(crate) datetime: Option<NaiveDateTime>,
    #[covet(references = EdgeKey::timestamp)]
    pub(crate) timestamp: Option<DateTime<Utc>>,
    #[covet(references = EdgeKey::uuid)]
    pub(crate) uuid: Option<Uuid>,
    #[covet(references = EdgeKey::decimal, decimal(18, 6))]
    pub(crate) decimal: Option<Decimal>,
    #[covet(references = EdgeKey::wide, decimal(28, 10))]
    pub(crate) wide: Option<Decimal>,
    #[covet(references = EdgeKey::mood)]
    pub(crate) mood: Option<Mood>,
    #[covet(references = EdgeKey::email, max_len = 20)]
    pub(crate) email: Option<Email>,
    #[covet(by = a_bool)]
    pub(crate) to_a_bool: BelongsTo<Option<EdgeKey>>,
    #[covet(by = an_i8)]
    pub(crate) to_an_i8: BelongsTo<Option<EdgeKey>>,
    #[covet(by = an_i16)]
    pub(crate) to_an_i16: BelongsTo<Option<EdgeKey>>,
    #[covet(by = an_i32)]
    pub(crate) to_an_i32: BelongsTo<Option<EdgeKey>>,
    #[covet(by = an_i64)]
    pub(crate) to_an_i64: BelongsTo<Option<EdgeKey>>,
    #[covet(by = a_u8)]
    pub(crate) to_a_u8: BelongsTo<Option<EdgeKey>>,
    #[covet(by = a_u16)]
    pub(crate) to_a_u16: BelongsTo<Option<EdgeKey>>,
    #[covet(by = a_u32)]
    pub(crate) to_a_u32: BelongsTo<Option<EdgeKey>>,
    #[covet(by = a_u64)]
    pub(crate) to_a_u64: BelongsTo<Option<EdgeKey>>,
    #[covet(by = short)]
    pub(crate) to_short: BelongsTo<Option<EdgeKey>>,
    #[covet(by = date)]
    pub(crate) to_date: BelongsTo<Option<EdgeKey>>,
    #[covet(by = time)]
    pub(crate) to_time: BelongsTo<Option<EdgeKey>>,
    #[covet(by = datetime)]
    pub(crate) to_datetime: BelongsTo<Option<EdgeKey>>,
    #[covet(by = timestamp)]
    pub(crate) to_timestamp: BelongsTo<Option<EdgeKey>>,
    #[covet(by = uuid)]
    pub(crate) to_uuid: BelongsTo<Option<EdgeKey>>,
    #[covet(by = decimal)]
    pub(crate) to_decimal: BelongsTo<Option<EdgeKey>>,
    #[covet(by = wide)]
    pub(crate) to_wide: BelongsTo<Option<EdgeKey>>,
    #[covet(by = mood)]
    pub(crate) to_mood: BelongsTo<Option<EdgeKey>>,
    #[covet(by = email)]
    pub(crate) to_email: BelongsTo<Option<EdgeKey>>,
}

/// Decimals with more digits than a `Decimal` has, and a default that is another number in 64 bits.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EdgeDefault {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(decimal(38, 18), default = 100000000000)]
    pub(crate) tall: Decimal,
    #[covet(decimal(38, 30), default = 0.5)]
    pub(crate) fine: Decimal,
    #[covet(default = 0.1)]
    pub(crate) single: f32,
}

/// A primary key whose parts not every database can hold.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct EdgePair {
    #[covet(key)]
    pub(crate) date: NaiveDate,
    #[covet(key)]
    pub(crate) number: u64,
    pub(crate) note: String,
}
