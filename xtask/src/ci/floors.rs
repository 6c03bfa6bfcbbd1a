//! Lowest versions: what the lock file holds must not be older than a version known to be bad.

use std::fs;

use super::rows::rows;
use crate::Outcome;
use crate::process::workspace;

const LIST: &str = ".config/floors.txt";

/// Compares the lock file with the table of floors.
pub(super) fn check() -> Outcome {
    let path = workspace().join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let locked = packages(&lock);
    let mut trouble = Vec::new();
    for row in rows(LIST, 2)? {
        if let [name, floor, reason] = row.as_slice() {
            trouble.extend(judge(&locked, name, floor, reason));
        }
    }
    if trouble.is_empty() { Ok(()) } else { Err(trouble.join("\n")) }
}

fn judge(locked: &[(&str, &str)], name: &str, floor: &str, reason: &str) -> Vec<String> {
    let Some(lowest) = release(floor) else {
        return vec![format!("{LIST}: `{floor}` is no version (for {name})")];
    };
    let versions: Vec<&str> = locked.iter().filter(|package| package.0 == name).map(|package| package.1).collect();
    if versions.is_empty() {
        return vec![format!("{name} is not in Cargo.lock: remove its row from {LIST}")];
    }
    versions
        .into_iter()
        // A pre-release sorts below its release, and none is wanted here.
        .filter(|version| release(version).is_none_or(|it| it < lowest))
        .map(|version| format!("{name} {version} is below {floor}: {reason}"))
        .collect()
}

/// Name and version of each package in a lock file.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    lock.split("[[package]]")
        .skip(1)
        .filter_map(|section| {
            let field = |name: &str| {
                section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
            };
            Some((field("name")?, field("version")?))
        })
        .collect()
}

/// The numbers of a released version; build metadata does not count.
fn release(version: &str) -> Option<Vec<u64>> {
    version.split('+').next()?.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{judge, packages};

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.7.9\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.10.0+3.50\"\n";

    #[test]
    fn compares_numbers_and_not_text() {
        let locked = packages(LOCK);
        assert_eq!(locked, [("a", "0.7.9"), ("b", "1.10.0+3.50")]);
        assert_eq!(judge(&locked, "a", "0.7.10", "RUSTSEC-1"), ["a 0.7.9 is below 0.7.10: RUSTSEC-1"]);
        assert!(judge(&locked, "a", "0.7.9", "why").is_empty());
        assert!(judge(&locked, "b", "1.9.0", "why").is_empty());
    }

    #[test]
    fn a_row_for_an_absent_package_is_reported() {
        assert_eq!(judge(&packages(LOCK), "c", "1.0.0", "why").len(), 1);
    }
}
