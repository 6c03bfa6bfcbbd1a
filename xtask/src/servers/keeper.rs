//! Keeping one server: it is stopped when its owner lets go or is gone, even by SIGKILL.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::Outcome;
use crate::process::tail;

/// `$1` signal, `$2` the server's folder, `$3` its log, then the server's command.
///
/// The shell is the server's parent, so the process id it signals cannot have become somebody
/// else's. Its stdin is a pipe that nobody writes to: end of file means that the owner has let go
/// or is dead. Only then is the folder removed (and the folder around it by the last server), so
/// that a server that failed by itself leaves its log to be read.
const KEEP: &str = r#"
signal=$1 folder=$2 log=$3
shift 3
exec 3<&0 </dev/null
"$@" 3<&- >>"$log" 2>&1 &
server=$!
(
    read -r _ <&3
    : >"$folder/.let-go"
    kill -s "$signal" "$server"
    tenths=0
    while [ "$tenths" -lt 300 ]; do sleep 0.1; tenths=$((tenths + 1)); done
    kill -s KILL "$server"
) 2>/dev/null &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
if [ -e "$folder/.let-go" ]; then
    cd /
    rm -rf "$folder"
    rmdir "${folder%/*}" 2>/dev/null
fi
exit "$status"
"#;

/// How a server is asked to stop without waiting for its clients.
#[derive(Debug, Clone, Copy)]
pub(super) enum StopSignal {
    Int,
    Term,
}

/// One kept server.
#[derive(Debug)]
pub(super) struct Kept {
    name: &'static str,
    log: PathBuf,
    keeper: Child,
    hold: Option<ChildStdin>,
}

impl Kept {
    /// Starts a server under a keeper. Its output goes to a log in `room`.
    pub(super) fn start(name: &'static str, server: &Command, signal: StopSignal, room: &Path) -> Outcome<Self> {
        let log = room.join("server.log");
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg(KEEP).arg("covet-keeper");
        keeper.arg(match signal {
            StopSignal::Int => "INT",
            StopSignal::Term => "TERM",
        });
        keeper.arg(room).arg(&log).arg(server.get_program()).args(server.get_args());
        for (variable, value) in server.get_envs() {
            match value {
                Some(value) => keeper.env(variable, value),
                None => keeper.env_remove(variable),
            };
        }
        // A group of its own: Ctrl-C in a terminal must reach us, and us alone stop the server.
        keeper.process_group(0).current_dir(room).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = keeper.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        let hold = keeper.stdin.take();
        Ok(Self { name, log, keeper, hold })
    }

    /// The server's name, for messages.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The server's name if it has ended by itself.
    pub(super) fn ended(&mut self) -> Option<&'static str> {
        matches!(self.keeper.try_wait(), Ok(Some(_))).then_some(self.name)
    }

    /// The end of the server's log.
    pub(super) fn log_tail(&self) -> String {
        match fs::read(&self.log) {
            Ok(text) => tail(&String::from_utf8_lossy(&text), 30),
            Err(error) => format!("(no log at {}: {error})", self.log.display()),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.hold.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("lost track of {}: {error}", self.name);
        }
    }
}
