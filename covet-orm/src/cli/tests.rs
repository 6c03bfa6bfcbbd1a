//! The command line as a whole: every command has a help text, a transcript, and its part of the reference page.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory};
use covet_drivers::ErrorKind;

use crate::cli::args::Args;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn command() -> Command {
    let mut command = Args::command();
    command.build();
    command
}

/// The commands that do something, with the words that lead to them.
fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    let subs: Vec<&Command> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
    if subs.is_empty() {
        found.push((path.to_owned(), command.clone()));
    }
    for sub in subs {
        leaves(sub, format!("{path} {}", sub.get_name()).trim(), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    leaves(&command(), "", &mut found);
    found
}

#[test]
fn the_command_line_makes_sense() {
    Args::command().debug_assert();
}

#[test]
fn everything_has_a_help_text() {
    for (path, command) in all() {
        assert!(command.get_about().is_some(), "`{path}` says nothing about itself");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "`{path}` says nothing about {arg}");
        }
    }
}

#[test]
fn every_command_has_a_transcript() {
    let folder = workspace().join("tests/story/transcripts");
    let mut text = String::new();
    for file in fs::read_dir(&folder).unwrap() {
        text.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let missing: Vec<String> =
        all().into_iter().map(|(path, _)| path).filter(|path| !text.lines().any(|line| shows(line, path))).collect();
    assert!(missing.is_empty(), "no transcript in tests/story/transcripts shows {}", missing.join(", "));
}

/// Whether a line of a transcript runs this command, and does not only ask for its help.
fn shows(line: &str, path: &str) -> bool {
    let runs = format!("cargo covet {path}");
    line.strip_prefix("$ ").is_some_and(|line| {
        line.split_once(&runs).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with(' '))
            && !line.contains("--help")
    })
}

/// Where the part of the page begins and ends that is written from the command line itself.
const BEGIN: &str = "<!-- commands: written by COVET_BLESS=1 cargo test -p covet-orm --all-features --lib cli -->\n";
const END: &str = "<!-- end of commands -->\n";

#[test]
fn the_reference_page_is_what_the_command_line_says() {
    let file = workspace().join("docs/tool.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let wanted = reference();
    if std::env::var_os("COVET_BLESS").is_some() {
        fs::write(&file, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert!(found == wanted, "docs/tool.md is not what the command line says: run the test with COVET_BLESS=1");
}

#[test]
fn every_code_of_an_error_is_on_a_page() {
    let text = fs::read_to_string(workspace().join("docs/errors.md")).unwrap();
    for kind in ErrorKind::ALL {
        assert!(text.contains(&format!("| `{kind:?}` |")), "docs/errors.md has no row for {kind:?}");
    }
}

fn reference() -> String {
    let mut out = String::new();
    for (path, command) in all() {
        let about = command.get_about().unwrap();
        writeln!(out, "\n### `cargo covet {path}`\n\n{about}.\n").unwrap();
        let own: Vec<&Arg> = command.get_arguments().filter(|arg| !is_common(arg)).collect();
        if !own.is_empty() {
            table(&mut out, &own);
        }
    }
    out.push_str("\n### With every command\n\n");
    let common = command();
    table(&mut out, &common.get_arguments().filter(|arg| arg.is_global_set()).collect::<Vec<_>>());
    out.push('\n');
    out
}

fn is_common(arg: &Arg) -> bool {
    arg.is_global_set() || arg.get_id() == "help" || arg.get_id() == "version"
}

fn table(out: &mut String, args: &[&Arg]) {
    out.push_str("| argument | means |\n|---|---|\n");
    for arg in args {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "| `{}` | {} |", spelled(arg), help.replace('|', "\\|")).unwrap();
    }
}

fn spelled(arg: &Arg) -> String {
    let value = arg.get_action().takes_values().then(|| {
        let names = arg.get_value_names().unwrap_or_default();
        names.first().map_or_else(|| arg.get_id().to_string().to_uppercase(), ToString::to_string)
    });
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = [short, long].into_iter().flatten().collect();
    match (names.is_empty(), value) {
        (true, Some(value)) if arg.is_required_set() => value,
        (true, Some(value)) => format!("[{value}]"),
        (_, Some(value)) => format!("{} {value}", names.join(", ")),
        (_, None) => names.join(", "),
    }
}
