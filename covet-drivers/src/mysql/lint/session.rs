//! What the session says, and what only the server can tell.

use crate::catalog::ColumnType;
use crate::contract::{Command, Connection, Flow, Reuse, Row};
use crate::error::Result;
use crate::lint::{Check, Hit, Rule, Severity, What};

pub(super) const MA04: Rule = Rule {
    id: "MA04",
    severity: Severity::Error,
    title: "a session without strict mode",
    trigger: "`SET sql_mode` without a strict mode. Covet's sessions are strict.",
    effect: "Values are cut, zeroed and blanked with a warning that nobody reads.",
    safer: "Leave `sql_mode` alone.",
    covers: &[],
    check: Check::Any(|at| match &at.act.what {
        What::Set { name, value }
            if name == "sql_mode" && !value.contains("strict_") && !value.contains("sql_mode") =>
        {
            Some(String::from("from here on values that do not fit are changed"))
        }
        _ => None,
    }),
    fires: &["SET sql_mode = ''", "SET SESSION sql_mode = 'ANSI_QUOTES'"],
    silent: &["SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'", "SET time_zone = '+00:00'"],
};

/// What a migration may wait for a lock, in seconds.
const MOST: i64 = 600;

pub(super) const MA18: Rule = Rule {
    id: "MA18",
    severity: Severity::Warn,
    title: "a lock on the definition is waited for all day",
    trigger: "`lock_wait_timeout` of more than ten minutes in the session, on the server (its default is a day), and a script with an `ALTER TABLE` that does not say `WAIT` or `NOWAIT`.",
    effect: "The ALTER waits for the longest transaction, and everybody who comes later waits behind it.",
    safer: "`lock_timeout=5000` in the URL, `SET lock_wait_timeout = 5`, or `ALTER TABLE t WAIT 5` (MariaDB).",
    covers: &[],
    check: Check::Live(|connection, scene| {
        Box::pin(async move {
            let waits = scene.acts().find(|(index, act)| {
                let patient = !scene.statements.get(*index).is_some_and(|statement| {
                    statement.read.acts.iter().any(|act| matches!(&act.what, What::How { word, .. } if word == "wait"))
                });
                let set = scene
                    .acts_before(*index)
                    .any(|(_, act)| matches!(&act.what, What::Set { name, .. } if name == "lock_wait_timeout"));
                let table = !act.table.is_empty() && super::steps::is_ddl(act) && !scene.is_new(&act.table, *index);
                table && patient && !set
            });
            let Some((index, act)) = waits else { return Ok(Vec::new()) };
            let seconds = number(connection, "SELECT CAST(@@lock_wait_timeout AS SIGNED)").await?;
            let message = || format!("it waits up to {seconds} s for its lock, and everybody behind it");
            Ok(if seconds > MOST { vec![Hit::new(index, &act.table, message())] } else { Vec::new() })
        })
    }),
    fires: &[],
    silent: &[],
};

async fn number(connection: &mut dyn Connection, sql: &str) -> Result<i64> {
    let mut found = 0;
    let mut take = |row: &mut Row<'_>| {
        found = row.get::<i64>(0, &ColumnType::I64)?;
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}
