//! `.env`.

use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};

/// The value of a variable in the file; nothing when there is no such file or variable. The environment of the tool
/// itself stays as it is.
pub(super) fn variable(path: &Path, name: &str) -> Result<Option<String>> {
    let entries = match dotenvy::from_path_iter(path) {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    let mut found = None;
    for entry in entries {
        let (key, value) = entry.map_err(|error| failed(path, &error))?;
        if key == name {
            found = Some(value);
        }
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// Without the line itself: it may hold a password.
fn failed(path: &Path, error: &dotenvy::Error) -> Error {
    match error {
        dotenvy::Error::LineParse(..) => {
            Error::new(ErrorKind::Config, format!("{} has a line that is not `NAME=value`", path.display()))
                .with_help("put a value with blanks or `#` in single quotes")
        }
        other => Error::new(ErrorKind::Io, format!("cannot read {}: {other}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::variable;

    #[test]
    fn the_forms_that_people_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        assert_eq!(variable(&file, "A").unwrap(), None);
        std::fs::write(
            &file,
            "# DATABASE_URL=no\nA=1\nDATABASE_URL=x:a.db # why\nB=\"x # y\"\nexport C='d$e'\nE=\nP=a#b\n",
        )
        .unwrap();
        let find = |name| variable(&file, name).unwrap();
        assert_eq!(find("DATABASE_URL").as_deref(), Some("x:a.db"));
        assert_eq!(find("B").as_deref(), Some("x # y"));
        assert_eq!(find("C").as_deref(), Some("d$e"));
        assert_eq!(find("E"), None);
        assert_eq!(find("P").as_deref(), Some("a#b"));
    }

    #[test]
    fn a_line_that_is_wrong_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, "DATABASE_URL=\"x://u:hunter2@h/d\n").unwrap();
        let error = format!("{:?}", variable(&file, "DATABASE_URL").unwrap_err());
        assert!(error.contains(".env") && !error.contains("hunter2"), "{error}");
    }
}
