//! Instructions of the client by callgrind: the same in every run but for the order in which bytes arrive.

use std::process::{Command, Stdio};

use super::plan::Case;
use super::{Bench, Pair, Side};
use crate::Outcome;

pub(super) fn is_there() -> bool {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Instructions of one.
pub(super) fn measure(bench: &Bench<'_>, case: &Case) -> Outcome<Pair> {
    Ok(Pair { covet: slope(bench, Side::Covet, case)?, raw: slope(bench, Side::Raw, case)? })
}

fn slope(bench: &Bench<'_>, side: Side, case: &Case) -> Outcome<f64> {
    let (few, many) = (count(bench, side, case, case.few)?, count(bench, side, case, case.many)?);
    Ok((many - few) / f64::from(case.many - case.few))
}

/// The URL for a program that callgrind makes fifty times as slow. A statement on SQLite may hold its caller's thread
/// for 500 µs, of which callgrind would leave it ten: what is counted would be the way to the connection's thread.
fn slow(url: &str) -> String {
    if url.starts_with("sqlite:") { format!("{url}?inline_budget=25000") } else { url.to_owned() }
}

/// The instructions of what callgrind tells in the end.
pub(super) fn collected(told: &str) -> Option<f64> {
    let (_, number) = told.lines().find_map(|line| line.split_once("Collected :"))?;
    number.trim().parse().ok()
}

fn count(bench: &Bench<'_>, side: Side, case: &Case, times: u32) -> Outcome<f64> {
    let out = bench.folder.join("callgrind.out");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(bench.program)
        .args(Bench::arguments(side, case, times))
        .env("COVET_BENCH_URL", slow(&bench.url))
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("cannot run valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    match collected(&told) {
        Some(number) if output.status.success() => Ok(number),
        _ => Err(format!("{} of {} under callgrind failed:\n{told}", case.name, side.word())),
    }
}
