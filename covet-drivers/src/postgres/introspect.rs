//! The schema that a PostgreSQL database has, read from its catalogs.
//!
//! What Covet has no word for (views, triggers, constraints of exclusion, partitions) is not part of the answer, so
//! that no migration ever touches it.

use std::collections::HashMap;

use crate::catalog::{
    Action, Check, Column, ColumnDefault, ColumnType, EnumType, Expression, ForeignKey, Generated, Index, Over,
    Qualified, Schema, Table, Term, Timing,
};
use crate::contract::{BoxFuture, Command, Connection, Flow, Introspect, OWN_TABLES, Reuse, Row, Unmodelled};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::types::{NO_CASE, check_name, literal, range, read, read_default};
use crate::postgres::unmodelled;

/// How to read the schema of a PostgreSQL database: that which is first in the search path, and others by name.
#[derive(Clone, Copy, Debug)]
pub struct PostgresIntrospect;

impl Introspect for PostgresIntrospect {
    fn read<'a>(&'a self, connection: &'a mut dyn Connection, schemas: &'a [String]) -> BoxFuture<'a, Result<Schema>> {
        Box::pin(schema(connection, Reach(schemas)))
    }

    fn unmodelled<'a>(
        &'a self,
        connection: &'a mut dyn Connection,
        schemas: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Unmodelled>>> {
        Box::pin(unmodelled::read(connection, Reach(schemas)))
    }
}

/// The schemas of which is told: the first of the search path, and these, whose names are told too.
///
/// In a question `{reach s}` is the condition on a row `s` of `pg_namespace`, and `{schema s}` its name where that is
/// told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a>(pub(super) &'a [String]);

impl Reach<'_> {
    fn list(self) -> String {
        self.0.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ")
    }

    /// The question with its marks replaced.
    pub(super) fn ask(self, question: &str) -> String {
        let list = self.list();
        let mut question = question.to_owned();
        for s in ["s", "ts", "fs"] {
            let (reach, schema) = match list.is_empty() {
                true => (format!("{s}.nspname = current_schema()"), "NULL::text".to_owned()),
                false => (
                    format!("({s}.nspname = current_schema() OR {s}.nspname IN ({list}))"),
                    format!("CASE WHEN {s}.nspname IN ({list}) THEN {s}.nspname::text END"),
                ),
            };
            question = question.replace(&format!("{{reach {s}}}"), &reach).replace(&format!("{{schema {s}}}"), &schema);
        }
        question
    }

    /// Hands every row of the answer to a function.
    async fn each(
        self,
        connection: &mut dyn Connection,
        question: &str,
        take: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
    ) -> Result<()> {
        let sql = self.ask(question);
        let reuse = if self.0.is_empty() { Reuse::Keep } else { Reuse::Once };
        each(connection, Command { sql: &sql, args: &[], reuse }, take).await
    }
}

/// A name of this row, behind that of its schema where that is told.
fn told(row: &mut Row<'_>, name: usize, schema: usize) -> Result<String> {
    let schema: Option<String> = row.get(schema, &TEXT)?;
    Ok(Qualified::text(schema.as_deref(), &row.get::<String>(name, &TEXT)?))
}

/// Tables, but for those that belong to an extension.
const TABLES: &str = "\
SELECT c.relname::text, pg_catalog.obj_description(c.oid, 'pg_class'), {schema s} FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
WHERE {reach s} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

const COLUMNS: &str = "\
SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, l.collname::text,
  pg_catalog.quote_ident(a.attname), t.typname::text, t.typtype::text,
  pg_catalog.col_description(c.oid, a.attnum), {schema s},
  {schema ts}, pg_catalog.pg_type_is_visible(t.oid) OR {reach ts}
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace ts ON ts.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE {reach s} AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.oid, a.attnum";

const LABELS: &str = "\
SELECT t.typname::text, e.enumlabel::text, {schema s} FROM pg_catalog.pg_enum e
JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
WHERE pg_catalog.pg_type_is_visible(t.oid) OR {reach s}
ORDER BY t.oid, e.enumsortorder";

const CHECKS: &str = "\
SELECT r.relname::text, n.conname::text, pg_catalog.pg_get_constraintdef(n.oid), {schema s}
FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
WHERE {reach s} AND n.contype = 'c'";

const PRIMARY_KEYS: &str = "\
SELECT r.relname::text, a.attname::text, {schema s} FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
CROSS JOIN LATERAL unnest(n.conkey) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.attnum
WHERE {reach s} AND n.contype = 'p'
ORDER BY r.oid, k.place";

