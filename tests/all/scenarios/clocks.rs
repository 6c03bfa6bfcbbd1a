//! A clock that is set forward or back changes no time limit: nothing that waits or measures reads the time of day.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use covet_tests::program::workspace;

/// Who may read the time of day, and what for.
const ALLOWED: [(&str, &str); 5] = [
    ("covet-drivers/src/conformance/statements.rs", "what the database's `now()` is compared with"),
    ("covet-drivers/src/sqlite/patience.rs", "a random pause"),
    ("covet-orm/src/db/pause.rs", "a random pause"),
    ("covet-orm/src/migrate/stamp.rs", "the name of a migration"),
    ("covet-orm/src/query/insert.rs", "the time that `timestamps` writes"),
];

fn readers(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            readers(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text.contains("SystemTime") || text.contains("Utc::now") || text.contains("Local::now") {
            found.insert(path.strip_prefix(workspace()).unwrap().display().to_string());
        }
    }
}

#[test]
fn b22_limits_of_time_know_no_time_of_day() {
    let mut found = BTreeSet::new();
    for folder in ["covet-drivers/src", "covet-orm/src"] {
        readers(&workspace().join(folder), &mut found);
    }
    let allowed: BTreeSet<String> = ALLOWED.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(found, allowed, "whoever reads the time of day must not wait or measure by it");
}
