//! `cargo covet migrate sql`: what a migration runs, or a script of several that another program can run in place of `up`;
//! without a connection.

use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::cli::args::Sql;
use crate::cli::context::Context;
use crate::migrate::{Folder, Migration, Target, Way, offline_script};

pub(super) fn sql(context: &Context, args: &Sql) -> Result<()> {
    let folder = Folder::read(context.project()?.migrations())?;
    let target = target(context, args.kind.as_deref())?;
    let way = if args.down { Way::Down } else { Way::Up };
    let mut wanted = range(&folder, args.range.as_deref())?;
    let is_range = args.range.as_deref().is_none_or(|range| range.contains(".."));
    if is_range && !args.down && !wanted.is_empty() {
        let script = offline_script(&folder, &wanted, target)?;
        context.out.line(script.trim_end());
        let ids: Vec<&str> = wanted.iter().map(|migration| migration.id()).collect();
        return context.out.json(&json!({ "database": target.name(), "migrations": ids, "script": script }));
    }
    if args.down {
        wanted.reverse();
    }
    if wanted.is_empty() {
        context.out.done("-- there is no migration in this range");
    }
    let mut all: Vec<Value> = Vec::new();
    for migration in wanted {
        let sql = migration.sql(target.name(), way)?;
        context.out.line(format_args!("-- {}_{}\n{}", migration.id(), migration.name(), sql.trim_end()));
        context.out.line("");
        all.push(json!({ "id": migration.id(), "name": migration.name(), "sql": sql }));
    }
    context.out.json(&json!({ "database": target.name(), "migrations": all }))
}

/// The kind of database that is meant: the one that was named, or the only one of covet.toml.
pub(super) fn target(context: &Context, named: Option<&str>) -> Result<Target> {
    match (named, context.project()?.databases()) {
        (Some(name), _) => Target::named(name),
        (None, [only]) => Target::named(only),
        (None, several) => Err(Error::new(ErrorKind::Config, "for which kind of database is not said")
            .with_help(format!("say it: --for {}", several.join(" | ")))),
    }
}

/// The migrations of a range, in the order in which they run.
fn range<'f>(folder: &'f Folder, range: Option<&str>) -> Result<Vec<&'f Migration>> {
    let all = folder.migrations();
    let place = |name: &str| -> Result<usize> {
        let id = folder.migration(name)?.id();
        Ok(all.iter().position(|migration| migration.id() == id).unwrap_or_default())
    };
    let (from, to) = match range.map(|range| (range, range.split_once(".."))) {
        None => (0, all.len()),
        Some((one, None)) => {
            let at = place(one)?;
            (at, at + 1)
        }
        Some((_, Some((after, until)))) => {
            let from = if after.is_empty() { 0 } else { place(after)? + 1 };
            let to = if until.is_empty() { all.len() } else { place(until)? + 1 };
            (from, to)
        }
    };
    Ok(all.iter().take(to).skip(from).collect())
}
