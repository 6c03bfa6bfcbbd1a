//! What takes values one after the other, as they are written to a statement or a buffer.

use crate::error::Result;
use crate::value::{Value, ValueRef};

/// Takes values, one after the other. The methods for values of the common kinds do what [`lend`](ValueWriter::lend)
/// does with such a value: they are there because a bulk insert writes very many of them.
pub trait ValueWriter {
    /// Takes a value that stays with its owner.
    ///
    /// # Errors
    /// `OutOfRange` and `InvalidInput` for a value that cannot stand where it would be written.
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()>;

    /// Takes NULL.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn null(&mut self) -> Result<()> {
        self.lend(ValueRef::Null)
    }

    /// Takes a truth value.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn bool(&mut self, value: bool) -> Result<()> {
        self.lend(ValueRef::Bool(value))
    }

    /// Takes a signed integer.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn int(&mut self, value: i64) -> Result<()> {
        self.lend(ValueRef::Int(value))
    }

    /// Takes an unsigned integer.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn uint(&mut self, value: u64) -> Result<()> {
        self.lend(ValueRef::UInt(value))
    }

    /// Takes a float of 64 bits.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn float(&mut self, value: f64) -> Result<()> {
        self.lend(ValueRef::Float(value))
    }

    /// Takes text.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn text(&mut self, value: &str) -> Result<()> {
        self.lend(ValueRef::Text(value))
    }

    /// Takes a value that nobody needs any more.
    ///
    /// # Errors
    /// As [`lend`](ValueWriter::lend).
    fn give(&mut self, value: Value) -> Result<()> {
        self.lend(value.lend())
    }
}

/// Keeps all of them.
impl ValueWriter for Vec<Value> {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.give(value.to_owned())
    }

    fn give(&mut self, value: Value) -> Result<()> {
        self.push(value);
        Ok(())
    }
}

/// Keeps the last.
impl ValueWriter for Option<Value> {
    fn lend(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.give(value.to_owned())
    }

    fn give(&mut self, value: Value) -> Result<()> {
        *self = Some(value);
        Ok(())
    }
}
