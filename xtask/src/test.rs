//! `cargo xtask test`: all tests, against servers of their own.

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::Outcome;
use crate::process::{cargo, line, stream};
use crate::servers::Servers;

/// Tells the tests that an absent database is a failure and not a reason to skip.
pub(crate) const REQUIRE: (&str, &str) = ("COVET_TEST_REQUIRE", "postgres,mysql,sqlite");

/// Asks tests that can for all their cases; `cargo xtask test` runs a short slice of them.
const TORTURE: (&str, &str) = ("COVET_TORTURE", "1");

/// Starts the servers, runs `cargo test` with the given filters and options, and stops the servers.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    run_with(arguments, &[])
}

/// The tests that go through far more cases when they are asked to; without a filter, only those.
pub(crate) fn torture(arguments: &[String]) -> Outcome<ExitCode> {
    let all = ["cancellation", "pool::", "outcomes::", "scenarios::", "two_phase", "random::"].map(String::from);
    run_with(if arguments.is_empty() { &all } else { arguments }, &[TORTURE])
}

/// As [`run`], with more in the tests' environment.
pub(crate) fn run_with(arguments: &[String], variables: &[(&str, &str)]) -> Outcome<ExitCode> {
    let servers = Servers::start()?;
    let began = Instant::now();
    let mut command = cargo_test(arguments);
    command.envs(servers.variables()).env(REQUIRE.0, REQUIRE.1).envs(variables.iter().copied());
    eprintln!("servers ready in {:.1}s; {}", servers.start.as_secs_f64(), line(&command));
    let status = stream(&mut command)?;
    eprintln!(
        "\ntests {}: install {:.1}s, servers {:.1}s, build and tests {:.1}s",
        if status.success() { "passed" } else { "FAILED" },
        servers.install.as_secs_f64(),
        servers.start.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    drop(servers);
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Leading plain words are test filters (any number of them), then come cargo's options, then `--`
/// and the test binaries' own.
fn cargo_test(arguments: &[String]) -> Command {
    let dashes = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let (outer, inner) = arguments.split_at(dashes);
    let inner = inner.get(1..).unwrap_or_default();
    let (filters, options) = outer.split_at(outer.iter().position(|word| word.starts_with('-')).unwrap_or(outer.len()));
    let mut command = cargo();
    command.arg("test");
    // Cargo prefers --workspace to --package and would build everything.
    if !options.iter().any(|option| option.starts_with("-p") || option.starts_with("--package")) {
        command.arg("--workspace");
    }
    command.arg("--all-features").args(options);
    if !filters.is_empty() || !inner.is_empty() {
        command.arg("--").args(filters).args(inner);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::{cargo_test, line};

    fn typed(words: &str) -> String {
        let words: Vec<String> = words.split_whitespace().map(String::from).collect();
        line(&cargo_test(&words)).replacen("cargo test ", "", 1)
    }

    #[test]
    fn filters_options_and_inner_options_go_where_they_belong() {
        assert_eq!(typed(""), "--workspace --all-features");
        assert_eq!(typed("postgres upsert"), "--workspace --all-features -- postgres upsert");
        assert_eq!(
            typed("upsert --test wire -- --nocapture"),
            "--workspace --all-features --test wire -- upsert --nocapture"
        );
        assert_eq!(typed("-- --ignored"), "--workspace --all-features -- --ignored");
        assert_eq!(typed("-p xtask"), "--all-features -p xtask");
    }
}
