//! As whom a server runs: database servers refuse root, so root lends them an unprivileged account.

use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::process::capture;

/// The account that a server process runs as.
#[derive(Debug, Clone)]
pub(super) enum Account {
    /// We are not root: the server is ours.
    Own,
    /// We are root: the server is somebody else's.
    Lent { uid: u32, gid: u32 },
}

impl Account {
    /// The first of these accounts that exists, when we are root; otherwise ourselves.
    pub(super) fn choose(names: &[&str]) -> Outcome<Self> {
        if !is_root()? {
            return Ok(Self::Own);
        }
        for name in names {
            if let (Ok(uid), Ok(gid)) = (id(&["-u", name]), id(&["-g", name])) {
                return Ok(Self::Lent { uid, gid });
            }
        }
        Err(format!("none of these accounts exists to run a database server: {}", names.join(", ")))
    }

    /// A command that runs this program as this account.
    pub(super) fn command(&self, program: &Path) -> Command {
        let words = self.prefix();
        let mut command = match words.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        untouched(&mut command);
        command
    }

    /// Hands a folder or file over to the account.
    pub(super) fn own(&self, path: &Path) -> Outcome {
        match self {
            Self::Own => Ok(()),
            Self::Lent { uid, gid } => std::os::unix::fs::chown(path, Some(*uid), Some(*gid))
                .map_err(|error| format!("cannot give {} to user {uid}: {error}", path.display())),
        }
    }

    fn prefix(&self) -> Vec<String> {
        match self {
            Self::Own => Vec::new(),
            // setpriv (util-linux) becomes the program, with no process in between.
            Self::Lent { uid, gid } => vec![
                String::from("setpriv"),
                format!("--reuid={uid}"),
                format!("--regid={gid}"),
                String::from("--clear-groups"),
                String::from("--"),
            ],
        }
    }
}

/// Whether this process is root.
pub(super) fn is_root() -> Outcome<bool> {
    Ok(id(&["-u"])? == 0)
}

/// Keeps a developer's own database settings away from the private servers and their clients.
pub(super) fn untouched(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["PG", "MYSQL", "MARIADB", "LC_", "LANGUAGE"].iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command.env("LC_ALL", "C");
}

fn id(arguments: &[&str]) -> Outcome<u32> {
    let printed = capture(Command::new("id").args(arguments))?;
    printed.trim().parse().map_err(|_| format!("`id` answered {printed:?}"))
}
