//! Indexes and foreign keys, and the index behind a foreign key.

use crate::catalog::{Action, ForeignKey, Index, Table};
use crate::contract::Step;
use crate::error::{Error, Result};
use crate::mysql::ddl::Plan;
use crate::mysql::ddl::definition::names;
use crate::mysql::dialect::quote;

impl Plan<'_> {
    pub(crate) fn add_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let (t, columns) = (quote(table), names(&index.columns));
        if index.unique && !self.is_new(table) {
            let present: Vec<String> =
                index.columns.iter().map(|name| format!("{} IS NOT NULL", quote(name))).collect();
            self.steps.push(Step::guard(
                format!(
                    "SELECT COUNT(*) FROM (SELECT 1 FROM {t} WHERE {} GROUP BY {columns} HAVING COUNT(*) > 1) AS twice",
                    present.join(" AND ")
                ),
                format!("values of {table} ({}) that more than one row has", index.columns.join(", ")),
            ));
        }
        self.push(format!("CREATE {unique}INDEX {} ON {t} ({columns})", quote(&index.name)));
        let known = self.table(table)?;
        // What the new index serves needs no index of its own any more.
        let spare: Vec<String> = known
            .foreign_keys
            .iter()
            .filter(|key| !is_served(known, &key.columns) && leads(&index.columns, &key.columns))
            .map(|key| key.name.clone())
            .collect();
        for name in spare {
            self.note(format!("DROP INDEX {} ON {t}", quote(&name)), "another index serves the foreign key now");
        }
        self.table_mut(table)?.indexes.push(index.clone());
        Ok(())
    }

    pub(crate) fn drop_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let t = quote(table);
        self.table_mut(table)?.indexes.retain(|known| known.name != index.name);
        let known = self.table(table)?;
        let bare: Vec<(String, String)> = known
            .foreign_keys
            .iter()
            .filter(|key| !is_served(known, &key.columns) && leads(&index.columns, &key.columns))
            .map(|key| (key.name.clone(), names(&key.columns)))
            .collect();
        for (name, columns) in bare {
            self.note(format!("CREATE INDEX {} ON {t} ({columns})", quote(&name)), "the foreign key needs an index");
        }
        self.push(format!("DROP INDEX {} ON {t}", quote(&index.name)));
        Ok(())
    }

    pub(crate) fn add_foreign_key(&mut self, table: &str, key: &ForeignKey) -> Result<()> {
        self.orphans(table, key);
        let known = self.table(table)?;
        if !is_served(known, &key.columns) {
            let sql = format!("CREATE INDEX {} ON {} ({})", quote(&key.name), quote(table), names(&key.columns));
            self.note(sql, "the foreign key needs an index");
        }
        self.restore_foreign_key(table, key.clone())
    }

    /// Stops the migration when rows point at rows that are not there.
    fn orphans(&mut self, table: &str, key: &ForeignKey) {
        if self.is_new(table) {
            return;
        }
        let present: Vec<String> = key.columns.iter().map(|name| format!("c.{} IS NOT NULL", quote(name))).collect();
        let pairs = key.columns.iter().zip(&key.target_columns);
        let same: Vec<String> = pairs.map(|(own, other)| format!("p.{} = c.{}", quote(other), quote(own))).collect();
        self.steps.push(Step::guard(
            format!(
                "SELECT COUNT(*) FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
                quote(table),
                present.join(" AND "),
                quote(&key.target),
                same.join(" AND ")
            ),
            format!("rows of {table} ({}) point at rows of {} that do not exist", key.columns.join(", "), key.target),
        ));
    }

    /// Adds the constraint alone; its index is there.
    pub(crate) fn restore_foreign_key(&mut self, table: &str, key: ForeignKey) -> Result<()> {
        self.push(format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
            quote(table),
            quote(&key.name),
            names(&key.columns),
            quote(&key.target),
            names(&key.target_columns),
            action(&key, key.on_delete)?,
            action(&key, key.on_update)?,
        ));
        self.table_mut(table)?.foreign_keys.push(key);
        Ok(())
    }

    pub(crate) fn drop_foreign_key(&mut self, table: &str, key: &ForeignKey) -> Result<()> {
        let t = quote(table);
        let parked = self.parked.len();
        self.parked.retain(|(owner, known)| owner != table || known.name != key.name);
        if self.parked.len() == parked {
            self.push(format!("ALTER TABLE {t} DROP FOREIGN KEY {}", quote(&key.name)));
        }
        self.table_mut(table)?.foreign_keys.retain(|known| known.name != key.name);
        if !is_served(self.table(table)?, &key.columns) {
            self.note(format!("DROP INDEX {} ON {t}", quote(&key.name)), "it was there for the foreign key");
        }
        Ok(())
    }
}

/// Whether the primary key or a declared index begins with these columns.
fn is_served(table: &Table, columns: &[String]) -> bool {
    leads(&table.primary_key, columns) || table.indexes.iter().any(|index| leads(&index.columns, columns))
}

fn leads(index: &[String], columns: &[String]) -> bool {
    index.starts_with(columns)
}

fn action(key: &ForeignKey, action: Action) -> Result<&'static str> {
    if action == Action::SetDefault {
        return Err(set_default(&key.name));
    }
    Ok(action.sql())
}

/// The server takes the clause and drops it in silence.
pub(crate) fn set_default(key: &str) -> Error {
    Error::unsupported(format_args!("SET DEFAULT on the foreign key {key}"), "mysql")
        .with_constraint(key)
        .with_help("use SET NULL, or CASCADE")
}
