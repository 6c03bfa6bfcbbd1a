//! `cargo covet migrate make`.

use covet_drivers::Result;

use crate::cli::args::Make;
use crate::cli::context::Context;
use crate::cli::{decide, lint, models, print};
use crate::migrate::Project;

pub(super) fn make(context: &Context, args: &Make) -> Result<()> {
    let decisions = decide::given(&args.decide)?;
    let project = context.project()?;
    let maker = Project::new(project.migrations(), project.databases())?;
    let schema = models::schema(context)?;
    let Some(draft) = decide::draft(&maker, &schema, args.name.as_deref(), decisions, context.asker())? else {
        return print::nothing(
            &context.out,
            "the models are what the last migration made: there is nothing to migrate",
        );
    };
    let findings = lint::of_draft(project, &draft, &schema)?;
    let written = if args.dry_run { None } else { Some(draft.write()?) };
    print::draft(&context.out, &draft, written.as_deref())?;
    lint::warn(&context.out, &findings);
    Ok(())
}
