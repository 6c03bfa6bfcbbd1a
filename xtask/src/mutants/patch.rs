//! A fault as a patch file: what it breaks and who should notice, and then a unified diff.
//!
//! ```text
//! breaks: a connection comes back to the pool with its transaction open
//! killed by: all transactions::what_is_dropped
//!
//! --- a/covet-drivers/src/pool/lend.rs
//! +++ b/covet-drivers/src/pool/lend.rs
//! …
//! ```
//!
//! `killed by` names a test binary and filters of its tests. A line `may hang: yes` says that tests which do not end
//! have noticed it too.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) breaks: String,
    /// The test binary.
    pub(super) target: String,
    pub(super) filters: Vec<String>,
    pub(super) may_hang: bool,
}

/// All faults of a folder whose names hold one of the words, in the order of their names.
pub(super) fn read_all(folder: &Path, words: &[String]) -> Outcome<Vec<Patch>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    paths.sort();
    let mut patches = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let patch = parse(&path, &text)?;
        if words.is_empty() || words.iter().any(|word| patch.name.contains(word.as_str())) {
            patches.push(patch);
        }
    }
    if patches.is_empty() {
        return Err(format!("no fault in {} is named so", folder.display()));
    }
    Ok(patches)
}

fn parse(path: &Path, text: &str) -> Outcome<Patch> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let head: Vec<&str> = text.lines().take_while(|line| !line.starts_with("--- ")).collect();
    let said = |what: &str| head.iter().find_map(|line| line.strip_prefix(what)).map(str::trim);
    let needed = |what: &str| said(what).ok_or_else(|| format!("{} does not say `{what}`", path.display()));
    let mut killers = needed("killed by:")?.split_whitespace().map(String::from);
    let (Some(target), filters) = (killers.next(), killers.collect::<Vec<_>>()) else {
        return Err(format!("{} does not name a test binary", path.display()));
    };
    if filters.is_empty() {
        return Err(format!("{} names no test", path.display()));
    }
    let breaks = needed("breaks:")?.to_owned();
    Ok(Patch { name, path: path.to_owned(), breaks, target, filters, may_hang: said("may hang:") == Some("yes") })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Patch, parse};

    #[test]
    fn a_fault_says_what_it_breaks_and_who_notices() {
        let path = Path::new("x/no_rollback.patch");
        let wanted = Patch {
            name: String::from("no_rollback"),
            path: path.to_owned(),
            breaks: String::from("this"),
            target: String::from("all"),
            filters: vec![String::from("a::b"), String::from("c")],
            may_hang: false,
        };
        assert_eq!(parse(path, "breaks: this\nkilled by: all a::b c\n\n--- a/x\nmay hang: yes\n"), Ok(wanted));
        for wrong in ["", "breaks: this\n", "breaks: this\nkilled by: all\n--- a", "killed by: all a\n--- a"] {
            assert!(parse(path, wrong).is_err(), "{wrong}");
        }
    }
}
