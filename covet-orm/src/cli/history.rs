//! `cargo covet migrate redo`, `mark` and `baseline`: what is written into the history, and the last migration once more.

use covet_drivers::Result;
use serde_json::json;

use crate::cli::args::{Baseline, Mark, Redo};
use crate::cli::context::{Access, Context};
use crate::cli::run::migrator;
use crate::cli::{guard, print};
use crate::migrate::Goal;

pub(super) async fn redo(context: &Context, args: &Redo) -> Result<()> {
    let migrator = migrator(context)?;
    let chosen = context.database(&args.database)?;
    let db = context.connect(&chosen, Access::Read).await?;
    if let Some(last) = migrator.plan_down(&db, Goal::Count(1)).await?.first() {
        let name = chosen.name();
        let what =
            format!("undo {}_{} on `{name}`, with what was written since, and apply it again", last.id, last.name);
        guard::confirm(context, &chosen, &what)?;
    }
    print::report(&context.out, &migrator.redo(&db).await?, "applied again", "nothing to apply again")
}

pub(super) async fn mark(context: &Context, args: &Mark) -> Result<()> {
    let migrator = migrator(context)?;
    let chosen = context.database(&args.database)?;
    let db = context.connect(&chosen, Access::Read).await?;
    let word = if args.reverted { "not applied" } else { "applied" };
    // One whose files are gone is known by its id alone.
    let known = migrator.folder().migration(&args.migration);
    let id = known.map_or_else(|_| args.migration.clone(), |migration| migration.id().to_owned());
    guard::production_only(context, &chosen, &format!("record {id} as {word}"))?;
    migrator.mark(&db, &id, !args.reverted).await?;
    context.out.done(format_args!("recorded {id} as {word}; nothing was run"));
    context.out.json(&json!({ "marked": id, "applied": !args.reverted }))
}

pub(super) async fn baseline(context: &Context, args: &Baseline) -> Result<()> {
    let migrator = migrator(context)?;
    let db = context.connect(&context.database(&args.database)?, Access::Read).await?;
    let report = migrator.baseline(&db, args.migration.as_deref()).await?;
    let names: Vec<String> = report.done.iter().map(|done| format!("{}_{}", done.id, done.name)).collect();
    for name in &names {
        context.out.done(format_args!("recorded {name} as there before; nothing was run"));
    }
    context.out.json(&json!({ "recorded": names }))
}
