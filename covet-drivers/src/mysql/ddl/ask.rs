//! What is asked of rows: in its place, and before the first change as well, where a change before it would be in the
//! way. Each statement of the schema commits by itself here, so what is asked later would stop half-way.

use crate::catalog::{Check, Column, ColumnDefault, ColumnType, ForeignKey, Index, Source};
use crate::contract::Step;
use crate::error::Result;
use crate::mysql::ddl::definition::names;
use crate::mysql::ddl::{Plan, convert};
use crate::mysql::defaults::default;
use crate::mysql::dialect::{NAME, literal, quote};
use crate::mysql::types::{CASE_INSENSITIVE, CASE_SENSITIVE};

/// A question: what is asked of the rows of a table, given what stands behind `FROM`, and what it means to find some.
struct Question<'q> {
    sql: Box<dyn Fn(&str) -> String + 'q>,
    found: String,
}

impl Plan<'_> {
    /// Stops the migration when rows of a table are found; the columns are said that the question is about.
    pub(crate) fn guard(
        &mut self,
        table: &str,
        needs: impl Fn(&str) -> bool,
        sql: impl Fn(&str) -> String,
        found: String,
    ) {
        let step = Step::guard(sql(&quote(table)), found.clone());
        self.ask_first(table, needs, &Question { sql: Box::new(sql), found });
        self.steps.push(step);
    }

    /// Asks before the first change, where that is another question or one that would have to wait.
    fn ask_first(&mut self, table: &str, needs: impl Fn(&str) -> bool, question: &Question<'_>) {
        if let Some(from) = self.source(table, needs) {
            self.first(Step::guard((question.sql)(&format!("{from} AS {}", quote(table))), &question.found));
        }
    }

    pub(super) fn first(&mut self, step: Step) {
        if !self.first.contains(&step) {
            self.first.push(step);
        }
    }

    /// What stands behind `FROM` before the first change; `None` where it can be asked as well later, or only then.
    fn source(&self, table: &str, needs: impl Fn(&str) -> bool) -> Option<String> {
        match self.origins.source(self.now.table(table)?, needs) {
            Source::Before(from) => Some(from),
            Source::Now | Source::Unknown => None,
        }
    }

    /// Stops the migration when values are there more than once that are to be unique.
    pub(crate) fn twice(&mut self, table: &str, columns: &[String]) {
        if !self.is_new(table) {
            let Question { sql, found } = twice(table, columns);
            if columns.iter().any(|column| self.origins.is_empty(table, column)) {
                self.steps.push(Step::guard(sql(&quote(table)), found));
                return;
            }
            self.guard(table, |name| columns.iter().any(|column| column == name), sql, found);
        }
    }

    /// Stops the migration when a check does not hold for rows.
    pub(super) fn misfits(&mut self, table: &str, check: &Check) {
        if !self.is_new(table) {
            let Question { sql, found } = misfits(table, check);
            self.guard(table, |name| check.expression.mentions(name), sql, found);
        }
    }

    /// Stops the migration when rows point at rows that are not there.
    pub(super) fn orphans(&mut self, table: &str, key: &ForeignKey) {
        if !self.is_new(table) {
            self.orphans_first(table, key);
            let sql = orphans(&quote(table), Some(&quote(&key.target)), key);
            self.steps.push(Step::guard(sql, key.found_orphans(table, false)));
        }
    }

    fn orphans_first(&mut self, table: &str, key: &ForeignKey) {
        let Some((own, target)) = self.now.table(table).zip(self.now.table(&key.target)) else { return };
        let target = Some(target).filter(|target| !self.is_new(&target.name));
        if let Some((from, at)) = self.origins.of_key(own, target, key) {
            let is_numbered = self.origins.is_numbered(own, target, key);
            self.first(Step::guard(orphans(&from, at.as_deref(), key), key.found_orphans(table, is_numbered)));
        }
    }

    /// Asks, before the first change, what the values that rows get must keep to: indexes, checks and foreign keys that
    /// stand meanwhile. The server would refuse them too, but only when their turn comes.
    pub(super) fn ask_of_changed(&mut self) {
        for table in self.now.tables.clone() {
            if self.is_new(&table.name) {
                continue;
            }
            let changed = |column: &String| self.origins.is_changed(&table, column);
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).filter(changed).collect();
            let any = |columns: &[String]| columns.iter().any(|column| names.contains(column));
            let unique = table.indexes.iter().filter(|index| index.unique).map(Index::column_names);
            let empty = |columns: &[String]| columns.iter().any(|column| self.origins.is_empty(&table.name, column));
            let unique = unique.chain([table.primary_key.clone()]).filter(|columns| any(columns) && !empty(columns));
            for columns in unique.collect::<Vec<_>>() {
                self.ask_first(&table.name, |name| columns.iter().any(|c| c == name), &twice(&table.name, &columns));
            }
            for check in table.checks.iter().filter(|check| names.iter().any(|name| check.expression.mentions(name))) {
                self.ask_first(&table.name, |name| check.expression.mentions(name), &misfits(&table.name, check));
            }
        }
        for table in self.now.tables.clone() {
            let is_changed = |of: &str, columns: &[String]| {
                let of = self.now.table(of).filter(|of| !self.is_new(&of.name));
                of.is_some_and(|of| columns.iter().any(|column| self.origins.is_changed(of, column)))
            };
            let keys = table.foreign_keys.iter();
            let keys = keys
                .filter(|key| is_changed(&table.name, &key.columns) || is_changed(&key.target, &key.target_columns));
            for key in keys.cloned().collect::<Vec<_>>() {
                self.orphans_first(&table.name, &key);
            }
        }
    }

    /// Notes that rows with NULL in a column get a value.
    pub(super) fn filled(&mut self, table: &str, column: &Column, value: &str) {
        self.origins.turn(table, &column.name, |old| Some(typed(format!("COALESCE({old}, {value})"), column)));
    }

    /// Notes that rows with these labels get others.
    pub(super) fn mapped(&mut self, table: &str, column: &Column, map: &[(String, String)]) {
        let cases: String =
            map.iter().map(|(from, to)| format!(" WHEN {} THEN {}", literal(from), literal(to))).collect();
        self.origins.turn(table, &column.name, |old| Some(typed(format!("CASE {old}{cases} ELSE {old} END"), column)));
    }

    /// Notes the value that every row has in a new column.
    pub(super) fn came(&mut self, table: &str, column: &Column, value: Option<&ColumnDefault>) -> Result<()> {
        if column.generated.is_some() {
            return Ok(());
        }
        let value = match value {
            _ if column.auto => None,
            Some(value) => Some(typed(default(value, &column.ty, &format!("{table}.{}", column.name))?, column)),
            None => Some("NULL".to_owned()),
        };
        self.origins.set(table, &column.name, value);
        Ok(())
    }

    /// Notes that values become those of another type.
    pub(super) fn turned(&mut self, table: &str, now: &Column, after: &Column) {
        self.origins.turn(table, &after.name, |old| {
            let value = convert::value(old, &now.ty, &after.ty)?;
            let is_other = value != old || now.case_insensitive != after.case_insensitive;
            Some(if is_other { typed(value, after) } else { value })
        });
    }
}

