//! Reads the folder: every migration whole, in one line from the first to the last.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::files::{Folder, Migration, PLAN, Plan, SNAPSHOT, at, text};

pub(super) fn read(path: &Path) -> Result<Folder> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Folder { path: path.to_owned(), migrations: Vec::new() });
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
        let migration = migration(&entry.path())?;
        if let Some(other) = by_id.insert(migration.plan.id.clone(), migration.clone()) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "two migrations have the id {}: {} and {}",
                    other.plan.id,
                    other.path.display(),
                    migration.path.display()
                ),
            ));
        }
    }
    Ok(Folder { path: path.to_owned(), migrations: line(by_id)? })
}

fn migration(path: &Path) -> Result<Migration> {
    for file in [PLAN, SNAPSHOT] {
        if !path.join(file).is_file() {
            return Err(Error::new(ErrorKind::Migration, format!("{} has no {file}", path.display()))
                .with_help("restore the file, or remove the folder if it is no migration"));
        }
    }
    let file = path.join(PLAN);
    let plan = Plan::from_toml(&text::read(&file)?).map_err(|error| at(&file, &error))?;
    let wanted = folder_name(&plan.id, &plan.name);
    if path.file_name().is_none_or(|name| name.to_string_lossy() != wanted) {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("{} holds the migration {wanted}: the folder was renamed or copied", path.display()),
        ));
    }
    Ok(Migration { path: path.to_owned(), plan })
}

/// What the folder of a migration is called.
pub(super) fn folder_name(id: &str, name: &str) -> String {
    format!("{id}_{name}")
}

/// The migrations from the first to the last.
fn line(mut by_id: BTreeMap<String, Migration>) -> Result<Vec<Migration>> {
    let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for migration in by_id.values() {
        let parents = migration.parents();
        if let [_, second, ..] = parents {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the migration {} follows {second} and others, which is not supported yet", migration.id()),
            ));
        }
        if let Some(parent) = parents.iter().find(|parent| !by_id.contains_key(*parent)) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the migration {} follows {parent}, which is not there", migration.id()),
            )
            .with_help("restore the folder of that migration"));
        }
        let after = parents.first().cloned().unwrap_or_default();
        next.entry(after).or_default().push(migration.id().to_owned());
    }
    let mut order = Vec::new();
    let mut last = String::new();
    while let Some(followers) = next.remove(&last) {
        if let [first, second, ..] = &followers[..] {
            let after = if last.is_empty() { "are the first".to_owned() } else { format!("follow {last}") };
            return Err(Error::new(ErrorKind::Migration, format!("the migrations {first} and {second} both {after}"))
                .with_help("remove the one that is applied nowhere yet, and make it again"));
        }
        let Some(migration) = followers.first().and_then(|id| by_id.remove(id)) else { break };
        migration.id().clone_into(&mut last);
        order.push(migration);
    }
    match by_id.into_values().next() {
        None => Ok(order),
        Some(lost) => Err(Error::new(
            ErrorKind::Migration,
            format!("the migration {} follows itself in a circle of parents", lost.id()),
        )),
    }
}
