//! Schemas and changes for a database whose tables are in no schema: every name as the database has it.

use std::borrow::Cow;

use crate::catalog::{Change, ColumnType, EnumType, Qualified, Schema, Table};
use crate::error::{Error, Result};

/// What a plan is made of, with every name as the database has it.
#[derive(Debug)]
pub struct Bare<'a> {
    /// The changes.
    pub changes: Cow<'a, [Change]>,
    /// The schema before them.
    pub before: Cow<'a, Schema>,
    /// The schema after them.
    pub after: Cow<'a, Schema>,
}

impl<'a> Bare<'a> {
    /// Takes the quotes away that [`Qualified`] puts around a part; what has none, which is nearly every schema, stays
    /// as it is and is not copied.
    #[must_use]
    pub fn of(changes: &'a [Change], before: &'a Schema, after: &'a Schema) -> Self {
        let mut quoted = false;
        let mut look = |name: &str| quoted |= is_quoted(name);
        before.tables.iter().chain(&after.tables).for_each(|table| look(&table.name));
        before.objects.iter().chain(&after.objects).for_each(|object| look(&object.name));
        changes.iter().filter_map(Change::table).for_each(&mut look);
        before.enums().into_iter().chain(after.enums()).for_each(|ty| look(&ty.name));
        if !quoted {
            return Bare { changes: changes.into(), before: Cow::Borrowed(before), after: Cow::Borrowed(after) };
        }
        let mut changes = changes.to_vec();
        changes.iter_mut().for_each(|change| change.names(&mut bare));
        Bare { changes: changes.into(), before: Cow::Owned(before.bare()), after: Cow::Owned(after.bare()) }
    }
}

fn is_quoted(name: &str) -> bool {
    name.starts_with('"')
}

fn bare(name: &mut String) {
    if is_quoted(name) {
        *name = Qualified::of(name).name.into_owned();
    }
}

impl Schema {
    /// The schema with every name as the database has it.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut schema = self.clone();
        schema.names(&mut bare);
        schema
    }

    /// A schema that was read from the database, with every name as [`Qualified`] writes it.
    #[must_use]
    pub fn written(mut self) -> Self {
        self.names(&mut |name| {
            if name.contains('.') || is_quoted(name) {
                *name = Qualified::text(None, name);
            }
        });
        self
    }

    /// Refuses names that say a schema, for a database that has none.
    ///
    /// # Errors
    /// `Unsupported`, with this help, naming the first table, enum or object that says one.
    pub fn refuse_schemas(&self, database: &str, help: &'static str) -> Result<()> {
        let tables = self.tables.iter().map(|table| ("table", &*table.name));
        let enums = self.enums().into_iter().map(|ty| ("enum", &*ty.name));
        let objects =
            self.objects.iter().filter(|object| object.has_schema() && object.definition.on(database).is_some());
        let objects = objects.map(|object| (object.kind.word(), &*object.name));
        for (what, text) in tables.chain(enums).chain(objects) {
            if let Qualified { schema: Some(schema), name } = Qualified::of(text) {
                let error = Error::unsupported(format_args!("the schema {schema} of the {what} {name}"), database);
                return Err(error.with_table(text).with_help(help));
            }
        }
        Ok(())
    }

    /// Changes the names of tables, enums, views and functions, wherever they stand.
    fn names(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.tables.iter_mut().for_each(|table| table.names(change));
        for object in &mut self.objects {
            if object.has_schema() {
                change(&mut object.name);
            }
            object.table.iter_mut().chain(&mut object.reads).for_each(&mut *change);
        }
    }
}

impl Table {
    fn names(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.name);
        self.columns.iter_mut().for_each(|column| of_type(&mut column.ty, change));
        self.foreign_keys.iter_mut().for_each(|key| change(&mut key.target));
    }
}

impl Change {
    /// As [`Schema::names`].
    fn names(&mut self, name: &mut dyn FnMut(&mut String)) {
        match self {
            Change::CreateSchema { .. } | Change::DropSchema { .. } => {}
            Change::CreateEnum { ty } | Change::DropEnum { ty } => of_enum(ty, name),
            Change::AlterEnum { before, after, .. } => {
                of_enum(before, name);
                of_enum(after, name);
            }
            Change::CreateTable { table } | Change::DropTable { table } => table.names(name),
            Change::RenameTable { from, to } => {
                name(from);
                name(to);
            }
            Change::AddColumn { table, column, .. }
            | Change::DropColumn { table, column }
            | Change::FillColumn { table, column, .. } => {
                name(table);
                of_type(&mut column.ty, name);
            }
            Change::AlterColumn { table, before: from, after: to, .. }
            | Change::CopyColumn { table, from, to }
            | Change::FollowColumn { table, from, to }
            | Change::UnfollowColumn { table, from, to }
            | Change::SwapColumn { table, from, to } => {
                name(table);
                of_type(&mut from.ty, name);
                of_type(&mut to.ty, name);
            }
            Change::AddForeignKey { table, foreign_key } | Change::DropForeignKey { table, foreign_key } => {
                name(table);
                name(&mut foreign_key.target);
            }
            Change::RenameColumn { table, .. }
            | Change::RenameIndex { table, .. }
            | Change::RenameConstraint { table, .. }
            | Change::AddIndex { table, .. }
            | Change::DropIndex { table, .. }
            | Change::AddCheck { table, .. }
            | Change::DropCheck { table, .. }
            | Change::AlterPrimaryKey { table, .. }
            | Change::CommentTable { table, .. } => name(table),
            Change::CreateObject { object } | Change::DropObject { object } => {
                if object.has_schema() {
                    name(&mut object.name);
                }
                object.table.iter_mut().chain(&mut object.reads).for_each(name);
            }
        }
    }
}

fn of_type(ty: &mut ColumnType, change: &mut dyn FnMut(&mut String)) {
    if let ColumnType::Enum(ty) = ty {
        of_enum(ty, change);
    }
}

fn of_enum(ty: &mut EnumType, change: &mut dyn FnMut(&mut String)) {
    let mut name = ty.name.to_string();
    change(&mut name);
    if ty.name != name {
        ty.name = name.into();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::Cow;

    use super::Bare;
    use crate::catalog::{Change, ForeignKey, Schema, Table};

    fn schema(name: &str) -> Schema {
        let foreign_keys = vec![ForeignKey { target: name.into(), ..ForeignKey::default() }];
        Schema::of(vec![Table { foreign_keys, ..Table::new(name) }])
    }

    #[test]
    fn quotes_go_and_come() {
        let (raw, written) = (schema("a.b"), schema("\"a.b\""));
        assert_eq!(raw.clone().written(), written);
        let change = Change::RenameTable { from: "x".into(), to: "\"a.b\"".into() };
        let (changes, before) = ([change], schema("x"));
        let bare = Bare::of(&changes, &before, &written);
        assert_eq!((&*bare.after, &*bare.before), (&raw, &before));
        assert_eq!(*bare.changes, [Change::RenameTable { from: "x".into(), to: "a.b".into() }]);
        assert!(matches!(Bare::of(&[], &before, &before).before, Cow::Borrowed(_)));
    }

    #[test]
    fn schemas_are_refused_by_name() {
        let error = schema("billing.t").refuse_schemas("sqlite", "none").unwrap_err().to_string();
        assert!(error.contains("the schema billing of the table t"), "{error}");
        assert!(schema("\"a.b\"").refuse_schemas("sqlite", "none").is_ok());
    }
}
