//! The packages of the workspace, as cargo describes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

/// The crate that a package with models depends on.
const COVET: &str = "covet-orm";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A package.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    manifest_path: PathBuf,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    features: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Dependency {
    name: String,
    #[serde(default)]
    rename: Option<String>,
    #[serde(default)]
    features: Vec<String>,
}

impl Package {
    /// Its folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.manifest_path.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// Whether it may have models.
    pub(super) fn uses_covet(&self) -> bool {
        self.dependencies.iter().any(|dependency| dependency.name == COVET)
    }

    /// The features of Covet that it asks for, always or by features of its own; in their order, each once.
    pub(super) fn features(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for dependency in self.dependencies.iter().filter(|dependency| dependency.name == COVET) {
            let name = dependency.rename.as_deref().unwrap_or(COVET);
            let own = self.features.values().flatten().filter_map(|feature| {
                let (of, feature) = feature.split_once('/')?;
                (of.trim_end_matches('?') == name).then(|| feature.to_owned())
            });
            for feature in dependency.features.iter().cloned().chain(own) {
                if !found.contains(&feature) {
                    found.push(feature);
                }
            }
        }
        found
    }
}

/// The packages of the workspace of this manifest, or of the folder where the tool was started.
pub(super) fn all(manifest: Option<&Path>) -> Result<Vec<Package>> {
    let mut cargo = Command::new(cargo());
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    if let Some(manifest) = manifest {
        cargo.arg("--manifest-path").arg(manifest);
    }
    let output = cargo.stdin(Stdio::null()).output().map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot run cargo, which knows the packages: {error}")).with_source(error)
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Config,
            format!("cargo finds no package: {}", first.trim_start_matches("error: ")),
        )
        .with_help("start the tool in the folder of a package, or name it: --manifest-path FILE"));
    }
    read(&output.stdout)
}

/// The folder of the package of this name.
pub(super) fn folder(manifest: Option<&Path>, name: &str) -> Result<PathBuf> {
    let all = all(manifest)?;
    let names: Vec<String> = all.iter().map(|package| package.name.clone()).collect();
    let found = all.into_iter().find(|package| package.name == name).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("the workspace has no package `{name}`"))
            .with_help(format!("it has {}", names.join(", ")))
    })?;
    Ok(found.folder())
}

/// The cargo that runs this tool, or the one in the path.
pub(super) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn read(json: &[u8]) -> Result<Vec<Package>> {
    let metadata: Metadata = serde_json::from_slice(json)
        .map_err(|error| Error::new(ErrorKind::Config, "cargo's metadata cannot be read").with_source(error))?;
    Ok(metadata.packages)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::read;

    #[test]
    fn features_are_found_wherever_they_stand() {
        let json = br#"{"packages": [
            {"name": "a", "manifest_path": "/w/a/Cargo.toml", "dependencies": [
                {"name": "covet-orm", "rename": "orm", "features": ["uuid", "x"]}, {"name": "serde", "features": ["y"]}],
             "features": {"big": ["orm/z", "orm?/x", "serde/derive", "other"]}},
            {"name": "b", "manifest_path": "/w/b/Cargo.toml"}]}"#;
        let all = read(json).unwrap();
        assert_eq!(all[0].features(), ["uuid", "x", "z"]);
        assert!(all[0].uses_covet() && !all[1].uses_covet());
        assert_eq!(all[1].folder().to_str(), Some("/w/b"));
    }
}
