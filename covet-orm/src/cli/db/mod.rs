//! `cargo covet db`: databases as a whole, which may not exist yet.

pub(super) mod args;
mod execute;
mod info;
mod seed;
mod shell;
mod wait;

use covet_drivers::Result;
use covet_drivers::contract::Others;
use serde_json::json;

use crate::cli::context::{Access, Chosen, Context};
use crate::cli::db::args::{Db, Remove};
use crate::cli::out::{GOOD, paint};
use crate::cli::run::migrator;
use crate::cli::{drift, guard, pull};

pub(super) use execute::rows;

pub(super) async fn run(context: &Context, command: &Db) -> Result<()> {
    match command {
        Db::Create(which) => {
            let created = create(context, &context.database(&which.database)?).await?;
            context.out.json(&json!({ "created": created }))
        }
        Db::Drop(remove) => {
            let removed = drop(context, remove).await?;
            context.out.json(&json!({ "removed": removed }))
        }
        Db::Reset(remove) => {
            let chosen = context.database(&remove.database)?;
            // What would be in the way later is found before anything is gone.
            migrator(context)?;
            seed::check(context)?;
            let removed = drop(context, remove).await?;
            create(context, &chosen).await?;
            let applied = migrate(context, &chosen).await?;
            let seeded = seed::seed(context, &chosen).await?;
            context.out.json(&json!({ "removed": removed, "created": true, "applied": applied, "seeded": seeded }))
        }
        Db::Setup(which) => {
            let chosen = context.database(&which.database)?;
            migrator(context)?;
            seed::check(context)?;
            let created = create(context, &chosen).await?;
            let applied = migrate(context, &chosen).await?;
            let seeded = seed::seed(context, &chosen).await?;
            context.out.json(&json!({ "created": created, "applied": applied, "seeded": seeded }))
        }
        Db::Prepare(which) => {
            let chosen = context.database(&which.database)?;
            migrator(context)?;
            let created = create(context, &chosen).await?;
            let applied = migrate(context, &chosen).await?;
            let seeded = if created { seed::seed(context, &chosen).await? } else { false };
            context.out.json(&json!({ "created": created, "applied": applied, "seeded": seeded }))
        }
        Db::Seed(which) => seed::alone(context, &context.database(&which.database)?).await,
        Db::Wait(options) => wait::wait(context, options).await,
        Db::Info(which) => info::info(context, &context.database(&which.database)?).await,
        Db::Shell(which) => shell::shell(&context.database(&which.database)?),
        Db::Execute(options) => execute::execute(context, options).await,
        Db::Pull(options) => pull::pull(context, options).await,
        Db::Drift(options) => drift::drift(context, options).await,
    }
}

/// Creates the database; says whether it was not there.
async fn create(context: &Context, chosen: &Chosen) -> Result<bool> {
    let created = chosen.admin()?.create(&chosen.url).await?;
    let name = chosen.name();
    if created {
        context.out.done(format_args!("{} the database `{name}`", paint(GOOD, &"created")));
    } else {
        context.out.done(format_args!("the database `{name}` is there already"));
    }
    Ok(created)
}

async fn drop(context: &Context, remove: &Remove) -> Result<bool> {
    let chosen = context.database(&remove.database)?;
    let admin = chosen.admin()?;
    let name = admin.name(&chosen.url)?;
    guard::confirm(context, &chosen, &format!("remove the database `{name}` with everything in it"))?;
    let others = if remove.force { Others::Go } else { Others::Stay };
    let removed = admin.remove(&chosen.url, others).await?;
    if removed {
        context.out.done(format_args!("{} the database `{name}`", paint(GOOD, &"removed")));
    } else {
        context.out.done(format_args!("there is no database `{name}`"));
    }
    Ok(removed)
}

/// Applies what is not applied; says how many that were.
async fn migrate(context: &Context, chosen: &Chosen) -> Result<usize> {
    let db = context.connect(chosen, Access::Read).await?;
    let report = migrator(context)?.up(&db).await?;
    for done in &report.done {
        context.out.done(format_args!("{} {}_{}", paint(GOOD, &"applied"), done.id, done.name));
    }
    if report.done.is_empty() {
        context.out.done("nothing to apply");
    }
    Ok(report.done.len())
}
