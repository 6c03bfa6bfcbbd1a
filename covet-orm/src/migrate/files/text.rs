//! Texts of files: as they are meant, whatever an editor or a checkout made of their line ends.

use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::digest;

/// How a line begins that says what lint may find.
const ALLOWED: &str = "-- covet:allow ";

/// The text of a file, without a byte order mark, and with `\n` for every line end.
pub(super) fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| failed("read", path, error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorKind::Migration, format!("{} is not UTF-8", path.display())).with_help("save the file as UTF-8")
    })?;
    Ok(plain(&text))
}

/// The text without a byte order mark, and with `\n` for every line end.
pub(super) fn plain(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

/// The checksum of a script: the same for every kind of line end, for blank lines at its end, and whatever lint is
/// allowed to find in it, so that a file that is applied can still be given an allow.
pub(in crate::migrate) fn checksum(script: &str) -> String {
    let text = plain(script);
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.starts_with(ALLOWED)).collect();
    digest(lines.join("\n").trim_end())
}

/// A file or folder that could not be read or written.
pub(super) fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {what} {}: {error}", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn only_what_matters_counts() {
        let sum = checksum("a\nb");
        assert_eq!(sum.len(), 71);
        for same in ["a\r\nb", "\u{feff}a\nb\n", "a\nb\r\n\r\n"] {
            assert_eq!(checksum(same), sum);
        }
        assert_eq!(checksum("-- covet:allow DST01 why\na\n-- covet:allow PG04 why\nb"), sum);
        for other in ["a\n-- covet:alone\nb", "a\n-- covet:allowed\nb", "a\n b", "a\nb\n-- note", " a\nb"] {
            assert_ne!(checksum(other), sum);
        }
    }
}
