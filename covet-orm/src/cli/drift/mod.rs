//! `cargo covet db drift`: what the live schema has that it should not have, and the other way round.
//!
//! The schema that is wanted is created in a database of its own, and both are read in the same way: so the
//! differences are none of spelling. The live database is only read.

pub(super) mod between;

use covet_drivers::catalog::{Expression, Schema};
use covet_drivers::contract::{Unmodelled, adapter_for};
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::args::Database;
use crate::cli::context::{Access, Chosen, Context, Source};
use crate::cli::models;
use crate::cli::out::{BAD, FAINT, paint};
use crate::cli::pull::unmodelled_as_json;
use crate::cli::replay::{Scratch, create};
use crate::db::Db;
use crate::migrate::{Folder, Migrator, Standing};
use crate::schema::{Unmanaged, managed};
use between::{Difference, drift as differing};

#[derive(Debug, clap::Args)]
pub(super) struct Drift {
    #[command(flatten)]
    database: Database,

    /// Compare with what the models ask for, which builds the program; else with the last migration
    #[arg(long)]
    models: bool,

    /// Take what models do not manage for a difference too
    #[arg(long)]
    all: bool,

    /// A database on whose server the wanted schema may be created for the comparison, in a database of its own; else
    /// the server that is looked at
    #[arg(long, value_name = "URL")]
    scratch: Option<String>,
}

/// What a database has.
struct Found {
    schema: Schema,
    beside: Vec<Unmodelled>,
}

pub(super) async fn drift(context: &Context, args: &Drift) -> Result<()> {
    let chosen = context.database(&args.database)?;
    let db = context.connect(&chosen, Access::Read).await?;
    let asked = wanted(context, args)?;
    let schemas = asked.on(db.backend().dialect().name()).schemas();
    let mut live = found(&db, &schemas).await?;
    if !args.models {
        note_pending(context, &db).await?;
    }
    db.close();
    let scratch = scratch(&chosen, args)?;
    let fresh = scratch.with(async |db: Db| {
        create(&asked, &db).await?;
        found(&db, &schemas).await
    });
    let mut fresh = fresh.await.map_err(|error| unable(error, &chosen))?;
    let left = managed(&mut live.schema, &mut fresh.schema);
    let mut differences = differing(&fresh.schema, &live.schema);
    differences.extend(declared(&fresh.beside, &live.beside));
    let mut beside = live.beside;
    beside.retain(|one| !fresh.beside.iter().any(|other| one.is(other)));
    show(context, args, &differences, &left, &beside)
}

/// The schema that the database should have.
fn wanted(context: &Context, args: &Drift) -> Result<Schema> {
    if args.models {
        return models::schema(context);
    }
    let folder = Folder::read(context.project()?.migrations())?;
    if folder.migrations().is_empty() {
        return Err(Error::new(ErrorKind::Migration, format!("there is no migration in {}", folder.path().display()))
            .with_help("compare with the models (--models), or make a migration: cargo covet migrate make"));
    }
    folder.schema()
}

async fn found(db: &Db, schemas: &[String]) -> Result<Found> {
    let backend = db.backend();
    let mut lease = db.acquire().await?;
    let schema = backend.introspect().read(&mut *lease, schemas).await?;
    let beside = backend.introspect().unmodelled(&mut *lease, schemas).await?;
    Ok(Found { schema, beside })
}

/// A migration that is not applied yet explains a difference.
async fn note_pending(context: &Context, db: &Db) -> Result<()> {
    let all = Migrator::from_dir(context.project()?.migrations())?.status(db).await?;
    let pending = all.iter().filter(|one| one.standing == Standing::Pending).count();
    if pending > 0 {
        context.out.note(format_args!("not applied yet: {pending} of {} migrations; see `migrate status`", all.len()));
    }
    Ok(())
}

/// What is declared beside the models, and is not there as it should be.
fn declared(wanted: &[Unmodelled], found: &[Unmodelled]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for one in wanted {
        let other = found.iter().find(|other| other.is(one));
        if other.is_some_and(|other| says(one, other)) {
            continue;
        }
        let of = one.table.as_ref().map(|table| format!(" on {table}")).unwrap_or_default();
        let told = |one: &Unmodelled| one.definition.as_ref().unwrap_or(&one.detail).clone();
        differences.push(Difference {
            object: format!("{} {}{of}", one.kind, one.name),
            wanted: Some(told(one)),
            found: other.map(told),
        });
    }
    differences
}

