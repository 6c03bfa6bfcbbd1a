//! What SQLite lacks: for text without case a collation and a folding function, both by Unicode, and for
//! integers an end of their range.

use std::cmp::Ordering;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// The collation of columns that compare without case.
pub(super) const NOCASE: &str = "covet_nocase";
/// The function that folds case, for `LIKE`.
pub(super) const FOLD: &str = "covet_fold";
/// The function that gives back an integer, and refuses what an integer has become that left its range.
pub(super) const WHOLE: &str = "covet_whole";

/// The function that rounds a number to a float of 32 bits, and refuses one that leaves their range.
pub(super) const SINGLE: &str = "covet_single";

/// Makes them known to a connection.
pub(super) fn register(db: &rusqlite::Connection) -> rusqlite::Result<()> {
    db.create_collation(NOCASE, compare)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function(WHOLE, 1, flags, |context| match context.get_raw(0) {
        ValueRef::Integer(whole) => Ok(Some(whole)),
        ValueRef::Null => Ok(None),
        // SQLite's own words, where it notices by itself.
        _ => Err(rusqlite::Error::UserFunctionError("integer overflow".into())),
    })?;
    db.create_scalar_function(SINGLE, 1, flags, |context| match context.get_raw(0) {
        ValueRef::Real(number) => single(number).map(Some),
        ValueRef::Null => Ok(None),
        _ => Err(rusqlite::Error::InvalidFunctionParameterType(0, rusqlite::types::Type::Real)),
    })?;
    db.create_scalar_function(FOLD, 1, flags, |context| match context.get_raw(0) {
        ValueRef::Text(text) => Ok(Some(fold(&String::from_utf8_lossy(text)).collect::<String>())),
        ValueRef::Null => Ok(None),
        _ => Err(rusqlite::Error::InvalidFunctionParameterType(0, rusqlite::types::Type::Text)),
    })
}

/// The nearest float of 32 bits.
fn single(number: f64) -> rusqlite::Result<f64> {
    #[allow(clippy::cast_possible_truncation)] // that is what it is for
    let rounded = number as f32;
    match rounded.is_infinite() && number.is_finite() {
        true => Err(rusqlite::Error::UserFunctionError("float overflow".into())),
        false => Ok(rounded.into()),
    }
}

/// Lower case, character by character, so that the whole is folded as its parts are.
fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

fn compare(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()));
    }
    fold(a).cmp(fold(b))
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering;

    #[test]
    fn case_is_nothing_and_everything_else_counts() {
        for (a, b, want) in [
            ("ÄRGER", "ärger", Ordering::Equal),
            ("STRASSE", "straße", Ordering::Less),
            ("e", "é", Ordering::Less),
            ("a", "a ", Ordering::Less),
            ("ΣΑΣ", "σασ", Ordering::Equal),
            ("B", "a", Ordering::Greater),
        ] {
            assert_eq!(compare(a, b), want, "{a} {b}");
            assert_eq!(compare(b, a), want.reverse(), "{b} {a}");
        }
    }
}
