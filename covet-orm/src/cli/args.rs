//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cli::complete::{Completions, Man};
use crate::cli::db::args::Db;
use crate::cli::doctor::Doctor;
use crate::cli::explain::Explain;
use crate::cli::init::Init;
use crate::cli::schema::args::Schema;

/// Migrations from what changed in the models, and the databases that they are for.
#[derive(Debug, Parser)]
#[command(name = "cargo-covet", bin_name = "cargo covet", version, after_help = AFTER)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,

    #[command(flatten)]
    pub(super) globals: Globals,
}

const AFTER: &str = "\
Exit codes: 0 done, or nothing to do; 1 it failed; 2 the command line is wrong; 3 somebody has to decide or confirm.
Which database: --url or --database, else DATABASE_URL, else .env, else covet.toml.";

/// What holds for every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub(super) struct Globals {
    /// The covet.toml, instead of the nearest one
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// The Cargo.toml of the package that has the models
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) manifest_path: Option<PathBuf>,

    /// The package that has the models, where the workspace has more than one
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(super) package: Option<String>,

    /// Read no .env
    #[arg(long, global = true)]
    pub(super) no_dotenv: bool,

    /// Answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Say nothing but what was asked for, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Say more: which files and which database are used
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    /// Go on without asking
    #[arg(short, long, global = true)]
    pub(super) yes: bool,

    /// Go on although this is a production database, named by its name
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) yes_production: Option<String>,

    /// Use colours; NO_COLOR is heeded
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(super) color: ColorWhen,
}

/// When colours are used; `auto` is on a terminal.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum ColorWhen {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write covet.toml for the package at hand
    Init(Init),
    /// Make, apply and undo migrations
    #[command(subcommand)]
    Migrate(Migrate),
    /// Create, remove, inspect and talk to databases
    #[command(subcommand)]
    Db(Db),
    /// Show the schema
    #[command(subcommand)]
    Schema(Schema),
    /// Ask the database how it would run a statement
    Explain(Explain),
    /// Look for what stands in the way, from covet.toml to the rights on the server
    Doctor(Doctor),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the man pages
    Man(Man),
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
    /// Print the SQL of migrations, without a connection
    Sql(Sql),
    /// Look whether the files fit together, run on a new database, and make what the models are
    Check(Check),
    /// Undo the migration that was applied last, and apply it again as its files are now
    Redo(Redo),
    /// Record a migration as applied, or not, without running or checking anything
    Mark(Mark),
    /// Record migrations on a database that was made by other means and has what they make
    Baseline(Baseline),
    /// Make a migration, which is applied nowhere, again on top of all others
    Rebase(Rebase),
    /// Put one migration in the place of several that follow each other
    Squash(Squash),
    /// Look for what can go wrong with the migrations
    Lint(crate::cli::lint::Lint),
}

#[derive(Debug, clap::Args)]
pub(super) struct Make {
    /// What to call it; made up from the changes when it is left away
    pub(super) name: Option<String>,

    /// Decide about a difference: `rename column users.name to users.full_name` …, or `@FILE` with `decisions = ["…"]`
    #[arg(long, value_name = "DECISION")]
    pub(super) decide: Vec<String>,

    /// So that others read and write while it runs, in up to three migrations; `--online=false` where covet.toml says so
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) online: Option<bool>,

    /// Show the files, write none
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Which database.
#[derive(Clone, Debug, Default, clap::Args)]
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

    /// Rows of a batch, whatever the file says
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) batch_size: Option<u32>,

    /// How long to wait between two batches, whatever the file says; else as long as a batch took
    #[arg(long, value_name = "MILLISECONDS")]
    pub(super) batch_pause: Option<u64>,

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
}

#[derive(Debug, clap::Args)]
pub(super) struct Repair {
    #[command(flatten)]
    pub(super) database: Database,

    /// The statement at which this migration stopped has taken effect: go on behind it
    #[arg(long, value_name = "ID", requires = "statement", required_unless_present_any = ["redo", "accept"])]
    pub(super) done: Option<String>,

    /// The statement at which this migration stopped has not taken effect: run it again
    #[arg(long, value_name = "ID", requires = "statement", conflicts_with = "done")]
    pub(super) redo: Option<String>,

    /// The files of this migration, which is applied, were edited, and that is all right
    #[arg(long, value_name = "ID", conflicts_with_all = ["done", "redo", "statement"])]
    pub(super) accept: Option<String>,

    /// The number of that statement, as the error named it
    #[arg(long, value_name = "N")]
    pub(super) statement: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Sql {
    /// Which: one by its id or name, as its file is; `A..B` for those behind A up to B, `A..` or `..B`, or all when nothing
    /// is said, as a script with the rows of the history, for the program of the database
    pub(super) range: Option<String>,

    /// For which kind of database, where covet.toml names more than one
    #[arg(long = "for", value_name = "NAME")]
    pub(super) kind: Option<String>,

    /// The way back, the last first, as the files are
    #[arg(long)]
    pub(super) down: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) database: Database,

    /// Do not run the migrations; else they run on a database of their own, on the server of --url or --database
    #[arg(long)]
    pub(super) no_replay: bool,

    /// Do not build the program to ask it for its models
    #[arg(long)]
    pub(super) no_build: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Redo {
    #[command(flatten)]
    pub(super) database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Mark {
    #[command(flatten)]
    pub(super) database: Database,

    /// Which, by its id or name; by its id where its files are not here
    pub(super) migration: String,

    /// Record it as not applied
    #[arg(long)]
    pub(super) reverted: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Baseline {
    #[command(flatten)]
    pub(super) database: Database,

    /// The last that is recorded, by its id or name; all when nothing is said
    pub(super) migration: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rebase {
    /// Which, by its id or name
    pub(super) migration: String,

    /// Decide about a difference that the old decisions leave open, as with `migrate make`
    #[arg(long, value_name = "DECISION")]
    pub(super) decide: Vec<String>,

    /// Show the files, write and remove none
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Squash {
    /// The first, by its id or name
    pub(super) first: String,

    /// The last, by its id or name
    pub(super) last: String,

    /// What to call the one that takes their place
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,

    /// Show the files, write and remove none
    #[arg(long)]
    pub(super) dry_run: bool,
}
