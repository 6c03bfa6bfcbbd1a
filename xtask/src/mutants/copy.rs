//! A copy of the repository to be broken: only what differs is written, so that cargo builds only what was changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::process::{capture, workspace};

/// What is no source: what was built, and what git keeps.
const LEFT_OUT: [&str; 2] = ["target", ".git"];

/// The copy, and the folder that it is built into. Both are kept from run to run.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) source: PathBuf,
    pub(super) target: PathBuf,
    pub(super) logs: PathBuf,
}

impl Copy {
    /// Makes or renews the copy.
    pub(super) fn make() -> Outcome<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        let root = workspace().join(target).join("mutants");
        let copy = Copy { source: root.join("source"), target: root.join("target"), logs: root.join("logs") };
        for folder in [&copy.source, &copy.target, &copy.logs] {
            fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        copy.restore()?;
        Ok(copy)
    }

    /// Makes it like the repository again.
    pub(super) fn restore(&self) -> Outcome {
        renew(&workspace(), &self.source).map_err(|error| format!("cannot copy the repository: {error}"))
    }

    /// Breaks it. A patch whose lines are not there any more is refused.
    pub(super) fn apply(&self, patch: &Path) -> Outcome {
        let mut git = Command::new("git");
        git.args(["apply", "--whitespace=nowarn"]).arg(patch).current_dir(&self.source);
        // The copy may lie in a repository, as which git would take it, and leave out what is not in its folder.
        git.env("GIT_CEILING_DIRECTORIES", self.source.parent().unwrap_or(&self.source));
        capture(&mut git).map(drop)
    }
}

/// Makes one folder like the other.
fn renew(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (old, new) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            renew(&old, &new)?;
        } else {
            let bytes = fs::read(&old)?;
            if fs::read(&new).ok().as_ref() != Some(&bytes) {
                fs::write(&new, bytes)?;
            }
        }
        names.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
    }
    Ok(())
}
