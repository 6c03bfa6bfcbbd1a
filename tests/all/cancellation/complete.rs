//! Whether every public function that can be dropped half-way is in the list: the functions are taken from the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use covet_tests::program::workspace;

use crate::cancellation::acts;

/// Where functions are that wait for a database. Migrations run on a session of their own, which ends with them.
const ROOMS: [&str; 5] = [
    "covet-orm/src/db",
    "covet-orm/src/model",
    "covet-orm/src/query",
    "covet-orm/src/relation",
    "covet-drivers/src/pool",
];

/// Functions that are not dropped here, and why; what ends with a slash is a folder.
const ELSEWHERE: [(&str, &str); 4] = [
    ("db/connect.rs::drain", "it closes the pool: `lending::a_pool_is_drained_before_a_deadline`"),
    ("pool/mod.rs::drain", "it closes the pool: `lending::a_pool_is_drained_before_a_deadline`"),
    ("two_phase/", "its own tests drop and kill a coordinator at every step: `tests/all/two_phase`"),
    ("pool/switch.rs::next", "it waits for the pool itself, and for no server"),
];

#[test]
fn every_public_function_that_waits_is_dropped_half_way() {
    let mut found = BTreeSet::new();
    for room in ROOMS {
        read(&workspace().join(room), &mut found);
    }
    assert!(found.len() > 50, "only {} functions were found", found.len());
    let is_elsewhere = |function: &String| {
        ELSEWHERE
            .iter()
            .any(|(name, _)| if name.ends_with('/') { function.starts_with(name) } else { function == name })
    };
    for (name, _) in ELSEWHERE {
        assert!(found.iter().any(|function| function.starts_with(name)), "there is no {name} any more");
    }
    let listed: BTreeSet<String> = acts::all().flat_map(|act| act.calls).map(|call| (*call).to_owned()).collect();
    found.retain(|function| !is_elsewhere(function));
    let (missing, gone): (Vec<_>, Vec<_>) = (found.difference(&listed).collect(), listed.difference(&found).collect());
    assert!(missing.is_empty(), "no act drops {missing:#?}");
    assert!(gone.is_empty(), "there is no such function: {gone:#?}");
}

/// The functions of the files in a folder, as `folder/file::function`.
fn read(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let place = format!("{}/{}", name(folder), name(&path));
            let source = fs::read_to_string(&path).unwrap();
            found.extend(functions(&source).map(|function| format!("{place}::{function}")));
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The public functions that are async, or give a future.
fn functions(source: &str) -> impl Iterator<Item = String> + '_ {
    // Tests come last in a file.
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let plain = source.match_indices("fn ").filter_map(|(at, _)| {
        let line = source[..at].rsplit('\n').next().unwrap_or_default().trim();
        let rest = &source[at + 3..];
        let signature = &rest[..rest.find([';', '{']).unwrap_or(rest.len())];
        let function: String = signature.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let waits = match line {
            "pub async" => true,
            // A method of a trait, or a public function that says what it gives.
            "pub" | "" => signature.contains("-> impl Future<"),
            _ => false,
        };
        waits.then_some(function)
    });
    let awaited = source.match_indices("type IntoFuture =").map(|_| "into_future".to_owned());
    plain.chain(awaited)
}

#[test]
fn functions_are_found_in_a_source() {
    let source = "pub async fn a() {}\n    pub fn b(x: u8,\n y: u8) -> impl Future<Output = ()> {\n fn c() -> impl Future<Output = ()>;\n\
        async fn d() {}\npub(crate) async fn e() {}\npub fn f() -> u8 {}\ntype IntoFuture = X;";
    assert_eq!(functions(source).collect::<Vec<_>>(), ["a", "b", "c", "into_future"]);
}
