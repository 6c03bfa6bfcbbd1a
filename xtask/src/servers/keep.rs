//! `cargo xtask servers`: servers that stay until their user has had enough.

use std::fs;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Servers;
use crate::Outcome;

/// How often to look whether both servers still run.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Starts the servers, says where they are, and keeps them until stdin closes or we are ended.
pub(crate) fn keep(arguments: &[String]) -> Outcome<ExitCode> {
    let file = match arguments {
        [] => None,
        [option, path] if option == "--env-file" => Some(PathBuf::from(path)),
        _ => return Err(String::from("usage: cargo xtask servers [--env-file PATH]")),
    };
    if let Some(path) = &file {
        // A signal leaves the file of an earlier run behind, and somebody may be waiting for ours.
        let _ = fs::remove_file(path);
    }
    let mut servers = Servers::start()?;
    let exports: String =
        servers.variables().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect();
    let _written = file.map(|path| EnvFile::write(path, &exports)).transpose()?;
    print!("{exports}");
    println!("# ready in {:.1}s; ends with stdin, Ctrl-C or SIGTERM", (servers.install + servers.start).as_secs_f64());

    let (tell, closed) = channel();
    if !stdin_is_null() {
        listen(tell.clone());
    }
    loop {
        match closed.recv_timeout(LOOK_EVERY) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(ExitCode::SUCCESS),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(name) = servers.ended() {
            return Err(format!("{name} has ended by itself"));
        }
    }
}

/// A file that others source, as long as we run.
#[derive(Debug)]
struct EnvFile {
    path: PathBuf,
}

impl EnvFile {
    /// Writes aside and renames, so that whoever waits for the file never reads half of it.
    fn write(path: PathBuf, text: &str) -> Outcome<Self> {
        let aside = path.with_extension("new");
        let _ = fs::remove_file(&aside);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&aside)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// `/dev/null` (as under nohup) ends at once, which says nothing.
fn stdin_is_null() -> bool {
    !std::io::stdin().is_terminal() && fs::metadata("/dev/stdin").is_ok_and(|stdin| stdin.file_type().is_char_device())
}

/// Tells when stdin ends.
fn listen(tell: Sender<()>) {
    std::thread::spawn(move || {
        let mut sink = [0; 1024];
        while matches!(std::io::stdin().lock().read(&mut sink), Ok(1..)) {}
        let _ = tell.send(());
    });
}

/// A value for a POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
