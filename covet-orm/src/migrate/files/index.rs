//! `migrations/index`: the names of the migrations, a line each. A program that has the migrations built in is built
//! again when this file changes, because cargo watches files and not folders. Lines that two branches add are both
//! kept (`.gitattributes`); nobody reads the file for what it says.

use std::path::Path;

use covet_drivers::Result;

use crate::migrate::files::text::failed;

const INDEX: &str = "index";
const ATTRIBUTES: &str = ".gitattributes";

/// Writes what is in the folder now.
pub(super) fn write(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed("read", folder, error))? {
        let entry = entry.map_err(|error| failed("read", folder, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    put(&folder.join(INDEX), &text)?;
    let attributes = folder.join(ATTRIBUTES);
    if attributes.exists() { Ok(()) } else { put(&attributes, "index merge=union\n") }
}

fn put(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| failed("write", path, error))
}
