//! `cargo covet migrate rebase`, `squash` and `check`: what is in the files, and how it fits together.

use covet_drivers::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::cli::args::{Check, Rebase, Squash};
use crate::cli::ask::confirmed;
use crate::cli::context::Context;
use crate::cli::out::{BAD, GOOD, WARN, paint};
use crate::cli::replay::{self, Replayed};
use crate::cli::{decide, models, print};
use crate::lint::{Severity, lint_last};
use crate::migrate::{Folder, Project, Target};

fn maker(context: &Context) -> Result<Project> {
    let project = context.project()?;
    Project::new(project.migrations(), project.databases())
}

pub(super) fn rebase(context: &Context, args: &Rebase) -> Result<()> {
    let decisions = decide::given(&args.decide)?;
    let maker = maker(context)?;
    // What is wrong with the name is said before anything is built.
    let id = Folder::read(context.project()?.migrations())?.migration(&args.migration)?.id().to_owned();
    let (schema, hints) = models::schema_and_hints(context)?;
    let rebased = maker.hints(hints).rebase(&schema, &id, &decisions)?;
    let written = if args.dry_run { None } else { rebased.write()? };
    for decision in rebased.dropped() {
        context.out.note(format_args!("fits nothing any more, and is left out: {decision}"));
    }
    match rebased.draft() {
        Some(draft) => print::draft(&context.out, draft, written.as_deref()),
        None => print::nothing(&context.out, "the other migrations do all of it already: none takes its place"),
    }
}

pub(super) fn squash(context: &Context, args: &Squash) -> Result<()> {
    let maker = maker(context)?;
    let squashed = maker.squash(&args.first, &args.last, args.name.as_deref())?;
    let replaced: Vec<String> = squashed
        .replaced()
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if !args.dry_run && !context.globals.yes {
        let question = format!("put one migration in the place of {}?", replaced.join(", "));
        confirmed(context, &question, &question, "confirm it with --yes, or look at it first with --dry-run")?;
    }
    let written = if args.dry_run { None } else { Some(squashed.write()?) };
    for name in &replaced {
        context.out.done(format_args!("{}: {name}", if args.dry_run { "would replace" } else { "replaced" }));
    }
    print::draft(&context.out, squashed.draft(), written.as_deref())
}

/// What a check found: what it is about, whether it is wrong, and in words.
struct Finding {
    about: &'static str,
    wrong: bool,
    text: String,
}

pub(super) async fn check(context: &Context, args: &Check) -> Result<()> {
    let mut found = Vec::new();
    // Files that do not fit together are an error of their own, with their names.
    let folder = Folder::read(context.project()?.migrations())?;
    let heads = folder.heads().len();
    let number = folder.migrations().len();
    let text = match (number, heads) {
        (1, _) => "1 migration".to_owned(),
        (_, 0 | 1) => format!("{number} migrations, one after the other"),
        (_, heads) => format!("{number} migrations with {heads} heads, which the next one follows all"),
    };
    found.push(Finding { about: "files", wrong: false, text });
    let conflicts = folder.conflicts(|_, _| false)?;
    for conflict in &conflicts {
        found.push(Finding { about: "branches", wrong: true, text: conflict.error().message().to_owned() });
    }
    for migration in folder.migrations() {
        // Every file is read, so that one that is damaged is found.
        migration.schema()?;
        let edited = migration.edited()?;
        if !edited.is_empty() {
            let text = format!("{}_{}: {}", migration.id(), migration.name(), edited.join(", "));
            found.push(Finding { about: "edited", wrong: false, text });
        }
    }
    if conflicts.is_empty() && number > 0 {
        found.extend(linted(context, &folder)?);
    }
    if !args.no_replay && conflicts.is_empty() && number > 0 {
        let named = args.database.url.is_some() || args.database.database.is_some();
        let near = if named { Some(context.database(&args.database)?) } else { None };
        for kind in context.project()?.databases() {
            let (about, wrong, text) = match replay::replay(&folder, kind, near.as_ref()).await {
                Ok(Replayed::Well(text)) => ("replay", false, text),
                Ok(Replayed::Nowhere(why)) => ("skipped", false, why),
                Err(error) => ("replay", true, error.message().to_owned()),
            };
            found.push(Finding { about, wrong, text });
        }
    }
    if !args.no_build && conflicts.is_empty() {
        let (schema, hints) = models::schema_and_hints(context)?;
        let stale = hints.stale(&folder.schema()?);
        let made = maker(context)?.hints(hints).draft(&schema, None, &[]);
        let (wrong, text) = match made {
            Ok(None) => (false, "the last migration is what they ask for".to_owned()),
            Ok(Some(draft)) => {
                let changes: Vec<String> = draft.changes().iter().map(crate::schema::describe).collect();
                (true, format!("they ask for what no migration makes: {}", changes.join("; ")))
            }
            Err(error) if error.kind() == ErrorKind::Decision => {
                (true, format!("they ask for what no migration makes; {}", error.message()))
            }
            Err(error) => return Err(error),
        };
        found.push(Finding { about: "models", wrong, text });
        found.extend(stale.into_iter().map(|text| Finding { about: "hint", wrong: false, text }));
    }
    show(context, &found)
}

/// What lint finds in all migrations, for each kind of database: only errors are wrong.
fn linted(context: &Context, folder: &Folder) -> Result<Vec<Finding>> {
    let (mut found, mut warnings) = (Vec::new(), 0);
    for kind in context.project()?.databases() {
        for finding in lint_last(folder, &Target::named(kind)?, usize::MAX)? {
            if finding.counts(Severity::Error) {
                let text = format!("{}:{}: {}: {}", finding.file, finding.line, finding.rule, finding.message);
                found.push(Finding { about: "lint", wrong: true, text });
            } else if finding.counts(Severity::Warn) {
                warnings += 1;
            }
        }
    }
    if found.is_empty() {
        let text = match warnings {
            0 => "nothing is found".to_owned(),
            1 => "1 warning, and no error: `cargo covet migrate lint` shows it".to_owned(),
            _ => format!("{warnings} warnings, and no error: `cargo covet migrate lint` shows them"),
        };
        found.push(Finding { about: "lint", wrong: false, text });
    }
    Ok(found)
}

fn show(context: &Context, found: &[Finding]) -> Result<()> {
    for finding in found {
        let word = match (finding.wrong, finding.about) {
            (true, _) => paint(BAD, &"error"),
            (false, "edited" | "skipped" | "hint") => paint(WARN, &"note "),
            _ => paint(GOOD, &"ok   "),
        };
        context.out.line(format_args!("{word}  {:<9} {}", finding.about, finding.text));
    }
    let all: Vec<Value> = found
        .iter()
        .map(|finding| json!({ "about": finding.about, "wrong": finding.wrong, "found": finding.text }))
        .collect();
    context.out.json(&json!({ "checks": all }))?;
    if found.iter().any(|finding| finding.wrong) {
        return Err(Error::new(ErrorKind::Migration, "the migrations are not ready; see above").with_help(
            "`cargo covet migrate make` makes what is missing, `rebase` what came side by side; what lint finds is \
                 changed in the script, or allowed there",
        ));
    }
    Ok(())
}
