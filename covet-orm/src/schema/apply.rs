//! Changes applied to a schema in memory: what a database has after them.

use covet_drivers::catalog::{Change, ColumnType, EnumType, Schema, Table};
use covet_drivers::{Error, ErrorKind, Result};

use crate::schema::describe;

/// Makes the change on the schema.
///
/// # Errors
/// `Migration` when the schema is not one that the change can be made on: the table is there
/// already, the column is not there …
pub fn apply(schema: &mut Schema, change: &Change) -> Result<()> {
    if step(schema, change).is_none() {
        return Err(Error::new(
            ErrorKind::Migration,
            format!("the change `{}` does not fit the schema before it", describe(change)),
        ));
    }
    schema.sort();
    Ok(())
}

/// `None` when it does not fit.
fn step(schema: &mut Schema, change: &Change) -> Option<()> {
    match change {
        Change::CreateEnum { .. } | Change::DropEnum { .. } => {}
        Change::AlterEnum { after, .. } => relabel(schema, after),
        Change::CreateTable { table } => {
            absent(schema.table(&table.name))?;
            schema.tables.push(table.clone());
        }
        Change::DropTable { table } => {
            schema.table(&table.name)?;
            schema.tables.retain(|other| other.name != table.name);
        }
        Change::RenameTable { from, to } => rename_table(schema, from, to)?,
        Change::RenameColumn { table, from, to } => rename_column(schema, table, from, to)?,
        Change::AddColumn { table, column, .. } => {
            let table = named(schema, table)?;
            absent(table.column(&column.name))?;
            table.columns.push(column.clone());
        }
        Change::DropColumn { table, column } => {
            let table = named(schema, table)?;
            table.column(&column.name)?;
            table.columns.retain(|other| other.name != column.name);
        }
        Change::AlterColumn { table, after, .. } => {
            *named(schema, table)?.columns.iter_mut().find(|column| column.name == after.name)? = after.clone();
        }
        Change::AddIndex { table, index } => {
            let indexes = &mut named(schema, table)?.indexes;
            absent(indexes.iter().find(|other| other.name == index.name))?;
            indexes.push(index.clone());
        }
        Change::DropIndex { table, index } => {
            let indexes = &mut named(schema, table)?.indexes;
            indexes.iter().find(|other| other.name == index.name)?;
            indexes.retain(|other| other.name != index.name);
        }
        Change::AddForeignKey { table, foreign_key } => {
            let keys = &mut named(schema, table)?.foreign_keys;
            absent(keys.iter().find(|other| other.name == foreign_key.name))?;
            keys.push(foreign_key.clone());
        }
        Change::DropForeignKey { table, foreign_key } => {
            let keys = &mut named(schema, table)?.foreign_keys;
            keys.iter().find(|other| other.name == foreign_key.name)?;
            keys.retain(|other| other.name != foreign_key.name);
        }
        _ => return None,
    }
    Some(())
}

fn absent<T>(there: Option<T>) -> Option<()> {
    there.is_none().then_some(())
}

fn named<'s>(schema: &'s mut Schema, name: &str) -> Option<&'s mut Table> {
    schema.tables.iter_mut().find(|table| table.name == name)
}

fn relabel(schema: &mut Schema, after: &EnumType) {
    for column in schema.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if let ColumnType::Enum(ty) = &mut column.ty
            && ty.name == after.name
        {
            *ty = after.clone();
        }
    }
}

/// Foreign keys of every table follow, as they do in every database.
fn rename_table(schema: &mut Schema, from: &str, to: &str) -> Option<()> {
    absent(schema.table(to))?;
    to.clone_into(&mut named(schema, from)?.name);
    for key in schema.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.target == from {
            to.clone_into(&mut key.target);
        }
    }
    Some(())
}

/// The key, the indexes and the foreign keys of every table follow, as they do in every database.
fn rename_column(schema: &mut Schema, table: &str, from: &str, to: &str) -> Option<()> {
    let follow = |columns: &mut Vec<String>| {
        for column in columns.iter_mut().filter(|column| *column == from) {
            to.clone_into(column);
        }
    };
    let own = named(schema, table)?;
    absent(own.column(to))?;
    to.clone_into(&mut own.columns.iter_mut().find(|column| column.name == from)?.name);
    follow(&mut own.primary_key);
    own.indexes.iter_mut().for_each(|index| follow(&mut index.columns));
    own.foreign_keys.iter_mut().for_each(|key| follow(&mut key.columns));
    for key in schema.tables.iter_mut().flat_map(|table| &mut table.foreign_keys).filter(|key| key.target == table) {
        follow(&mut key.target_columns);
    }
    Some(())
}
