//! Reads the schema of a SQLite database, mostly from the texts that it keeps.

use std::collections::BTreeMap;

use crate::catalog::{Column, ColumnType, ForeignKey, Index, Schema, Table, constraint_name};
use crate::contract::{BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::ddl::literal;
use crate::sqlite::functions::NOCASE;
use crate::sqlite::parse::{CreateTable, ParsedForeignKey};
use crate::sqlite::types;

/// Introspection of SQLite.
///
/// An index that the catalog has no word for (partial, on an expression, with an order or collation
/// of its own) is not reported; a rebuild of its table keeps it all the same. So are triggers, views
/// and virtual tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteIntrospect;

impl Introspect for SqliteIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(read(connection))
    }
}

const TABLES: &str = "SELECT s.name, s.sql FROM sqlite_schema AS s JOIN pragma_table_list AS l \
    ON l.schema = 'main' AND l.name = s.name AND l.type = 'table' \
    WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY s.name";

const INDEXES: &str = "SELECT s.name, l.name, l.\"unique\", l.origin, l.partial, \
    i.name, i.\"desc\", i.coll FROM sqlite_schema AS s JOIN pragma_index_list(s.name) AS l \
    JOIN pragma_index_xinfo(l.name) AS i ON i.key WHERE s.type = 'table' ORDER BY s.name, l.name, i.seqno";

async fn read(connection: &mut dyn Connection) -> Result<Schema> {
    let text = ColumnType::Text { max_len: None };
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        tables.push((row.get(0, &text)?, row.get(1, &text)?));
        Ok(Flow::Continue)
    };
    connection.run(Command { sql: TABLES, args: &[], reuse: Reuse::Once }, &mut take).await?;

    let mut found: BTreeMap<String, BTreeMap<String, FoundIndex>> = BTreeMap::new();
    let mut take = |row: &mut Row<'_>| {
        let index = found.entry(row.get(0, &text)?).or_default().entry(row.get(1, &text)?).or_default();
        index.unique = row.get(2, &ColumnType::Bool)?;
        index.is_constraint = row.get::<String>(3, &text)? != "c";
        let descending: bool = row.get(6, &ColumnType::Bool)?;
        index.beyond |= row.get::<bool>(4, &ColumnType::Bool)? || descending;
        match row.get::<Option<String>>(5, &text)? {
            Some(column) => index.columns.push((column, row.get(7, &text)?)),
            None => index.beyond = true,
        }
        Ok(Flow::Continue)
    };
    connection.run(Command { sql: INDEXES, args: &[], reuse: Reuse::Once }, &mut take).await?;

    let mut schema = Schema::default();
    for (name, sql) in tables {
        if OWN_TABLES.contains(&name.as_str()) {
            continue;
        }
        let parsed = CreateTable::parse(&sql).ok_or_else(|| {
            Error::new(ErrorKind::Database, format!("the definition of table {name} cannot be understood"))
                .with_table(&name)
        })?;
        let indexes = found.remove(&name).unwrap_or_default();
        schema.tables.push(table(name, parsed, indexes));
    }
    name_targets(&mut schema);
    schema.sort();
    Ok(schema)
}

#[derive(Default)]
struct FoundIndex {
    columns: Vec<(String, String)>,
    unique: bool,
    is_constraint: bool,
    beyond: bool,
}

fn table(name: String, parsed: CreateTable, indexes: BTreeMap<String, FoundIndex>) -> Table {
    let key = parsed.primary_key.map(|key| key.columns).unwrap_or_default();
    let collation = |column: &str| {
        let parsed = parsed.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column));
        parsed.and_then(|parsed| parsed.collation.clone()).unwrap_or_else(|| String::from("BINARY"))
    };
    let indexes = indexes
        .into_iter()
        .filter(|(_, index)| {
            let plain = index.columns.iter().all(|(column, used)| used.eq_ignore_ascii_case(&collation(column)));
            !index.beyond && plain
        })
        // The index of the primary key is the primary key; those of unique constraints are unique indexes.
        .filter(|(_, index)| !index.is_constraint || !index.columns.iter().map(|(column, _)| column).eq(key.iter()))
        .map(|(name, index)| Index {
            name,
            columns: index.columns.into_iter().map(|(column, _)| column).collect(),
            unique: index.unique,
        })
        .collect();
    let columns = parsed
        .columns
        .iter()
        .map(|column| {
            let ty = if column.generated {
                ColumnType::Other(format!("{} generated", column.ty).trim().to_owned().into())
            } else {
                types::recognise(column)
            };
            Column {
                name: column.name.clone(),
                nullable: !column.not_null,
                default: column.default.as_ref().and_then(|tokens| literal::recognise(&ty, tokens)),
                auto: column.autoincrement,
                case_insensitive: column.collation.as_deref() == Some(NOCASE),
                ty,
            }
        })
        .collect();
    let foreign_keys = parsed.foreign_keys.into_iter().map(|key| foreign_key(&name, key)).collect();
    Table { name, primary_key: key, columns, indexes, foreign_keys }
}

fn foreign_key(table: &str, key: ParsedForeignKey) -> ForeignKey {
    let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    ForeignKey {
        name: key.name.unwrap_or_else(|| constraint_name(table, &columns, "fkey")),
        columns: key.columns,
        target: key.target,
        target_columns: key.target_columns,
        on_delete: key.on_delete,
        on_update: key.on_update,
    }
}

/// `REFERENCES t` without columns means the primary key of `t`.
fn name_targets(schema: &mut Schema) {
    let keys: BTreeMap<String, Vec<String>> =
        schema.tables.iter().map(|table| (table.name.clone(), table.primary_key.clone())).collect();
    for key in schema.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.target_columns.is_empty() {
            key.target_columns = keys.get(&key.target).cloned().unwrap_or_default();
        }
    }
}
