//! UUIDs as text.

/// The bytes of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; hyphens may be left out.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits = text.replace('-', "");
    let is_whole = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_whole.then(|| u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes))?
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;

    #[test]
    fn thirty_two_digits_and_nothing_else() {
        let wanted = Some(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes());
        assert_eq!(parse_uuid("01234567-89ab-cdef-0123-456789ABCDEF"), wanted);
        assert_eq!(parse_uuid("0123456789abcdef0123456789abcdef"), wanted);
        for none in ["", "01234567-89ab-cdef-0123-456789abcde", "+1234567-89ab-cdef-0123-456789abcdef", "x"] {
            assert_eq!(parse_uuid(none), None, "{none}");
        }
    }
}