/// A value with the collation of a column, by which it is compared.
fn typed(sql: String, column: &Column) -> String {
    match column.ty {
        ColumnType::Text { .. } | ColumnType::Enum(_) => {
            let collation = if column.case_insensitive { CASE_INSENSITIVE } else { CASE_SENSITIVE };
            format!("CONVERT({sql} USING utf8mb4) COLLATE {collation}")
        }
        _ => sql,
    }
}

fn twice<'q>(table: &str, columns: &'q [String]) -> Question<'q> {
    let present: Vec<String> = columns.iter().map(|name| format!("{} IS NOT NULL", quote(name))).collect();
    let (present, list) = (present.join(" AND "), names(columns));
    Question {
        sql: Box::new(move |from| {
            format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM {from} WHERE {present} GROUP BY {list} HAVING COUNT(*) > 1) AS twice"
            )
        }),
        found: format!("values of {table} ({}) that more than one row has", columns.join(", ")),
    }
}

fn misfits<'q>(table: &str, check: &'q Check) -> Question<'q> {
    let expression = check.expression.on(NAME).unwrap_or_default();
    Question {
        sql: Box::new(move |from| format!("SELECT COUNT(*) FROM {from} WHERE NOT ({expression})")),
        found: format!("rows of {table} for which {expression} does not hold"),
    }
}

/// Counts the rows that point at none; without a table to point at, all that point at all.
fn orphans(from: &str, at: Option<&str>, key: &ForeignKey) -> String {
    let present: Vec<String> = key.columns.iter().map(|name| format!("c.{} IS NOT NULL", quote(name))).collect();
    let pairs = key.columns.iter().zip(&key.target_columns);
    let same: Vec<String> = pairs.map(|(own, other)| format!("p.{} = c.{}", quote(other), quote(own))).collect();
    let nothing = at.map(|at| format!(" AND NOT EXISTS (SELECT 1 FROM {at} AS p WHERE {})", same.join(" AND ")));
    format!("SELECT COUNT(*) FROM {from} AS c WHERE {}{}", present.join(" AND "), nothing.unwrap_or_default())
}
