//! What only the database can tell.

use crate::catalog::ColumnType;
use crate::contract::{Command, Connection, Flow, Reuse, Row};
use crate::error::Result;
use crate::lint::{Check, Hit, Rule, Severity};
use crate::render::ansi;

/// From so many rows on a table is big.
const BIG: i64 = 100_000;

pub(super) const SL12: Rule = Rule {
    id: "SL12",
    severity: Severity::Warn,
    title: "a rebuild of a big table",
    trigger: "A rebuild of a table that has 100 000 rows or more.",
    effect: "Nobody writes anywhere in the file until it is done, and the file needs twice the space of the table.",
    safer: "All changes of the table in one migration, which is one rebuild; a quiet time.",
    covers: &[],
    check: Check::Live(|connection, scene| {
        Box::pin(async move {
            let mut hits = Vec::new();
            for rebuild in &scene.rebuilds {
                let known = scene.known(&rebuild.table).map_or(rebuild.table.as_str(), |table| &table.name);
                let there = format!(
                    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{}'",
                    known.replace('\'', "''")
                );
                if number(connection, &there).await? == 0 {
                    continue;
                }
                let rows =
                    number(connection, &format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {BIG})", quoted(known)))
                        .await?;
                if rows >= BIG {
                    hits.push(Hit::new(
                        rebuild.create,
                        &rebuild.table,
                        format!("{known} has {BIG} rows or more, and all are written anew"),
                    ));
                }
            }
            Ok(hits)
        })
    }),
    fires: &[],
    silent: &[],
};

pub(super) const SL16: Rule = Rule {
    id: "SL16",
    severity: Severity::Info,
    title: "foreign keys that cannot be switched off",
    trigger: "A rebuild in a script, and a database that ignores `PRAGMA foreign_keys`.",
    effect: "Some hosts of SQLite do: a rebuild would delete or empty rows of other tables. Covet reads the switch back and refuses to begin.",
    safer: "Migrate the file with a SQLite that obeys.",
    covers: &[],
    check: Check::Live(|connection, scene| {
        Box::pin(async move {
            let Some(rebuild) = scene.rebuilds.first() else { return Ok(Vec::new()) };
            let before = number(connection, "PRAGMA foreign_keys").await?;
            connection.script(&format!("PRAGMA foreign_keys = {}", 1 - before)).await?;
            let after = number(connection, "PRAGMA foreign_keys").await?;
            connection.script(&format!("PRAGMA foreign_keys = {before}")).await?;
            let ignored = after == before;
            let hit = || Hit::new(rebuild.create, &rebuild.table, "the database ignores PRAGMA foreign_keys");
            Ok(if ignored { vec![hit()] } else { Vec::new() })
        })
    }),
    fires: &[],
    silent: &[],
};

fn quoted(name: &str) -> String {
    let mut out = String::new();
    ansi::identifier(name, &mut out);
    out
}

async fn number(connection: &mut dyn Connection, sql: &str) -> Result<i64> {
    let mut found = 0;
    let mut take = |row: &mut Row<'_>| {
        found = row.get::<i64>(0, &ColumnType::I64)?;
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}
