//! The command line of `cargo covet schema`.

use clap::{Subcommand, ValueEnum};

use crate::cli::args::Database;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Schema {
    /// Print the schema: as SQL that creates it, or as JSON
    Dump(Dump),
    /// Print the schema as a Mermaid diagram of its tables and what points where
    Graph(Graph),
}

/// Whose schema.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Whose {
    /// That of the database itself, instead of that after the last migration; --url, --database and --schema mean it too
    #[arg(long)]
    pub(super) live: bool,

    /// That of the database with these schemas too; names in them say their schema. PostgreSQL only
    #[arg(long = "schema", value_delimiter = ',', value_name = "NAMES")]
    pub(super) schemas: Vec<String>,

    #[command(flatten)]
    pub(super) database: Database,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Dump {
    #[command(flatten)]
    pub(super) whose: Whose,

    /// As statements that create it, or as data; --json means the latter too
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,

    /// For which kind of database, where covet.toml names more than one
    #[arg(long = "for", value_name = "NAME")]
    pub(super) kind: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Graph {
    #[command(flatten)]
    pub(super) whose: Whose,
}

/// The form of a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    #[default]
    Sql,
    Json,
}
