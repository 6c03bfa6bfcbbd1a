//! Wall time, with client and server on one processor: what remains is work and not waiting to be woken.

use std::process::Command;

use super::plan::Case;
use super::{Bench, Pair, Side};
use crate::Outcome;
use crate::process::capture;

/// Puts this process, and whatever it starts from now on, on one processor.
pub(super) fn pin() -> Outcome {
    capture(Command::new("taskset").args(["-cp", "0", &std::process::id().to_string()])).map(drop)
}

/// How often each side runs, in turn.
const TURNS: usize = 5;

/// Nanoseconds of one: the median of the turns.
pub(super) fn measure(bench: &Bench<'_>, case: &Case) -> Outcome<Pair> {
    let (mut covet, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        covet.push(once(bench, Side::Covet, case)?);
        raw.push(once(bench, Side::Raw, case)?);
    }
    Ok(Pair { covet: median(covet), raw: median(raw) })
}

fn once(bench: &Bench<'_>, side: Side, case: &Case) -> Outcome<f64> {
    let mut command = Command::new(bench.program);
    command.args(Bench::arguments(side, case, case.rounds));
    let printed = capture(command.env("COVET_BENCH_URL", &bench.url))?;
    printed.trim().parse().map_err(|_| format!("{} printed {printed:?}", case.name))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
