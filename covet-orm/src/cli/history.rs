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
    let word = if args.not_applied { "not applied" } else { "applied" };
    guard::production_only(context, &chosen, &format!("record {} as {word}", args.migration))?;
    migrator.mark(&db, &args.migration, !args.not_applied).await?;
    context.out.done(format_args!("recorded {} as {word}; nothing was run", args.migration));
    context.out.json(&json!({ "marked": args.migration, "applied": !args.not_applied }))
}

pub(super) async fn baseline(context: &Context, args: &Baseline) -> Result<()> {
    let migrator = migrator(context)?;
    let db = context.connect(&context.database(&args.database)?, Access::Read).await?;
    let report = migrator.baseline(&db, args.migration.as_deref()).await?;
    print::report(&context.out, &report, "recorded", "there is no migration to record")
}
