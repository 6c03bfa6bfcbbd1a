//! `cargo xtask`: the chores of this repository, written against the standard library only, so that a machine with nothing but Rust can run them.

mod bench;
mod ci;
mod mutants;
mod process;
mod servers;
mod soak;
mod test;

use std::process::ExitCode;

/// What a chore answers: an exit code of its own, or a message for a human.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// One chore: the word, its arguments, what it is for, and what runs it.
type Chore = (&'static str, &'static str, &'static str, fn(&[String]) -> Outcome<ExitCode>);

const CHORES: &[Chore] = &[
    (
        "test",
        "[filter…] [option…] [-- …]",
        "run all tests against real servers, which it installs (Debian) and starts itself",
        test::run,
    ),
    (
        "torture",
        "[filter…]",
        "run the tests that can go through far more cases, with all of them: tens of minutes",
        test::torture,
    ),
    (
        "soak",
        "[--minutes N]",
        "kill the databases with -9 while a bank works, and see that nothing acknowledged is lost: 5 minutes",
        soak::run,
    ),
    (
        "mutants",
        "[name…]",
        "break a copy of Covet in many ways, and see that a test notices each: about a minute for each",
        mutants::run,
    ),
    (
        "servers",
        "[--env-file PATH]",
        "keep such servers until stdin closes, Ctrl-C or SIGTERM, and say where they are",
        servers::keep,
    ),
    (
        "bench",
        "[database…] [case…] | compile [rounds] [kind…] | migrations",
        "measure Covet beside the raw drivers, or what compiling it costs, and print the ratios: minutes",
        bench::run,
    ),
    ("ci", "[step…]", "run everything a change must pass, or only the named steps", ci::run),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((word, rest)) = words.split_first() else {
        eprint!("{}", help());
        return ExitCode::from(2);
    };
    if matches!(word.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some((.., run)) = CHORES.iter().find(|chore| chore.0 == word) else {
        eprint!("no such command: {word}\n\n{}", help());
        return ExitCode::from(2);
    };
    run(rest).unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}

fn help() -> String {
    let mut text = String::from("usage: cargo xtask <command>\n\ncommands:\n");
    for (word, arguments, purpose, _) in CHORES {
        text.push_str(&format!("  {:<34} {purpose}\n", format!("{word} {arguments}")));
    }
    text
}
