//! What is known of the columns of an insert: their types, by asking the server once a session.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Result;
use crate::postgres::PostgresConnection;
use crate::postgres::cache::Prepared;
use crate::postgres::codec::base;
use crate::postgres::types::{qualified, quoted};
use crate::postgres::wording::Wording;
use crate::sql::Many;

/// The columns of an insert and their types.
#[derive(Debug)]
pub(super) struct Plan {
    /// `"table"`
    pub(super) table: String,
    /// `"table" ("column", …)`
    pub(super) target: String,
    pub(super) columns: Many<&'static str>,
    pub(super) types: Vec<Type>,
    /// A select of the columns that gives no row. The server prepared it for the types that they have, and
    /// refuses to run it when they have others.
    pub(super) probe: Prepared,
    /// The text of the probe.
    pub(super) sql: String,
}

/// Whether `COPY` does on a table what `INSERT` does, and begins: there are no rules, it is no view, row level
/// security lets everything pass, no column insists on its own numbers, no trigger may
/// refuse the statement as a whole; and the probe may run.
pub(super) const COPYABLE: &str = "SELECT c.relkind IN ('r', 'p') AND NOT c.relhasrules \
     AND NOT row_security_active(c.oid) AND has_table_privilege(c.oid, 'SELECT') \
     AND has_table_privilege(c.oid, 'INSERT') AND current_setting('transaction_read_only') = 'off' \
     AND NOT EXISTS (SELECT FROM pg_attribute a \
         WHERE a.attrelid = c.oid AND a.attidentity = 'a' AND NOT a.attisdropped) \
     AND NOT EXISTS (SELECT FROM pg_trigger g \
         WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype::int & 7 = 6) \
     FROM pg_class c WHERE c.oid = to_regclass($1)";

impl Plan {
    /// Runs the probe: an error says that the columns have other types by now.
    pub(super) async fn holds(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let mut rows = pin!(client.query_raw(&self.probe.statement, none).await?);
        while rows.as_mut().try_next().await?.is_some() {}
        Ok(())
    }
}

impl PostgresConnection {
    /// The plan for these columns; without columns there is nothing to plan.
    pub(super) async fn plan(&mut self, table: &str, columns: &Many<&'static str>) -> Result<Plan> {
        let names = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let table = qualified(table);
        let sql = format!("SELECT {names} FROM {table} LIMIT 0");
        let probe = self.kept(&sql).await?;
        let types = probe.statement.columns().iter().map(|column| base(column.type_()).clone()).collect();
        let target = format!("{table} ({names})");
        Ok(Plan { table, target, columns: columns.clone(), types, probe, sql })
    }

    /// A prepared statement, found or made. To be used where a statement is under way.
    pub(super) async fn kept(&mut self, sql: &str) -> Result<Prepared> {
        if let Some(prepared) = self.cache.get(sql) {
            return Ok(prepared);
        }
        let statement = self.prepare_named(sql).await.map_err(|error| self.settle_prepared(error))?;
        let prepared = Prepared { statement, wording: Wording::of(sql) };
        self.cache.put(sql, prepared.clone());
        Ok(prepared)
    }
}
