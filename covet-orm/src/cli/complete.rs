//! `cargo covet completions` and `cargo covet man`: from the one list of commands.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::args::Args;
use crate::cli::context::Context;

/// What the program is called.
const PROGRAM: &str = "cargo-covet";

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Whose
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn completions(context: &Context, options: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Args::command().bin_name(PROGRAM), PROGRAM, &mut script);
    context.out.raw(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

pub(super) fn man(context: &Context, options: &Man) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("the man pages cannot be written: {error}")).with_source(error)
    };
    let command = Args::command().bin_name(PROGRAM);
    let Some(folder) = &options.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
        context.out.raw(String::from_utf8_lossy(&page).trim_end());
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    context.out.done(format_args!("wrote the man pages into {}", folder.display()));
    context.out.json(&json!({ "folder": folder }))
}
