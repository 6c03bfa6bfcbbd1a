//! The command line tool: `cargo covet init`, `cargo covet migrate make | up | down | status | repair`.
//!
//! It asks nothing: what is not decided is listed, and the tool ends with code 3.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, or nothing to do |
//! | 1 | it failed |
//! | 2 | the command line is wrong |
//! | 3 | a decision is needed |

mod args;
mod config;
mod dotenv;
mod init;
mod lint;
mod make;
mod models;
mod print;
mod run;

use std::process::ExitCode;

use clap::Parser;
use covet_drivers::{Error, ErrorKind, Result};

use args::{Args, Command, Migrate};
use config::Project;

/// Runs the tool with the arguments of the process. Without the binary of its own, a program can
/// offer the same commands.
#[must_use]
pub fn main() -> ExitCode {
    let mut words: Vec<_> = std::env::args_os().collect();
    // Cargo runs `cargo-covet covet …` for `cargo covet …`.
    if words.get(1).is_some_and(|word| word == "covet") {
        words.remove(1);
    }
    let args = Args::parse_from(words);
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&error, args.is_json());
            ExitCode::from(if error.kind() == ErrorKind::Decision { 3 } else { 1 })
        }
    }
}

fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Init { databases } => init::init(&args.root()?, databases),
        Command::Migrate { command } => {
            let project = Project::find(&args.root()?)?;
            match command {
                Migrate::Make(make) => make::make(&project, make),
                Migrate::Up(options) => wait(run::up(&project, options)),
                Migrate::Down(options) => wait(run::down(&project, options)),
                Migrate::Status(options) => wait(run::status(&project, options)),
                Migrate::Repair(options) => wait(run::repair(&project, options)),
                Migrate::Lint(options) => lint::lint(&project, options),
            }
        }
    }
}

fn wait(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, "the tool cannot start its runtime").with_source(error))?
        .block_on(work)
}
