//! Writes a migration: all its files at once, or none.

use std::path::{Path, PathBuf};

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Plan, read, text};

/// Writes the files of a migration into a folder of its own, and gives that folder.
pub(in crate::migrate) fn write(folder: &Path, plan: &Plan, files: &[(String, String)]) -> Result<PathBuf> {
    let name = read::folder_name(&plan.id, &plan.name);
    let (path, draft) = (folder.join(&name), folder.join(format!(".{name}")));
    if path.exists() {
        return Err(Error::new(ErrorKind::Migration, format!("{} exists already", path.display())));
    }
    std::fs::create_dir_all(&draft).map_err(|error| text::failed("create", &draft, error))?;
    for (file, content) in files {
        let file = draft.join(file);
        std::fs::write(&file, content).map_err(|error| text::failed("write", &file, error))?;
    }
    std::fs::rename(&draft, &path).map_err(|error| text::failed("create", &path, error))?;
    Ok(path)
}
