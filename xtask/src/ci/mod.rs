//! `cargo xtask ci`: what a change must pass, cheapest first, stopping at the first failure.

mod duplicates;
mod features;
mod floors;
mod rows;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::process::{cargo, line, stream};

/// One step: its name, what it holds us to, and what runs it.
type Step = (&'static str, &'static str, fn() -> Outcome);

const STEPS: &[Step] = &[
    ("floors", "no dependency below its known-good version", floors::check),
    ("duplicates", "no unexplained second version of a dependency", duplicates::check),
    ("format", "rustfmt has nothing to say", || shown(cargo().args(["fmt", "--all", "--check"]))),
    ("lint", "clippy has nothing to say", || {
        shown(cargo().args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
    }),
    ("docs", "the documentation builds without a warning", || {
        shown(cargo().args(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("features", "each feature builds alone", features::check),
    ("benches", "the benchmarks build", || {
        let manifest = ["--manifest-path", "benches/Cargo.toml", "--target-dir", "target/bench"];
        shown(cargo().arg("clippy").args(manifest).args(["--", "-D", "warnings"]))
    }),
    ("quickstart", "the first program of the README runs", || shown(cargo().args(["run", "--example", "quickstart"]))),
    ("test", "all tests, against real servers", || match crate::test::run(&[])? {
        ExitCode::SUCCESS => Ok(()),
        _ => Err(String::from("tests failed")),
    }),
];

/// Runs all steps, or those named.
pub(crate) fn run(names: &[String]) -> Outcome<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.0 != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.0).collect();
        return Err(format!("no such step: {unknown}; steps: {}", known.join(", ")));
    }
    let began = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (name, promise, step) in STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.0))
    {
        eprintln!("\n==> {name}: {promise}");
        let step_began = Instant::now();
        let outcome = step();
        let elapsed = step_began.elapsed();
        eprintln!("<== {name}: {} after {:.1}s", if outcome.is_ok() { "ok" } else { "FAILED" }, elapsed.as_secs_f64());
        outcome.map_err(|message| format!("step {name}: {message}"))?;
        times.push((name, elapsed));
    }
    eprintln!();
    for (name, elapsed) in times {
        eprintln!("{name:<12}{:>8.1}s", elapsed.as_secs_f64());
    }
    eprintln!("{:<12}{:>8.1}s", "total", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that must succeed, showing it and its output.
fn shown(command: &mut Command) -> Outcome {
    eprintln!("    {}", line(command));
    let status = stream(command)?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", line(command))) }
}
