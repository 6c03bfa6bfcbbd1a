//! Tables, their keys and indexes, and whole schemas.

use serde::{Deserialize, Serialize};

use crate::catalog::{Column, EnumType};

/// A table. Its primary key, indexes and foreign keys all carry explicit names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The name in the database.
    pub name: String,
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
}

/// An index. A unique constraint is a unique index: one notion, spelled alike on every database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The name in the database.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// Whether no two rows may agree in all columns (NULLs never agree).
    #[serde(default)]
    pub unique: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The name in the database.
    pub name: String,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table pointed at.
    pub target: String,
    /// The columns pointed at, in the order of `columns`.
    pub target_columns: Vec<String>,
    /// What happens to this row when the target row goes.
    #[serde(default)]
    pub on_delete: Action,
    /// What happens to this row when the target key changes.
    #[serde(default)]
    pub on_update: Action,
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

/// A whole schema: its tables, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The tables, sorted by name.
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
}

impl Schema {
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

    /// Puts tables, indexes and foreign keys in the order in which equal schemas are equal.
    pub fn sort(&mut self) {
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        for table in &mut self.tables {
            table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
            table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
}

impl Table {
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
