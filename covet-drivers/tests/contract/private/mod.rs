//! Servers of a test's own, where it must choose the certificate or stop the server: in a temporary folder, ended
//! with the value or, should the test be killed, with its process.

pub(crate) mod certificates;
#[cfg(feature = "mysql")]
pub(crate) mod mariadb;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

/// Ends the server when nobody holds the other end of stdin any more. The shell is the server's parent, so the
/// process id cannot have become another's.
const KEEP: &str = r#"signal=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
( read -r _ <&3; kill -s "$signal" "$server" ) 2>/dev/null &
wait "$server""#;

/// A folder that the account of a server can write in, as whom it runs when the tests are root's.
pub(crate) struct Room {
    folder: TempDir,
    account: Option<(u32, u32)>,
}

impl Room {
    /// For a server of root's to run as this account, or as `nobody` where that does not exist.
    pub(crate) fn new(account: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let find = |name: &str| id(&["-u", name]).zip(id(&["-g", name]));
        let account = (id(&["-u"]) == Some(0)).then(|| find(account).or_else(|| find("nobody")).expect("an account"));
        let room = Room { folder, account };
        fs::set_permissions(room.path(), Permissions::from_mode(0o755)).unwrap();
        room.own(room.path());
        room
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that the server's account alone can read, in one step.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let (path, aside) = (self.path().join(name), self.path().join(format!("{name}.new")));
        fs::write(&aside, text).unwrap();
        fs::set_permissions(&aside, Permissions::from_mode(0o600)).unwrap();
        self.own(&aside);
        fs::rename(&aside, &path).unwrap();
        path
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.account {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// The words of a command that runs as the account.
    fn words(&self, program: &Path, arguments: &[String]) -> Vec<String> {
        let mut words = Vec::new();
        if let Some((user, group)) = self.account {
            words.extend(["setpriv".into(), format!("--reuid={user}"), format!("--regid={group}")]);
            words.extend(["--clear-groups".into(), "--".into()]);
        }
        words.push(program.display().to_string());
        words.extend_from_slice(arguments);
        words
    }

    pub(crate) fn run(&self, program: &Path, arguments: &[String]) {
        let words = self.words(program, arguments);
        let mut command = Command::new(&words[0]);
        // A MariaDB that starts clears the temporary files of others out of a folder that it shares with them.
        command.args(&words[1..]).current_dir(self.path()).env("TMPDIR", self.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn start(&self, signal: &str, program: &Path, arguments: &[String]) -> Kept {
        let log = fs::File::create(self.path().join("server.log")).unwrap();
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEP, "keeper", signal]).args(self.words(program, arguments)).current_dir(self.path());
        keeper.env("TMPDIR", self.path());
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut keeper = keeper.spawn().unwrap();
        Kept { hold: keeper.stdin.take(), keeper }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("server.log")).unwrap_or_default()
    }
}

/// A running server.
pub(crate) struct Kept {
    hold: Option<ChildStdin>,
    keeper: Child,
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.hold.take());
        let _ = self.keeper.wait();
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok()?.trim().parse().ok())?
}

/// A loopback port that nobody listens on right now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The program that a variable names, or whose folder it names; `None`, said loudly, when there is no such server.
pub(crate) fn program(variable: &str, name: Option<&str>, database: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.contains(database), "COVET_TEST_REQUIRE wants {database}, and {variable} is not set");
        eprintln!("LEFT OUT: {variable} is not set, so this test did not run");
    }
    found.map(|path| name.map_or_else(|| path.clone(), |name| path.join(name)))
}
