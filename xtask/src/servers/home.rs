//! The one temporary folder under which the private servers live, and secrets and ports for them.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use crate::Outcome;
use crate::process::capture;

/// The kernel's limit for a socket's path is 108 bytes with its final zero.
const SOCKET_PATH_LIMIT: usize = 107;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// What the tests write is around 1 GiB; the rest is left to others.
const PLENTY: u64 = 8 << 30;

/// A temporary folder, removed on drop.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
}

impl Home {
    /// Creates the folder; others may pass through it (the servers' accounts must), not list it.
    pub(super) fn create() -> Outcome<Self> {
        let path = folder().join(format!("covet-{}", secret(4)?));
        make(&path, 0o711)?;
        Ok(Self { path })
    }

    /// Creates a folder for the temporary files of the tests, open to everybody as such folders are.
    pub(super) fn temporary(&self) -> Outcome<String> {
        let path = self.path.join("tmp");
        make(&path, 0o700)?;
        fs::set_permissions(&path, Permissions::from_mode(0o1777))
            .map_err(|error| format!("cannot open {} to everybody: {error}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// Creates a folder for one server, readable by its account (and root) alone.
    pub(super) fn room(&self, name: &str, account: &Account) -> Outcome<PathBuf> {
        let room = self.path.join(name);
        make(&room, 0o700)?;
        account.own(&room)?;
        capture(account.command(Path::new("test")).arg("-w").arg(&room).current_dir("/")).map_err(|_| {
            format!(
                "the account that runs {name} cannot enter {}: set TMPDIR to a folder open to everybody",
                room.display()
            )
        })?;
        Ok(room)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Where the servers live, and the temporary files of the tests: in memory if there is plenty of it, because most of
/// what a test of a database waits for is that a table's file has reached the disk; else, and where `TMPDIR` is set,
/// among other temporary files.
fn folder() -> PathBuf {
    let in_memory = std::env::var_os("TMPDIR").is_none() && free(MEMORY).is_some_and(|bytes| bytes >= PLENTY);
    if in_memory { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}

/// How many bytes a folder has room for, where it is there and `df` can say.
fn free(folder: &str) -> Option<u64> {
    let told = capture(Command::new("df").args(["-B1", "--output=avail", folder])).ok()?;
    told.lines().last()?.trim().parse().ok()
}

/// As many random bytes, in hexadecimal.
pub(super) fn secret(bytes: usize) -> Outcome<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A loopback port that nobody listens on right now.
pub(super) fn free_port() -> Outcome<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free loopback port: {error}"))
}

/// Refuses a socket path that the kernel would refuse, with the way out.
pub(super) fn fits_socket(path: &Path) -> Outcome {
    match path.as_os_str().len() {
        length if length <= SOCKET_PATH_LIMIT => Ok(()),
        length => {
            Err(format!("{} is too long for a socket ({length} bytes): set TMPDIR to a shorter folder", path.display()))
        }
    }
}

/// Writes a file that only the account (and root) can read.
pub(super) fn write_private(path: &Path, text: &str, account: &Account) -> Outcome {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    account.own(path)
}

fn make(path: &Path, mode: u32) -> Outcome {
    DirBuilder::new().mode(mode).create(path).map_err(|error| format!("cannot create {}: {error}", path.display()))
}
