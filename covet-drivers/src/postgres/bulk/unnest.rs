//! Few rows: one statement that takes an array for each column.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

use crate::contract::{ConnectionState, in_row};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::PostgresConnection;
use crate::postgres::bulk::Slice;
use crate::postgres::bulk::plan::Plan;
use crate::postgres::codec::{is_foreign, put};
use crate::postgres::errors;
use crate::postgres::types::{qualified, quoted};
use crate::sql::Many;
use crate::value::Value;

impl PostgresConnection {
    /// Inserts a slice of rows by one statement. One that was prepared for a schema that has changed since
    /// is prepared anew, where nothing is lost with it.
    pub(super) async fn insert_arrays(
        &mut self,
        table: &str,
        columns: &Many<&'static str>,
        slice: &Slice,
    ) -> Result<u64> {
        if columns.is_empty() {
            return self.insert_defaults(table, slice).await;
        }
        let mut again = true;
        loop {
            let plan = self.plan(table, columns).await?;
            let sql = text(&plan);
            let statement = self.kept(&sql).await?.statement;
            let arrays = plan.columns.iter().enumerate().map(|(index, name)| Array { slice, plan: &plan, index, name });
            let error = match self.client.execute_raw(&statement, arrays).await {
                Ok(inserted) => return Ok(inserted),
                Err(error) => error,
            };
            // Nothing was sent, or nothing took effect: with the types of today it may work.
            let stays = errors::stays_here(&error);
            let stale = stays || errors::is_stale(&error);
            if stale {
                self.cache.forget(&sql);
                self.cache.forget(&plan.sql);
            }
            if stale && (stays || self.state == ConnectionState::Idle) && std::mem::take(&mut again) {
                continue;
            }
            return Err(of_slice(self.settle(error), slice, columns));
        }
    }

    /// Inserts rows without a value.
    async fn insert_defaults(&mut self, table: &str, slice: &Slice) -> Result<u64> {
        let sql = format!("INSERT INTO {} SELECT FROM generate_series(1, $1::bigint)", qualified(table));
        let statement = self.kept(&sql).await?.statement;
        let rows = i64::try_from(slice.rows).unwrap_or(i64::MAX);
        self.client.execute(&statement, &[&rows]).await.map_err(|error| self.settle(error))
    }
}

/// The text, with a cast for each array: the server cannot tell from the column what `UNNEST` takes.
fn text(plan: &Plan) -> String {
    let name = |ty: &Type| format!("{}.{}", quoted(ty.schema()), quoted(ty.name()));
    let mut arrays = String::new();
    let mut given = String::new();
    for (ty, number) in plan.types.iter().zip(1..) {
        let comma = if number > 1 { ", " } else { "" };
        // What Covet has no value for goes as text, and the server reads it.
        if is_foreign(ty) {
            arrays.push_str(&format!("{comma}${number}::text[]"));
            given.push_str(&format!("{comma}u.c{number}::{}", name(ty)));
        } else {
            arrays.push_str(&format!("{comma}${number}::{}[]", name(ty)));
            given.push_str(&format!("{comma}u.c{number}"));
        }
    }
    let names = (1..=plan.types.len()).map(|number| format!("c{number}")).collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {} SELECT {given} FROM UNNEST({arrays}) AS u ({names})", plan.target)
}

/// The error of a slice, with row and column where only one value can be meant.
#[cold]
fn of_slice(error: Error, slice: &Slice, columns: &[&'static str]) -> Error {
    let mut error = error;
    for (row, values) in (slice.before + 1..).zip(slice.values.chunks(columns.len().max(1))) {
        let args: Vec<&Value> = values.iter().collect();
        error = errors::of_values(error, &args);
        let Some(column) = error.argument().and_then(|at| columns.get(at)) else { continue };
        // Of a label only the column is known: other rows have one too.
        return match error.code() {
            Some("22P02") if slice.rows > 1 => error.with_column(*column),
            _ => in_row(error, row, Some(column)),
        };
    }
    error
}

/// One column of a slice, as an array. Its `Debug` shows no content, which the driver's log depends on.
struct Array<'a> {
    slice: &'a Slice,
    plan: &'a Plan,
    index: usize,
    name: &'static str,
}

impl Array<'_> {
    fn write(&self, ty: &Type, out: &mut BytesMut) -> Result<()> {
        let Kind::Array(member) = ty.kind() else {
            return Err(Error::new(ErrorKind::Protocol, format!("PostgreSQL takes {ty} for an array")));
        };
        let width = self.plan.columns.len();
        let cells = || self.slice.values.iter().skip(self.index).step_by(width);
        let length = i32::try_from(self.slice.rows).unwrap_or(i32::MAX);
        out.put_i32(1); // dimensions
        out.put_i32(i32::from(cells().any(Value::is_null)));
        out.put_u32(member.oid());
        out.put_i32(length);
        out.put_i32(1); // the first index
        for (cell, row) in cells().zip(self.slice.before + 1..) {
            put(cell.lend(), member, out).map_err(|error| in_row(error, row, Some(self.name)))?;
        }
        Ok(())
    }
}

impl ToSql for Array<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.write(ty, out).map(|()| IsNull::No).map_err(Into::into)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({} of {} rows)", self.name, self.slice.rows)
    }
}
