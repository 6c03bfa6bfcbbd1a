//! An exact decimal that knows its column: `decimal(precision, scale)`.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// `mantissa / 10^scale`, at most 38 digits, in the precision and scale of its column.
///
/// ```
/// use covet_drivers::value::Decimal;
/// let price = Decimal::parse("12.5", 10, 2).unwrap();
/// assert_eq!(price.to_string(), "12.50");
/// assert!(Decimal::parse("0.005", 10, 2).is_err()); // would need rounding
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    // Two halves instead of an i128: that would make every value 16-byte aligned and larger.
    high: i64,
    low: u64,
    precision: u8,
    scale: u8,
}

impl Decimal {
    /// The most digits a decimal column can have.
    pub const MAX_PRECISION: u8 = 38;

    /// A decimal from its digits, which are already at the column's scale.
    ///
    /// # Errors
    /// `OutOfRange` when it has more digits than the precision allows.
    pub fn new(mantissa: i128, precision: u8, scale: u8) -> Result<Self> {
        let limit = 10_i128.checked_pow(u32::from(precision.min(Self::MAX_PRECISION)));
        if limit.is_none_or(|limit| mantissa.unsigned_abs() >= limit.unsigned_abs()) {
            return Err(too_large(precision, scale));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the two halves
        let (high, low) = ((mantissa >> 64) as i64, mantissa as u64);
        Ok(Decimal { high, low, precision, scale })
    }

    /// A decimal from digits at another scale; digits that would be rounded away are an error.
    ///
    /// # Errors
    /// `OutOfRange` when digits would be lost or the number is too large.
    pub fn rescale(mantissa: i128, from: u32, precision: u8, scale: u8) -> Result<Self> {
        let to = u32::from(scale);
        let mantissa = if from <= to {
            10_i128.checked_pow(to - from).and_then(|factor| mantissa.checked_mul(factor))
        } else {
            // A zero has no digits to lose, whatever its scale.
            match 10_i128.checked_pow(from - to) {
                _ if mantissa == 0 => Some(0),
                Some(factor) if mantissa % factor == 0 => Some(mantissa / factor),
                _ => return Err(too_fine(precision, scale)),
            }
        };
        Decimal::new(mantissa.ok_or_else(|| too_large(precision, scale))?, precision, scale)
    }

    /// A decimal from its text: an optional sign, digits, an optional point and digits.
    ///
    /// # Errors
    /// `InvalidInput` when it is not a number, `OutOfRange` when the column cannot hold it.
    pub fn parse(text: &str, precision: u8, scale: u8) -> Result<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() && fraction.is_empty() && !digits.contains('0') {
            return Err(Error::new(ErrorKind::InvalidInput, "not a decimal number"));
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(Error::new(ErrorKind::InvalidInput, "not a decimal number"));
            }
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|m| m.checked_add(i128::from(byte - b'0')))
                .ok_or_else(|| too_large(precision, scale))?;
        }
        let from = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        Decimal::rescale(if negative { -mantissa } else { mantissa }, from, precision, scale)
    }

    /// The digits, at [`scale`](Decimal::scale).
    #[must_use]
    pub fn mantissa(self) -> i128 {
        (i128::from(self.high) << 64) | i128::from(self.low)
    }

    /// All digits that the column allows.
    #[must_use]
    pub fn precision(self) -> u8 {
        self.precision
    }

    /// Digits after the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mantissa = self.mantissa();
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if mantissa < 0 { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({}, {})", self.precision, self.scale)
    }
}

#[cold]
fn too_large(precision: u8, scale: u8) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("the number does not fit decimal({precision}, {scale})"))
}

#[cold]
fn too_fine(precision: u8, scale: u8) -> Error {
    Error::new(
        ErrorKind::OutOfRange,
        format!(
            "the number has more than {scale} digits after the point, and decimal({precision}, {scale}) would round it"
        ),
    )
    .with_help("round it yourself, or give the column a larger scale")
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn text_and_back() {
        for text in ["0.00", "1.05", "-1.05", "-0.01", "99999999.99", "-99999999.99"] {
            assert_eq!(Decimal::parse(text, 10, 2).map(|d| d.to_string()).ok().as_deref(), Some(text));
        }
        for text in ["100000000.00", "0.001", "", "-", ".", "1e3", "1.2.3", "--1", "NaN"] {
            assert!(Decimal::parse(text, 10, 2).is_err(), "{text}");
        }
        let most = "9".repeat(38);
        assert_eq!(Decimal::parse(&most, 38, 0).map(|d| d.to_string()).ok(), Some(most));
        assert!(Decimal::parse(&"9".repeat(60), 38, 0).is_err());
    }
}
