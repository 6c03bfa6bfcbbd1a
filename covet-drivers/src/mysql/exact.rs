//! Decimals that stay decimals: the protocol of the driver has no type for them.

use std::borrow::Cow;

use crate::value::Value;

/// The text with a cast around the placeholder of each decimal. The driver sends a decimal as text,
/// and some comparisons and all arithmetic between a decimal and a text are done in floats.
pub(crate) fn exact<'a>(sql: &'a str, args: &[&Value]) -> Cow<'a, str> {
    if !args.iter().any(|value| matches!(value, Value::Decimal(_))) {
        return Cow::Borrowed(sql);
    }
    let mut out = String::with_capacity(sql.len() + 32);
    let mut args = args.iter();
    let mut rest = sql;
    while let Some(at) = rest.find(['?', '\'', '"', '`', '#', '-', '/']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = from.strip_prefix('?') {
            match args.next() {
                Some(Value::Decimal(value)) => {
                    out.push_str(&format!("CAST(? AS DECIMAL({}, {}))", value.precision(), value.scale()));
                }
                _ => out.push('?'),
            }
            rest = after;
            continue;
        }
        let (kept, after) = from.split_at(opaque(from));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The bytes of the quoted text, quoted name or comment at the start; 1 when there is none.
fn opaque(text: &str) -> usize {
    let until = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    match text.as_bytes() {
        [b'#', ..] => until("\n"),
        [b'-', b'-', next, ..] if next.is_ascii_whitespace() => until("\n"),
        [b'/', b'*', next, ..] if *next != b'!' => until("*/"),
        [quote @ (b'\'' | b'"' | b'`'), ..] => {
            let mut escaped = false;
            for (at, byte) in text.bytes().enumerate().skip(1) {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if *quote != b'`' => escaped = true,
                    // A doubled quote ends here and begins again at once.
                    _ if byte == *quote => return at + 1,
                    _ => {}
                }
            }
            text.len()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::exact;
    use crate::value::{Decimal, Value};

    #[test]
    fn decimals_are_cast_where_they_stand() {
        let decimal = Decimal::parse("1.5", 10, 2).map(Value::Decimal).unwrap_or(Value::Null);
        let int = Value::Int(1);
        let args = [&int, &decimal, &int];
        assert_eq!(exact("a = ? AND b = ? AND c = ?", &args), "a = ? AND b = CAST(? AS DECIMAL(10, 2)) AND c = ?");
        let odd = "SELECT '?''?\\'?', \"?\", `?`, /* ? */ 5-?/?, -- ?\n # ?\n ?";
        assert_eq!(exact(odd, &args), odd.replace("5-?/?,", "5-?/CAST(? AS DECIMAL(10, 2)),"));
        assert_eq!(exact("SELECT 'é?", &args), "SELECT 'é?");
    }
}
