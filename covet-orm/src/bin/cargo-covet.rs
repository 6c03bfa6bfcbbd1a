//! `cargo covet`: the command line tool.

use std::process::ExitCode;

fn main() -> ExitCode {
    covet_orm::cli::main()
}
