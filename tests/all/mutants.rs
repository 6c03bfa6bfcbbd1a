//! The faults that `cargo xtask mutants` tries (`tests/mutants`) are as old as their lines. Trying them takes long, so
//! it is asked here, each time, whether they still could be: the lines are there, and so are the tests that notice.

use std::fs;
use std::path::Path;

use covet_tests::program::workspace;

#[test]
fn every_fault_fits_the_source_and_names_tests_that_are_there() {
    let folder = workspace().join("tests/mutants");
    let patches: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(patches.len() >= 25, "only {} faults", patches.len());
    let mut tests = String::new();
    for folder in ["tests/all", "covet-drivers/tests/contract"] {
        read(&workspace().join(folder), &mut tests);
    }
    for path in patches {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (head, diff) = text.split_once("\n\n").unwrap_or_else(|| panic!("{name} says nothing of itself"));
        assert!(head.starts_with("breaks: "), "{name} does not say what it breaks");
        let killers = head.lines().find_map(|line| line.strip_prefix("killed by: ")).unwrap_or_default();
        assert!(killers.contains("::"), "{name} names no test");
        for function in killers.split_whitespace().skip(1).filter_map(|filter| filter.rsplit("::").next()) {
            let is_there = tests.contains(&format!("fn {function}")) || tests.contains(&format!("mod {function};"));
            assert!(is_there, "{name}: no test is named {function}");
        }
        let mut source = String::new();
        for hunk in diff.split("\n@@ ") {
            if let Some(file) = hunk.lines().find_map(|line| line.strip_prefix("--- a/")) {
                assert!(source.is_empty(), "{name} changes several files: one is enough");
                source = fs::read_to_string(workspace().join(file)).unwrap_or_else(|_| panic!("{name}: no {file}"));
                continue;
            }
            let lines = hunk.lines().skip(1).filter(|line| !line.starts_with('+'));
            let old: Vec<&str> = lines.map(|line| line.get(1..).unwrap_or_default()).collect();
            assert!(source.contains(&old.join("\n")), "{name} does not fit any more:\n{}", old.join("\n"));
        }
    }
}

/// All Rust source of a folder.
fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
