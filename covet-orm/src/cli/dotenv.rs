//! `.env`: lines of `NAME=value`.

use std::io::ErrorKind as Io;
use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};

/// The value of a variable in the file; nothing when there is no such file or variable.
pub(super) fn variable(path: &Path, name: &str) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(find(&text, name)),
        Err(error) if error.kind() == Io::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error))
        }
    }
}

fn find(text: &str, name: &str) -> Option<String> {
    let mut found = None;
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            found = Some(plain(value.trim()));
        }
    }
    found.filter(|value| !value.is_empty())
}

/// The value without its quotes, or without the comment behind it.
fn plain(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some((inside, _)) = rest.split_once(quote)
        {
            return inside.to_owned();
        }
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_forms_that_people_write() {
        let text = "# DATABASE_URL=no\nA=1\nDATABASE_URL = x:a.db # why\nB=\"x # y\"\nexport C='d'\nE=\n";
        assert_eq!(find(text, "DATABASE_URL").as_deref(), Some("x:a.db"));
        assert_eq!(find(text, "B").as_deref(), Some("x # y"));
        assert_eq!(find(text, "C").as_deref(), Some("d"));
        assert_eq!(find(text, "E"), None);
        assert_eq!(find("P=a#b", "P").as_deref(), Some("a#b"));
    }
}
