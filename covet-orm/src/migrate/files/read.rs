//! Reads the folder: every migration whole, each behind those that it follows.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::graph::Graph;
use crate::migrate::files::{Files, Folder, Migration, PLAN, Plan, SNAPSHOT, Texts, at, checksum, text};

pub(super) fn read(path: &Path) -> Result<Folder> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Folder { path: path.to_owned(), graph: Graph::default() });
        }
        Err(error) => return Err(text::failed("read", path, error)),
    };
    let mut by_id: BTreeMap<String, Migration> = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| text::failed("read", path, error))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden || !entry.path().is_dir() {
            continue;
        }
        insert(&mut by_id, migration(&entry.path())?)?;
    }
    Ok(Folder { path: path.to_owned(), graph: Graph::new(by_id)? })
}

/// The migrations that are built into the program.
pub(super) fn embedded(migrations: &'static [(&'static str, Files)]) -> Result<Folder> {
    let mut by_id: BTreeMap<String, Migration> = BTreeMap::new();
    for (name, files) in migrations {
        insert(&mut by_id, described(Path::new(name), Texts::Embedded(files))?)?;
    }
    Ok(Folder { path: PathBuf::new(), graph: Graph::new(by_id)? })
}

fn insert(by_id: &mut BTreeMap<String, Migration>, migration: Migration) -> Result<()> {
    match by_id.insert(migration.plan.id.clone(), migration.clone()) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            ErrorKind::Migration,
            format!(
                "two migrations have the id {}: {} and {}",
                other.plan.id,
                other.path.display(),
                migration.path.display()
            ),
        )),
    }
}

fn migration(path: &Path) -> Result<Migration> {
    for file in [PLAN, SNAPSHOT] {
        if !path.join(file).is_file() {
            return Err(Error::new(ErrorKind::Migration, format!("{} has no {file}", path.display()))
                .with_help("restore the file, or remove the folder if it is no migration"));
        }
    }
    described(path, Texts::Folder)
}

fn described(path: &Path, texts: Texts) -> Result<Migration> {
    let file = path.join(PLAN);
    let text = texts
        .read(path, PLAN)?
        .ok_or_else(|| Error::new(ErrorKind::Migration, format!("{} has no {PLAN}", path.display())))?;
    let plan = Plan::from_toml(&text).map_err(|error| at(&file, &error))?;
    let wanted = folder_name(&plan.id, &plan.name);
    if path.file_name().is_none_or(|name| name.to_string_lossy() != wanted) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("{} holds the migration {wanted}: the folder was renamed or copied", path.display()),
        ));
    }
    Ok(Migration { path: path.to_owned(), plan, plan_sum: checksum(&text), texts })
}

/// What the folder of a migration is called.
pub(super) fn folder_name(id: &str, name: &str) -> String {
    format!("{id}_{name}")
}
