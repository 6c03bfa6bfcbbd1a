//! Columns that come, go, change their name or become something else.

use crate::catalog::{Change, Check, Column, ColumnDefault, ColumnType, EnumType, ForeignKey};
use crate::error::{Error, ErrorKind, Result};
use crate::mysql::ddl::convert::unfit;
use crate::mysql::ddl::definition::{self, names};
use crate::mysql::ddl::{Plan, quotes};
use crate::mysql::defaults::default;
use crate::mysql::dialect::{literal, quote};
use crate::mysql::types::{check, comment, native};

impl Plan<'_> {
    pub(crate) fn add_column(&mut self, table: &str, column: &Column, backfill: Option<&ColumnDefault>) -> Result<()> {
        let t = quote(table);
        let lacks_value = !column.nullable && column.default.is_none() && !column.auto;
        let lacks_value = lacks_value && column.generated.is_none() && backfill.is_none();
        if lacks_value {
            // The server would fill in 0, '' or the first label without a word.
            let found =
                format!("{table} has rows, and its new column {} allows no NULL and has no default", column.name);
            self.guard(table, |_| false, |from| format!("SELECT COUNT(*) FROM {from}"), found);
        }
        let definition = definition::with_default(table, column, backfill.or(column.default.as_ref()))?;
        let key = match self.after.table(table) {
            Some(after) if column.auto && after.primary_key == [column.name.clone()] => {
                format!(", ADD PRIMARY KEY ({})", names(&after.primary_key))
            }
            _ if column.auto => {
                return Err(Error::unsupported(
                    format_args!("a numbered column {table}.{} beside the primary key", column.name),
                    "mysql",
                ));
            }
            _ => String::new(),
        };
        let leaving = self.leaving.iter().position(|(owner, _)| owner == table);
        let leaving = leaving.map(|at| self.leaving.remove(at).1 + ", ").unwrap_or_default();
        self.push(format!("ALTER TABLE {t} {leaving}ADD COLUMN {definition}{key}"));
        if backfill.is_some() && backfill != column.default.as_ref() {
            let definition = definition::column(table, column)?;
            self.note(format!("ALTER TABLE {t} MODIFY COLUMN {definition}"), "the default was for the rows that exist");
        }
        self.add_type_check(table, column);
        self.came(table, column, backfill.or(column.default.as_ref()))?;
        if column.auto {
            self.table_mut(table)?.primary_key = vec![column.name.clone()];
        }
        Ok(())
    }

    pub(crate) fn drop_column(&mut self, table: &str, column: &Column) -> Result<()> {
        let known = self.table(table)?;
        if let Some(index) = known.indexes.iter().find(|index| index.has(&column.name)) {
            // The server would shorten the index without a word.
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "the column {} of {table} is part of the index {}, which does not go first",
                    column.name, index.name
                ),
            ));
        }
        let drop = format!("DROP COLUMN {}", quote(&column.name));
        let is_last = known.columns.len() == 1;
        self.drop_type_check(table, &column.name, &column.ty);
        if is_last {
            // The server keeps one column at least: it goes by the statement that brings the next one.
            self.leaving.push((table.to_owned(), drop));
        } else {
            self.push(format!("ALTER TABLE {} {drop}", quote(table)));
        }
        Ok(())
    }

    pub(crate) fn rename_column(&mut self, table: &str, from: &str, to: &str, later: &[Change]) -> Result<()> {
        let aside = self.step_aside(table, from, to, later)?;
        let column = self.column(table, from)?.clone();
        // MySQL does not rename a column that a check reads.
        let known = self.table(table)?;
        let reading: Vec<Check> =
            known.checks.iter().filter(|check| check.expression.mentions(from)).cloned().collect();
        for check in &reading {
            let place = (table.to_owned(), check.name.clone());
            if !self.parked_checks.contains(&place) {
                self.drop_check(table, check);
                self.parked_checks.push(place);
            }
        }
        self.drop_type_check(table, from, &column.ty);
        self.push(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quote(table), quote(from), quote(to)));
        self.add_type_check(table, &Column { name: to.to_owned(), ..column });
        for check in reading {
            let expression = quotes::expression(&check.expression.renamed(from, to), [to]);
            let waits = later.iter().any(|change| match change {
                Change::DropCheck { table: t, check: other } => t == table && other.name == check.name,
                Change::RenameColumn { table: t, from, .. } => t == table && expression.mentions(from),
                _ => false,
            });
            if !waits {
                self.parked_checks.retain(|(owner, name)| owner != table || *name != check.name);
                self.restore_check(table, &Check { expression, ..check });
            }
        }
        let swap = |names: &mut Vec<String>| {
            for name in names.iter_mut().filter(|name| *name == from) {
                to.clone_into(name);
            }
        };
        for (owner, key) in &mut self.parked {
            if owner == table {
                swap(&mut key.columns);
            }
            if key.target == table {
                swap(&mut key.target_columns);
            }
        }
        self.step_back(table, aside, later)
    }

    pub(crate) fn alter_enum(&mut self, before: &EnumType, after: &EnumType, map: &[(String, String)]) -> Result<()> {
        let mut places = Vec::new();
        for table in &self.now.tables {
            for column in
                table.columns.iter().filter(|column| column.ty.as_enum().is_some_and(|ty| ty.name == before.name))
            {
                places.push((table.name.clone(), column.clone()));
            }
        }
        for (table, mut column) in places {
            if !map.is_empty() {
                column = self.map_labels(&table, column, after, map)?;
            }
            // Where the column's default changes too, its own change, which comes later, says so.
            let altered = Column { ty: ColumnType::Enum(after.clone()), ..column.clone() };
            let keeps = match &altered.default {
                Some(ColumnDefault::Text(label)) => after.labels.contains(label),
                _ => true,
            };
            let altered = if keeps { altered } else { Column { default: None, ..altered } };
            self.turn_into(&table, &column, &altered, None)?;
        }
        Ok(())
    }

    /// Gives rows another label in place of one that goes. A label that is new has to come first, beside the old ones.
    fn map_labels(
        &mut self,
        table: &str,
        column: Column,
        after: &EnumType,
        map: &[(String, String)],
    ) -> Result<Column> {
        let Some(before) = column.ty.as_enum() else { return Ok(column) };
        let fresh = after.labels.iter().filter(|label| !before.labels.contains(label));
        let both: Vec<_> = before.labels.iter().chain(fresh).cloned().collect();
        let both = EnumType { name: before.name.clone(), labels: both.into() };
        let wider = Column { ty: ColumnType::Enum(both), ..column.clone() };
        // What does not go must fit before anything has changed.
        let fits = after.labels.iter().map(|label| &**label).chain(map.iter().map(|(from, _)| from.as_str()));
        let fits: Vec<String> = fits.map(literal).collect();
        let (t, c) = (quote(table), quote(&column.name));
        self.guard(
            table,
            |name| name == column.name,
            |from| format!("SELECT COUNT(*) FROM {from} WHERE {c} NOT IN ({})", fits.join(", ")),
            format!("rows of {table} with a label in {} that goes", column.name),
        );
        if wider.ty != column.ty {
            self.turn_into(table, &column, &wider, None)?;
        }
        for (from, to) in map {
            self.push(format!("UPDATE {t} SET {c} = {} WHERE {c} = {}", literal(to), literal(from)));
        }
        self.mapped(table, &wider, map);
        Ok(wider)
    }

    /// Makes a column another one; foreign keys that had to go for it are still away.
    pub(crate) fn turn_into(
        &mut self,
        table: &str,
        before: &Column,
        after: &Column,
        backfill: Option<&ColumnDefault>,
    ) -> Result<()> {
        let now = self.column(table, &before.name)?.clone();
        if now.name != after.name {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("the column {} of {table} changes its name together with something else", now.name),
            ));
        }
        if now == *after {
            // An enum's own change has done it.
            return Ok(());
        }
        let (t, c) = (quote(table), quote(&after.name));
        if let Some(condition) = unfit(table, &after.name, &now.ty, &after.ty)?
            && condition != "FALSE"
        {
            self.guard(
                table,
                |name| name == after.name,
                |from| format!("SELECT COUNT(*) FROM {from} WHERE {c} IS NOT NULL AND ({condition})"),
                format!("{table}.{} holds values that do not fit {}", after.name, after.ty),
            );
        }
        if (now.nullable || now.generated.is_some()) && !after.nullable && after.generated.is_none() {
            match backfill {
                // As a value of the type that the column still has, where that can hold it.
                Some(value) if self.online => self.fill_with(table, &now, value)?,
                Some(value) => {
                    let value = default(value, &now.ty, &format!("{table}.{}", after.name))?;
                    self.push(format!("UPDATE {t} SET {c} = {value} WHERE {c} IS NULL"));
                    self.filled(table, &now, &value);
                }
                None => self.guard(
                    table,
                    |name| name == after.name,
                    |from| format!("SELECT COUNT(*) FROM {from} WHERE {c} IS NULL"),
                    format!("{table}.{} holds NULL, which it shall no longer allow", after.name),
                ),
            }
        }
        if let Some(generated) =
            now.generated.as_ref().filter(|generated| !generated.stored && after.generated.is_none())
        {
            return Err(Error::unsupported(
                format_args!("values in {table}.{} that were generated as {}", after.name, generated.expression),
                "mysql",
            )
            .with_help("store them first: `stored`, in a migration of its own"));
        }
        let reshapes = native(&now.ty) != native(&after.ty)
            || now.case_insensitive != after.case_insensitive
            || now.auto != after.auto;
        if reshapes {
            self.park(table, &after.name)?;
        }
        if check(table, &now.name, &now.ty) != check(table, &after.name, &after.ty) {
            self.drop_type_check(table, &now.name, &now.ty);
        }
        let is_same = !reshapes
            && now.nullable == after.nullable
            && now.default == after.default
            && now.generated == after.generated
            && comment(&now.ty, now.comment.as_deref()) == comment(&after.ty, after.comment.as_deref());
        if !is_same {
            self.keep_unsaid(table, &now, after);
            let definition = definition::column(table, after)?;
            let nothing = ("", String::new(), Vec::new());
            let (before, behind, spare) = if after.auto { self.key_of_numbered(table, &after.name)? } else { nothing };
            self.push(format!("ALTER TABLE {t} {before}MODIFY COLUMN {definition}{behind}"));
            for name in spare {
                self.note(format!("DROP INDEX {} ON {t}", quote(&name)), "the primary key serves the foreign key now");
            }
        }
        if check(table, &now.name, &now.ty) != check(table, &after.name, &after.ty) {
            self.add_type_check(table, after);
        }
        if now.generated.is_some() && after.generated.is_none() {
            let known = self.table(table)?.clone();
            self.origins.settle(&known, &now.name);
        }
        self.turned(table, &now, after);
        for column in self.table_mut(table)?.columns.iter_mut().filter(|column| column.name == after.name) {
            column.clone_from(after);
        }
        Ok(())
    }

    /// Takes away the foreign keys that stand on a column while its type changes.
    fn park(&mut self, table: &str, column: &str) -> Result<()> {
        let mut found: Vec<(String, ForeignKey)> = Vec::new();
        for known in &self.now.tables {
            for key in &known.foreign_keys {
                if touches(&known.name, key, table, column) {
                    found.push((known.name.clone(), key.clone()));
                }
            }
        }
        for (owner, key) in found {
            self.note(
                format!("ALTER TABLE {} DROP FOREIGN KEY {}", quote(&owner), quote(&key.name)),
                "it comes back when the columns under it have their new type",
            );
            self.table_mut(&owner)?.foreign_keys.retain(|known| known.name != key.name);
            self.parked.push((owner, key));
        }
        Ok(())
    }

    /// Brings back the foreign keys under which nothing changes any more. Those of enums compare the places of labels,
    /// which are the same again once every column has them.
    pub(crate) fn unpark(&mut self, later: &[Change]) -> Result<()> {
        let waits = |owner: &str, key: &ForeignKey| {
            later.iter().any(|change| match change {
                Change::AlterColumn { table, before, .. } => touches(owner, key, table, &before.name),
                Change::DropForeignKey { table, foreign_key } => table == owner && foreign_key.name == key.name,
                // What is renamed on the way would hide a later change from the line above.
                Change::RenameColumn { table, .. } => table == owner || *table == key.target,
                Change::RenameTable { from, .. } => from == owner || *from == key.target,
                _ => false,
            })
        };
        let (wait, ready): (Vec<_>, Vec<_>) = self.parked.drain(..).partition(|(owner, key)| waits(owner, key));
        self.parked = wait;
        for (owner, key) in ready {
            self.restore_foreign_key(&owner, key)?;
        }
        Ok(())
    }

    fn add_type_check(&mut self, table: &str, column: &Column) {
        if let Some((name, condition)) = check(table, &column.name, &column.ty) {
            self.push(format!("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({condition})", quote(table), quote(&name)));
        }
    }

    fn drop_type_check(&mut self, table: &str, column: &str, ty: &ColumnType) {
        if let Some((name, _)) = check(table, column, ty) {
            self.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", quote(table), quote(&name)));
        }
    }

    /// Gives the check of a column the name that its table's new name asks for.
    pub(crate) fn move_check(&mut self, table: &str, column: &Column, old_table: &str, old_column: &str) {
        if let Some((name, _)) = check(old_table, old_column, &column.ty) {
            self.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", quote(table), quote(&name)));
            self.add_type_check(table, column);
        }
    }
}

/// Whether a foreign key stands on the column, on either end.
fn touches(owner: &str, key: &ForeignKey, table: &str, column: &str) -> bool {
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    (owner == table && has(&key.columns)) || (key.target == table && has(&key.target_columns))
}
