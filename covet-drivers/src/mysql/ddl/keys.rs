//! Indexes and foreign keys, and the index behind a foreign key.

use crate::catalog::{Action, Check, Column, ForeignKey, Index, Table};
use crate::error::{Error, Result};
use crate::mysql::ddl::Plan;
use crate::mysql::ddl::definition::{self, names};
use crate::mysql::dialect::quote;

impl Plan<'_> {
    pub(crate) fn add_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let t = quote(table);
        if index.unique {
            self.twice(table, &index.column_names());
        }
        let terms: Vec<String> = index
            .terms
            .iter()
            .filter_map(|term| Some(quote(term.as_column()?) + if term.descending { " DESC" } else { "" }))
            .collect();
        self.push(format!("CREATE {unique}INDEX {} ON {t} ({})", quote(&index.name), terms.join(", ")));
        // What the new index serves needs no index of its own any more.
        let known = self.table(table)?;
        let spare: Vec<String> = self
            .keys_of(known)
            .filter(|key| !is_served(known, &key.columns) && index.leads(&key.columns))
            .map(|key| key.name.clone())
            .collect();
        for name in spare {
            self.note(format!("DROP INDEX {} ON {t}", quote(&name)), "another index serves the foreign key now");
        }
        Ok(())
    }

    /// What stands before and behind the definition of a column that is numbered from now on: it must be the key by
    /// then, and the change of the key comes later. The third are indexes that the key is in place of from then on.
    pub(crate) fn key_of_numbered(&mut self, table: &str, column: &str) -> Result<(&'static str, String, Vec<String>)> {
        let key = vec![column.to_owned()];
        let now = self.table(table)?.clone();
        if now.primary_key == key {
            return Ok(("", String::new(), Vec::new()));
        }
        self.twice(table, &key);
        let behind = format!(", ADD PRIMARY KEY ({})", names(&key));
        let keyed = Table { primary_key: key.clone(), ..now.clone() };
        let keys: Vec<ForeignKey> = self.keys_of(&now).cloned().collect();
        let served = |by: &Table, other: &Table| -> Vec<ForeignKey> {
            let found = keys.iter().filter(|key| is_served(by, &key.columns) && !is_served(other, &key.columns));
            found.cloned().collect()
        };
        for key in served(&now, &keyed) {
            let sql = format!("CREATE INDEX {} ON {} ({})", quote(&key.name), quote(table), names(&key.columns));
            self.note(sql, "the foreign key needs an index");
        }
        let spare = served(&keyed, &now).into_iter().map(|key| key.name).collect();
        self.table_mut(table)?.primary_key = key;
        Ok((if now.primary_key.is_empty() { "" } else { "DROP PRIMARY KEY, " }, behind, spare))
    }

    pub(crate) fn alter_primary_key(&mut self, table: &str, before: &[String], after: &[String]) -> Result<()> {
        let now = self.table(table)?.primary_key.clone();
        if now == after {
            // A numbered column that came is a key already, or it could not be numbered.
            return Ok(());
        }
        let mut actions = Vec::new();
        if !before.is_empty() {
            for name in before.iter().filter(|name| !after.contains(name)) {
                let column = self.column(table, name)?.clone();
                if column.auto {
                    let plain = Column { auto: false, ..column.clone() };
                    self.keep_unsaid(table, &column, &plain);
                    let definition = definition::column(table, &plain)?;
                    let sql = format!("ALTER TABLE {} MODIFY COLUMN {definition}", quote(table));
                    self.note(sql, "only a key can be numbered");
                    for known in self.table_mut(table)?.columns.iter_mut().filter(|known| known.name == *name) {
                        known.auto = false;
                    }
                }
            }
            actions.push("DROP PRIMARY KEY".to_owned());
        }
        if !after.is_empty() {
            if !self.is_new(table) {
                let nulls: Vec<String> = after.iter().map(|column| format!("{} IS NULL", quote(column))).collect();
                self.guard(
                    table,
                    |name| after.iter().any(|column| column == name),
                    |from| format!("SELECT COUNT(*) FROM {from} WHERE {}", nulls.join(" OR ")),
                    format!("rows of {table} have NULL in its new primary key ({})", after.join(", ")),
                );
            }
            self.twice(table, after);
            actions.push(format!("ADD PRIMARY KEY ({})", names(after)));
        }
        let known = self.table(table)?.clone();
        let keyed = Table { primary_key: after.to_vec(), ..known.clone() };
        let keys: Vec<ForeignKey> = self.keys_of(&known).cloned().collect();
        let served = |by: &Table, other: &Table| -> Vec<(String, String)> {
            let keys = keys.iter().filter(|key| is_served(by, &key.columns) && !is_served(other, &key.columns));
            keys.map(|key| (quote(&key.name), names(&key.columns))).collect()
        };
        let t = quote(table);
        for (name, columns) in served(&known, &keyed) {
            self.note(format!("CREATE INDEX {name} ON {t} ({columns})"), "the foreign key needs an index");
        }
        self.push(format!("ALTER TABLE {t} {}", actions.join(", ")));
        for (name, _) in served(&keyed, &known) {
            self.note(format!("DROP INDEX {name} ON {t}"), "the primary key serves the foreign key now");
        }
        Ok(())
    }

    pub(crate) fn add_check(&mut self, table: &str, check: &Check) {
        self.misfits(table, check);
        self.restore_check(table, check);
    }

    /// Adds a check whose rows are known to fit.
    pub(crate) fn restore_check(&mut self, table: &str, check: &Check) {
        self.push(format!("ALTER TABLE {} ADD {}", quote(table), definition::check(check)));
    }

    pub(crate) fn drop_check(&mut self, table: &str, check: &Check) {
        let parked = self.parked_checks.len();
        self.parked_checks.retain(|(owner, name)| owner != table || *name != check.name);
        if self.parked_checks.len() < parked {
            // It has gone already.
            return;
        }
        self.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", quote(table), quote(&check.name)));
    }

    pub(crate) fn drop_index(&mut self, table: &str, index: &Index) -> Result<()> {
        let t = quote(table);
        let mut known = self.table(table)?.clone();
        known.indexes.retain(|other| other.name != index.name);
        let bare: Vec<(String, String)> = self
            .keys_of(&known)
            .filter(|key| !is_served(&known, &key.columns) && index.leads(&key.columns))
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
        self.write_foreign_key(table, key)
    }

    /// Adds a constraint again that stepped aside; its index is there.
    pub(crate) fn restore_foreign_key(&mut self, table: &str, key: ForeignKey) -> Result<()> {
        self.write_foreign_key(table, &key)?;
        self.table_mut(table)?.foreign_keys.push(key);
        Ok(())
    }

    fn write_foreign_key(&mut self, table: &str, key: &ForeignKey) -> Result<()> {
        let sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
            quote(table),
            quote(&key.name),
            names(&key.columns),
            quote(&key.target),
            names(&key.target_columns),
            action(key, key.on_delete)?,
            action(key, key.on_update)?,
        );
        self.foreign_key_online(table, key, sql);
        Ok(())
    }

    /// Neither foreign keys nor checks can be renamed, so they are made again; the rows are known to fit.
    pub(crate) fn rename_constraint(&mut self, table: &str, from: &str, to: &str) -> Result<()> {
        if let Some(at) = self.parked.iter().position(|(owner, key)| owner == table && key.name == from) {
            let (_, key) = self.parked.remove(at);
            if !is_served(self.table(table)?, &key.columns) {
                let names = (quote(from), quote(to));
                self.push(format!("ALTER TABLE {} RENAME INDEX {} TO {}", quote(table), names.0, names.1));
            }
            self.table_mut(table)?.foreign_keys.push(key.clone());
            return self.write_foreign_key(table, &ForeignKey { name: to.to_owned(), ..key });
        }
        let (t, known) = (quote(table), self.table(table)?.clone());
        if let Some(check) = known.checks.iter().find(|check| check.name == from) {
            self.drop_check(table, check);
            self.restore_check(table, &Check { name: to.to_owned(), ..check.clone() });
        } else if let Some(key) = known.foreign_keys.iter().find(|key| key.name == from) {
            self.push(format!("ALTER TABLE {t} DROP FOREIGN KEY {}", quote(from)));
            if !is_served(&known, &key.columns) {
                let (from, to) = (quote(from), quote(to));
                self.note(format!("ALTER TABLE {t} RENAME INDEX {from} TO {to}"), "it is there for the foreign key");
            }
            self.write_foreign_key(table, &ForeignKey { name: to.to_owned(), ..key.clone() })?;
        }
        Ok(())
    }

    pub(crate) fn drop_foreign_key(&mut self, table: &str, key: &ForeignKey) -> Result<()> {
        let t = quote(table);
        let parked = self.parked.len();
        self.parked.retain(|(owner, known)| owner != table || known.name != key.name);
        if self.parked.len() == parked {
            self.push(format!("ALTER TABLE {t} DROP FOREIGN KEY {}", quote(&key.name)));
        } else {
            // It has gone already, and its change is still to be made.
            self.table_mut(table)?.foreign_keys.push(key.clone());
        }
        if !is_served(self.table(table)?, &key.columns) {
            self.note(format!("DROP INDEX {} ON {t}", quote(&key.name)), "it was there for the foreign key");
        }
        Ok(())
    }
}

impl Plan<'_> {
    /// The foreign keys of a table, those too that stepped aside: their indexes are still there.
    fn keys_of<'k>(&'k self, table: &'k Table) -> impl Iterator<Item = &'k ForeignKey> {
        let parked = self.parked.iter().filter(|(owner, _)| *owner == table.name).map(|(_, key)| key);
        table.foreign_keys.iter().chain(parked)
    }
}

/// Whether the primary key or a declared index begins with these columns.
fn is_served(table: &Table, columns: &[String]) -> bool {
    table.primary_key.starts_with(columns) || table.indexes.iter().any(|index| index.leads(columns))
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
