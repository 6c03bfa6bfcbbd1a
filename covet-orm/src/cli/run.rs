//! `cargo covet migrate up`, `down` and `status`: what needs a database and no models.

use covet_drivers::Result;

use crate::cli::args::{Database, Down, Repair, Status, Up};
use crate::cli::config::Project;
use crate::cli::print;
use crate::db::{Db, DbOptions};
use crate::migrate::{Goal, Migrator};

pub(super) async fn up(project: &Project, args: &Up) -> Result<()> {
    let migrator = Migrator::from_dir(project.migrations())?;
    let db = connect(project, &args.database).await?;
    let goal = match (&args.count, &args.to) {
        (Some(count), _) => Goal::Count(*count),
        (None, Some(to)) => Goal::To(to),
        (None, None) => Goal::All,
    };
    if args.dry_run {
        print::planned(&migrator.plan_up(&db, goal).await?, "nothing to apply");
    } else {
        print::report(&migrator.up_to(&db, goal).await?, "applied", "nothing to apply");
    }
    Ok(())
}

pub(super) async fn down(project: &Project, args: &Down) -> Result<()> {
    let migrator = Migrator::from_dir(project.migrations())?;
    let db = connect(project, &args.database).await?;
    let goal = match (&args.count, &args.to) {
        _ if args.all => Goal::All,
        (_, Some(to)) => Goal::To(to),
        (count, None) => Goal::Count(count.unwrap_or(1)),
    };
    if args.dry_run {
        print::planned(&migrator.plan_down(&db, goal).await?, "nothing to undo");
    } else {
        print::report(&migrator.down(&db, goal).await?, "undone", "nothing to undo");
    }
    Ok(())
}

pub(super) async fn status(project: &Project, args: &Status) -> Result<()> {
    let migrator = Migrator::from_dir(project.migrations())?;
    let db = connect(project, &args.database).await?;
    print::status(&migrator.status(&db).await?, args.json)
}

pub(super) async fn repair(project: &Project, args: &Repair) -> Result<()> {
    let migrator = Migrator::from_dir(project.migrations())?;
    let db = connect(project, &args.database).await?;
    let number = args.statement.unwrap_or_default();
    if let Some(id) = &args.accept {
        migrator.accept(&db, id).await?;
        println!("accepted; the files are now what was applied");
    } else if let Some(id) = &args.redo {
        migrator.statement_is_not_done(&db, id, number).await?;
        println!("noted; `cargo covet migrate up` or `down` goes on at that statement");
    } else if let Some(id) = &args.done {
        migrator.statement_is_done(&db, id, number).await?;
        println!("noted; `cargo covet migrate up` or `down` goes on behind that statement");
    }
    Ok(())
}

async fn connect(project: &Project, asked: &Database) -> Result<Db> {
    Db::connect_with(&project.url(asked)?, DbOptions::new().max_connections(1)).await
}
