//! Second versions of a dependency: each one costs every user build time, so each one has a written reason.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::rows;
use crate::Outcome;
use crate::process::{capture, cargo};

const LIST: &str = ".config/duplicates.txt";

/// Compares the duplicates that cargo finds with the list of explained ones, both ways.
pub(super) fn check() -> Outcome {
    // One fixed target, so that the list is the same on every machine.
    let tree = capture(cargo().args([
        "tree",
        "--locked",
        "--workspace",
        "--duplicates",
        "--all-features",
        "--edges=normal",
        "--target=x86_64-unknown-linux-gnu",
        "--depth=0",
        "--prefix=none",
    ]))?;
    let explained: BTreeSet<String> = rows(LIST, 1)?.into_iter().filter_map(|row| row.into_iter().next()).collect();
    let trouble = compare(&found(&tree), &explained);
    if trouble.is_empty() { Ok(()) } else { Err(trouble.join("\n")) }
}

fn compare(found: &BTreeMap<&str, BTreeSet<&str>>, explained: &BTreeSet<String>) -> Vec<String> {
    let unexplained = found.iter().filter(|(name, _)| !explained.contains(**name)).map(|(name, versions)| {
        let versions: Vec<&str> = versions.iter().copied().collect();
        format!(
            "{name} comes in {}: avoid it or explain it in {LIST} (`cargo tree --invert {name}@…` shows why)",
            versions.join(" and ")
        )
    });
    let gone = explained.iter().filter(|name| !found.contains_key(name.as_str()));
    unexplained.chain(gone.map(|name| format!("{name} is no duplicate any more: remove it from {LIST}"))).collect()
}

/// Names with more than one version; cargo also lists one version built twice.
fn found(tree: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{compare, found};

    #[test]
    fn tells_new_and_gone_duplicates() {
        let tree = "syn v2.0.1\n\nsyn v3.0.0\n\nserde v1.0.0\nserde v1.0.0 (*)\n\nrand v0.8.0\nrand v0.9.0\n";
        let explained: BTreeSet<String> = ["syn", "itoa"].map(String::from).into();
        let trouble = compare(&found(tree), &explained);
        assert_eq!(trouble.len(), 2, "{trouble:?}");
        assert!(trouble[0].starts_with("rand comes in v0.8.0 and v0.9.0"), "{trouble:?}");
        assert!(trouble[1].starts_with("itoa is no duplicate"), "{trouble:?}");
    }
}
