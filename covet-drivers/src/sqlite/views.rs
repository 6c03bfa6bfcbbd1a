//! Views that a migration would leave behind broken: SQLite changes what they read without a word.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::sqlite::ddl::quote;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::session::Session;

impl Session {
    /// The views that cannot be read.
    pub(super) fn broken_views(&self) -> Result<BTreeSet<String>, Stop> {
        let mut list =
            self.db.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'view'").map_err(errors::stop)?;
        let names = list
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>)
            .map_err(errors::stop)?;
        let is_broken = |name: &String| self.db.prepare(&format!("SELECT * FROM main.{}", quote(name))).is_err();
        Ok(names.into_iter().filter(is_broken).collect())
    }

    /// Stops a migration that breaks a view which could be read before.
    pub(super) fn check_views(&self, before: &BTreeSet<String>) -> Result<(), Stop> {
        match self.broken_views()?.into_iter().find(|name| !before.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let told = match self.db.prepare(&format!("SELECT * FROM main.{}", quote(&name))) {
                    Ok(_) => String::new(),
                    Err(error) => format!(": {error}"),
                };
                let text = format!("the view {name} could not be read any more{told}");
                Err(Error::new(ErrorKind::Migration, text)
                    .with_help("drop the view in the migration and create it anew behind the change, or declare it")
                    .into())
            }
        }
    }
}
