//! Ids and names of migrations.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use covet_drivers::value::datetime_text;
use covet_drivers::{Error, ErrorKind, Result};

/// The most characters of a name.
const LONGEST: usize = 48;

/// A new id: the second in UTC, and four random characters, so that two made at once stay apart.
pub(super) fn new_id() -> Result<String> {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_micros()).ok());
    let text = micros.and_then(datetime_text).ok_or_else(|| {
        Error::new(ErrorKind::Migration, "the clock of this machine is outside the years 1970 to 9999")
    })?;
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = digits.split_at(8);
    Ok(format!("{day}T{time}Z_{}", random()))
}

/// Four characters that no reader takes for one another.
fn random() -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    // Each RandomState has keys of its own, seeded by the operating system.
    let mut number = RandomState::new().hash_one(SystemTime::now());
    (0..4)
        .map(|_| {
            let letter = LETTERS.get(usize::try_from(number % 32).unwrap_or_default()).copied().unwrap_or(b'0');
            number /= 32;
            char::from(letter)
        })
        .collect()
}

/// The text as part of a folder's name: lower case letters, digits and `_`.
///
/// # Errors
/// `Migration` when nothing is left.
pub(super) fn name(text: &str) -> Result<String> {
    let mut name = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Migration, format!("`{text}` is no name for a migration"))
            .with_help("use letters, digits and `_`"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{name, new_id};

    #[test]
    fn ids_sort_by_time_and_differ() {
        let (a, b) = (new_id().unwrap(), new_id().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), "20260922T101530Z_k3f9".len());
        assert_eq!((&a[8..9], &a[15..17]), ("T", "Z_"));
    }

    #[test]
    fn names_are_safe_in_paths() {
        assert_eq!(name("Add column ../users.Größe!").unwrap(), "add_column_users_gr_e");
        assert!(name(&"x".repeat(300)).unwrap().len() <= super::LONGEST);
        assert!(name("…").is_err());
    }
}
