//! `cargo covet migrate make`.

use std::path::Path;
use std::str::FromStr;

use covet_drivers::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::args::Make;
use crate::cli::config::Project;
use crate::cli::{lint, models, print};
use crate::migrate;
use crate::schema::Decision;

/// A file of decisions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decisions {
    decisions: Vec<String>,
}

pub(super) fn make(project: &Project, args: &Make) -> Result<()> {
    let decisions = decisions(args)?;
    let maker = migrate::Project::new(project.migrations(), project.databases())?;
    let schema = models::schema(project)?;
    let Some(draft) = maker.draft(&schema, args.name.as_deref(), &decisions)? else {
        print::nothing(args.json, "the models are what the last migration made: there is nothing to migrate");
        return Ok(());
    };
    let findings = lint::of_draft(project, &draft, &schema)?;
    let written = if args.dry_run { None } else { Some(draft.write()?) };
    print::draft(&draft, written.as_deref(), args.json)?;
    lint::warn(&findings);
    Ok(())
}

fn decisions(args: &Make) -> Result<Vec<Decision>> {
    let mut texts = match &args.decisions {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    texts.extend(args.decide.iter().cloned());
    texts.iter().map(|text| Decision::from_str(text)).collect()
}

fn read(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
    })?;
    let file: Decisions = toml::from_str(&text).map_err(|error: toml::de::Error| {
        Error::new(ErrorKind::Config, format!("{}: {}", path.display(), error.message()))
            .with_help("it must hold `decisions = [\"…\", \"…\"]`")
    })?;
    Ok(file.decisions)
}
