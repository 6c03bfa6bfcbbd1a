//! `cargo covet db shell`: the database's own program for people.

use std::io;
use std::process::Command;

use covet_drivers::{Error, ErrorKind, Result};

use crate::cli::context::Chosen;

pub(super) fn shell(chosen: &Chosen) -> Result<()> {
    let shells = chosen.admin()?.shells(&chosen.url)?;
    let mut tried = Vec::new();
    for shell in shells {
        let mut command = Command::new(shell.program);
        command.args(&shell.arguments);
        command.envs(shell.environment.iter().map(|(name, value)| (*name, value.reveal())));
        match become_it(&mut command) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => tried.push(shell.program),
            Err(error) => {
                return Err(
                    Error::new(ErrorKind::Io, format!("cannot run {}: {error}", shell.program)).with_source(error)
                );
            }
        }
    }
    Err(Error::new(ErrorKind::Io, format!("there is no program {} in PATH", tried.join(" or ")))
        .with_help("install it, or run statements with `cargo covet db execute`"))
}

/// The process goes on as that program.
#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}
