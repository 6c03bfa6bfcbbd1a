//! Values on the wire, in PostgreSQL's binary format.
//!
//! | value | types of a parameter that take it |
//! |---|---|
//! | bool | `boolean` |
//! | integers | `smallint`, `integer`, `bigint`, `oid`, `numeric`; floats that hold it exactly |
//! | floats | `real` (exactly), `double precision` |
//! | text, labels | the text types, enums, and every type that Covet has no value for (in its text form) |
//! | bytes, dates, times, uuid, decimal, json | their own type |
//!
//! A value outside the range of its parameter is `OutOfRange` before anything is sent.

mod decode;
mod encode;
mod numeric;

pub(crate) use decode::Wire;
pub(crate) use encode::{Parameter, SHORT, base, is_foreign, long, put, valid};

/// Days from 1970-01-01 to PostgreSQL's day 0, 2000-01-01.
const DAYS_1970_TO_2000: i32 = 10_957;

/// Microseconds from 1970-01-01 to PostgreSQL's moment 0, 2000-01-01.
const MICROS_1970_TO_2000: i64 = 946_684_800_000_000;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
