//! What is asked of a session, or done to it, past Covet.

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_drivers::pool::Lease;
use covet_orm::Db;

/// The last number that a query gives, 0 when it gives none.
///
/// # Errors
/// The database's.
pub async fn number(lease: &mut Lease, sql: &str) -> covet_orm::Result<i64> {
    let mut found = 0;
    let mut sink = |row: &mut Row<'_>| {
        found = row.get(0, &ColumnType::I64)?;
        Ok(Flow::Continue)
    };
    lease.run(Command { sql, args: &[], reuse: Reuse::Keep }, &mut sink).await?;
    Ok(found)
}

/// What the server calls the session. SQLite has no word for it: 1.
///
/// # Errors
/// The database's.
pub async fn id(lease: &mut Lease) -> covet_orm::Result<i64> {
    let sql = match lease.server().product {
        "PostgreSQL" => "SELECT pg_backend_pid()::bigint",
        "SQLite" => "SELECT 1",
        _ => "SELECT CONNECTION_ID()",
    };
    number(lease, sql).await
}

/// Ends a session as an administrator does.
///
/// # Errors
/// The database's.
pub async fn kill(session: i64, on: &Db) -> covet_orm::Result<()> {
    let sql = match on.server().product {
        "PostgreSQL" => format!("SELECT pg_terminate_backend({session})"),
        _ => format!("KILL {session}"),
    };
    on.acquire().await?.script(&sql).await
}
