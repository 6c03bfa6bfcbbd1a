//! The command line of `cargo covet db`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::args::Database;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Db {
    /// Create the database, empty
    Create(Which),
    /// Remove the database, with everything in it
    Drop(Remove),
    /// Remove the database, create it, migrate and seed it
    Reset(Remove),
    /// Create the database, migrate and seed it
    Setup(Which),
    /// Migrate the database; one that is not there is created and seeded
    Prepare(Which),
    /// Run what fills an empty database: [seed] of covet.toml
    Seed(Which),
    /// Wait until the database answers
    Wait(Wait),
    /// Show the server, its part in replication, sizes, tables, and how many migrations are applied
    Info(Which),
    /// Talk to the database by its own program, which gets the password by its environment
    Shell(Which),
    /// Run statements, and show what comes back
    Execute(Execute),
    /// Write models for the tables of the database
    Pull(crate::cli::pull::Pull),
    /// Compare the schema of the database with that of the last migration, or of the models; changes nothing
    Drift(crate::cli::drift::Drift),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    #[command(flatten)]
    pub(super) database: Database,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    pub(super) database: Database,

    /// End the sessions of others that are in it, where the server can
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wait {
    #[command(flatten)]
    pub(super) database: Database,

    /// How long at most
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(super) timeout: u64,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Execute {
    #[command(flatten)]
    pub(super) database: Database,

    /// The statements; without them and --file they are read from standard input
    pub(super) sql: Option<String>,

    /// A file of statements
    #[arg(short, long, value_name = "FILE", conflicts_with = "sql")]
    pub(super) file: Option<PathBuf>,

    /// Show so many rows of each statement
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) limit: usize,
}
