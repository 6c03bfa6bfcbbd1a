//! `cargo covet init`: writes `covet.toml`.

use std::path::Path;

use covet_drivers::{Error, ErrorKind, Result};

use crate::cli::config::FILE;
use crate::migrate::Target;

pub(super) fn init(root: &Path, databases: &[String]) -> Result<()> {
    let mut names = databases.iter().map(|name| Ok(Target::named(name.trim())?.name())).collect::<Result<Vec<_>>>()?;
    names.sort_unstable();
    names.dedup();
    let path = root.join(FILE);
    if path.exists() {
        return Err(Error::new(ErrorKind::Config, format!("{} exists already", path.display())));
    }
    std::fs::write(&path, content(&names)).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display())).with_source(error)
    })?;
    println!("wrote {}", path.display());
    println!("add this as the first line of your `fn main`, so that the models can be asked for:");
    println!("    covet_orm::tool!();");
    println!("then make the first migration: cargo covet migrate make");
    Ok(())
}

fn content(names: &[&str]) -> String {
    let list: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "# The databases that migrations are made for.\ndatabases = [{}]\n\n\
         # Where the migrations are, seen from this file.\nmigrations = \"migrations\"\n\n\
         # The database to migrate, when neither --url nor DATABASE_URL (also in .env) says so.\n\
         # [url]\n# {} = \"…\"\n\n\
         # The program that has the models, where the package has more than one.\n\
         # [tool]\n# bin = \"…\"\n",
        list.join(", "),
        names.first().copied().unwrap_or_default(),
    )
}
