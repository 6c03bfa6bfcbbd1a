//! Text and bytes.

use crate::catalog::ColumnType;
use crate::error::{Error, ErrorKind, Result};
use crate::value::convert::mismatch;
use crate::value::{ColumnValue, Field, RowSource, Value, ValueRef, ValueWriter};

#[diagnostic::do_not_recommend]
impl ColumnValue for String {
    const TYPE: ColumnType = ColumnType::Text { max_len: None };

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Text(self))
    }

    #[inline]
    fn write_to(&self, column: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        fits(self, column)?;
        to.text(self)
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Text(v) => Ok(v.to_owned()),
            other => Err(mismatch("String", other)),
        }
    }

    #[inline]
    fn from_row(row: &mut dyn RowSource, index: usize, column: &ColumnType) -> Option<Self> {
        row.take_text(index, column)
    }
}

impl Field for String {
    type Inner = String;
}

/// Whether the column can hold the text: some databases cut blanks off the end of one that is too long.
///
/// # Errors
/// `OutOfRange` for more characters than the column's `max_len`.
#[inline]
pub fn fits(text: &str, column: &ColumnType) -> Result<()> {
    let ColumnType::Text { max_len: Some(most) } = column else { return Ok(()) };
    let most = usize::try_from(*most).unwrap_or(usize::MAX);
    // A character has a byte at least.
    if text.len() <= most { Ok(()) } else { counted(text, most) }
}

#[cold]
fn counted(text: &str, most: usize) -> Result<()> {
    if text.chars().count() <= most {
        return Ok(());
    }
    let error = Error::new(ErrorKind::OutOfRange, format!("the text has more than {most} characters"));
    Err(error.with_help("shorten it, or give the column a larger `max_len`"))
}

#[diagnostic::do_not_recommend]
impl ColumnValue for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;

    #[inline]
    fn into_value(self, _: &ColumnType) -> Result<Value> {
        Ok(Value::Bytes(self))
    }

    #[inline]
    fn write_to(&self, _: &ColumnType, to: &mut dyn ValueWriter) -> Result<()> {
        to.lend(ValueRef::Bytes(self))
    }

    fn from_value(value: ValueRef<'_>, _: &ColumnType) -> Result<Self> {
        match value {
            ValueRef::Bytes(v) => Ok(v.to_owned()),
            other => Err(mismatch("Vec<u8>", other)),
        }
    }
}

impl Field for Vec<u8> {
    type Inner = Vec<u8>;
}

/// Whether there is a NUL, eight bytes at a time: most texts are short.
#[allow(dead_code)] // what of it is used depends on the adapters
pub(crate) fn has_nul(bytes: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(LOW) & !word & HIGH != 0
    };
    match bytes.last_chunk::<8>() {
        // The last eight overlap those before them.
        Some(last) => zero(last) || bytes.as_chunks::<8>().0.iter().any(zero),
        None => bytes.contains(&0),
    }
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn a_nul_is_found_wherever_it_is() {
        for length in 0..40_usize {
            // Neighbours of NUL, and what has the highest bit.
            for filler in [1, 0x7f, 0x80, 0xff] {
                let mut bytes = vec![filler; length];
                assert!(!has_nul(&bytes), "{length} of {filler}");
                for at in 0..length {
                    bytes[at] = 0;
                    assert!(has_nul(&bytes), "{length} of {filler}, NUL at {at}");
                    bytes[at] = filler;
                }
            }
        }
    }
}
