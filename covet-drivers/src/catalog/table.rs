//! Tables, their keys and indexes, and whole schemas.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::catalog::{Column, EnumType, Expression, Index, Object, Qualified};

/// A table. Its primary key, indexes and foreign keys all carry explicit names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name in the database, behind that of its schema where it is in another than the first of the search path:
    /// see [`Qualified`].
    pub name: String,
    /// What its owner says about it; kept where the database keeps comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The columns of the primary key, in order; empty when it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<String>,
    /// The columns, in order.
    #[serde(default, rename = "column", skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Indexes, unique ones included; the primary key is not among them. Sorted by name.
    #[serde(default, rename = "index", skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Foreign keys, sorted by name.
    #[serde(default, rename = "foreign_key", skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// What must hold for each row, sorted by name. What Covet itself checks for a column's type is not among them.
    #[serde(default, rename = "check", skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// What must hold for each row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The name in the database.
    pub name: String,
    /// The condition; one that is NULL holds.
    pub expression: Expression,
}

/// A foreign key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// The name in the database.
    pub name: String,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table pointed at, as [`Table::name`].
    pub target: String,
    /// The columns pointed at, in the order of `columns`.
    pub target_columns: Vec<String>,
    /// What happens to this row when the target row goes.
    #[serde(default)]
    pub on_delete: Action,
    /// What happens to this row when the target key changes.
    #[serde(default)]
    pub on_update: Action,
    /// When it is checked.
    #[serde(default, skip_serializing_if = "Timing::is_immediate")]
    pub timing: Timing,
}

impl ForeignKey {
    /// What it means to find rows of its table that point at none, or at rows that have yet to get their numbers.
    pub(crate) fn found_orphans(&self, table: &str, is_numbered: bool) -> String {
        let place = format!("rows of {table} ({}) point at rows of {}", self.columns.join(", "), self.target);
        if is_numbered {
            format!("{place}, which get new numbers ({})", self.target_columns.join(", "))
        } else {
            format!("{place} that do not exist")
        }
    }
}

/// When a foreign key is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// With each statement, and nothing can change that.
    #[default]
    Immediate,
    /// With each statement, unless a transaction asks for its end (`SET CONSTRAINTS`).
    Deferrable,
    /// At the end of the transaction.
    Deferred,
}

impl Timing {
    #[allow(clippy::trivially_copy_pass_by_ref)] // the shape serde asks for
    fn is_immediate(&self) -> bool {
        *self == Timing::Immediate
    }

    /// What stands behind a foreign key, with a blank before it; nothing for the ordinary one.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Timing::Immediate => "",
            Timing::Deferrable => " DEFERRABLE",
            Timing::Deferred => " DEFERRABLE INITIALLY DEFERRED",
        }
    }
}

/// What a foreign key does when its target goes or changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Refuse (checked at the end of the statement where the database can).
    #[default]
    NoAction,
    /// Refuse at once.
    Restrict,
    /// Delete or change this row too.
    Cascade,
    /// Set the columns to NULL.
    SetNull,
    /// Set the columns to their defaults.
    SetDefault,
}

impl Action {
    /// The action in SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Action::NoAction => "NO ACTION",
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        }
    }
}

/// A whole schema: its tables, sorted by name, and what is declared beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The tables, sorted by name.
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
    /// Views, triggers, functions and extensions, sorted by kind and name.
    #[serde(default, rename = "object", skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
}

impl Schema {
    /// A schema of these tables.
    #[must_use]
    pub fn of(tables: Vec<Table>) -> Self {
        Schema { tables, objects: Vec::new() }
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Every enum that a column uses, each once, sorted by name.
    #[must_use]
    pub fn enums(&self) -> Vec<&EnumType> {
        let mut enums: Vec<&EnumType> =
            self.tables.iter().flat_map(|table| &table.columns).filter_map(|column| column.ty.as_enum()).collect();
        enums.sort_by(|a, b| a.name.cmp(&b.name));
        enums.dedup_by(|a, b| a.name == b.name);
        enums
    }

    /// The schemas that are named, each once, sorted: those of tables, enums and objects.
    #[must_use]
    pub fn schemas(&self) -> Vec<String> {
        let enums = self.tables.iter().flat_map(|table| &table.columns).filter_map(|column| column.ty.as_enum());
        let names = self.tables.iter().map(|table| &*table.name).chain(enums.map(|ty| &*ty.name));
        let objects = self.objects.iter().filter(|object| object.has_schema()).map(|object| &*object.name);
        let schemas = names.chain(objects).filter_map(|name| Qualified::of(name).schema);
        schemas.map(Cow::into_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The schema for one kind of database: with the text of each expression that is meant for it.
    #[must_use]
    pub fn on(&self, database: &str) -> Self {
        let mut schema = self.clone();
        schema.objects.retain(|object| object.definition.on(database).is_some());
        schema.expressions(&mut |expression| {
            if let Expression::Each(_) = expression {
                *expression = Expression::new(expression.on(database).unwrap_or_default().to_owned());
            }
        });
        schema
    }

    /// Changes every expression.
    pub fn expressions(&mut self, change: &mut dyn FnMut(&mut Expression)) {
        self.tables.iter_mut().for_each(|table| table.expressions(change));
        self.objects.iter_mut().for_each(|object| change(&mut object.definition));
    }

    /// Puts tables, indexes, foreign keys and objects in the order in which equal schemas are equal.
    pub fn sort(&mut self) {
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        self.tables.iter_mut().for_each(Table::sort);
        self.objects.sort_by(|a, b| a.order().cmp(&b.order()));
    }
}

impl Table {
    /// A table that has nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Table { name: name.into(), ..Table::default() }
    }

    /// Changes every expression.
    pub fn expressions(&mut self, change: &mut dyn FnMut(&mut Expression)) {
        self.columns.iter_mut().for_each(|column| column.expressions(change));
        self.indexes.iter_mut().for_each(|index| index.expressions(change));
        self.checks.iter_mut().for_each(|check| change(&mut check.expression));
    }

    /// The table without its indexes and foreign keys, which are changes of their own.
    #[must_use]
    pub fn bare(&self) -> Self {
        Table { indexes: Vec::new(), foreign_keys: Vec::new(), ..self.clone() }
    }

    /// Whether these columns, in any order, are the primary key or unique together.
    #[must_use]
    pub fn is_unique(&self, columns: &[String]) -> bool {
        let key = &self.primary_key;
        (key.len() == columns.len() && columns.iter().all(|column| key.contains(column)))
            || self.indexes.iter().any(|index| index.keeps_unique(columns))
    }

    pub(super) fn sort(&mut self) {
        self.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        self.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        self.checks.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The name of the primary key's constraint.
    #[must_use]
    pub fn primary_key_name(&self) -> String {
        crate::catalog::constraint_name(&self.name, &[], "pkey")
    }
}
