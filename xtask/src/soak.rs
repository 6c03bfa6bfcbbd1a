//! `cargo xtask soak`: what is acknowledged outlives `kill -9`, for minutes instead of seconds.

use std::process::ExitCode;

use crate::Outcome;
use crate::test::run_with;

/// How long it takes in all, unless it is said.
const MINUTES: u64 = 5;

/// The tests, one after the other, with the controls and with what they print.
const TESTS: &[&str] = &[
    "kills::acknowledged",
    "kills::control",
    "--test",
    "all",
    "--",
    "--include-ignored",
    "--nocapture",
    "--test-threads=1",
];

/// Runs the soak; the tests divide the time among them.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let minutes = minutes(arguments)?;
    let tests: Vec<String> = TESTS.iter().copied().map(String::from).collect();
    let seconds = (minutes * 60).to_string();
    run_with(&tests, &[("COVET_SOAK_SECONDS", &seconds)])
}

fn minutes(arguments: &[String]) -> Outcome<u64> {
    let usage = || String::from("usage: cargo xtask soak [--minutes N]");
    match arguments {
        [] => Ok(MINUTES),
        [option, minutes] if option == "--minutes" => minutes.parse().map_err(|_| usage()),
        _ => Err(usage()),
    }
}

#[cfg(test)]
mod tests {
    use super::minutes;

    fn typed(words: &str) -> Option<u64> {
        let words: Vec<String> = words.split_whitespace().map(String::from).collect();
        minutes(&words).ok()
    }

    #[test]
    fn minutes_are_said_or_five() {
        assert_eq!(typed(""), Some(5));
        assert_eq!(typed("--minutes 30"), Some(30));
        assert_eq!(typed("--minutes"), None);
        assert_eq!(typed("30"), None);
        assert_eq!(typed("--minutes soon"), None);
    }
}
