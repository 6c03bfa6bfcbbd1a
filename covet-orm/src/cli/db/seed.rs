//! `cargo covet db seed`: runs what fills an empty database.

use std::process::{Command, Stdio};

use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::config::{FILE, Seed};
use crate::cli::context::{Chosen, Context, VARIABLE, read};
use crate::cli::package;

/// The command of its own: it is an error when there is nothing to run.
pub(super) async fn alone(context: &Context, chosen: &Chosen) -> Result<()> {
    if !seed(context, chosen).await? {
        return Err(Error::new(ErrorKind::Config, format!("{FILE} does not say what fills an empty database"))
            .with_help("say it: `[seed]` with `sql = \"FILE\"`, `bin = \"NAME\"` or `example = \"NAME\"`"));
    }
    context.out.json(&json!({ "seeded": true }))
}

/// Finds what is wrong with the seed before anything is done.
pub(super) fn check(context: &Context) -> Result<()> {
    let project = context.project()?;
    match project.seed() {
        Some(Seed::Sql(file)) => read(&project.root.join(file)).map(drop),
        _ => Ok(()),
    }
}

/// Runs the seed; false when there is none.
pub(super) async fn seed(context: &Context, chosen: &Chosen) -> Result<bool> {
    let project = context.project()?;
    let Some(seed) = project.seed() else { return Ok(false) };
    let (kind, name) = match seed {
        Seed::Sql(file) => {
            let admin = chosen.admin()?;
            let path = project.root.join(file);
            let ran = admin.ask(&admin.existing(&chosen.url), &read(&path)?, 0).await;
            ran.map_err(|error| error.about(&file.display().to_string()))?;
            context.out.done(format_args!("seeded by {}", file.display()));
            return Ok(true);
        }
        Seed::Bin(name) => ("--bin", name),
        Seed::Example(name) => ("--example", name),
    };
    let mut cargo = Command::new(package::cargo());
    cargo.args(["run", "--quiet", "--manifest-path"]).arg(project.root.join("Cargo.toml")).args([kind, name]);
    if !project.tool().features.is_empty() {
        cargo.args(["--features", &project.tool().features.join(",")]);
    }
    // What it prints is no result of this tool.
    let output = cargo
        .current_dir(&project.root)
        .env(VARIABLE, chosen.text.reveal())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .output()
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot run cargo: {error}")).with_source(error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines().chain(String::from_utf8_lossy(&output.stderr).lines()) {
        context.out.note(line);
    }
    if !output.status.success() {
        return Err(Error::new(ErrorKind::Migration, format!("the seed `{name}` failed ({})", output.status)));
    }
    context.out.done(format_args!("seeded by {name}"));
    Ok(true)
}
