//! The frame of a migration: foreign keys off and checked, views and triggers checked, and what a rebuild leaves to be
//! made again.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::TransactionOptions;
use crate::error::{Error, ErrorKind};
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::session::Session;

/// Foreign keys that point nowhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Violations {
    /// How many, by table and the table pointed at.
    found: BTreeMap<(String, String), u64>,
    /// All tables that there were.
    tables: BTreeSet<String>,
}

impl Violations {
    /// The first that a migration has made: more of a table than before. What pointed nowhere from a table, or to one,
    /// that goes by another name now is none.
    fn fresh(&self, before: &Violations) -> Option<((String, String), u64)> {
        let is_gone = |(table, parent): &(String, String)| {
            let gone = |name: &String| before.tables.contains(name) && !self.tables.contains(name);
            gone(table) || gone(parent)
        };
        let is_new = |(table, parent): &(String, String)| {
            let new = |name: &String| self.tables.contains(name) && !before.tables.contains(name);
            new(table) || new(parent)
        };
        let mut moved: u64 = before.found.iter().filter(|(place, _)| is_gone(place)).map(|(_, count)| count).sum();
        for (place, count) in &self.found {
            let more = count.saturating_sub(before.found.get(place).copied().unwrap_or(0));
            let known = if is_new(place) { more.min(moved) } else { 0 };
            moved -= known;
            if more > known {
                return Some((place.clone(), *count));
            }
        }
        None
    }
}

/// The temporary table in which a rebuild keeps the texts of what it cannot carry itself.
pub(super) const KEPT: &str = "_covet_kept";

impl Session {
    /// Begins the transaction of a migration: foreign keys off, so that a table can be rebuilt.
    pub(super) fn begin_migration(&mut self, job: u64) -> Result<(), Stop> {
        // Inside a transaction the pragma would do nothing.
        self.pragma("PRAGMA foreign_keys = OFF").map_err(errors::stop)?;
        let on: bool = self.db.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).map_err(errors::stop)?;
        if on {
            return Err(
                Error::new(ErrorKind::Migration, "foreign keys cannot be switched off for the migration").into()
            );
        }
        if let Err(stop) = self.begin(job, TransactionOptions::default()) {
            self.after_migration()?;
            return Err(stop);
        }
        self.pragma("PRAGMA legacy_alter_table = ON").map_err(errors::stop)?;
        // A check that fails is the fault of the schema as it was; if the migration does not mend it,
        // the check at the end says so.
        self.violations = self.foreign_key_check().ok();
        self.broken = self.broken_views()?;
        self.sound = self.sound_triggers()?;
        Ok(())
    }

    /// Checks the foreign keys, the views and the triggers, commits, and switches the foreign keys on again.
    pub(super) fn commit_migration(&mut self, job: u64) -> Result<(), Stop> {
        match self.checked_commit(job) {
            // Nothing is lost: the same job comes again.
            Err(Stop::Busy(error)) => Err(Stop::Busy(error)),
            Ok(()) => self.after_migration(),
            Err(stop) => {
                self.rollback()?;
                self.after_migration()?;
                Err(stop)
            }
        }
    }

    fn checked_commit(&mut self, job: u64) -> Result<(), Stop> {
        self.pragma("PRAGMA legacy_alter_table = OFF").map_err(errors::stop)?;
        self.restore_kept()?;
        let before = self.violations.clone().unwrap_or_default();
        let fresh = self.foreign_key_check()?.fresh(&before);
        if let Some(((table, parent), count)) = fresh {
            let message = format!("{count} rows of {table} point at rows of {parent} that do not exist");
            return Err(Error::new(ErrorKind::ForeignKey, message).with_table(table).into());
        }
        self.check_views(&self.broken)?;
        self.check_triggers(&self.sound)?;
        self.commit(job)
    }

    /// Makes the triggers and indexes again that went with a table which a migration rebuilt.
    fn restore_kept(&mut self) -> Result<(), Stop> {
        let kept = {
            let known: u32 = self
                .db
                .query_row("SELECT count(*) FROM temp.sqlite_schema WHERE name = ?1", [KEPT], |row| row.get(0))
                .map_err(errors::stop)?;
            if known == 0 {
                return Ok(());
            }
            let mut statement = self
                .db
                .prepare(&format!("SELECT name, sql FROM temp.\"{KEPT}\" ORDER BY rowid"))
                .map_err(errors::stop)?;
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String)>>>)
                .map_err(errors::stop)?
        };
        for (name, sql) in kept {
            self.pragma(&sql).map_err(|error| {
                Stop::Error(
                    Error::new(
                        ErrorKind::Migration,
                        format!("{name} cannot be made again for the table that was rebuilt"),
                    )
                    .with_help("drop it in the migration, and create it anew afterwards")
                    .with_source(errors::plain(error)),
                )
            })?;
        }
        self.pragma(&format!("DROP TABLE temp.\"{KEPT}\"")).map_err(errors::stop)
    }

    /// Rolls a migration back and switches the foreign keys on again.
    pub(super) fn rollback_migration(&mut self) -> Result<(), Stop> {
        self.rollback()?;
        self.after_migration()
    }

    fn after_migration(&mut self) -> Result<(), Stop> {
        let on = if self.options.foreign_keys { "ON" } else { "OFF" };
        self.pragma(&format!("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = {on}")).map_err(errors::stop)?;
        self.violations = None;
        Ok(())
    }

    fn foreign_key_check(&self) -> Result<Violations, Stop> {
        let read = || {
            let mut statement = self.db.prepare("PRAGMA foreign_key_check")?;
            let mut rows = statement.query([])?;
            let mut violations = Violations::default();
            while let Some(row) = rows.next()? {
                *violations.found.entry((row.get(0)?, row.get(2)?)).or_default() += 1;
            }
            let mut statement = self.db.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'")?;
            violations.tables = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(violations)
        };
        read().map_err(errors::stop)
    }
}

#[cfg(test)]
mod tests {
    use super::Violations;

    fn violations(tables: &[&str], found: &[(&str, &str, u64)]) -> Violations {
        Violations {
            found: found.iter().map(|(table, parent, count)| (((*table).into(), (*parent).into()), *count)).collect(),
            tables: tables.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_was_there_before_is_no_fault_of_the_migration() {
        let before = violations(&["a", "p"], &[("a", "p", 2)]);
        for (tables, found) in [
            (&["a", "p"][..], &[("a", "p", 2)][..]),
            (&["b", "p"], &[("b", "p", 2)]),
            (&["a", "q"], &[("a", "q", 1)]),
            (&["b", "q"], &[("b", "q", 2)]),
        ] {
            assert_eq!(violations(tables, found).fresh(&before), None, "{found:?}");
        }
        for (tables, found) in [
            (&["a", "p"][..], &[("a", "p", 3)][..]),
            (&["b", "p"], &[("b", "p", 3)]),
            (&["a", "p", "b"], &[("a", "p", 2), ("b", "p", 1)]),
            (&["b", "c", "p"], &[("b", "p", 2), ("c", "p", 1)]),
        ] {
            assert!(violations(tables, found).fresh(&before).is_some(), "{found:?}");
        }
    }
}
