//! Writes a migration: all its files at once, or none.

use std::path::{Path, PathBuf};

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Plan, index, read, text};

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
    index::write(folder)?;
    Ok(path)
}

/// Removes the folders of migrations. Each disappears at once, and is not half there when the program ends on the way.
pub(in crate::migrate) fn remove(folder: &Path, migrations: &[PathBuf]) -> Result<()> {
    for path in migrations {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let gone = folder.join(format!(".removed_{name}"));
        std::fs::rename(path, &gone).map_err(|error| text::failed("remove", path, error))?;
        std::fs::remove_dir_all(&gone).map_err(|error| text::failed("remove", &gone, error))?;
    }
    index::write(folder)
}
