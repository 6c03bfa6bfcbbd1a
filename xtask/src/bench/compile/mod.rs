//! `cargo xtask bench compile`: what a model costs `cargo check`, beside serde's two derives and SeaORM.
//!
//! Projects of 50 and of 200 models are written to `target/bench/compile`, their dependencies are checked once,
//! and then only the project itself is: cold, and after a comment was added to one of its modules. What is told
//! is CPU time of cargo and rustc (the machine may be busy), the least of several interleaved rounds. What rustc does
//! after a touch is also counted in instructions, where valgrind is there: those do not change with the machine's mood.

mod measure;
mod projects;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use super::callgrind;
use crate::Outcome;
use measure::{Cost, check, instructions};
use projects::{KINDS, Kind, Project};

/// The sizes of the projects, in models. The slope between them is free of what a project costs by itself.
const SIZES: [usize; 2] = [50, 200];

/// The rounds when nothing else is asked for.
const ROUNDS: usize = 5;

/// What takes longer after a touch is not counted: under callgrind it takes thirty times as long.
const COUNTABLE: Duration = Duration::from_secs(10);

/// What one kind costs at one size: the least that was seen.
#[derive(Clone, Copy, Default)]
struct Seen {
    cold: Cost,
    touched: Cost,
    /// Instructions of rustc after a touch; zero where they were not counted.
    counted: f64,
}

/// Writes, measures, prints. Arguments: the number of rounds, and names of kinds (all, when there is none).
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let mut rounds = ROUNDS;
    let mut kinds: Vec<&Kind> = Vec::new();
    for word in arguments {
        match (word.parse(), KINDS.iter().find(|kind| kind.name == word)) {
            (Ok(number), _) => rounds = number,
            (_, Some(kind)) => kinds.push(kind),
            _ => {
                let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
                return Err(format!("`{word}` is neither a number of rounds nor one of: {}", known.join(", ")));
            }
        }
    }
    if kinds.is_empty() {
        kinds = KINDS.iter().collect();
    }
    let mut projects = Vec::new();
    for kind in kinds {
        match SIZES.map(|models| Project::write(kind, models)) {
            [Ok(small), Ok(large)] => projects.push((kind, [small, large])),
            [Err(error), _] | [_, Err(error)] => eprintln!("{} is left out: {error}", kind.name),
        }
    }
    let mut seen = vec![[Seen::default(); SIZES.len()]; projects.len()];
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for ((_, sizes), seen) in projects.iter().zip(&mut seen) {
            for (project, seen) in sizes.iter().zip(seen) {
                project.forget()?;
                seen.cold.keep_least(check(project)?);
                project.touch(round)?;
                seen.touched.keep_least(check(project)?);
            }
        }
    }
    if callgrind::is_there() {
        for ((kind, sizes), seen) in projects.iter().zip(&mut seen) {
            if seen.iter().any(|seen| seen.touched.cpu > COUNTABLE) {
                continue;
            }
            eprintln!("counting instructions: {}", kind.name);
            for (project, seen) in sizes.iter().zip(seen) {
                project.touch(rounds + 1)?;
                seen.counted = instructions(project)?;
            }
        }
    }
    let rows: Vec<_> = projects.iter().map(|(kind, _)| *kind).zip(seen).collect();
    print!("{}", table::print(&rows, rounds));
    Ok(ExitCode::SUCCESS)
}
