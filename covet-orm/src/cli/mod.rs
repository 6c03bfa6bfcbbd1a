//! The command line tool: `cargo covet`. `docs/tool.md` lists its commands.
//!
//! It asks only on a terminal. Elsewhere, what is not decided or confirmed is said, and the tool ends with code 3.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, or nothing to do |
//! | 1 | it failed |
//! | 2 | the command line is wrong |
//! | 3 | somebody has to decide, or to confirm |

mod args;
mod ask;
mod branches;
mod complete;
mod config;
mod context;
mod db;
mod decide;
mod doctor;
mod dotenv;
mod drift;
mod explain;
mod guard;
mod history;
mod init;
mod lint;
mod make;
mod models;
mod offline;
mod out;
mod package;
mod print;
mod pull;
mod replay;
mod run;
mod schema;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Parser;
use covet_drivers::{Error, ErrorKind, Result};

use args::{Args, Command, Migrate};
use context::Context;

/// Runs the tool with the arguments of the process. Without the binary of its own, a program can
/// offer the same commands.
#[must_use]
pub fn main() -> ExitCode {
    let mut words: Vec<_> = std::env::args_os().collect();
    // Cargo runs `cargo-covet covet …` for `cargo covet …`.
    if words.get(1).is_some_and(|word| word == "covet") {
        words.remove(1);
    }
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(said) => {
            // Nobody is left to hear of it when that cannot be written.
            let _ = said.print();
            return ExitCode::from(if said.use_stderr() { 2 } else { 0 });
        }
    };
    let context = Context::new(args.globals);
    let result = run(&context, &args.command).and_then(|()| context.out.lost().map_or(Ok(()), Err));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.out.error(&error);
            ExitCode::from(if error.kind() == ErrorKind::Decision { 3 } else { 1 })
        }
    }
}

fn run(context: &Context, command: &Command) -> Result<()> {
    match command {
        Command::Init(init) => init::init(context, init),
        Command::Migrate(command) => match command {
            Migrate::Make(make) => make::make(context, make),
            Migrate::Up(options) => wait(run::up(context, options)),
            Migrate::Down(options) => wait(run::down(context, options)),
            Migrate::Status(options) => wait(run::status(context, options)),
            Migrate::Repair(options) => wait(run::repair(context, options)),
            Migrate::Sql(options) => offline::sql(context, options),
            Migrate::Check(options) => wait(branches::check(context, options)),
            Migrate::Redo(options) => wait(history::redo(context, options)),
            Migrate::Mark(options) => wait(history::mark(context, options)),
            Migrate::Baseline(options) => wait(history::baseline(context, options)),
            Migrate::Rebase(options) => branches::rebase(context, options),
            Migrate::Squash(options) => branches::squash(context, options),
            Migrate::Lint(options) => lint::lint(context, options),
        },
        Command::Db(command) => wait(db::run(context, command)),
        Command::Schema(command) => wait(schema::run(context, command)),
        Command::Explain(options) => wait(explain::explain(context, options)),
        Command::Doctor(options) => wait(doctor::doctor(context, options)),
        Command::Completions(options) => complete::completions(context, options),
        Command::Man(options) => complete::man(context, options),
    }
}

fn wait(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, "the tool cannot start its runtime").with_source(error))?
        .block_on(work)
}
