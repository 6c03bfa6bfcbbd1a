//! The steps between two schemas, as data.

use serde::{Deserialize, Serialize};

use crate::catalog::{Check, Column, ColumnDefault, EnumType, Expression, ForeignKey, Index, Object, Table};

/// One step from one schema to the next. Every change holds enough to be written in SQL and to be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// A schema that tables are to be in. It may be there already.
    CreateSchema {
        /// Its name.
        name: String,
    },
    /// A schema in which nothing is left that Covet knows of.
    DropSchema {
        /// Its name.
        name: String,
        /// Whether it stays where there is something else in it; otherwise that is an error.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        if_empty: bool,
    },
    /// A new enum.
    CreateEnum {
        /// The enum.
        ty: EnumType,
    },
    /// An enum that no column uses any more.
    DropEnum {
        /// The enum as it was.
        ty: EnumType,
    },
    /// An enum with other labels.
    AlterEnum {
        /// As it was.
        before: EnumType,
        /// As it shall be.
        after: EnumType,
        /// Labels that go, each with the one that rows get in its place.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        map: Vec<(String, String)>,
    },
    /// A new table with its columns and primary key; its indexes and foreign keys are changes of their own.
    CreateTable {
        /// The table.
        table: Table,
    },
    /// A table that goes, with its rows.
    DropTable {
        /// The table as it was.
        table: Table,
    },
    /// A table under another name or in another schema, rows kept.
    RenameTable {
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A new column.
    AddColumn {
        /// The table's name.
        table: String,
        /// The column.
        column: Column,
        /// What rows that exist get, when the column's own default is not to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backfill: Option<ColumnDefault>,
    },
    /// A column that goes, with its values.
    DropColumn {
        /// The table's name.
        table: String,
        /// The column as it was.
        column: Column,
    },
    /// A column under another name, values kept.
    RenameColumn {
        /// The table's name.
        table: String,
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A column of another type, nullability, default or collation.
    AlterColumn {
        /// The table's name.
        table: String,
        /// As it was.
        before: Column,
        /// As it shall be; of the same name.
        after: Column,
        /// What takes the place of NULL when the column no longer allows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backfill: Option<ColumnDefault>,
    },
    /// A new index.
    AddIndex {
        /// The table's name.
        table: String,
        /// The index.
        index: Index,
    },
    /// An index that goes.
    DropIndex {
        /// The table's name.
        table: String,
        /// The index as it was.
        index: Index,
    },
    /// An index under another name.
    RenameIndex {
        /// The table's name.
        table: String,
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A foreign key or a check under another name.
    RenameConstraint {
        /// The table's name.
        table: String,
        /// The name it had.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A new foreign key.
    AddForeignKey {
        /// The table's name.
        table: String,
        /// The foreign key.
        foreign_key: ForeignKey,
    },
    /// A foreign key that goes.
    DropForeignKey {
        /// The table's name.
        table: String,
        /// The foreign key as it was.
        foreign_key: ForeignKey,
    },
    /// Something more that must hold for each row.
    AddCheck {
        /// The table's name.
        table: String,
        /// The check.
        check: Check,
    },
    /// A check that goes.
    DropCheck {
        /// The table's name.
        table: String,
        /// The check as it was.
        check: Check,
    },
    /// Another primary key.
    AlterPrimaryKey {
        /// The table's name.
        table: String,
        /// The columns that it had, by the names that they have now.
        before: Vec<String>,
        /// The columns that it gets.
        after: Vec<String>,
    },
    /// Rows that have NULL in a column get a value, batch by batch; the schema stays.
    FillColumn {
        /// The table's name.
        table: String,
        /// The column.
        column: Column,
        /// What takes the place of NULL.
        value: ColumnDefault,
    },
    /// Rows get the value of one column in another that is NULL, batch by batch; the schema stays.
    CopyColumn {
        /// The table's name.
        table: String,
        /// The column that has the values.
        from: Column,
        /// The column that gets them, which holds every value of the other.
        to: Column,
    },
    /// From now on a column has the value of another, whoever writes that one.
    FollowColumn {
        /// The table's name.
        table: String,
        /// The column that is written.
        from: Column,
        /// The column that follows it.
        to: Column,
    },
    /// A column no longer has the value of another.
    UnfollowColumn {
        /// The table's name.
        table: String,
        /// The column that is written.
        from: Column,
        /// The column that followed it.
        to: Column,
    },
    /// A column that followed another takes its place and its name, at once; the other goes.
    SwapColumn {
        /// The table's name.
        table: String,
        /// The column that goes.
        from: Column,
        /// The column that takes its place, under the name that it had until then.
        to: Column,
    },
    /// A table is said something else about.
    CommentTable {
        /// The table's name.
        table: String,
        /// The comment that it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// The comment that it gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A new view, trigger, function or extension.
    CreateObject {
        /// The object.
        object: Object,
    },
    /// A view, trigger, function or extension that goes, perhaps only while something changes.
    DropObject {
        /// The object as it was.
        object: Object,
    },
}

impl Change {
    /// Changes every expression.
    pub fn expressions(&mut self, change: &mut dyn FnMut(&mut Expression)) {
        match self {
            Change::CreateTable { table } | Change::DropTable { table } => table.expressions(change),
            Change::AddColumn { column, .. } | Change::DropColumn { column, .. } => column.expressions(change),
            Change::AlterColumn { before, after, .. } => {
                before.expressions(change);
                after.expressions(change);
            }
            Change::FillColumn { column, value, .. } => {
                column.expressions(change);
                if let ColumnDefault::Expression(value) = value {
                    change(value);
                }
            }
            Change::CopyColumn { from, to, .. }
            | Change::FollowColumn { from, to, .. }
            | Change::UnfollowColumn { from, to, .. }
            | Change::SwapColumn { from, to, .. } => {
                from.expressions(change);
                to.expressions(change);
            }
            Change::AddIndex { index, .. } | Change::DropIndex { index, .. } => index.expressions(change),
            Change::AddCheck { check, .. } | Change::DropCheck { check, .. } => change(&mut check.expression),
            Change::CreateObject { object } | Change::DropObject { object } => change(&mut object.definition),
            Change::CreateSchema { .. }
            | Change::DropSchema { .. }
            | Change::CreateEnum { .. }
            | Change::DropEnum { .. }
            | Change::AlterEnum { .. }
            | Change::RenameTable { .. }
            | Change::RenameColumn { .. }
            | Change::RenameIndex { .. }
            | Change::RenameConstraint { .. }
            | Change::AddForeignKey { .. }
            | Change::DropForeignKey { .. }
            | Change::AlterPrimaryKey { .. }
            | Change::CommentTable { .. } => {}
        }
    }

    /// The table that the change is about, under the name it has before the change.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        Some(match self {
            Change::CreateSchema { .. }
            | Change::DropSchema { .. }
            | Change::CreateEnum { .. }
            | Change::DropEnum { .. }
            | Change::AlterEnum { .. } => return None,
            Change::CreateObject { object } | Change::DropObject { object } => return object.table.as_deref(),
            Change::CreateTable { table } | Change::DropTable { table } => &table.name,
            Change::RenameTable { from, .. } => from,
            Change::AddColumn { table, .. }
            | Change::DropColumn { table, .. }
            | Change::RenameColumn { table, .. }
            | Change::RenameIndex { table, .. }
            | Change::RenameConstraint { table, .. }
            | Change::AlterColumn { table, .. }
            | Change::AddIndex { table, .. }
            | Change::DropIndex { table, .. }
            | Change::AddForeignKey { table, .. }
            | Change::DropForeignKey { table, .. }
            | Change::AddCheck { table, .. }
            | Change::DropCheck { table, .. }
            | Change::AlterPrimaryKey { table, .. }
            | Change::FillColumn { table, .. }
            | Change::CopyColumn { table, .. }
            | Change::FollowColumn { table, .. }
            | Change::UnfollowColumn { table, .. }
            | Change::SwapColumn { table, .. }
            | Change::CommentTable { table, .. } => table,
        })
    }
}
