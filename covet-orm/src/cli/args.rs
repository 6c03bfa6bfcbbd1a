//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use covet_drivers::{Error, ErrorKind, Result};

/// Migrations from what changed in the models.
#[derive(Debug, Parser)]
#[command(name = "cargo covet", bin_name = "cargo covet", version)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,

    /// The Cargo.toml of the program that has the models
    #[arg(long, global = true, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write covet.toml
    Init {
        /// The databases that migrations are made for: postgres, mysql, sqlite
        #[arg(long, required = true, value_delimiter = ',', value_name = "NAMES")]
        databases: Vec<String>,
    },
    /// Make, apply and undo migrations
    Migrate {
        #[command(subcommand)]
        command: Migrate,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Migrate {
    /// Make a migration from what changed in the models
    Make(Make),
    /// Apply what is not applied yet
    Up(Up),
    /// Undo the migration that was applied last
    Down(Down),
    /// Show where every migration stands
    Status(Status),
    /// Put the history right after a run was lost in the middle of a statement
    Repair(Repair),
    /// Look for what can go wrong with the migrations
    Lint(crate::cli::lint::Lint),
}

#[derive(Debug, clap::Args)]
pub(super) struct Make {
    /// What to call it; made up from the changes when it is left away
    pub(super) name: Option<String>,

    /// Decide about a difference: `rename column users.name to users.full_name` …
    #[arg(long, value_name = "DECISION")]
    pub(super) decide: Vec<String>,

    /// A TOML file with decisions: `decisions = ["…", "…"]`
    #[arg(long, value_name = "FILE")]
    pub(super) decisions: Option<PathBuf>,

    /// Show the files, write none
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Write what was made, or the decisions that are missing, as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Which database.
#[derive(Debug, clap::Args)]
pub(super) struct Database {
    /// The connection URL; before DATABASE_URL, .env and covet.toml
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,

    /// Which URL of covet.toml to take, where there is more than one
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub(super) database: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Up {
    #[command(flatten)]
    pub(super) database: Database,

    /// Apply so many
    #[arg(short = 'n', value_name = "N", conflicts_with = "to")]
    pub(super) count: Option<usize>,

    /// Apply until this one is applied, named by its id or name
    #[arg(long, value_name = "MIGRATION")]
    pub(super) to: Option<String>,

    /// Show what would run, run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Down {
    #[command(flatten)]
    pub(super) database: Database,

    /// Undo so many; 1 when nothing is said
    #[arg(short = 'n', value_name = "N", conflicts_with_all = ["to", "all"])]
    pub(super) count: Option<usize>,

    /// Undo until this one is the last that is applied, named by its id or name
    #[arg(long, value_name = "MIGRATION", conflicts_with = "all")]
    pub(super) to: Option<String>,

    /// Undo all
    #[arg(long)]
    pub(super) all: bool,

    /// Show what would run, run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    pub(super) database: Database,

    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Repair {
    #[command(flatten)]
    pub(super) database: Database,

    /// The statement at which this migration stopped has taken effect: go on behind it
    #[arg(long, value_name = "ID")]
    pub(super) done: String,

    /// The number of that statement, as the error named it
    #[arg(long, value_name = "N")]
    pub(super) statement: usize,
}

impl Args {
    /// Where to look for covet.toml: the folder of the manifest, or where the tool was started.
    pub(super) fn root(&self) -> Result<PathBuf> {
        let start = match &self.manifest_path {
            Some(manifest) => manifest.parent().map(|parent| parent.join(".")).unwrap_or_default(),
            None => PathBuf::from("."),
        };
        start.canonicalize().map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot find {}: {error}", start.display())).with_source(error)
        })
    }

    /// Whether errors are to be read by a program.
    pub(super) fn is_json(&self) -> bool {
        match &self.command {
            Command::Migrate { command: Migrate::Make(make) } => make.json,
            Command::Migrate { command: Migrate::Status(status) } => status.json,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_makes_sense() {
        super::Args::command().debug_assert();
    }
}
