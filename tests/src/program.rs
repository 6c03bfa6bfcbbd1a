//! Programs of this workspace, for tests that run them as a user would.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace of Covet.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Takes from a command what the cargo that runs this test has set: build scripts that ask for its
/// variables would otherwise run again, and with them everything behind them.
pub fn without_cargo(command: &mut Command) -> &mut Command {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_", "CARGO_NET_", "CARGO_TERM_", "CARGO_INCREMENTAL"];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && !KEPT.iter().any(|kept| text.starts_with(kept)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds a program as `cargo test --workspace --all-features` builds it, so that after that there is
/// nothing left to do; `kind` is `--bin` or `--example`.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn program(kind: &str, name: &str) -> PathBuf {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargo(&mut build);
    build.args(["build", "--quiet", "--workspace", "--all-features", kind, name]).current_dir(workspace());
    let output = build.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let test = std::env::current_exe().expect("the test has a path");
    let folder = test.parent().and_then(Path::parent).expect("the test stands in target/debug/deps").to_owned();
    if kind == "--example" { folder.join("examples").join(name) } else { folder.join(name) }
}
