//! `cargo xtask bench`: Covet beside the raw drivers, in one run, as a table of ratios.

mod callgrind;
mod compile;
mod migrations;
mod plan;
mod table;
mod wall;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::process::{capture, cargo, line, stream, workspace};
use crate::servers::Servers;
use plan::{CASES, Case, DATABASES};
use table::Table;

/// What runs cost, or with the word `compile` what compiling costs, or with `migrations` what those cost.
pub(crate) fn run(words: &[String]) -> Outcome<ExitCode> {
    match words.split_first() {
        Some((word, rest)) if word == "compile" => compile::run(rest),
        Some((word, [])) if word == "migrations" => migrations::run(),
        _ => run_time(words),
    }
}

/// Builds the program, prepares each database, and measures each case on each of them; words narrow to
/// databases and cases of that name, and `pool` stands for `pool-contended` too.
fn run_time(words: &[String]) -> Outcome<ExitCode> {
    let known = |word: &String| DATABASES.iter().any(|it| it.name == *word) || CASES.iter().any(|it| it.name == *word);
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        let names: Vec<&str> = DATABASES.iter().map(|it| it.name).chain(CASES.iter().map(|it| it.name)).collect();
        return Err(format!("nothing is called {unknown}; there are: {}", names.join(", ")));
    }
    let program = build()?;
    let valgrind = callgrind::is_there();
    if !valgrind {
        eprintln!("valgrind is not installed: instructions are left out (Debian: apt-get install valgrind)");
    }
    wall::pin()?;
    let servers = Servers::start()?;
    let folder = workspace().join("target/bench");
    let mut table = Table::new();
    for database in DATABASES.iter().filter(|it| chosen(words, it.name, DATABASES.iter().map(|it| it.name))) {
        let url = (database.url)(&servers, &folder)?;
        let bench = Bench { program: &program, url, folder: &folder };
        bench.prepare()?;
        for case in CASES.iter().filter(|it| chosen(words, it.name, CASES.iter().map(|it| it.name))) {
            if database.without.contains(&case.name) {
                continue;
            }
            eprintln!("measuring {} on {}", case.name, database.name);
            let instructions = if valgrind { Some(callgrind::measure(&bench, case)?) } else { None };
            table.add(database, case, instructions, wall::measure(&bench, case)?);
        }
    }
    drop(servers);
    print!("{table}");
    Ok(ExitCode::SUCCESS)
}

/// Whether no word of this kind was said, or this one.
fn chosen<'a>(words: &[String], name: &str, mut all: impl Iterator<Item = &'a str>) -> bool {
    words.iter().any(|word| means(word, name)) || !all.any(|one| words.iter().any(|word| word == one))
}

/// Whether a word means something of this name.
fn means(word: &str, name: &str) -> bool {
    word == name || name.strip_prefix(word).is_some_and(|rest| rest == "-contended")
}

/// The program and where it runs.
struct Bench<'a> {
    program: &'a Path,
    url: String,
    folder: &'a Path,
}

/// Who does the work.
#[derive(Clone, Copy, Debug)]
enum Side {
    Covet,
    Raw,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Covet => "covet",
            Side::Raw => "raw",
        }
    }
}

/// What was measured of both.
#[derive(Clone, Copy, Debug)]
struct Pair {
    covet: f64,
    raw: f64,
}

impl Bench<'_> {
    fn prepare(&self) -> Outcome {
        let mut command = Command::new(self.program);
        capture(command.args(["prepare", "find", "0"]).env("COVET_BENCH_URL", &self.url)).map(drop)
    }

    /// The arguments that do the case so many times.
    fn arguments(side: Side, case: &Case, times: u32) -> [String; 3] {
        [side.word().to_owned(), case.name.to_owned(), times.to_string()]
    }
}

fn build() -> Outcome<PathBuf> {
    let (manifest, target) = (workspace().join("benches/Cargo.toml"), workspace().join("target/bench"));
    let mut command = cargo();
    command.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    eprintln!("{}", line(&command));
    if !stream(&mut command)?.success() {
        return Err(String::from("the benchmarks do not build"));
    }
    Ok(target.join("release/covet-benches"))
}