const FOREIGN_KEYS: &str = "\
SELECT r.relname::text, n.conname::text, f.relname::text, n.confdeltype::text, n.confupdtype::text,
  a.attname::text, b.attname::text, n.condeferrable, n.condeferred, {schema s}, {schema fs}
FROM pg_catalog.pg_constraint n
JOIN pg_catalog.pg_class r ON r.oid = n.conrelid
JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
JOIN pg_catalog.pg_class f ON f.oid = n.confrelid
JOIN pg_catalog.pg_namespace fs ON fs.oid = f.relnamespace
CROSS JOIN LATERAL unnest(n.conkey, n.confkey) WITH ORDINALITY AS k(own, other, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.own
JOIN pg_catalog.pg_attribute b ON b.attrelid = n.confrelid AND b.attnum = k.other
WHERE {reach s} AND n.contype = 'f' AND n.conparentid = 0 AND {reach fs}
ORDER BY r.oid, n.conname, k.place";

/// A row for each term, and for each column that only lies in it.
const INDEXES: &str = "\
SELECT r.relname::text, x.relname::text, i.indisunique, a.attname::text, m.amname::text,
  k.place > i.indnkeyatts, pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, true),
  COALESCE((i.indoption::int2[])[k.place - 1] & 1, 0) = 1, CASE WHEN NOT oc.opcdefault THEN oc.opcname::text END,
  pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),
  pg_catalog.pg_get_indexdef(i.indexrelid) LIKE '%NULLS NOT DISTINCT%', {schema s}
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = (i.indclass::oid[])[k.place - 1]
WHERE {reach s} AND NOT i.indisprimary AND i.indisvalid
  AND NOT i.indisexclusion
ORDER BY r.oid, x.relname, k.place";

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// Checks by table and name, as the server writes them.
type Checks = HashMap<(String, String), String>;

async fn schema(connection: &mut dyn Connection, reach: Reach<'_>) -> Result<Schema> {
    let mut tables: HashMap<String, Table> = HashMap::new();
    reach
        .each(connection, TABLES, |row| {
            let name = told(row, 0, 2)?;
            if !OWN_TABLES.contains(&&*Qualified::of(&name).name) {
                let table = Table { comment: row.get(1, &TEXT)?, ..Table::new(name.clone()) };
                tables.insert(name, table);
            }
            Ok(())
        })
        .await?;
    let mut enums: HashMap<String, Vec<std::borrow::Cow<'static, str>>> = HashMap::new();
    reach
        .each(connection, LABELS, |row| {
            enums.entry(told(row, 0, 2)?).or_default().push(row.get::<String>(1, &TEXT)?.into());
            Ok(())
        })
        .await?;
    let mut checks = Checks::new();
    reach
        .each(connection, CHECKS, |row| {
            checks.insert((told(row, 0, 3)?, row.get(1, &TEXT)?), row.get(2, &TEXT)?);
            Ok(())
        })
        .await?;
    reach
        .each(connection, COLUMNS, |row| {
            if let Some(table) = tables.get_mut(&told(row, 0, 12)?) {
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
    reach
        .each(connection, PRIMARY_KEYS, |row| {
            if let Some(table) = tables.get_mut(&told(row, 0, 2)?) {
                table.primary_key.push(row.get(1, &TEXT)?);
            }
            Ok(())
        })
        .await?;
    reach
        .each(connection, INDEXES, |row| {
            if let Some(table) = tables.get_mut(&told(row, 0, 11)?) {
                index(row, table)?;
            }
            Ok(())
        })
        .await?;
    reach
        .each(connection, FOREIGN_KEYS, |row| {
            if let Some(table) = tables.get_mut(&told(row, 0, 9)?) {
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
    let type_name = told(row, 9, 13)?;
    // One of the same name elsewhere is another.
    let is_enum = text(row, 10)?.as_deref() == Some("e") && row.get(14, &ColumnType::Bool)?;
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
            target: told(row, 2, 10)?,
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

/// Hands every row to a function.
pub(super) async fn each(
    connection: &mut dyn Connection,
    command: Command<'_>,
    mut take: impl FnMut(&mut Row<'_>) -> Result<()> + Send,
) -> Result<()> {
    let mut sink = |row: &mut Row<'_>| take(row).map(|()| Flow::Continue);
    connection.run(command, &mut sink).await.map(|_| ())
}
