//! `numeric` on the wire: groups of four decimal digits around the point.

use bytes::{BufMut as _, BytesMut};

use crate::error::{Error, ErrorKind, Result};
use crate::value::Decimal;

const NEGATIVE: u16 = 0x4000;

/// Decimal digits that are looked at when reading: 38, and four groups of zeros to spare on either side.
const MOST_DIGITS: usize = 72;

/// Writes `mantissa / 10^scale`.
pub(super) fn write(mantissa: i128, scale: u8, out: &mut BytesMut) {
    // Digits from the least significant on, with zeros in front so that groups end at the point.
    let scale = usize::from(scale);
    let filler = (4 - scale % 4) % 4;
    let mut digits = [0_u8; 48];
    let mut length = filler;
    let mut rest = mantissa.unsigned_abs();
    while rest > 0 {
        if let Some(digit) = digits.get_mut(length) {
            *digit = u8::try_from(rest % 10).unwrap_or(0);
        }
        rest /= 10;
        length += 1;
    }
    let mut groups = [0_i16; 24];
    let count = length.max(scale + filler).div_ceil(4).min(groups.len());
    for (group, four) in groups.iter_mut().zip(digits.chunks_exact(4)) {
        *group = four.iter().rev().fold(0, |sum, digit| sum * 10 + i16::from(*digit));
    }
    // Zeros at both ends are left out; the server takes them, but other readers see them.
    let used = groups.get(..count).unwrap_or_default();
    let low = used.iter().position(|group| *group != 0).unwrap_or(count);
    let high = used.iter().rposition(|group| *group != 0).map_or(low, |last| last + 1);
    let after_point = (scale + filler) / 4;
    let small = |n: usize| i16::try_from(n).unwrap_or(i16::MAX);
    out.put_i16(small(high - low));
    out.put_i16(if high == low { 0 } else { small(high) - small(after_point) - 1 });
    out.put_u16(if mantissa < 0 { NEGATIVE } else { 0 });
    out.put_i16(small(scale));
    for group in used.get(low..high).unwrap_or_default().iter().rev() {
        out.put_i16(*group);
    }
}

/// Reads a number as mantissa and scale, without zeros at the end.
///
/// # Errors
/// `Decode` for NaN and infinity, and for more digits than Covet's decimals have.
pub(super) fn read(bytes: &[u8]) -> Result<(i128, u32)> {
    let word = |index: usize| {
        let pair = bytes.get(index * 2..index * 2 + 2).ok_or_else(malformed)?;
        Ok::<u16, Error>(u16::from_be_bytes(pair.try_into().map_err(|_| malformed())?))
    };
    let count = usize::from(word(0)?);
    #[allow(clippy::cast_possible_wrap)] // two's complement on the wire
    let weight = i32::from(word(1)? as i16);
    let negative = match word(2)? {
        0 => false,
        NEGATIVE => true,
        _ => return Err(Error::new(ErrorKind::Decode, "the number is NaN or infinite, which no decimal can be")),
    };
    if bytes.len() != 8 + count * 2 {
        return Err(malformed());
    }
    if count * 4 > MOST_DIGITS {
        return Err(too_long());
    }
    let mut digits = [0_u8; MOST_DIGITS];
    let mut length = 0;
    for index in 0..count {
        let group = word(4 + index)?;
        if group > 9999 {
            return Err(malformed());
        }
        for unit in [1000, 100, 10, 1] {
            if let Some(digit) = digits.get_mut(length) {
                *digit = u8::try_from(group / unit % 10).unwrap_or(0);
            }
            length += 1;
        }
    }
    // The number is 0.DIGITS times ten to this.
    let mut point = (weight + 1) * 4;
    let mut shown = digits.get(..length).unwrap_or_default();
    while let [0, rest @ ..] = shown {
        shown = rest;
        point -= 1;
    }
    while let [rest @ .., 0] = shown {
        shown = rest;
    }
    if shown.is_empty() {
        return Ok((0, 0));
    }
    let mut mantissa: i128 = 0;
    for digit in shown {
        mantissa = mantissa.checked_mul(10).and_then(|m| m.checked_add(i128::from(*digit))).ok_or_else(too_long)?;
    }
    let mut scale = i32::try_from(shown.len()).map_err(|_| too_long())? - point;
    while scale < 0 {
        mantissa = mantissa.checked_mul(10).ok_or_else(too_long)?;
        scale += 1;
    }
    Ok((if negative { -mantissa } else { mantissa }, u32::try_from(scale).unwrap_or(0)))
}

/// Reads a number for a column of this precision and scale.
pub(super) fn read_decimal(bytes: &[u8], precision: u8, scale: u8) -> Result<Decimal> {
    let (mantissa, from) = read(bytes)?;
    Decimal::rescale(mantissa, from, precision, scale)
        .map_err(|error| Error::new(ErrorKind::Decode, error.message().to_owned()))
}

#[cold]
fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "PostgreSQL sent a malformed numeric")
}

#[cold]
fn too_long() -> Error {
    Error::new(ErrorKind::Decode, "the number has more digits than a decimal can hold (38)")
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{read, read_decimal, write};
    use crate::value::Decimal;

    #[test]
    fn what_is_written_is_read() {
        let most = 10_i128.pow(38) - 1;
        for scale in 0..=38 {
            for mantissa in [0, 1, -1, 9, 10, 9999, 10_000, 10_001, 100_000_000, -123_456_789, most, -most, most - 1] {
                let mut bytes = BytesMut::new();
                write(mantissa, scale, &mut bytes);
                let back = read_decimal(&bytes, 38, scale).map(Decimal::mantissa).ok();
                assert_eq!(back, Some(mantissa), "{mantissa} at {scale}");
            }
        }
    }

    #[test]
    fn the_bytes_of_one_and_a_half() {
        let mut bytes = BytesMut::new();
        write(150, 2, &mut bytes);
        assert_eq!(&bytes[..], [0, 2, 0, 0, 0, 0, 0, 2, 0, 1, 0x13, 0x88]);
        assert_eq!(read(&bytes).ok(), Some((15, 1)));
    }

    #[test]
    fn malformed_bytes_are_errors() {
        for bytes in [
            &[][..],
            &[0, 1],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0xC0, 0, 0, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(&[0, 1, 0x7F, 0xFF, 0, 0, 0, 0, 0, 1]).is_err());
        assert!(read(&[0, 1, 0x80, 0, 0, 0, 0, 0, 0, 1]).is_ok_and(|(m, scale)| m == 1 && scale > 100_000));
    }
}