/// Whether two texts of one database say the same; where it tells none, whether what it tells is the same.
fn says(one: &Unmodelled, other: &Unmodelled) -> bool {
    match (&one.definition, &other.definition) {
        (Some(one), Some(other)) => Expression::new(one.clone()).says(&Expression::new(other.clone())),
        (None, None) => one.detail == other.detail,
        _ => false,
    }
}

/// Where the wanted schema is created.
fn scratch(chosen: &Chosen, args: &Drift) -> Result<Scratch> {
    let adapter = adapter_for(chosen.url.scheme())?;
    let admin = chosen.admin()?;
    let other = args.scratch.as_deref().map(|url| Chosen::new(url, None, Source::Flag)).transpose()?;
    if let Some(other) = &other {
        let (here, there) = (adapter.dialect().name(), adapter_for(other.url.scheme())?.dialect().name());
        if here != there {
            return Err(Error::new(
                ErrorKind::Config,
                format!("--scratch names a database of {there}, and this is {here}"),
            )
            .with_help("both must be of one kind, so that they tell a schema alike"));
        }
    }
    // One that needs no server is no trouble to anybody.
    let (url, made) = match admin.scratch(None) {
        Some(url) => (Some(url), false),
        None => (admin.scratch(Some(other.as_ref().map_or(&chosen.url, |other| &other.url))), true),
    };
    let url = url.ok_or_else(|| {
        Error::new(
            ErrorKind::Config,
            "there is no place to create the wanted schema in, because the URL names no database",
        )
        .with_help("name one on a server: --scratch URL")
    })?;
    Ok(Scratch { adapter, admin, url, made })
}

/// The wanted schema could not be created.
fn unable(error: Error, chosen: &Chosen) -> Error {
    if error.kind() != ErrorKind::Permission {
        return error;
    }
    let message = format!(
        "the user of `{}` may not create a database, in which the wanted schema is created for the comparison",
        chosen.name()
    );
    Error::new(ErrorKind::Permission, message)
        .with_help("give it the right to create databases, or name a server where it has that: --scratch URL")
        .with_source(error)
}

fn show(
    context: &Context,
    args: &Drift,
    differences: &[Difference],
    left: &[Unmanaged],
    beside: &[Unmodelled],
) -> Result<()> {
    let out = &context.out;
    for one in differences {
        let (word, told) = match (&one.wanted, &one.found) {
            (Some(wanted), Some(found)) => ("differs", format!("{found}; should be {wanted}")),
            (Some(wanted), None) if wanted.is_empty() => ("missing", "declared beside the models".to_owned()),
            (Some(wanted), None) => ("missing", wanted.clone()),
            (None, found) => ("extra", found.clone().unwrap_or_default()),
        };
        out.line(format_args!("{}  {}: {}", paint(BAD, &format!("{word:<7}")), one.object, told.replace('\n', " ")));
    }
    for one in left {
        out.line(format_args!("{}  {}: {}", paint(FAINT, &"apart  "), one.object, one.why));
    }
    for one in beside {
        let of = one.table.as_ref().filter(|table| **table != one.name).map(|table| format!(" (of {table})"));
        let told = format!("{} {}{}", one.kind, one.name, of.unwrap_or_default());
        out.line(format_args!("{}  {told}", paint(FAINT, &"apart  ")));
    }
    let apart = left.len() + beside.len();
    let drifted = !differences.is_empty() || args.all && apart > 0;
    if !drifted {
        out.done("the database has the schema that it should have");
    }
    out.json(&json!({
        "drift": drifted,
        "differences": differences.iter().map(|one| {
            json!({ "object": one.object, "wanted": one.wanted, "found": one.found })
        }).collect::<Vec<_>>(),
        "unmanaged": left.iter().map(|one| {
            json!({ "table": one.table, "object": one.object, "why": one.why })
        }).collect::<Vec<_>>(),
        "unmodelled": beside.iter().map(unmodelled_as_json).collect::<Vec<_>>(),
    }))?;
    if !drifted {
        return Ok(());
    }
    let number = differences.len() + if args.all { apart } else { 0 };
    let counted = if number == 1 { "1 difference".to_owned() } else { format!("{number} differences") };
    Err(Error::new(
        ErrorKind::Migration,
        format!("the database has not the schema that it should have: {counted}; see above"),
    )
    .with_help("undo by hand what was done by hand, or change the models and make a migration of it"))
}
