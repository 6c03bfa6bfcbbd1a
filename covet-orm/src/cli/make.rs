//! `cargo covet migrate make`.

use covet_drivers::{ErrorKind, Result};

use crate::cli::args::Make;
use crate::cli::context::Context;
use crate::cli::{decide, lint, models, print};
use crate::migrate::{Draft, Folder, Part, Project};

pub(super) fn make(context: &Context, args: &Make) -> Result<()> {
    let decisions = decide::given(&args.decide)?;
    let project = context.project()?;
    let online = args.online.unwrap_or(project.online());
    let maker = Project::new(project.migrations(), project.databases())?.online(online);
    let (schema, hints) = models::schema_and_hints(context)?;
    let maker = maker.hints(hints.clone());
    let drafts = decide::drafts(&maker, &schema, args.name.as_deref(), decisions, context.asker());
    if drafts.as_ref().is_err_and(|error| error.kind() == ErrorKind::Decision) {
        // One that is misspelt answers nothing.
        for text in hints.stale(&Folder::read(project.migrations())?.schema()?) {
            context.out.note(text);
        }
    }
    let drafts = drafts?;
    if drafts.is_empty() {
        return print::nothing(
            &context.out,
            "the models are what the last migration made: there is nothing to migrate",
        );
    }
    let mut findings = Vec::new();
    for draft in &drafts {
        findings.extend(lint::of_draft(project, draft)?);
    }
    let written = if args.dry_run { None } else { Some(Draft::write_all(&drafts)?) };
    print::drafts(&context.out, &drafts, written.as_deref())?;
    lint::warn(&context.out, &findings);
    if online {
        tell(context, &maker, &drafts);
    }
    Ok(())
}

/// Says when the parts are to run, and where it makes no difference.
fn tell(context: &Context, maker: &Project, drafts: &[Draft]) {
    for name in maker.offline() {
        context.out.note(format_args!(
            "{name} changes its schema under a lock on all of it, also with --online; others write between batches"
        ));
    }
    let contract = drafts.iter().position(|draft| draft.part() == Some(Part::Contract));
    if let Some(at) = contract.filter(|at| *at > 0)
        && let Some(last) = drafts.get(at - 1)
    {
        context.out.note(format_args!(
            "apply up to {0} first: `cargo covet migrate up --to {0}`; then release the programs, and apply the rest when \
             no program of the last release runs any more",
            last.id()
        ));
    }
}
