//! Views that a migration would leave behind broken: SQLite changes what they read without a word.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind};
use crate::sqlite::ddl::quote;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::session::Session;

impl Session {
    /// The views that cannot be read, each with what SQLite says.
    pub(super) fn broken_views(&self) -> Result<BTreeMap<String, String>, Stop> {
        let mut list =
            self.db.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'view'").map_err(errors::stop)?;
        let names = list
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>)
            .map_err(errors::stop)?;
        let broken = |name: String| {
            let error = self.db.prepare(&format!("SELECT * FROM main.{}", quote(&name))).err()?;
            Some((name, error.to_string()))
        };
        Ok(names.into_iter().filter_map(broken).collect())
    }

    /// Stops a migration that breaks a view which could be read before.
    pub(super) fn check_views(&self, before: &BTreeMap<String, String>) -> Result<(), Stop> {
        match self.broken_views()?.into_iter().find(|(name, _)| !before.contains_key(name)) {
            None => Ok(()),
            Some((name, told)) => {
                let text = format!("the view {name} could not be read any more: {told}");
                Err(Error::new(ErrorKind::Migration, text)
                    .with_help("drop the view in the migration and create it anew behind the change, or declare it")
                    .into())
            }
        }
    }
}
