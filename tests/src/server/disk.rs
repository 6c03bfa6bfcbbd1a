//! A disk of the server's own that is soon full.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Server;

/// A file system in memory. It ends with this value.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl Server {
    /// A disk of so many KiB that the server may write to; `None` where the tests may not mount one.
    ///
    /// # Panics
    /// When its folder cannot be made.
    #[must_use]
    pub fn small_disk(&self, kibibytes: u32) -> Option<SmallDisk> {
        let folder = self.folder.path().join("small");
        std::fs::create_dir(&folder).expect("a folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kibibytes}k,mode=700"), "tmpfs"]).arg(&folder);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            return None;
        }
        let disk = SmallDisk { folder };
        if let Some((uid, gid)) = self.account {
            chown(&disk.folder, Some(uid), Some(gid)).expect("root may give a folder away");
        }
        Some(disk)
    }
}

impl SmallDisk {
    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may have files open there.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).output();
    }
}
