//! The values of a `COPY`, written where they go to the server from.
//!
//! This is done for every value of very many rows: what most of them are has a way of its own, which writes
//! the same bytes as the general one.

use tokio_postgres::types::Type;

use crate::contract::in_row;
use crate::error::{Error, Result};
use crate::postgres::bulk::copy::Copying;
use crate::postgres::codec::{SHORT, long, put, valid};
use crate::value::{ValueRef, ValueWriter};

/// What a column takes, as far as the short ways know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    Int4,
    Int8,
    Float8,
    Text,
    Other,
}

impl Form {
    pub(super) fn of(ty: &Type) -> Self {
        match *ty {
            Type::BOOL => Form::Bool,
            Type::INT4 => Form::Int4,
            Type::INT8 => Form::Int8,
            Type::FLOAT8 => Form::Float8,
            Type::TEXT | Type::VARCHAR => Form::Text,
            _ => Form::Other,
        }
    }
}

impl Copying {
    /// Whether the next value goes the short way.
    #[inline]
    fn takes(&self, form: Form) -> bool {
        self.forms.get(self.column) == Some(&form)
    }

    /// Writes a value that needs no second look.
    #[inline]
    fn cell<const N: usize>(&mut self, bytes: [u8; N]) {
        self.begin();
        self.out.extend_from_slice(&bytes);
        self.column += 1;
    }

    /// In front of a row stands how many values it has.
    #[inline]
    fn begin(&mut self) {
        if self.column == 0 {
            self.out.extend_from_slice(&self.width.to_be_bytes());
        }
    }

    /// Writes a value the general way.
    #[inline(never)]
    fn other(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.begin();
        // More values than columns are counted, and refused behind the row.
        if let Some(ty) = self.plan.types.get(self.column) {
            self.aside.clear();
            put(value, ty, &mut self.aside).map_err(|error| self.refused(error))?;
            self.out.extend_from_slice(&self.aside);
        }
        self.column += 1;
        Ok(())
    }

    #[cold]
    fn refused(&self, error: Error) -> Error {
        in_row(error, self.rows + 1, self.plan.columns.get(self.column).copied())
    }
}

impl ValueWriter for Copying {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        match value {
            ValueRef::Null => self.null(),
            ValueRef::Bool(v) => self.bool(v),
            ValueRef::Int(v) => self.int(v),
            ValueRef::Float(v) => self.float(v),
            ValueRef::Text(v) => self.text(v),
            other => self.other(other),
        }
    }

    fn null(&mut self) -> Result<()> {
        if self.column < self.forms.len() {
            self.cell([0xff; 4]);
            return Ok(());
        }
        self.other(ValueRef::Null)
    }

    fn bool(&mut self, value: bool) -> Result<()> {
        if self.takes(Form::Bool) {
            self.cell([0, 0, 0, 1, u8::from(value)]);
            return Ok(());
        }
        self.other(ValueRef::Bool(value))
    }

    fn int(&mut self, value: i64) -> Result<()> {
        if self.takes(Form::Int8) {
            self.cell(long(value.to_be_bytes()));
            return Ok(());
        }
        if self.takes(Form::Int4)
            && let Ok(value) = i32::try_from(value)
        {
            let [a, b, c, d] = value.to_be_bytes();
            self.cell([0, 0, 0, 4, a, b, c, d]);
            return Ok(());
        }
        self.other(ValueRef::Int(value))
    }

    fn float(&mut self, value: f64) -> Result<()> {
        if self.takes(Form::Float8) {
            self.cell(long(value.to_be_bytes()));
            return Ok(());
        }
        self.other(ValueRef::Float(value))
    }

    fn text(&mut self, value: &str) -> Result<()> {
        if self.takes(Form::Text)
            && value.len() < SHORT
            && let Ok(length) = u32::try_from(value.len())
            && let Ok(bytes) = valid(value)
        {
            self.begin();
            self.out.reserve(4 + bytes.len());
            self.out.extend_from_slice(&length.to_be_bytes());
            self.out.extend_from_slice(bytes);
            self.column += 1;
            return Ok(());
        }
        self.other(ValueRef::Text(value))
    }
}
