//! `cargo covet migrate up`, `down`, `status` and `repair`: what needs a database and no models.

use std::time::Duration;

use covet_drivers::Result;
use serde_json::json;

use crate::cli::args::{Down, Repair, Status, Up};
use crate::cli::context::{Access, Chosen, Context};
use crate::cli::{guard, models, print};
use crate::db::Db;
use crate::migrate::cause::Cause;
use crate::migrate::delegate::Request;
use crate::migrate::{Goal, Migrator, Report};

pub(super) async fn up(context: &Context, args: &Up) -> Result<()> {
    let migrator = migrator(context)?;
    let chosen = context.database(&args.database)?;
    let goal = match (&args.count, &args.to) {
        (Some(count), _) => Goal::Count(*count),
        (None, Some(to)) => Goal::To(to),
        (None, None) => Goal::All,
    };
    if args.dry_run {
        let db = context.connect(&chosen, Access::Read).await?;
        return print::planned(&context.out, &migrator.plan_up(&db, goal).await?, "nothing to apply");
    }
    let pause = args.batch_pause.map(Duration::from_millis);
    let migrator = migrator.batches(args.batch_size, pause).watch(context.out.batches());
    let db = context.connect(&chosen, Access::Write).await?;
    let report = match migrator.up_to(&db, goal).await {
        Err(error) if matches!(Cause::of(&error), Some(Cause::UnknownStep(_))) => {
            let (batch, pause) = (args.batch_size, args.batch_pause);
            by_the_program(context, &chosen, db, Request { batch, pause, ..request(&migrator, false, goal) })?
        }
        other => other?,
    };
    print::report(&context.out, &report, "applied", "nothing to apply")
}

pub(super) async fn down(context: &Context, args: &Down) -> Result<()> {
    let migrator = migrator(context)?;
    let chosen = context.database(&args.database)?;
    let db = context.connect(&chosen, Access::Read).await?;
    let goal = match (&args.count, &args.to) {
        _ if args.all => Goal::All,
        (_, Some(to)) => Goal::To(to),
        (count, None) => Goal::Count(count.unwrap_or(1)),
    };
    let planned = migrator.plan_down(&db, goal).await?;
    if args.dry_run {
        return print::planned(&context.out, &planned, "nothing to undo");
    }
    if !planned.is_empty() {
        let names: Vec<String> = planned.iter().map(|one| format!("{}_{}", one.id, one.name)).collect();
        let what = format!("undo {} on `{}`, with what was written since", names.join(", "), chosen.name());
        guard::confirm(context, &chosen, &what)?;
    }
    let migrator = migrator.watch(context.out.batches());
    let report = match migrator.down(&db, goal).await {
        Err(error) if matches!(Cause::of(&error), Some(Cause::UnknownStep(_))) => {
            by_the_program(context, &chosen, db, request(&migrator, true, goal))?
        }
        other => other?,
    };
    print::report(&context.out, &report, "undone", "nothing to undo")
}

pub(super) async fn status(context: &Context, args: &Status) -> Result<()> {
    let migrator = migrator(context)?;
    let db = context.connect(&context.database(&args.database)?, Access::Read).await?;
    print::status(&context.out, &migrator.status(&db).await?)
}

pub(super) async fn repair(context: &Context, args: &Repair) -> Result<()> {
    let migrator = migrator(context)?;
    let db = context.connect(&context.database(&args.database)?, Access::Read).await?;
    let number = args.statement.unwrap_or_default();
    if let Some(id) = &args.accept {
        migrator.accept(&db, id).await?;
        context.out.done("accepted; the files are now what was applied");
        return context.out.json(&json!({ "accepted": id }));
    }
    let (id, done) = match (&args.done, &args.redo) {
        (Some(id), _) => (id, true),
        (None, Some(id)) => (id, false),
        // The command line lets nobody come here.
        (None, None) => return Ok(()),
    };
    if done {
        migrator.statement_is_done(&db, id, number).await?;
        context.out.done("noted; `cargo covet migrate up` or `down` goes on behind that statement");
    } else {
        migrator.statement_is_not_done(&db, id, number).await?;
        context.out.done("noted; `cargo covet migrate up` or `down` goes on at that statement");
    }
    context.out.json(&json!({ "noted": { "id": id, "statement": number, "done": done } }))
}

/// What the program is to do, wherever it runs.
fn request(migrator: &Migrator, back: bool, goal: Goal<'_>) -> Request {
    let folder = migrator.folder().path();
    Request::new(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()), back, goal)
}

/// Lets the program do it that has the steps in Rust, which this tool does not know. Nothing has been done yet.
fn by_the_program(context: &Context, chosen: &Chosen, db: Db, request: Request) -> Result<Report> {
    // Two processes would wait for each other where a database has one connection.
    db.close();
    drop(db);
    context.out.note("a step is written in Rust: the program runs the migrations");
    models::migrate(context, chosen, &request)
}

/// The runner of the project's migrations.
pub(super) fn migrator(context: &Context) -> Result<Migrator> {
    Migrator::from_dir(context.project()?.migrations())
}
