//! `cargo covet`, as a user runs it: on a project of its own, with the tool that is built here.

mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub(crate) use covet_tests::program::workspace;
use covet_tests::program::{program, without_cargo};
pub(crate) use terminal::Terminal;

/// Where the generated project is built: kept, so that a later run is fast.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("generated")
}

/// The tool.
pub(crate) fn tool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| program("--bin", "cargo-covet"))
}

/// What the tool said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The code is this, and both outputs together have these words.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "`{word}` is not in {self:?}");
        }
        self
    }
}

/// The tool in this folder.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(tool());
    without_cargo(&mut command).arg("covet").args(args).current_dir(folder);
    command
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("DATABASE_URL")
        .env_remove("COVET_ENV");
    command
}

/// Runs the tool; whatever it says has no password in it.
#[track_caller]
pub(crate) fn run(folder: &Path, args: &[&str]) -> Said {
    said(&command(folder, args).output().unwrap())
}

#[track_caller]
pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let said = Said { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) };
    for secret in secrets() {
        assert!(!said.out.contains(&secret) && !said.err.contains(&secret), "a password is told");
    }
    said
}

/// A password that no server has.
pub(crate) const WRONG: &str = "hunter2-is-wrong";

pub(crate) fn secrets() -> Vec<String> {
    let mut secrets = vec![WRONG.to_owned()];
    for variable in ["COVET_TEST_POSTGRES", "COVET_TEST_MYSQL"] {
        let url = std::env::var(variable).unwrap_or_default();
        if let Some((user, _)) = url.split_once('@')
            && let Some((_, password)) = user.rsplit_once(':')
        {
            // One that is a word like any other is told apart by what stands around it.
            secrets.push(if password.len() < 8 { format!(":{password}@") } else { password.to_owned() });
        }
    }
    secrets
}
