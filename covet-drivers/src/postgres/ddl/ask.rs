//! What is asked of rows before the first change, for a migration that is no single transaction: a new label of an enum
//! is committed by itself, so what is asked behind it, in words that only then are true, would stop half-way.

use crate::catalog::{
    Check, Column, ColumnDefault, ColumnType, Expression, ForeignKey, Index, Qualified, Source, Table,
};
use crate::contract::Step;
use crate::postgres::ddl::cast;
use crate::postgres::ddl::plan::{Plan, in_words, over};
use crate::postgres::dialect::NAME;
use crate::postgres::types::{default, native, qualified, quoted};

impl Plan {
    /// Stops the migration when the condition holds for a row, unless the table is new and empty; the columns are said
    /// that it is about.
    pub(super) fn guard(&mut self, table: &str, needs: impl Fn(&str) -> bool, condition: &str, found: String) {
        if self.is_new(table) {
            return;
        }
        let sql = |from: &str| format!("SELECT count(*) FROM {from} WHERE {condition}");
        self.ask_first(table, needs, sql, &found);
        self.steps.push(Step::guard(sql(&qualified(table)), found));
    }

    /// Stops the migration when values that are to be unique are there more than once.
    pub(super) fn twice(&mut self, table: &str, index: &Index) {
        if !self.is_new(table) {
            self.twice_first(table, index);
            self.steps.push(Step::guard(twice(&qualified(table), index), found_twice(table, index)));
        }
    }

    /// Stops the migration when rows point at rows that are not there.
    pub(super) fn orphans(&mut self, table: &str, key: &ForeignKey) {
        if !self.is_new(table) {
            self.orphans_first(table, key);
            let own = self.current.table(table);
            let is_numbered = own.is_some_and(|own| self.origins.is_numbered(own, self.pointed_at(key), key));
            let at = (!is_numbered).then(|| qualified(&key.target));
            let sql = orphans(&qualified(table), at.as_deref(), key);
            self.steps.push(Step::guard(sql, key.found_orphans(table, is_numbered)));
        }
    }

    fn ask_first(&mut self, table: &str, needs: impl Fn(&str) -> bool, sql: impl Fn(&str) -> String, found: &str) {
        let Some(known) = self.current.table(table) else { return };
        if let Source::Before(from) = self.origins.source(known, needs) {
            self.first(Step::guard(sql(&format!("{from} AS {}", quoted(&Qualified::of(table).name))), found));
        }
    }

    fn first(&mut self, step: Step) {
        if !self.first.contains(&step) {
            self.first.push(step);
        }
    }

    fn twice_first(&mut self, table: &str, index: &Index) {
        if !index.nulls_agree && index.columns().any(|column| self.origins.is_empty(table, column)) {
            return;
        }
        self.ask_first(table, |name| index.mentions(name), |from| twice(from, index), &found_twice(table, index));
    }

    fn orphans_first(&mut self, table: &str, key: &ForeignKey) {
        let (Some(own), target) = (self.current.table(table), self.pointed_at(key)) else { return };
        if let Some((from, at)) = self.origins.of_key(own, target, key) {
            let is_numbered = self.origins.is_numbered(own, target, key);
            self.first(Step::guard(orphans(&from, at.as_deref(), key), key.found_orphans(table, is_numbered)));
        }
    }

    /// The table that a foreign key points at, if it can have rows.
    fn pointed_at(&self, key: &ForeignKey) -> Option<&Table> {
        self.current.table(&key.target).filter(|target| !self.is_new(&target.name))
    }

    /// Asks what the values that rows get must keep to: indexes, checks and foreign keys that stand meanwhile.
    pub(super) fn ask_of_changed(&mut self) {
        for table in self.current.tables.clone() {
            let is_changed = |of: &str, has: &dyn Fn(&str) -> bool| {
                let of = self.current.table(of).filter(|of| !self.is_new(&of.name));
                of.is_some_and(|of| {
                    let mut columns = of.columns.iter().filter(|column| has(&column.name));
                    columns.any(|column| self.origins.is_changed(of, &column.name))
                })
            };
            let key = Index::new("", &table.primary_key, true);
            let unique = table.indexes.iter().filter(|index| index.unique).chain([&key]);
            let unique: Vec<&Index> =
                unique.filter(|index| is_changed(&table.name, &|name| index.mentions(name))).collect();
            let checks = table.checks.iter();
            let checks: Vec<&Check> =
                checks.filter(|check| is_changed(&table.name, &|name| check.expression.mentions(name))).collect();
            let is_among = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
            let keys = table.foreign_keys.iter().filter(|key| {
                is_changed(&table.name, &|name| is_among(&key.columns, name))
                    || is_changed(&key.target, &|name| is_among(&key.target_columns, name))
            });
            let keys: Vec<&ForeignKey> = keys.collect();
            for index in unique {
                self.twice_first(&table.name, index);
            }
            for check in checks {
                let (condition, found) = misfits(&table.name, &check.expression);
                let sql = |from: &str| format!("SELECT count(*) FROM {from} WHERE {condition}");
                self.ask_first(&table.name, |name| check.expression.mentions(name), sql, &found);
            }
            for key in keys {
                self.orphans_first(&table.name, key);
            }
        }
    }

