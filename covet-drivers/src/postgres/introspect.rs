//! The schema that a PostgreSQL database has, read from its catalogs.
//!
//! What Covet has no word for (partial and expression indexes, checks of the user's own, views, triggers)
//! is not part of the answer, so that no migration ever touches it.

use std::collections::HashMap;

use crate::catalog::{Action, Column, ColumnType, EnumType, ForeignKey, Index, Schema, Table};
use crate::contract::{BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::types::{NO_CASE, check_name, read, read_default};

/// How to read the schema of a PostgreSQL database: the one that is first in the search path.
#[derive(Clone, Copy, Debug)]
pub struct PostgresIntrospect;

impl Introspect for PostgresIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(schema(connection))
    }
}

/// Tables of the schema, but for those that belong to an extension.
const TABLES: &str = "\
SELECT c.relname::text FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

const COLUMNS: &str = "\
SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, l.collname::text,
  pg_catalog.quote_ident(a.attname), t.typname::text, t.typtype::text
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum";

const LABELS: &str = "\
SELECT t.typname::text, e.enumlabel::text FROM pg_catalog.pg_enum e
JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
WHERE pg_catalog.pg_type_is_visible(t.oid)
ORDER BY t.typname, e.enumsortorder";

const CHECKS: &str = "\
SELECT r.relname::text, n.conname::text, pg_catalog.pg_get_constraintdef(n.oid) FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
WHERE n.connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND n.contype = 'c'";

const PRIMARY_KEYS: &str = "\
SELECT r.relname::text, a.attname::text FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
CROSS JOIN LATERAL unnest(n.conkey) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.attnum
WHERE n.connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND n.contype = 'p'
ORDER BY r.relname, k.place";

const FOREIGN_KEYS: &str = "\
SELECT r.relname::text, n.conname::text, f.relname::text, n.confdeltype::text, n.confupdtype::text,
  a.attname::text, b.attname::text
FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
JOIN pg_catalog.pg_class f ON f.oid = n.confrelid
CROSS JOIN LATERAL unnest(n.conkey, n.confkey) WITH ORDINALITY AS k(own, other, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.own
JOIN pg_catalog.pg_attribute b ON b.attrelid = n.confrelid AND b.attnum = k.other
WHERE n.connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND n.contype = 'f' AND n.conparentid = 0
  AND f.relnamespace = n.connamespace
ORDER BY r.relname, n.conname, k.place";

/// Whole columns only: no expressions, no condition, nothing but keys.
const INDEXES: &str = "\
SELECT r.relname::text, x.relname::text, i.indisunique, a.attname::text
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE r.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND NOT i.indisprimary AND i.indisvalid
  AND m.amname = 'btree' AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnatts = i.indnkeyatts
  AND pg_catalog.pg_get_indexdef(i.indexrelid) NOT LIKE '%NULLS NOT DISTINCT%'
ORDER BY r.relname, x.relname, k.place";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

async fn schema(connection: &mut dyn Connection) -> Result<Schema> {
    let mut tables: HashMap<String, Table> = HashMap::new();
    each(connection, kept(TABLES), |row| {
        let name: String = row.get(0, &TEXT)?;
        if !OWN_TABLES.contains(&name.as_str()) {
            let table = Table {
                name: name.clone(),
                primary_key: Vec::new(),
                columns: Vec::new(),
                indexes: Vec::new(),
                foreign_keys: Vec::new(),
            };
            tables.insert(name, table);
        }
        Ok(())
    })
    .await?;
    let mut enums: HashMap<String, Vec<std::borrow::Cow<'static, str>>> = HashMap::new();
    each(connection, kept(LABELS), |row| {
        enums.entry(row.get(0, &TEXT)?).or_default().push(row.get::<String>(1, &TEXT)?.into());
        Ok(())
    })
    .await?;
    let mut checks: HashMap<(String, String), String> = HashMap::new();
    each(connection, kept(CHECKS), |row| {
        checks.insert((row.get(0, &TEXT)?, row.get(1, &TEXT)?), row.get(2, &TEXT)?);
        Ok(())
    })
    .await?;
    each(connection, kept(COLUMNS), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            let column = column(row, &table.name, &enums, &checks)?;
            table.columns.push(column);
        }
        Ok(())
    })
    .await?;
    each(connection, kept(PRIMARY_KEYS), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            table.primary_key.push(row.get(1, &TEXT)?);
        }
        Ok(())
    })
    .await?;
    each(connection, kept(INDEXES), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            let (name, column): (String, String) = (row.get(1, &TEXT)?, row.get(3, &TEXT)?);
            match table.indexes.last_mut() {
                Some(index) if index.name == name => index.columns.push(column),
                _ => {
                    let unique = row.get(2, &ColumnType::Bool)?;
                    table.indexes.push(Index { name, columns: vec![column], unique });
                }
            }
        }
        Ok(())
    })
    .await?;
    each(connection, kept(FOREIGN_KEYS), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            foreign_key(row, table)?;
        }
        Ok(())
    })
    .await?;
    let mut schema = Schema { tables: tables.into_values().collect() };
    schema.sort();
    Ok(schema)
}

