//! Transcripts: what a user types and what the tool says, whole, with the exit code. `COVET_BLESS=1` writes what it says now.
//!
//! A transcript is a Markdown file in `tests/story/transcripts`. Its first lines say which fixture it works on and,
//! where it needs a server, which; in blocks of `console` a line after `$ ` is run by a shell, lines after `> `
//! continue it, and what follows is its output. What differs from run to run is replaced by a word in brackets.

mod fixture;
mod normal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use covet_tests::program::without_cargo;
use covet_tests::{Kind, Url};

use crate::tool::{secrets, tool, workspace};
use normal::Normal;

/// The folder of the transcripts.
fn folder() -> PathBuf {
    workspace().join("tests/story/transcripts")
}

fn blesses() -> bool {
    std::env::var_os("COVET_BLESS").is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tool_says_what_the_transcripts_say() {
    fixture::is_what_the_models_say();
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut run = 0;
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy();
        let database = match head(&text, "on").map(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name)) {
            None => None,
            Some(kind) => match Url::fresh(kind.unwrap_or_else(|| panic!("{name} names no database"))).await {
                Some(url) => Some(url),
                // Its server is not there, which was said aloud.
                None => continue,
            },
        };
        let place =
            Place::new(head(&text, "fixture").unwrap_or_else(|| panic!("{name} names no fixture")), database.as_ref());
        let now = place.play(&text);
        run += 1;
        if now != text {
            if blesses() {
                fs::write(file, &now).unwrap();
            } else {
                wrong.push(format!("{name}:\n{}", difference(&text, &now)));
            }
        }
        if let Some(url) = database {
            url.drop_database().await;
        }
    }
    assert!(run >= 8, "only {run} transcripts were found");
    assert!(wrong.is_empty(), "COVET_BLESS=1 writes them anew\n\n{}", wrong.join("\n\n"));
}

/// A line `<!-- key: value -->` before the first block.
fn head<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let begin = format!("<!-- {key}: ");
    text.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix(" -->"))
}

/// The lines that differ, each with the one that is there now.
fn difference(wanted: &str, found: &str) -> String {
    let (wanted, found): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), found.lines().collect());
    let same = wanted.iter().zip(&found).take_while(|(a, b)| a == b).count();
    let command = wanted[..same].iter().rev().find(|line| line.starts_with("$ ")).unwrap_or(&"");
    let part = |lines: &[&str], mark: &str| -> String {
        lines.iter().skip(same).take(12).map(|line| format!("{mark} {line}\n")).collect()
    };
    format!("  {command}\n{}{}", part(&wanted, "-"), part(&found, "+"))
}

/// A copy of a fixture, and a shell in it.
struct Place {
    folder: tempfile::TempDir,
    /// Where `cargo` is found: one that gives `covet` to the tool that is tested.
    programs: tempfile::TempDir,
    url: Option<String>,
}

impl Place {
    fn new(fixture: &str, database: Option<&Url>) -> Place {
        let folder = tempfile::tempdir().unwrap();
        copy(&workspace().join("tests/story/fixtures").join(fixture), folder.path());
        let programs = tempfile::tempdir().unwrap();
        let cargo = cargo().display().to_string();
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = covet ]; then exec {:?} \"$@\"; fi\nexec {cargo:?} \"$@\"\n",
            tool().display()
        );
        let path = programs.path().join("cargo");
        fs::write(&path, script).unwrap();
        let mut rights = fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
        fs::set_permissions(&path, rights).unwrap();
        Place { folder, programs, url: database.map(|url| url.url.clone()) }
    }

    /// The transcript, with what is said now.
    fn play(&self, text: &str) -> String {
        let normal = Normal::new(self.folder.path(), self.url.as_deref());
        let mut out = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push('\n');
            if line != "```console" {
                continue;
            }
            while let Some(line) = lines.next() {
                if line == "```" {
                    out.push_str("```\n");
                    break;
                }
                // What was said before.
                let Some(first) = line.strip_prefix("$ ") else { continue };
                let mut command = first.to_owned();
                out.push_str(&format!("{line}\n"));
                while let Some(more) = lines.peek().and_then(|line| line.strip_prefix("> ")) {
                    command.push_str(&format!("\n{more}"));
                    out.push_str(&format!("> {more}\n"));
                    lines.next();
                }
                let (said, code) = self.run(&command);
                out.push_str(&normal.text(&said));
                if code != 0 {
                    out.push_str(&format!("[exit {code}]\n"));
                }
            }
        }
        out
    }

    /// What a command says on both outputs, in its order, and its exit code.
    fn run(&self, line: &str) -> (String, i32) {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut shell = Command::new("bash");
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap_or_default());
        without_cargo(&mut shell)
            .args(["-o", "pipefail", "-c", line])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("LC_ALL", "C")
            .env_remove("DATABASE_URL")
            .env_remove("COVET_ENV")
            .env_remove("CARGO")
            .stdin(std::process::Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        if let Some(url) = &self.url {
            shell.env("URL", url);
        }
        let mut child = shell.spawn().unwrap();
        // With it the writing ends that this process holds are closed.
        drop(shell);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        for secret in secrets() {
            assert!(!said.contains(&secret), "a password is told by: {line}");
        }
        if !said.is_empty() && !said.ends_with('\n') {
            said.push('\n');
        }
        (said, code)
    }
}

/// The real one, by its whole path: the one in the folder of programs must not find itself.
fn cargo() -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|folder| folder.join("cargo")).find(|path| path.is_file());
    std::env::var_os("CARGO").map(PathBuf::from).or(found).expect("there is a cargo")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|_| panic!("there is no fixture {}", from.display())) {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
