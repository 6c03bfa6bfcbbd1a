//! The quickstart as a user runs it: the same program, by its URL alone, on every database.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use covet_tests::program::program;
use covet_tests::{Kind, Url};

/// What the program prints of what it found, without the SQL and the times.
fn rows(url: Option<&str>) -> String {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| program("--example", "quickstart"));
    let mut command = Command::new(&*PROGRAM);
    command.args(url);
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{url:?}\n{out}\n{err}");
    assert!(out.contains("SELECT") && out.contains("INSERT INTO"), "the SQL is shown\n{out}");
    let quiet = |line: &&str| !line.starts_with("      ");
    out.lines().filter(quiet).map(|line| format!("{line}\n")).collect()
}

#[test]
fn prints_the_same_rows_on_every_database() {
    let wanted = rows(None);
    assert!(wanted.contains("100% Rust  by Ann  tagged [\"rust\"]"), "{wanted}");
    assert!(wanted.contains("the savepoint says: unique violation"), "{wanted}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for kind in Kind::ALL {
        runtime.block_on(async {
            let Some(url) = Url::fresh(kind).await else { return };
            assert_eq!(rows(Some(&url.url)), wanted, "{}", kind.name());
            // Again: the migrations are there, and the rest is the same.
            let again = rows(Some(&url.url));
            let applied = |text: &str| {
                text.lines().filter(|line| !line.starts_with("  applied")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(applied(&again), applied(&wanted), "{}", kind.name());
            url.drop_database().await;
        });
    }
}
