//! Each feature alone: a feature that only builds next to another is a broken promise.

use std::fs;

use super::shown;
use crate::Outcome;
use crate::process::{cargo, workspace};

/// The crates whose features users choose.
const CRATES: &[&str] = &["covet-drivers", "covet-orm"];

/// Checks each of these crates without any feature and with each feature alone.
pub(super) fn check() -> Outcome {
    for name in CRATES {
        let manifest = workspace().join(name).join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
        let features = declared(&text);
        if features.is_empty() {
            return Err(format!("no features found in {}", manifest.display()));
        }
        shown(cargo().args(["check", "--quiet", "--package", name, "--no-default-features"]))?;
        for feature in features {
            shown(cargo().args([
                "check",
                "--quiet",
                "--package",
                name,
                "--no-default-features",
                "--features",
                feature,
            ]))?;
        }
    }
    Ok(())
}

/// The names in the `[features]` table, without `default`.
fn declared(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut depth = 0_usize;
    let mut names = Vec::new();
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if depth == 0 && line.starts_with('[') {
            inside = line == "[features]";
            continue;
        }
        if !inside {
            continue;
        }
        if depth == 0
            && let Some((name, _)) = line.split_once('=')
        {
            names.push(name.trim().trim_matches('"'));
        }
        depth += line.matches('[').count();
        depth = depth.saturating_sub(line.matches(']').count());
    }
    names.retain(|name| *name != "default");
    names
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn reads_the_features_table_and_nothing_else() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"a\"] # all\na = []\n\"b-c\" = [\n  \"dep:d\", # = no\n  \"e?/f\",\n]\n\n[dependencies]\nd = { version = \"1\" }\n";
        assert_eq!(declared(manifest), ["a", "b-c"]);
    }
}
