//! PostgreSQL's binary format of rows in a file.
//!
//! It says nothing of the columns, so Covet writes their names and types into the place that the format has for
//! what its readers may know: PostgreSQL and its tools skip it, and Covet takes a file for a table only when the
//! columns are those of the file. An `int8` would be taken for a `timestamp` otherwise.

use tokio::io::AsyncReadExt as _;

use crate::contract::FromFile;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::bulk::plan::Plan;
use crate::render::ansi;

/// How every file begins.
pub(super) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// What stands before the first row: the signature, no flags, nothing for those who know.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// How Covet's own part of the header begins.
const OWN: &str = "covet copy 1\n";

/// The most that this part can have: a table has at most 1600 columns.
const MOST: usize = 1 << 20;

/// The columns of a plan, one a line: the name, and the type in PostgreSQL's words.
fn columns(plan: &Plan) -> String {
    let mut text = String::from(OWN);
    for (name, ty) in plan.columns.iter().zip(&plan.types) {
        ansi::identifier(name, &mut text);
        text.push(' ');
        text.push_str(ty.name());
        text.push('\n');
    }
    text
}

/// The header of a file with these columns.
pub(super) fn header(plan: &Plan) -> Vec<u8> {
    let own = columns(plan);
    let length = u32::try_from(own.len()).unwrap_or(u32::MAX);
    [SIGNATURE, &[0; 4], &length.to_be_bytes(), own.as_bytes()].concat()
}

/// Reads the header of a file up to its first row; gives what it says of the columns.
pub(super) async fn read_header(from: FromFile<'_>) -> Result<String> {
    let mut head = [0; HEADER.len()];
    from.read_exact(&mut head).await.map_err(unreadable)?;
    let (signature, rest) = head.split_at(SIGNATURE.len());
    if signature != SIGNATURE {
        return Err(strange("is not in PostgreSQL's binary format"));
    }
    let (flags, length) = rest.split_at(4);
    if flags != [0; 4] {
        return Err(strange("says something of its rows that is not known here"));
    }
    let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    if length > MOST {
        return Err(strange("has a header that is too long"));
    }
    let mut own = vec![0; length];
    from.read_exact(&mut own).await.map_err(unreadable)?;
    String::from_utf8(own)
        .ok()
        .filter(|own| own.starts_with(OWN))
        .ok_or_else(|| strange("does not say its columns").with_help("only files that `copy_to` wrote are read"))
}

/// Looks whether the columns of a file are those of a table.
pub(super) fn same_columns(said: &str, plan: &Plan) -> Result<()> {
    let ours = columns(plan);
    if said == ours {
        return Ok(());
    }
    let differing = said.lines().zip(ours.lines()).find(|(theirs, ours)| theirs != ours);
    let text = match differing {
        Some((theirs, ours)) => format!("the file has the column {theirs} where the table has {ours}"),
        None => format!("the file has {} columns and the table {}", said.lines().count() - 1, plan.columns.len()),
    };
    Err(Error::new(ErrorKind::InvalidInput, text))
}

/// What went wrong with the file itself.
pub(super) fn unreadable(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return cut();
    }
    Error::new(ErrorKind::Io, "the file of rows could not be read").with_source(error)
}

/// The file is not whole.
pub(super) fn cut() -> Error {
    strange("ends before its end")
}

pub(super) fn strange(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("the file of rows {what}"))
}

/// Follows the rows behind the header as they pass in pieces: counts them, and knows whether all of them came.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) rows: u64,
    /// Fields that are still to come in this row.
    fields: u16,
    /// Bytes of this field that are still to come.
    skip: usize,
    /// The number that is being read, and how many of its bytes there are.
    number: u32,
    digits: u8,
    ended: bool,
}

impl Walk {
    /// Whether the last row was said to be the last.
    pub(super) fn is_complete(&self) -> bool {
        self.ended
    }

    /// Takes the next piece in.
    pub(super) fn pass(&mut self, mut piece: &[u8]) -> Result<()> {
        while let Some((byte, rest)) = piece.split_first() {
            if self.ended {
                return Err(strange("goes on behind its end"));
            }
            if self.skip > 0 {
                let skipped = self.skip.min(piece.len());
                self.skip -= skipped;
                piece = &piece[skipped..];
                continue;
            }
            piece = rest;
            self.number = self.number << 8 | u32::from(*byte);
            self.digits += 1;
            // A row begins with the number of its fields in 2 bytes, a field with its length in 4.
            if self.digits < if self.fields == 0 { 2 } else { 4 } {
                continue;
            }
            let number = std::mem::take(&mut self.number);
            self.digits = 0;
            if self.fields > 0 {
                self.fields -= 1;
                // NULL has the length -1.
                self.skip = if number == u32::MAX { 0 } else { usize::try_from(number).unwrap_or(usize::MAX) };
            } else if number == u32::from(u16::MAX) {
                self.ended = true;
            } else {
                self.rows += 1;
                self.fields = u16::try_from(number).unwrap_or(u16::MAX);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn rows_are_counted_wherever_they_are_cut() {
        // (NULL, "ab"), (), ("" , "\xff\xff")
        let mut file = vec![0, 2, 255, 255, 255, 255, 0, 0, 0, 2, b'a', b'b'];
        file.extend([0, 0]);
        file.extend([0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 255, 255]);
        for size in 1..=file.len() + 2 {
            let mut walk = Walk::default();
            assert!(file.chunks(size).all(|piece| walk.pass(piece).is_ok()));
            assert_eq!((walk.rows, walk.is_complete()), (3, false));
            assert!([255, 255].chunks(size).all(|piece| walk.pass(piece).is_ok()));
            assert_eq!((walk.rows, walk.is_complete()), (3, true));
            assert!(walk.pass(&[]).is_ok() && walk.pass(&[0]).is_err());
        }
    }
}
