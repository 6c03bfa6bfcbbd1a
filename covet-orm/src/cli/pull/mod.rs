//! `cargo covet db pull`: models from a database that is there.

mod attributes;
mod names;
mod objects;
mod plan;
mod write;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use covet_drivers::catalog::Schema;
use covet_drivers::contract::{Unmodelled, nearest};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::cli::args::Database;
use crate::cli::ask::confirmed;
use crate::cli::context::{Access, Context, read};
use crate::cli::out::{GOOD, WARN, paint};
use plan::Plan;

#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    #[command(flatten)]
    database: Database,

    /// The file to write, as src/models.rs; standard output when nothing is said
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// These schemas too, beside the first of the search path; PostgreSQL only
    #[arg(long = "schema", value_delimiter = ',', value_name = "NAMES")]
    schemas: Vec<String>,

    /// Only these tables
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    tables: Vec<String>,

    /// Write over a file that says something else
    #[arg(long)]
    force: bool,
}

pub(super) async fn pull(context: &Context, args: &Pull) -> Result<()> {
    let db = context.connect(&context.database(&args.database)?, Access::Read).await?;
    let backend = db.backend();
    let mut lease = db.acquire().await?;
    let mut schema = backend.introspect().read(&mut *lease, &args.schemas).await?;
    let mut beside = backend.introspect().unmodelled(&mut *lease, &args.schemas).await?;
    drop(lease);
    db.close();
    only(&mut schema, &mut beside, &args.tables)?;
    let plan = plan::plan(&schema);
    // Those of some tables may need what is not asked for.
    let declared = if args.tables.is_empty() { objects::take(&plan, &schema, &mut beside) } else { Vec::new() };
    let text = write::source(&plan, &schema, backend.dialect().name(), &declared, &beside);
    let written = match &args.out {
        None => {
            context.out.line(text.trim_end());
            None
        }
        Some(file) => Some(write_to(context, file, &text, args.force)?),
    };
    tell(context, &plan, &schema, &declared, &beside, args.out.as_deref(), written)?;
    let left_out = left_out(&plan);
    context.out.json(&json!({
        "file": args.out,
        "written": written,
        "models": plan.models.iter().filter(|model| model.is_there()).map(|model| {
            json!({ "model": model.name, "table": model.table.name })
        }).collect::<Vec<_>>(),
        "enums": plan.enums.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "objects": declared.iter().map(|one| {
            json!({ "kind": one.kind, "name": one.name, "table": one.table })
        }).collect::<Vec<_>>(),
        "left_out": left_out.iter().map(|(object, why)| json!({ "object": object, "why": why })).collect::<Vec<_>>(),
        "unmodelled": beside.iter().map(unmodelled_as_json).collect::<Vec<_>>(),
        "source": if args.out.is_none() { Value::from(text) } else { Value::Null },
    }))
}

/// Something that models do not say, for programs.
pub(super) fn unmodelled_as_json(one: &Unmodelled) -> Value {
    json!({ "table": one.table, "kind": one.kind, "name": one.name, "detail": one.detail })
}

/// Keeps these tables alone, where some were named.
fn only(schema: &mut Schema, beside: &mut Vec<Unmodelled>, tables: &[String]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    for wanted in tables {
        if schema.table(wanted).is_none() {
            let known = schema.tables.iter().map(|table| table.name.as_str());
            let error = Error::new(ErrorKind::Config, format!("the database has no table `{wanted}`"));
            return Err(match nearest(wanted, known) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
    }
    schema.tables.retain(|table| tables.contains(&table.name));
    beside.retain(|one| write::belongs(one, schema));
    Ok(())
}

/// Writes the file, unless somebody has written another one there; says whether it had to.
fn write_to(context: &Context, file: &Path, text: &str, force: bool) -> Result<bool> {
    if file.exists() {
        if read(file)? == text {
            return Ok(false);
        }
        let question = format!("write over {}, which says something else?", file.display());
        if !force && !context.globals.yes {
            let help = "confirm it with --force, or write to another file and compare the two";
            confirmed(context, &question, &question, help)?;
        }
    }
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot write {}: {error}", file.display())).with_source(error)
    };
    // Whole or not at all, whatever happens on the way.
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let written = std::fs::File::create(&new)
        .and_then(|mut out| out.write_all(text.as_bytes()).and_then(|()| out.sync_all()))
        .and_then(|()| std::fs::rename(&new, file));
    if let Err(error) = written {
        // What is left of it is of no use; the first error is the one to tell.
        let _ = std::fs::remove_file(&new);
        return Err(failed(error));
    }
    Ok(true)
}

/// What was left out: the object, and why.
fn left_out<'p>(plan: &'p Plan<'_>) -> Vec<(String, &'p str)> {
    let mut all = Vec::new();
    for model in &plan.models {
        let (table, lacks) = (&model.table.name, &model.lacks);
        if let Some(why) = &lacks.table {
            all.push((format!("table {table}"), why.as_str()));
            continue;
        }
        all.extend(lacks.columns.iter().map(|(name, why)| (format!("column {table}.{name}"), why.as_str())));
        for (kind, reasons) in
            [("index", &lacks.indexes), ("foreign key", &lacks.foreign_keys), ("check", &lacks.checks)]
        {
            all.extend(reasons.iter().map(|(name, why)| (format!("{kind} {name} on {table}"), why.as_str())));
        }
    }
    all
}

/// What was done and what was not, for people; beside the models where those are on standard output.
fn tell(
    context: &Context,
    plan: &Plan<'_>,
    schema: &Schema,
    declared: &[Unmodelled],
    beside: &[Unmodelled],
    file: Option<&Path>,
    written: Option<bool>,
) -> Result<()> {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let models = plan.models.iter().filter(|model| model.is_there()).count();
    let mut counted = format!("{}, {}", count(models, "model"), count(plan.enums.len(), "enum"));
    if !declared.is_empty() {
        counted.push_str(&format!(", {}", count(declared.len(), "object")));
    }
    match (file, written) {
        (Some(file), Some(true)) => {
            context.out.done(format_args!("{} {}: {counted}", paint(GOOD, &"wrote"), file.display()));
        }
        (Some(file), _) => context.out.done(format_args!("{} says this already: {counted}", file.display())),
        (None, _) => {}
    }
    for (object, why) in left_out(plan) {
        context.out.note(format_args!("{} {}: {}", paint(WARN, &"left out"), write::said(&object), write::said(why)));
    }
    for one in beside {
        let of = one.table.as_ref().filter(|table| schema.table(table).is_some() && **table != one.name);
        let of = of.map(|table| format!(" (of {table})")).unwrap_or_default();
        let told = write::said(&format!("{} {}{of}", one.kind, one.name));
        context.out.note(format_args!("{} {told}", paint(WARN, &"no model says")));
    }
    Ok(())
}
