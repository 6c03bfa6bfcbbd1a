//! Triggers that a migration would leave behind broken: SQLite finds out only when the next row comes.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind};
use crate::sqlite::ddl::quote;
use crate::sqlite::errors::{self, Stop};
use crate::sqlite::session::Session;
use crate::sqlite::token::tokens;

/// What a trigger can wait for.
const EVENTS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// The names of triggers, by what they are on and wait for.
type Triggers = BTreeMap<(String, &'static str), Vec<String>>;

/// Triggers of one table, or view, that run with the same statements, of which one cannot.
struct Stuck {
    sql: String,
    triggers: Vec<String>,
    told: String,
}

impl Session {
    /// The triggers that can run, and with them all others that wait for the same.
    pub(super) fn sound_triggers(&self) -> Result<BTreeSet<String>, Stop> {
        let all = self.triggers()?;
        let stuck: BTreeSet<String> = self.stuck(all.clone()).into_iter().flat_map(|stuck| stuck.triggers).collect();
        Ok(all.into_values().flatten().filter(|name| !stuck.contains(name)).collect())
    }

    /// Stops a migration that breaks a trigger which could run before. After an error the triggers are not all there any
    /// more: the migration is rolled back.
    pub(super) fn check_triggers(&self, sound: &BTreeSet<String>) -> Result<(), Stop> {
        // A trigger that is new may be about a table that is still to come.
        let is_broken = |stuck: &Stuck| stuck.triggers.iter().all(|name| sound.contains(name));
        let Some(stuck) = self.stuck(self.triggers()?).into_iter().find(is_broken) else { return Ok(()) };
        let name = self.which(&stuck)?;
        let text = format!("the trigger {name} could not run any more: {}", stuck.told);
        Err(Error::new(ErrorKind::Migration, text)
            .with_help("drop the trigger in the migration and create it anew behind the change, or declare it")
            .into())
    }

    /// The one of them without which SQLite says something else: it tells what is wrong, not in which trigger.
    fn which(&self, stuck: &Stuck) -> Result<String, Stop> {
        for name in &stuck.triggers {
            self.pragma(&format!("DROP TRIGGER main.{}", quote(name))).map_err(errors::stop)?;
            if self.told(&stuck.sql).as_ref() != Some(&stuck.told) {
                return Ok(name.clone());
            }
        }
        Ok(stuck.triggers.join(", "))
    }

    /// What SQLite says against a statement.
    fn told(&self, sql: &str) -> Option<String> {
        self.db.prepare(sql).err().map(|error| error.to_string())
    }

    /// Those of the triggers that cannot run.
    fn stuck(&self, all: Triggers) -> Vec<Stuck> {
        let mut found = Vec::new();
        for ((on, event), triggers) in all {
            // A table of which that cannot be told is a view that cannot be read, which is looked at elsewhere.
            let Ok(Some(sql)) = self.firing(&on, event) else { continue };
            if let Some(told) = self.told(&sql) {
                found.push(Stuck { sql, triggers, told });
            }
        }
        found
    }

    fn triggers(&self) -> Result<Triggers, Stop> {
        let list = "SELECT tbl_name, name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY name";
        let mut list = self.db.prepare(list).map_err(errors::stop)?;
        let rows = list
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String, String)>>>)
            .map_err(errors::stop)?;
        let mut found = Triggers::new();
        for (on, name, sql) in rows {
            if let Some(event) = event(&sql) {
                found.entry((on, event)).or_default().push(name);
            }
        }
        Ok(found)
    }

    /// A statement with which the triggers run. It is prepared and never stepped.
    fn firing(&self, on: &str, event: &str) -> rusqlite::Result<Option<String>> {
        let on_name = quote(on);
        match event {
            "INSERT" => return Ok(Some(format!("INSERT INTO main.{on_name} DEFAULT VALUES"))),
            "DELETE" => return Ok(Some(format!("DELETE FROM main.{on_name}"))),
            _ => {}
        }
        let mut columns = self.db.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
        let names = columns.query_map([on], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        // Every column, because a trigger may wait for any.
        let set: Vec<String> = names.iter().map(|name| format!("{0} = {0}", quote(name))).collect();
        Ok((!set.is_empty()).then(|| format!("UPDATE main.{on_name} SET {}", set.join(", "))))
    }
}

/// What a trigger waits for, by its text, which begins as `CREATE TRIGGER name` whatever was said there before.
fn event(sql: &str) -> Option<&'static str> {
    let words = tokens(sql)?;
    let place = |event: &str| words.iter().skip(3).position(|word| word.is_word(event));
    EVENTS.into_iter().filter_map(|event| Some((place(event)?, event))).min().map(|(_, event)| event)
}

#[cfg(test)]
mod tests {
    use super::event;

    #[test]
    fn what_a_trigger_waits_for() {
        for (sql, waits) in [
            ("CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM t; END", "INSERT"),
            (
                "CREATE TRIGGER \"insert\" BEFORE update OF a, \"delete\" ON t BEGIN INSERT INTO u VALUES (1); END",
                "UPDATE",
            ),
            ("CREATE TRIGGER main.a DELETE ON t BEGIN UPDATE u SET a = 1; END", "DELETE"),
            ("CREATE TRIGGER a INSTEAD OF INSERT ON v BEGIN SELECT 1; END", "INSERT"),
        ] {
            assert_eq!(event(sql), Some(waits), "{sql}");
        }
    }
}
