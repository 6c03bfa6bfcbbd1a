//! What only the server can tell.

use crate::catalog::ColumnType;
use crate::contract::{Command, Connection, Flow, Reuse, Row};
use crate::error::Result;
use crate::lint::{Check, Hit, Rule, Severity, What};
use crate::postgres::introspect::Reach;

pub(super) const PG03: Rule = Rule {
    id: "PG03",
    severity: Severity::Warn,
    title: "an invalid index was left over",
    trigger: "An index that is not valid, on the server.",
    effect: "A concurrent build failed: no query uses the index, and every write maintains it.",
    safer: "`DROP INDEX CONCURRENTLY`, and build it again.",
    covers: &[],
    check: Check::Live(|connection, scene| {
        Box::pin(async move {
            let schemas = scene.after.schemas();
            let question = Reach(&schemas).ask(
                "SELECT c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                 JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE NOT i.indisvalid AND {reach s} \
                 AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.index_relid = c.oid) ORDER BY 1",
            );
            let names = texts(connection, &question).await?;
            Ok(names.into_iter().map(|name| Hit::new(0, "", format!("the index {name} is invalid"))).collect())
        })
    }),
    fires: &[],
    silent: &[],
};

pub(super) const PG22: Rule = Rule {
    id: "PG22",
    severity: Severity::Info,
    title: "concurrent index builds on 14.0 to 14.3",
    trigger: "`CONCURRENTLY` in a script, and a server of these versions.",
    effect: "A fault of these versions can leave rows out of the index.",
    safer: "Upgrade the server first.",
    covers: &[],
    check: Check::Live(|connection, scene| {
        Box::pin(async move {
            let builds =
                scene.acts().find(|(_, act)| matches!(&act.what, What::CreateIndex(index) if index.concurrently));
            let Some((at, act)) = builds else { return Ok(Vec::new()) };
            let version = texts(connection, "SELECT current_setting('server_version_num')").await?;
            let number: u32 = version.first().and_then(|text| text.parse().ok()).unwrap_or(0);
            let hit = || Hit::new(at, &act.table, "this version of the server can leave rows out of the index");
            Ok(if has_fault(number) { vec![hit()] } else { Vec::new() })
        })
    }),
    fires: &[],
    silent: &[],
};

/// Whether a version is one of those that can leave rows out.
fn has_fault(version: u32) -> bool {
    (140_000..140_004).contains(&version)
}

/// The first column of what a query gives.
async fn texts(connection: &mut dyn Connection, sql: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut take = |row: &mut Row<'_>| {
        found.push(row.get::<String>(0, &ColumnType::Text { max_len: None })?);
        Ok(Flow::Continue)
    };
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut take).await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::has_fault;

    #[test]
    fn the_versions_with_the_fault() {
        for (version, fault) in [(130_012, false), (140_000, true), (140_003, true), (140_004, false), (150_020, false)]
        {
            assert_eq!(has_fault(version), fault, "{version}");
        }
    }
}
