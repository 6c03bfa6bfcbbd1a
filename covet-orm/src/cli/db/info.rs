//! `cargo covet db info`: what is at the other end.

use covet_drivers::Result;
use serde_json::{Value, json};

use crate::cli::context::{Access, Chosen, Context};
use crate::cli::out::table;
use crate::migrate::{Migrator, Standing};

pub(super) async fn info(context: &Context, chosen: &Chosen) -> Result<()> {
    let out = &context.out;
    let db = context.connect(chosen, Access::Read).await?;
    let health = db.health().await;
    if let Some(error) = health.error {
        return Err(error);
    }
    let facts = {
        let mut lease = db.acquire().await?;
        chosen.admin()?.facts(&mut *lease).await?
    };
    let folder = context.project().ok().map(|project| project.migrations()).filter(|folder| folder.is_dir());
    let standings = match folder {
        Some(folder) => Some(Migrator::from_dir(folder)?.status(&db).await?),
        None => None,
    };
    let count =
        |wanted: Standing| standings.as_ref().map(|all| all.iter().filter(|status| status.standing == wanted).count());
    let (applied, pending) = (count(Standing::Applied), count(Standing::Pending));
    let vitals = health.vitals;
    let latency = health.latency.map_or(0.0, |latency| latency.as_secs_f64());

    let mut lines = vec![
        ("database", chosen.url.to_string()),
        ("named by", chosen.from.to_string()),
        ("server", format!("{} {}", health.server.product, health.server.version)),
        ("role", vitals.role.to_string()),
        ("latency", format!("{:.1?}", std::time::Duration::from_secs_f64(latency))),
    ];
    if let Some(writable) = vitals.writable {
        lines.push(("takes writes", if writable { "yes" } else { "no" }.to_owned()));
    }
    if let Some(lag) = vitals.lag {
        lines.push(("is behind", format!("{:.1} s", lag.as_secs_f64())));
    }
    lines.extend(facts.bytes.map(|bytes| ("size", size(bytes))));
    lines.extend(vitals.free_bytes.map(|bytes| ("free", size(bytes))));
    if let (Some(applied), Some(pending)) = (applied, pending) {
        lines.push(("migrations", format!("{applied} applied, {pending} pending")));
    }
    for (name, value) in &lines {
        out.line(format_args!("{name:<13} {value}"));
    }
    if !facts.tables.is_empty() {
        let unknown = || "?".to_owned();
        let rows: Vec<Vec<String>> = facts
            .tables
            .iter()
            .map(|one| {
                let rows = one.rows.map_or_else(unknown, |rows| rows.to_string());
                vec![one.name.clone(), rows, one.bytes.map_or_else(unknown, size)]
            })
            .collect();
        out.line("");
        out.line(table(&["table", "rows", "size"], &rows));
    }
    let tables: Vec<Value> =
        facts.tables.iter().map(|one| json!({ "name": one.name, "rows": one.rows, "bytes": one.bytes })).collect();
    out.json(&json!({
        "database": chosen.url.to_string(),
        "named_by": chosen.from.to_string(),
        "server": { "product": health.server.product, "version": health.server.version },
        "role": vitals.role.name(),
        "writable": vitals.writable,
        "lag_seconds": vitals.lag.map(|lag| lag.as_secs_f64()),
        "latency_seconds": latency,
        "bytes": facts.bytes,
        "free_bytes": vitals.free_bytes,
        "migrations": { "applied": applied, "pending": pending },
        "tables": tables,
    }))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    #[allow(clippy::cast_precision_loss)] // it is rounded to one digit anyway
    let mut value = bytes as f64;
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_for_people() {
        assert_eq!(
            [size(0), size(1023), size(1024), size(1536 * 1024), size(u64::MAX)],
            ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "16777216.0 TiB"]
        );
    }
}