fn column(
    row: &mut Row<'_>,
    table: &str,
    enums: &HashMap<String, Vec<std::borrow::Cow<'static, str>>>,
    checks: &HashMap<(String, String), String>,
) -> Result<Column> {
    let text = |row: &mut Row<'_>, index| row.get::<Option<String>>(index, &TEXT);
    let name: String = row.get(1, &TEXT)?;
    let reported: String = row.get(2, &TEXT)?;
    let expression = text(row, 4)?;
    let quoted: String = row.get(8, &TEXT)?;
    let type_name: String = row.get(9, &TEXT)?;
    let is_enum = text(row, 10)?.as_deref() == Some("e");
    let labels = enums.get(&type_name).filter(|_| is_enum);
    let labels = labels.map(|labels| EnumType { name: type_name.into(), labels: labels.clone().into() });
    let check = checks.get(&(table.to_owned(), check_name(table, &name))).map(String::as_str);
    let mut ty = read(&reported, check, &quoted, labels);
    let generated = text(row, 6)?.is_some_and(|kind| !kind.is_empty());
    if generated {
        let expression = expression.as_deref().unwrap_or_default();
        ty = ColumnType::Other(format!("{reported} GENERATED ALWAYS AS ({expression}) STORED").into());
    }
    let expression = expression.filter(|_| !generated);
    let serial = expression.as_deref().is_some_and(|expression| expression.starts_with("nextval("));
    let default = expression.as_deref().filter(|_| !serial).and_then(|expression| {
        let default = read_default(expression, &ty);
        if default.is_none() {
            tracing::debug!(table, column = name, "a default that Covet has no word for is left as it is");
        }
        default
    });
    let case_insensitive = ty.is_text() && text(row, 7)?.as_deref() == Some(NO_CASE);
    let auto = serial || text(row, 5)?.is_some_and(|kind| !kind.is_empty());
    Ok(Column { name, ty, nullable: !row.get::<bool>(3, &ColumnType::Bool)?, default, auto, case_insensitive })
}

fn foreign_key(row: &mut Row<'_>, table: &mut Table) -> Result<()> {
    let name: String = row.get(1, &TEXT)?;
    if table.foreign_keys.last().is_none_or(|key| key.name != name) {
        table.foreign_keys.push(ForeignKey {
            name,
            columns: Vec::new(),
            target: row.get(2, &TEXT)?,
            target_columns: Vec::new(),
            on_delete: action(&row.get::<String>(3, &TEXT)?)?,
            on_update: action(&row.get::<String>(4, &TEXT)?)?,
        });
    }
    if let Some(key) = table.foreign_keys.last_mut() {
        key.columns.push(row.get(5, &TEXT)?);
        key.target_columns.push(row.get(6, &TEXT)?);
    }
    Ok(())
}

fn action(letter: &str) -> Result<Action> {
    Ok(match letter {
        "a" => Action::NoAction,
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => Action::SetDefault,
        _ => return Err(Error::new(ErrorKind::Protocol, "PostgreSQL reports a foreign key action that is not known")),
    })
}

fn kept(sql: &str) -> Command<'_> {
    Command { sql, args: &[], reuse: Reuse::Keep }
}

/// Hands every row to a function.
pub(super) async fn each(
    connection: &mut dyn Connection,
    command: Command<'_>,
    mut take: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
) -> Result<()> {
    let mut sink = |row: &mut Row<'_>| take(row).map(|()| Flow::Continue);
    connection.run(command, &mut sink).await.map(|_| ())
}
