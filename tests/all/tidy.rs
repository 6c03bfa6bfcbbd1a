//! What holds of the whole source: rules that are tests, so that they stay true.

use std::fs;
use std::path::{Path, PathBuf};

use covet_orm::ErrorKind;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

const CRATES: [&str; 3] = ["covet-orm/src", "covet-orm-derive/src", "covet-drivers/src"];

#[test]
fn every_file_says_what_it_is_for() {
    for folder in CRATES.into_iter().chain(["tests/src", "tests/all", "examples", "xtask/src"]) {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{} does not start with `//!`", name(&path));
        }
    }
}

/// Neutral code asks capabilities, never names.
#[test]
fn covet_orm_knows_no_database_by_name() {
    for (path, text) in sources("covet-orm/src") {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") || line.starts_with("#[cfg(feature") {
                continue;
            }
            let lower = line.to_lowercase();
            for database in ["postgres", "mysql", "mariadb", "sqlite"] {
                assert!(!lower.contains(database), "{}:{}: {line}", name(&path), number + 1);
            }
        }
    }
}

/// The derive crate names the run time in one place, and only the part that is made for it.
#[test]
fn generated_code_names_one_path() {
    for (path, text) in sources("covet-orm-derive/src") {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names = code.filter(|line| line.contains("covet_orm::")).count();
        let allowed = path.ends_with("expand/paths.rs") || path.components().any(|part| part.as_os_str() == "tests");
        assert!(names == 0 || allowed, "{} names covet_orm", name(&path));
    }
}

/// Lower layers of covet-drivers do not know the upper ones.
#[test]
fn layers_of_covet_drivers() {
    let layers: [(&str, &[&str]); 6] = [
        ("value", &["sql", "render", "contract", "pool", "tls", "postgres", "mysql", "sqlite"]),
        ("catalog", &["value", "sql", "render", "contract", "pool", "tls", "postgres", "mysql", "sqlite"]),
        ("sql", &["render", "contract", "pool", "tls", "postgres", "mysql", "sqlite"]),
        ("render", &["contract", "pool", "tls", "postgres", "mysql", "sqlite"]),
        ("pool", &["postgres", "mysql", "sqlite"]),
        ("tls", &["pool", "postgres", "mysql", "sqlite"]),
    ];
    for (layer, above) in layers {
        for (path, text) in sources(&format!("covet-drivers/src/{layer}")) {
            for upper in above {
                assert!(!text.contains(&format!("use crate::{upper}::")), "{} uses {upper}", name(&path));
            }
        }
    }
}

/// Whoever knows one adapter's folder knows all three.
#[test]
fn adapters_have_the_same_files() {
    for database in ["postgres", "mysql", "sqlite"] {
        let folder = root().join("covet-drivers/src").join(database);
        for file in ["mod", "connect", "connection", "codec", "types", "dialect", "ddl", "introspect", "lint", "errors"]
        {
            let there = folder.join(format!("{file}.rs")).exists() || folder.join(file).join("mod.rs").exists();
            assert!(there, "{database} has no {file}");
        }
    }
}

/// No file grows for ever.
#[test]
fn files_are_small() {
    for folder in CRATES {
        for (path, text) in sources(folder) {
            assert!(text.lines().count() <= 600, "{} has {} lines", name(&path), text.lines().count());
        }
    }
}

/// Library code does not panic on what a user or a server can cause.
#[test]
fn no_stubs_and_no_prints_in_library_code() {
    for folder in CRATES {
        for (path, text) in sources(folder) {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in ["todo!(", "unimplemented!(", "dbg!("] {
                assert!(!code.contains(word), "{} has {word}", name(&path));
            }
        }
    }
}

#[test]
fn every_path_that_the_documents_name_exists() {
    for document in [
        "README.md",
        "docs/architecture.md",
        "docs/lint/README.md",
        "docs/migrations.md",
        "docs/online.md",
        "docs/pools.md",
        "docs/types.md",
        "docs/urls.md",
        "docs/errors.md",
        "docs/existing-databases.md",
        "docs/guide.md",
        "docs/copy.md",
        "docs/listen.md",
        "docs/sqlite.md",
        "docs/testing.md",
        "docs/tool.md",
        "docs/transactions.md",
        "docs/two-phase.md",
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap_or_else(|_| panic!("{document} exists"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let link = link.split('#').next().unwrap();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let base = root().join(document);
            assert!(base.parent().unwrap().join(link).exists(), "{document} links to {link}");
        }
    }
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut base = "";
    for line in text.lines() {
        if let Some(crate_name) = line.strip_prefix("## ") {
            base = crate_name.split(':').next().unwrap_or_default();
        }
        let Some(cell) = line.strip_prefix("| `").and_then(|rest| rest.split(" |").next()) else { continue };
        for room in cell.split('`').filter(|part| part.ends_with('/') || part.ends_with(".rs")) {
            assert!(root().join(base).join("src").join(room).exists(), "docs/architecture.md names {base}/src/{room}");
        }
    }
}

#[test]
fn every_kind_of_error_has_a_row_in_the_documents() {
    let text = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    for kind in ErrorKind::ALL {
        assert!(text.contains(&format!("| `{kind:?}` |")), "docs/errors.md has no row for {kind:?}");
    }
    let rows = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, ErrorKind::ALL.len(), "docs/errors.md has a row for a kind that is gone");
}

/// The README shows code that compiles: the same lines stand in an example.
#[test]
fn the_readme_is_compiled() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let code = text.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example = fs::read_to_string(root().join("examples/readme/main.rs")).unwrap();
    assert!(example.contains(code.trim_end()), "examples/readme/main.rs holds the README's code, line by line");
}

/// A crate of macros can give nothing away but macros, so `db pull`, which writes what the derive reads, has some of its
/// rules a second time: they are the same.
#[test]
fn what_pull_writes_is_what_the_derive_reads() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let between = |text: &str, start: &str, end: &str| {
        let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("nothing begins with {start}"));
        rest.split_once(end).unwrap().0.to_owned()
    };
    let words = |text: &str, list: &str| -> Vec<String> {
        let list = between(text, &format!("const {list}: &[&str] = &["), "]");
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (derive, pull) = (read("covet-orm-derive/src/names.rs"), read("covet-orm/src/cli/pull/names.rs"));
    let taken = words(&pull, "TAKEN");
    for word in [words(&derive, "FUNCTIONS"), words(&derive, "BUILDER")].concat() {
        assert!(taken.contains(&word), "db pull could call a field `{word}`, which the derive refuses");
    }
    let find_by = |text: &str| between(text, "const FIND_BY: &str = ", ";");
    assert_eq!(find_by(&derive), find_by(&pull));
    let plural = |text: &str| between(text, "fn plural(word: &str) -> String {\n", "\n}\n");
    assert_eq!(plural(&read("covet-orm-derive/src/model/casing.rs")), plural(&pull));
}
