//! What migrations cost where there are many of them, and in large schemas.

use std::fs;
use std::process::{Command, ExitCode};

use super::plan::DATABASES;
use super::{build, stream, workspace};
use crate::Outcome;
use crate::servers::Servers;

/// Prints one line for the comparison of schemas, and one for the status on each database.
pub(super) fn run() -> Outcome<ExitCode> {
    let program = build()?.with_file_name("migrations");
    let folder = workspace().join("target/bench");
    let migrations = folder.join("migrations");
    if migrations.exists() {
        fs::remove_dir_all(&migrations).map_err(|error| format!("{}: {error}", migrations.display()))?;
    }
    let servers = Servers::start()?;
    let mut all = vec![vec![String::from("diff")], vec![String::from("make"), migrations.display().to_string()]];
    for database in DATABASES {
        let url = (database.url)(&servers, &folder)?;
        all.push(vec![String::from("status"), migrations.display().to_string(), url]);
    }
    for arguments in all {
        if !stream(Command::new(&program).args(&arguments))?.success() {
            return Err(format!("migrations {} failed", arguments.join(" ")));
        }
    }
    drop(servers);
    Ok(ExitCode::SUCCESS)
}
