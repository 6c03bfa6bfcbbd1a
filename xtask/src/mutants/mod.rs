//! `cargo xtask mutants`: tests of the tests. Each patch in `tests/mutants` breaks Covet in one way; a test must notice.

mod copy;
mod patch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::process::{cargo, line, stream_within, tail, workspace};
use crate::servers::Servers;
use crate::test::REQUIRE;
use copy::Copy;
use patch::Patch;

/// How long a build may take: the first one builds everything.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long the tests of one fault may take.
const TEST_LIMIT: Duration = Duration::from_secs(3 * 60);

/// What became of a fault.
enum Fate {
    /// These tests noticed it.
    Killed(String),
    /// Nobody noticed, or it could not be tried: why.
    Failed(String),
}

/// How a run of tests ended.
enum Ran {
    Passed,
    /// The tests that failed.
    Noticed(Vec<String>),
    Hung,
}

/// Tries every fault, or those whose names hold one of the words.
pub(crate) fn run(words: &[String]) -> Outcome<ExitCode> {
    let patches = patch::read_all(&workspace().join("tests/mutants"), words)?;
    let copy = Copy::make()?;
    let servers = Servers::start()?;
    let lab = Lab { copy, servers };
    lab.sound(&patches)?;
    let mut failed = 0;
    for (number, patch) in patches.iter().enumerate() {
        let start = Instant::now();
        let fate = lab.try_out(patch);
        let (word, what) = match &fate {
            Fate::Killed(by) => ("killed", format!("by {by}")),
            Fate::Failed(why) => {
                failed += 1;
                ("FAILED", why.clone())
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        println!("{word} {:>2}/{} {seconds:>6.1}s {}: {what}", number + 1, patches.len(), patch.name);
        if word == "FAILED" {
            println!("       it breaks: {}", patch.breaks);
        }
    }
    lab.copy.restore()?;
    println!("\n{} faults, {} killed, {failed} failed", patches.len(), patches.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A copy to break, and servers to try it on.
struct Lab {
    copy: Copy,
    servers: Servers,
}

impl Lab {
    /// Sees that the tests pass where nothing is broken: otherwise they would notice anything.
    fn sound(&self, patches: &[Patch]) -> Outcome {
        let mut needed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for patch in patches {
            needed.entry(&patch.target).or_default().extend(patch.filters.iter().map(String::as_str));
        }
        for (target, filters) in needed {
            let filters: Vec<String> = filters.into_iter().map(String::from).collect();
            let start = Instant::now();
            self.build(target, "nothing")?;
            match self.test(target, &filters, "nothing")? {
                Ran::Passed => eprintln!("sound: `{target}` in {:.1}s", start.elapsed().as_secs_f64()),
                Ran::Noticed(tests) => return Err(format!("with nothing broken these fail: {}", tests.join(", "))),
                Ran::Hung => return Err(String::from("with nothing broken the tests do not end")),
            }
        }
        Ok(())
    }

    fn try_out(&self, patch: &Patch) -> Fate {
        let ran = self
            .copy
            .restore()
            .and_then(|()| self.copy.apply(&patch.path))
            .and_then(|()| self.build(&patch.target, &patch.name))
            .and_then(|()| self.test(&patch.target, &patch.filters, &patch.name));
        match ran {
            Ok(Ran::Noticed(tests)) => Fate::Killed(match tests.as_slice() {
                [one] => one.clone(),
                [first, others @ ..] => format!("{first} and {} more", others.len()),
                [] => String::from("the end of the test process"),
            }),
            Ok(Ran::Hung) if patch.may_hang => Fate::Killed(String::from("tests that do not end")),
            Ok(Ran::Hung) => Fate::Failed(format!("the tests did not end within {TEST_LIMIT:?}")),
            Ok(Ran::Passed) => Fate::Failed(format!("it survives {}", patch.filters.join(" "))),
            Err(why) => Fate::Failed(why),
        }
    }

    /// A run of cargo in the copy.
    fn cargo(&self, target: &str, log: &Path) -> Outcome<Command> {
        let mut command = cargo();
        command.args(["test", "--quiet", "--workspace", "--all-features", "--test", target]);
        command.current_dir(&self.copy.source).env("CARGO_TARGET_DIR", &self.copy.target);
        let file = File::create(log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = file.map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        command.stdout(out).stderr(err);
        Ok(command)
    }

    fn build(&self, target: &str, name: &str) -> Outcome {
        let log = self.copy.logs.join(format!("{name}.build.log"));
        let mut command = self.cargo(target, &log)?;
        match stream_within(command.arg("--no-run"), BUILD_LIMIT)? {
            Some(status) if status.success() => Ok(()),
            Some(_) => Err(format!("it does not build:\n{}", end_of(&log))),
            None => Err(format!("`{}` did not end within {BUILD_LIMIT:?}", line(&command))),
        }
    }

    fn test(&self, target: &str, filters: &[String], name: &str) -> Outcome<Ran> {
        let log = self.copy.logs.join(format!("{name}.log"));
        let mut command = self.cargo(target, &log)?;
        command.envs(self.servers.variables()).env(REQUIRE.0, REQUIRE.1);
        command.arg("--").args(filters);
        let Some(status) = stream_within(&mut command, TEST_LIMIT)? else { return Ok(Ran::Hung) };
        let text = fs::read(&log).map_err(|error| format!("cannot read {}: {error}", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        if !status.success() {
            return Ok(Ran::Noticed(failures(&text)));
        }
        // A filter that fits no test would pass for ever.
        if count(&text) == 0 {
            return Err(format!("no test of `{target}` is named like {}", filters.join(" ")));
        }
        Ok(Ran::Passed)
    }
}

/// The tests that failed, as the test runner lists them in the end.
fn failures(text: &str) -> Vec<String> {
    let last = text.rsplit_once("\nfailures:\n").map_or("", |(_, list)| list);
    last.lines()
        .skip_while(|line| line.is_empty())
        .map_while(|line| line.strip_prefix("    "))
        .map(String::from)
        .collect()
}

/// How many tests ran.
fn count(text: &str) -> usize {
    let results = text.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|line| line.split(' ').next()?.parse::<usize>().ok()).sum()
}

fn end_of(log: &Path) -> String {
    tail(&fs::read_to_string(log).unwrap_or_default(), 25)
}

#[cfg(test)]
mod tests {
    use super::{count, failures};

    #[test]
    fn who_noticed_is_read_from_the_list() {
        let text = "running 2 tests\n..F\nfailures:\n\n---- a::b stdout ----\nfailures of a kind\n\n\nfailures:\n    a::b\n    c\n\ntest result: FAILED. 1 passed\n";
        assert_eq!(failures(text), ["a::b", "c"]);
        assert_eq!(failures("signal: 6"), [""; 0]);
        assert_eq!(count("test result: ok. 3 passed; 0 failed\n\ntest result: ok. 4 passed; 0 failed"), 7);
    }
}
