//! The schema that a PostgreSQL database has, read from its catalogs.
//!
//! What Covet has no word for (views, triggers, constraints of exclusion, partitions) is not part of the answer, so
//! that no migration ever touches it.

use std::collections::HashMap;

use crate::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Over, Schema,
    Table, Term, Timing,
};
use crate::contract::{BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row, Unmodelled};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::types::{NO_CASE, check_name, range, read, read_default};
use crate::postgres::unmodelled;

/// How to read the schema of a PostgreSQL database: the one that is first in the search path.
#[derive(Clone, Copy, Debug)]
pub struct PostgresIntrospect;

impl Introspect for PostgresIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(schema(connection))
    }

    fn unmodelled<'a>(&'a self, connection: &'a mut dyn Connection) -> BoxFuture<'a, Result<Vec<Unmodelled>>> {
        Box::pin(unmodelled::read(connection))
    }
}

/// Tables of the schema, but for those that belong to an extension.
const TABLES: &str = "\
SELECT c.relname::text, pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

const COLUMNS: &str = "\
SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, l.collname::text,
  pg_catalog.quote_ident(a.attname), t.typname::text, t.typtype::text,
  pg_catalog.col_description(c.oid, a.attnum)
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
  a.attname::text, b.attname::text, n.condeferrable, n.condeferred
FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
JOIN pg_catalog.pg_class f ON f.oid = n.confrelid
CROSS JOIN LATERAL unnest(n.conkey, n.confkey) WITH ORDINALITY AS k(own, other, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.own
JOIN pg_catalog.pg_attribute b ON b.attrelid = n.confrelid AND b.attnum = k.other
WHERE n.connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND n.contype = 'f' AND n.conparentid = 0
  AND f.relnamespace = n.connamespace
ORDER BY r.relname, n.conname, k.place";

/// A row for each term, and for each column that only lies in it.
const INDEXES: &str = "\
SELECT r.relname::text, x.relname::text, i.indisunique, a.attname::text, m.amname::text,
  k.place > i.indnkeyatts, pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, true),
  COALESCE((i.indoption::int2[])[k.place - 1] & 1, 0) = 1, CASE WHEN NOT oc.opcdefault THEN oc.opcname::text END,
  pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),
  pg_catalog.pg_get_indexdef(i.indexrelid) LIKE '%NULLS NOT DISTINCT%'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = (i.indclass::oid[])[k.place - 1]
WHERE r.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) AND NOT i.indisprimary AND i.indisvalid
  AND NOT i.indisexclusion
ORDER BY r.relname, x.relname, k.place";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// Checks by table and name, as the server writes them.
type Checks = HashMap<(String, String), String>;

async fn schema(connection: &mut dyn Connection) -> Result<Schema> {
    let mut tables: HashMap<String, Table> = HashMap::new();
    each(connection, kept(TABLES), |row| {
        let name: String = row.get(0, &TEXT)?;
        if !OWN_TABLES.contains(&name.as_str()) {
            let table = Table { comment: row.get(1, &TEXT)?, ..Table::new(name.clone()) };
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
    let mut checks = Checks::new();
    each(connection, kept(CHECKS), |row| {
        checks.insert((row.get(0, &TEXT)?, row.get(1, &TEXT)?), row.get(2, &TEXT)?);
        Ok(())
    })
    .await?;
    each(connection, kept(COLUMNS), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            let column = column(row, &table.name, &enums, &mut checks)?;
            table.columns.push(column);
        }
        Ok(())
    })
    .await?;
    // What is left stands for no column's type.
    for ((table, name), definition) in checks {
        if let Some(table) = tables.get_mut(&table) {
            let expression = definition.strip_prefix("CHECK ").unwrap_or(&definition);
            let expression = expression.strip_suffix(" NOT VALID").unwrap_or(expression).to_owned();
            table.checks.push(Check { name, expression: Expression::new(expression) });
        }
    }
    each(connection, kept(PRIMARY_KEYS), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            table.primary_key.push(row.get(1, &TEXT)?);
        }
        Ok(())
    })
    .await?;
    each(connection, kept(INDEXES), |row| {
        if let Some(table) = tables.get_mut(&row.get::<String>(0, &TEXT)?) {
            index(row, table)?;
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
    let mut schema = Schema::of(tables.into_values().collect());
    schema.sort();
    Ok(schema)
}

fn column(
    row: &mut Row<'_>,
    table: &str,
    enums: &HashMap<String, Vec<std::borrow::Cow<'static, str>>>,
    checks: &mut Checks,
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
    let check = (table.to_owned(), check_name(table, &name));
    let ty = read(&reported, checks.get(&check).map(String::as_str), &quoted, labels);
    if range(&ty).is_some() {
        checks.remove(&check);
    }
    let kind = text(row, 6)?.filter(|kind| !kind.is_empty());
    let generated = kind.map(|kind| Generated {
        expression: Expression::new(expression.clone().unwrap_or_default()),
        stored: kind == "s",
    });
    let expression = expression.filter(|_| generated.is_none());
    let serial = expression.as_deref().is_some_and(|expression| expression.starts_with("nextval("));
    let default = expression.filter(|_| !serial).and_then(|expression| match read_default(&expression, &ty) {
        None if expression.starts_with("NULL::") => None,
        None => Some(ColumnDefault::Expression(Expression::new(expression))),
        known => known,
    });
    let case_insensitive = ty.is_text() && text(row, 7)?.as_deref() == Some(NO_CASE);
    let auto = serial || text(row, 5)?.is_some_and(|kind| !kind.is_empty());
    let nullable = !row.get::<bool>(3, &ColumnType::Bool)?;
    Ok(Column {
        nullable,
        default,
        auto,
        case_insensitive,
        generated,
        comment: text(row, 11)?,
        ..Column::new(name, ty)
    })
}

/// A term of an index, or a column that only lies in it.
fn index(row: &mut Row<'_>, table: &mut Table) -> Result<()> {
    let text = |row: &mut Row<'_>, index| row.get::<Option<String>>(index, &TEXT);
    let flag = |row: &mut Row<'_>, index| row.get::<bool>(index, &ColumnType::Bool);
    let name: String = row.get(1, &TEXT)?;
    if table.indexes.last().is_none_or(|index| index.name != name) {
        let method = text(row, 4)?.filter(|method| method != "btree");
        let condition = text(row, 9)?.map(Expression::new);
        table.indexes.push(Index {
            name,
            unique: flag(row, 2)?,
            condition,
            method,
            nulls_agree: flag(row, 10)?,
            ..Index::default()
        });
    }
    let Some(index) = table.indexes.last_mut() else { return Ok(()) };
    let column = text(row, 3)?;
    if flag(row, 5)? {
        index.include.extend(column);
        return Ok(());
    }
    let over = match column {
        Some(column) => Over::Column(column),
        None => Over::Expression(Expression::new(text(row, 6)?.unwrap_or_default())),
    };
    index.terms.push(Term { over, descending: flag(row, 7)?, class: text(row, 8)? });
    Ok(())
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
            timing: match (row.get(7, &ColumnType::Bool)?, row.get(8, &ColumnType::Bool)?) {
                (_, true) => Timing::Deferred,
                (true, false) => Timing::Deferrable,
                (false, false) => Timing::Immediate,
            },
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