    /// Notes the value that every row has in a new column.
    pub(super) fn came(&mut self, table: &str, column: &Column) {
        if column.generated.is_none() {
            let value = if column.auto { None } else { self.known(column.default.as_ref(), &column.ty) };
            self.origins.set(table, &column.name, value);
        }
    }

    /// Notes that rows with NULL in a column get a value.
    pub(super) fn filled(&mut self, table: &str, column: &Column, value: &ColumnDefault) {
        let value = self.known(Some(value), &column.ty);
        self.origins.turn(table, &column.name, |old| Some(format!("COALESCE({old}, {})", value?)));
    }

    /// Notes that values become those of another type.
    pub(super) fn turned(&mut self, table: &str, before: &Column, after: &Column) {
        let is_known = self.is_known(&after.ty) && before.case_insensitive == after.case_insensitive;
        self.origins.turn(table, &after.name, |old| {
            if before.ty == after.ty && is_known {
                return Some(old.to_owned());
            }
            let using = cast::value(&format!("({old})"), &before.ty, &after.ty)?;
            is_known.then(|| using.unwrap_or_else(|| format!("({old})::{}", native(&after.ty))))
        });
    }

    /// A value of the type, where that is there before the first change.
    fn known(&self, value: Option<&ColumnDefault>, ty: &ColumnType) -> Option<String> {
        let value = match value {
            Some(ColumnDefault::Text(label)) if ty.as_enum().is_some() => {
                let labels = self.enums.iter().find(|known| Some(&known.name) == ty.as_enum().map(|ty| &ty.name))?;
                labels.labels.contains(label).then(|| default(&ColumnDefault::Text(label.clone()), ty))?
            }
            Some(value) => format!("({})", default(value, ty)),
            None => "NULL".to_owned(),
        };
        self.is_known(ty).then(|| format!("{value}::{}", native(ty)))
    }

    fn is_known(&self, ty: &ColumnType) -> bool {
        ty.as_enum().is_none_or(|ty| self.enums.iter().any(|known| known.name == ty.name))
    }

    /// Whether the table was made on the way, and holds no rows yet.
    pub(super) fn is_new(&self, table: &str) -> bool {
        self.made.iter().any(|made| made == table)
    }
}

/// The condition of rows for which a check does not hold, and what that means.
pub(super) fn misfits(table: &str, expression: &Expression) -> (String, String) {
    let expression = expression.on(NAME).unwrap_or_default();
    (format!("NOT ({expression})"), format!("rows of {table} for which {expression} does not hold"))
}

fn twice(from: &str, index: &Index) -> String {
    let terms: Vec<String> = index.terms.iter().map(over).collect();
    let mut conditions: Vec<String> = Vec::new();
    if !index.nulls_agree {
        conditions.extend(terms.iter().map(|term| format!("{term} IS NOT NULL")));
    }
    conditions.extend(index.condition.as_ref().and_then(|condition| condition.on(NAME)).map(|on| format!("({on})")));
    let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {conditions} GROUP BY {} HAVING count(*) > 1) AS twice",
        terms.join(", ")
    )
}

fn found_twice(table: &str, index: &Index) -> String {
    let names: Vec<String> = index.terms.iter().map(in_words).collect();
    format!("values of {table} ({}) that more than one row has", names.join(", "))
}

/// Counts the rows that point at none; without a table to point at, all that point at all.
fn orphans(from: &str, at: Option<&str>, key: &ForeignKey) -> String {
    let present: Vec<String> = key.columns.iter().map(|name| format!("c.{} IS NOT NULL", quoted(name))).collect();
    let pairs = key.columns.iter().zip(&key.target_columns);
    let same: Vec<String> = pairs.map(|(own, other)| format!("p.{} = c.{}", quoted(other), quoted(own))).collect();
    let nothing = at.map(|at| format!(" AND NOT EXISTS (SELECT 1 FROM {at} AS p WHERE {})", same.join(" AND ")));
    format!("SELECT count(*) FROM {from} AS c WHERE {}{}", present.join(" AND "), nothing.unwrap_or_default())
}
