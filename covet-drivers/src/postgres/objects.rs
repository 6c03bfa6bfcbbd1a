//! The texts of views, triggers, functions and extensions, as an object that is declared beside the models says them.

use crate::catalog::ColumnType;
use crate::contract::{Command, Connection, Reuse, Unmodelled};
use crate::error::Result;
use crate::postgres::introspect::each;

const TEXT: ColumnType = ColumnType::Text { max_len: None };

/// Rows of table, kind, name, what the statement begins with, and the statement; of the schema that is first in the search path.
/// What a text would not say wholly is left out: options of a view, a trigger that is switched off or belongs to a
/// constraint, one of several functions of a name.
const QUESTIONS: &[&str] = &[
    "SELECT NULL, 'view', c.relname, '', pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') FROM pg_catalog.pg_class c \
     WHERE c.relnamespace = {schema} AND c.relkind = 'v' AND c.reloptions IS NULL",
    "SELECT c.relname, 'trigger', t.tgname, 'CREATE TRIGGER ' || pg_catalog.quote_ident(t.tgname), \
       pg_catalog.pg_get_triggerdef(t.oid, true) \
     FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
     WHERE c.relnamespace = {schema} AND NOT t.tgisinternal AND t.tgconstraint = 0 AND t.tgenabled = 'O' \
       AND t.tgparentid = 0",
    "SELECT NULL, 'function', p.proname, 'CREATE OR REPLACE FUNCTION ' || pg_catalog.quote_ident(n.nspname) || '.' \
       || pg_catalog.quote_ident(p.proname), pg_catalog.pg_get_functiondef(p.oid) \
     FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
     WHERE n.oid = {schema} AND p.prokind = 'f' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc other \
       WHERE other.pronamespace = n.oid AND other.proname = p.proname AND other.oid <> p.oid)",
    "SELECT NULL, 'extension', extname, '', '' FROM pg_catalog.pg_extension",
];

/// The first schema of the search path.
const SCHEMA: &str = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";

/// Gives those their definitions that can be said.
pub(super) async fn define(connection: &mut dyn Connection, found: &mut [Unmodelled]) -> Result<()> {
    for question in QUESTIONS {
        let question = question.replace("{schema}", SCHEMA);
        let sql = format!(
            "SELECT q.t::text, q.k::text, q.n::text, q.b::text, q.d::text FROM ({question}) AS q(t, k, n, b, d)"
        );
        each(connection, Command { sql: &sql, args: &[], reuse: Reuse::Once }, |row| {
            let table: Option<String> = row.get(0, &TEXT)?;
            let [kind, name, begins, text]: [String; 4] =
                [row.get(1, &TEXT)?, row.get(2, &TEXT)?, row.get(3, &TEXT)?, row.get(4, &TEXT)?];
            let same = |one: &&mut Unmodelled| (&one.table, &one.kind, &one.name) == (&table, &kind, &name);
            if let Some(one) = found.iter_mut().find(same) {
                one.definition = text.strip_prefix(&begins).map(|text| text.trim().to_owned());
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}
