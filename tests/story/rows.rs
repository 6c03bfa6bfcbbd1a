//! The rows of a database as texts, and what a migration is to make of them.

use std::collections::{BTreeMap, BTreeSet};

use covet_orm::Db;
use covet_orm::drivers::catalog::{Qualified, Schema, Table};
use covet_orm::drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::drivers::value::ValueRef;

use crate::place::quote;

/// Rows by table, in the order of their keys; each by the names of its columns.
pub(crate) type Rows = BTreeMap<String, Vec<BTreeMap<String, String>>>;

/// How NULL is written.
pub(crate) const NULL: &str = "<NULL>";

/// What becomes of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    NewTable(&'static str),
    DropTable(&'static str),
    RenameTable(&'static str, &'static str),
    /// Table, column and value; `None` is NULL.
    AddColumn(&'static str, &'static str, Option<&'static str>),
    /// A column that gets the time, the same in every row.
    AddNow(&'static str, &'static str),
    DropColumn(&'static str, &'static str),
    RenameColumn(&'static str, &'static str, &'static str),
    /// What takes the place of NULL.
    Fill(&'static str, &'static str, &'static str),
}

/// Every row of every table of the schema.
pub(crate) async fn read(db: &Db, schema: &Schema) -> Rows {
    let mut rows = Rows::new();
    for table in &schema.tables {
        rows.insert(table.name.clone(), of_table(db, table).await);
    }
    rows
}

async fn of_table(db: &Db, table: &Table) -> Vec<BTreeMap<String, String>> {
    let dialect = db.backend().dialect().name();
    let list = |names: Vec<&str>| names.iter().map(|name| quote(dialect, name)).collect::<Vec<_>>().join(", ");
    let columns = list(table.columns.iter().map(|column| column.name.as_str()).collect());
    // Without a key each column says where a row stands.
    let key = if table.primary_key.is_empty() {
        columns.clone()
    } else {
        list(table.primary_key.iter().map(String::as_str).collect())
    };
    let sql =
        format!("SELECT {columns} FROM {} ORDER BY {key}", Qualified::of(&table.name).sql(|part| quote(dialect, part)));
    let mut rows = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        let mut texts = BTreeMap::new();
        for (index, column) in table.columns.iter().enumerate() {
            texts.insert(column.name.clone(), text(row.value(index, &column.ty)?));
        }
        rows.push(texts);
        Ok(Flow::Continue)
    };
    let command = Command { sql: &sql, args: &[], reuse: Reuse::Once };
    db.acquire().await.unwrap().run(command, &mut take).await.unwrap();
    rows
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => NULL.to_owned(),
        ValueRef::Bool(value) => value.to_string(),
        ValueRef::Int(value) | ValueRef::Time(value) | ValueRef::DateTime(value) | ValueRef::Timestamp(value) => {
            value.to_string()
        }
        ValueRef::UInt(value) => value.to_string(),
        ValueRef::Float32(value) => value.to_string(),
        ValueRef::Float(value) => value.to_string(),
        ValueRef::Text(value) | ValueRef::Label(value) | ValueRef::Json(value) => value.to_owned(),
        ValueRef::Bytes(value) => format!("{value:?}"),
        ValueRef::Date(value) => value.to_string(),
        ValueRef::Uuid(value) => format!("{value:?}"),
        // The same number, whatever the scale of its column.
        ValueRef::Decimal(value) => {
            let text = value.to_string();
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
    }
}

/// What the way forth is to make of the rows.
pub(crate) fn forth(mut rows: Rows, edits: &[Edit]) -> Rows {
    for edit in edits {
        match *edit {
            Edit::NewTable(table) => {
                rows.insert(table.to_owned(), Vec::new());
            }
            Edit::DropTable(table) => {
                rows.remove(table).unwrap();
            }
            Edit::RenameTable(from, to) => {
                let moved = rows.remove(from).unwrap();
                rows.insert(to.to_owned(), moved);
            }
            Edit::AddColumn(table, column, value) => set(&mut rows, table, column, value.unwrap_or(NULL)),
            Edit::AddNow(table, column) => set(&mut rows, table, column, "<now>"),
            Edit::DropColumn(table, column) => {
                for row in rows.get_mut(table).unwrap() {
                    row.remove(column).unwrap();
                }
            }
            Edit::RenameColumn(table, from, to) => {
                for row in rows.get_mut(table).unwrap() {
                    let value = row.remove(from).unwrap();
                    row.insert(to.to_owned(), value);
                }
            }
            Edit::Fill(table, column, value) => {
                for row in rows.get_mut(table).unwrap() {
                    let cell = row.get_mut(column).unwrap();
                    if cell == NULL {
                        value.clone_into(cell);
                    }
                }
            }
        }
    }
    rows
}

/// What the rows before the way forth are after the way back: all of them, but for what was destroyed.
pub(crate) fn back(mut before: Rows, edits: &[Edit]) -> Rows {
    for edit in edits {
        match *edit {
            Edit::DropTable(table) => before.get_mut(table).unwrap().clear(),
            Edit::DropColumn(table, column) => set(&mut before, table, column, NULL),
            Edit::Fill(..) => before = forth(before, &[*edit]),
            _ => {}
        }
    }
    before
}

fn set(rows: &mut Rows, table: &str, column: &str, value: &str) {
    for row in rows.get_mut(table).unwrap() {
        row.insert(column.to_owned(), value.to_owned());
    }
}

/// Puts a word in the place of the times that a migration wrote, which are to be one and no NULL.
pub(crate) fn blur(rows: &mut Rows, edits: &[Edit]) {
    for edit in edits {
        if let Edit::AddNow(table, column) = *edit {
            let times: BTreeSet<&String> = rows[table].iter().map(|row| &row[column]).collect();
            assert!(times.len() <= 1 && !times.contains(&NULL.to_owned()), "{times:?}");
            set(rows, table, column, "<now>");
        }
    }
}
