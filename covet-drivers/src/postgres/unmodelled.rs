//! What a PostgreSQL schema has for which Covet has no word.
//!
//! Each question gives rows of table, kind, name and detail; `{schema}` stands for the schema that is asked about,
//! `{all}` for all of them. What belongs to an extension is not told, but for the extension.

use crate::catalog::{ColumnType, Qualified};
use crate::contract::{Command, Connection, OWN_TABLES, Reuse, Unmodelled};
use crate::error::Result;
use crate::postgres::introspect::{Reach, each};
use crate::postgres::objects;
use crate::postgres::types::{NO_CASE, literal};

const TEXT: ColumnType = ColumnType::Text { max_len: None };

const QUESTIONS: &[&str] = &[
    // Relations that are no tables; a sequence that belongs to a column is a part of it.
    "SELECT NULL, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' \
       ELSE 'sequence' END, c.relname, '' \
     FROM pg_catalog.pg_class c WHERE c.relnamespace = {schema} AND c.relkind IN ('v', 'm', 'f', 'S') \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass \
         AND d.objid = c.oid AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))",
    "SELECT p.relname, CASE WHEN c.relispartition THEN 'partition' ELSE 'inheriting table' END, c.relname, \
       COALESCE(pg_catalog.pg_get_expr(c.relpartbound, c.oid), '') \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid \
       JOIN pg_catalog.pg_class p ON p.oid = i.inhparent \
     WHERE p.relnamespace = {schema} AND c.relkind IN ('r', 'p', 'f')",
    "SELECT c.relname, 'partitioning', c.relname, pg_catalog.pg_get_partkeydef(c.oid) FROM pg_catalog.pg_class c \
     WHERE c.relnamespace = {schema} AND c.relkind = 'p' AND NOT c.relispartition",
    "SELECT c.relname, CASE WHEN c.relpersistence = 'u' THEN 'unlogged table' ELSE 'row level security' END, c.relname, '' \
     FROM pg_catalog.pg_class c WHERE c.relnamespace = {schema} AND c.relkind IN ('r', 'p') \
       AND (c.relpersistence = 'u' OR c.relrowsecurity)",
    "SELECT c.relname, 'trigger', t.tgname, pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t \
     JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = {schema} AND NOT t.tgisinternal",
    "SELECT c.relname, 'rule', r.rulename, '' FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class \
     WHERE c.relnamespace = {schema} AND r.rulename <> '_RETURN'",
    "SELECT c.relname, 'policy', p.polname, '' FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid \
     WHERE c.relnamespace = {schema}",
    // What constraints have that is not read.
    "SELECT c.relname, CASE n.contype WHEN 'x' THEN 'exclusion constraint' WHEN 'f' THEN 'foreign key' \
       WHEN 'c' THEN 'check' ELSE 'constraint' END, n.conname, pg_catalog.pg_get_constraintdef(n.oid) \
     FROM pg_catalog.pg_constraint n JOIN pg_catalog.pg_class c ON c.oid = n.conrelid \
       LEFT JOIN pg_catalog.pg_class f ON f.oid = n.confrelid \
     WHERE c.relnamespace = {schema} AND n.conparentid = 0 AND (n.contype = 'x' OR NOT n.convalidated \
       OR n.contype IN ('p', 'u') AND n.condeferrable OR n.contype = 'c' AND n.connoinherit \
       OR n.contype = 'f' AND (f.relnamespace NOT IN {all} OR n.confmatchtype = 'f' \
         OR pg_catalog.pg_get_constraintdef(n.oid) LIKE '% SET NULL (%' \
         OR pg_catalog.pg_get_constraintdef(n.oid) LIKE '% SET DEFAULT (%'))",
    "SELECT r.relname, 'invalid index', x.relname, '' FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class r ON r.oid = i.indrelid \
     JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE r.relnamespace = {schema} AND NOT i.indisvalid",
    // An index that sorts a column by another collation than the column does.
    "SELECT r.relname, 'collation of an index', x.relname, pg_catalog.pg_get_indexdef(i.indexrelid) \
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class r ON r.oid = i.indrelid \
       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
     WHERE r.relnamespace = {schema} AND EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
       JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum \
       WHERE k.place <= i.indnkeyatts AND k.attnum <> 0 AND (i.indcollation::oid[])[k.place - 1] <> a.attcollation)",
    // Covet puts NULL first, where the smallest value is.
    "SELECT r.relname, 'place of NULL in an index', x.relname, pg_catalog.pg_get_indexdef(i.indexrelid) \
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class r ON r.oid = i.indrelid \
       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam \
     WHERE r.relnamespace = {schema} AND m.amname = 'btree' AND NOT i.indisprimary AND EXISTS (\
       SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
       JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum \
       WHERE k.place <= i.indnkeyatts AND k.attnum <> 0 AND NOT a.attnotnull \
         AND (i.indoption::int2[])[k.place - 1] IN (0, 3))",
    "SELECT c.relname, 'collation', c.relname, string_agg(a.attname || ' ' || CASE l.collname WHEN 'default' \
       THEN (SELECT datcollate FROM pg_catalog.pg_database WHERE datname = current_database()) ELSE l.collname END, \
       ', ' ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
       JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
     WHERE c.relnamespace = {schema} AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 \
       AND NOT a.attisdropped AND t.typname IN ('text', 'varchar') AND l.collname NOT IN ('C', 'POSIX', '{nocase}') \
       AND NOT (l.collname = 'default' AND EXISTS (SELECT 1 FROM pg_catalog.pg_database AS own \
         WHERE datname = current_database() AND datcollate IN ('C', 'POSIX') \
         AND COALESCE(to_jsonb(own) ->> 'datlocprovider', 'c') = 'c')) \
     GROUP BY c.relname",
    "SELECT c.relname, 'identity that is always generated', a.attname, '' FROM pg_catalog.pg_attribute a \
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = {schema} AND a.attidentity = 'a' \
       AND NOT a.attisdropped",
    // What is created anew gets the usual name.
    "SELECT c.relname, 'name of the primary key', n.conname, '' FROM pg_catalog.pg_constraint n \
     JOIN pg_catalog.pg_class c ON c.oid = n.conrelid WHERE c.relnamespace = {schema} AND n.contype = 'p' \
       AND NOT c.relispartition AND octet_length(c.relname) < 58 AND n.conname <> c.relname || '_pkey'",
    "SELECT NULL, CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END, t.typname, \
       CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) ELSE '' END \
     FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
     WHERE t.typnamespace = {schema} AND (t.typtype = 'd' OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype = 'e' \
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.atttypid = t.oid AND NOT a.attisdropped)) \
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::regclass \
         AND d.objid = t.oid AND d.deptype = 'e')",
    "SELECT NULL, 'function', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid) FROM pg_catalog.pg_proc p \
     WHERE p.pronamespace = {schema} AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
       WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')",
];

