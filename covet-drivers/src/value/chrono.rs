//! chrono: `NaiveDate`, `NaiveTime`, `NaiveDateTime` and `DateTime<Utc>`.
//!
//! The resolution of a time column is the microsecond: finer digits are cut off, towards the
//! past, before the value is bound, on every database alike.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Field, Value, ValueRef, ValueWriter};

/// 1970-01-01, counted by chrono from 0001-01-01.
const EPOCH: i32 = 719_163;

#[diagnostic::do_not_recommend]
impl ColumnValue for NaiveDate {
    const TYPE: ColumnType = ColumnType::Date;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Date(self.num_days_from_ce() - EPOCH))
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give((*self).into_value(column)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Date(days) => days
                .checked_add(EPOCH)
                .and_then(NaiveDate::from_num_days_from_ce_opt)
                .ok_or_else(|| beyond("NaiveDate")),
            other => Err(mismatch("NaiveDate", other)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ColumnValue for NaiveTime {
    const TYPE: ColumnType = ColumnType::Time;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        if self.nanosecond() >= 1_000_000_000 {
            return Err(Error::new(ErrorKind::OutOfRange, "a leap second cannot be stored"));
        }
        let seconds = i64::from(self.num_seconds_from_midnight());
        Ok(Value::Time(seconds * 1_000_000 + i64::from(self.nanosecond() / 1000)))
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give((*self).into_value(column)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Time(micros) => u32::try_from(micros.div_euclid(1_000_000))
                .ok()
                .zip(u32::try_from(micros.rem_euclid(1_000_000)).ok())
                .and_then(|(seconds, micros)| NaiveTime::from_num_seconds_from_midnight_opt(seconds, micros * 1000))
                .ok_or_else(|| beyond("NaiveTime")),
            other => Err(mismatch("NaiveTime", other)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ColumnValue for NaiveDateTime {
    const TYPE: ColumnType = ColumnType::DateTime;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        no_leap_second(self)?;
        Ok(Value::DateTime(self.and_utc().timestamp_micros()))
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give((*self).into_value(column)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::DateTime(micros) => DateTime::from_timestamp_micros(micros)
                .map(|instant| instant.naive_utc())
                .ok_or_else(|| beyond("NaiveDateTime")),
            other => Err(mismatch("NaiveDateTime", other)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ColumnValue for DateTime<Utc> {
    const TYPE: ColumnType = ColumnType::Timestamp;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        no_leap_second(self.naive_utc())?;
        Ok(Value::Timestamp(self.timestamp_micros()))
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.give((*self).into_value(column)?)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Timestamp(micros) => {
                DateTime::from_timestamp_micros(micros).ok_or_else(|| beyond("DateTime<Utc>"))
            }
            other => Err(mismatch("DateTime<Utc>", other)),
        }
    }
}

impl Field for NaiveDate {
    type Inner = NaiveDate;
}

impl Field for NaiveTime {
    type Inner = NaiveTime;
}

impl Field for NaiveDateTime {
    type Inner = NaiveDateTime;
}

impl Field for DateTime<Utc> {
    type Inner = DateTime<Utc>;
}

fn no_leap_second(value: NaiveDateTime) -> Result<()> {
    if value.nanosecond() >= 1_000_000_000 {
        return Err(Error::new(ErrorKind::OutOfRange, "a leap second cannot be stored"));
    }
    Ok(())
}

#[cold]
fn beyond(want: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the date is outside what {want} can hold"))
}
