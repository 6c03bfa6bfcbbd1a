//! Running other programs: where the workspace is, which cargo, how a failed command reads, and how its process group ends with us.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Sleeps in `read` until its owner writes a line (all is well) or is gone (end the group whose id is `$1`).
const WATCH: &str = "if read -r _; then exit 0; fi; kill -s TERM -- \"-$1\"";

/// How often to look whether a command has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
    let own = PathBuf::from(own);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// The cargo that runs us, in the workspace's folder and with nothing to read.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(workspace()).stdin(Stdio::null());
    command
}

/// A command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let mut text =
        Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let _ = write!(text, " {}", if argument.contains('\n') { "…" } else { &argument });
    }
    text
}

/// Runs a command with our own output streams. It gets a process group of its own, which ends when
/// we end for whatever reason: a test run that outlives its servers would only confuse.
pub(crate) fn stream(command: &mut Command) -> Outcome<ExitStatus> {
    let status = stream_within(command, Duration::MAX)?;
    status.ok_or_else(|| format!("`{}` did not end", line(command)))
}

/// As [`stream`], for so long at most: its process group is killed then, and there is no status.
pub(crate) fn stream_within(command: &mut Command, limit: Duration) -> Outcome<Option<ExitStatus>> {
    let start = Instant::now();
    let mut child = command.process_group(0).spawn().map_err(|error| not_started(command, &error))?;
    let watch = Command::new("sh")
        .args(["-c", WATCH, "sh", &child.id().to_string()])
        .process_group(0)
        .stdin(Stdio::piped())
        .spawn();
    let lost = |error: std::io::Error| format!("lost track of `{}`: {error}", line(command));
    let status = loop {
        match child.try_wait() {
            Ok(None) if start.elapsed() < limit => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                let group = format!("-{}", child.id());
                let killed = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
                break killed.and_then(|_| child.wait()).map(|_| None).map_err(lost);
            }
            other => break other.map_err(lost),
        }
    };
    if let Ok(mut watch) = watch {
        if let Some(mut owner) = watch.stdin.take() {
            use std::io::Write as _;
            let _ = owner.write_all(b"done\n");
        }
        let _ = watch.wait();
    }
    status
}

/// Runs a command to its end and gives what it printed; a failure carries the end of its output.
pub(crate) fn capture(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complained = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}):\n{}", line(command), output.status, tail(&format!("{printed}{complained}"), 30)))
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("cannot run `{}`: {error}", line(command))
}