/// The same, about the whole database; `{all}` stands for the schemas that are told of.
const OF_THE_DATABASE: &[&str] = &[
    "SELECT NULL, 'extension', extname, '' FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'",
    "SELECT NULL, 'schema', s.nspname, 'tables: ' || count(*) FROM pg_catalog.pg_namespace s \
     JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
     WHERE s.oid NOT IN {all} AND s.nspname NOT LIKE 'pg\\_%' AND s.nspname <> 'information_schema' GROUP BY s.nspname",
];

/// The answers, sorted.
pub(super) async fn read(connection: &mut dyn Connection, reach: Reach<'_>) -> Result<Vec<Unmodelled>> {
    let mut found = Vec::new();
    let all = reach.ask("(SELECT s.oid FROM pg_catalog.pg_namespace s WHERE {reach s})");
    // The first of the search path, unless it is one of those that are named.
    let names = reach.0.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
    let not = if names.is_empty() { String::new() } else { format!(" AND nspname NOT IN ({names})") };
    let home = (None, format!("nspname = current_schema(){not}"));
    let others = reach.0.iter().map(|name| (Some(name.as_str()), format!("nspname = {}", literal(name))));
    for (schema, condition) in std::iter::once(home).chain(others) {
        let oid = format!("(SELECT oid FROM pg_catalog.pg_namespace WHERE {condition})");
        for question in QUESTIONS {
            ask(connection, &question.replace("{schema}", &oid).replace("{all}", &all), schema, &mut found).await?;
        }
    }
    for question in OF_THE_DATABASE {
        ask(connection, &question.replace("{all}", &all), None, &mut found).await?;
    }
    objects::define(connection, &mut found).await?;
    found.sort();
    Ok(found)
}

/// Asks one question, about one schema.
async fn ask(
    connection: &mut dyn Connection,
    question: &str,
    schema: Option<&str>,
    found: &mut Vec<Unmodelled>,
) -> Result<()> {
    let question = question.replace("{nocase}", NO_CASE);
    let sql = format!("SELECT q.t::text, q.k::text, q.n::text, q.d::text FROM ({question}) AS q(t, k, n, d)");
    each(connection, Command { sql: &sql, args: &[], reuse: Reuse::Once }, |row| {
        let table: Option<String> = row.get(0, &TEXT)?;
        if !table.as_deref().is_some_and(|table| OWN_TABLES.contains(&table)) {
            let (kind, mut name, detail): (_, String, _) = (row.get(1, &TEXT)?, row.get(2, &TEXT)?, row.get(3, &TEXT)?);
            // What is no part of a table has a name of its own in the schema.
            if schema.is_some() && table.as_ref().is_none_or(|table| *table == name) {
                name = Qualified::text(schema, &name);
            }
            let table = table.map(|table| Qualified::text(schema, &table));
            found.push(Unmodelled { table, kind, name, detail, definition: None });
        }
        Ok(())
    })
    .await
}
