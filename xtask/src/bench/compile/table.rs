//! The table of what models cost to compile.

use std::fmt::Write as _;
use std::time::Duration;

use super::measure::Cost;
use super::projects::Kind;
use super::{SIZES, Seen};

/// The row that the others are compared with.
const YARDSTICK: &str = "serde";

/// The whole table.
pub(super) fn print(rows: &[(&Kind, [Seen; 2])], rounds: usize) -> String {
    let [few, many] = SIZES;
    let mut text = format!(
        "\n`cargo check`, CPU of cargo and rustc, the least of {rounds} rounds; ms a model from {few} to {many} models;\nMI: millions of instructions of rustc a model\n\n\
         {:<34}{:>9}{:>8}{:>10}{:>8}{:>12}{:>8}{:>12}{:>12}{:>8}\n",
        "", "cold ms", "×serde", "touched", "×serde", "touched MI", "×serde", "cold s/200", "peak MiB", "×serde"
    );
    let figures = |[few, many]: &[Seen; 2]| {
        let counted = (many.counted - few.counted) / models() / 1e6;
        [slope(few.cold, many.cold), slope(few.touched, many.touched), counted, mebibytes(many.cold.peak)]
    };
    let yardstick = rows.iter().find(|(kind, _)| kind.name == YARDSTICK).map(|(_, seen)| figures(seen));
    for (kind, seen) in rows {
        let [cold, touched, counted, peak] = figures(seen);
        let ratio = |own: f64, at: usize| match yardstick.and_then(|figures| figures.get(at).copied()) {
            Some(serde) if serde > 0.0 => format!("{:.2}", own / serde),
            _ => String::from("-"),
        };
        let whole = seen[1].cold.cpu.as_secs_f64();
        let _ = writeln!(
            text,
            "{:<34}{cold:>9.1}{:>8}{touched:>10.2}{:>8}{:>12}{:>8}{whole:>12.2}{peak:>12.0}{:>8}",
            kind.title,
            ratio(cold, 0),
            ratio(touched, 1),
            if counted > 0.0 { format!("{counted:.1}") } else { String::from("-") },
            if counted > 0.0 { ratio(counted, 2) } else { String::from("-") },
            ratio(peak, 3),
        );
    }
    text
}

/// Milliseconds a model, between the two sizes.
fn slope(few: Cost, many: Cost) -> f64 {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    (millis(many.cpu) - millis(few.cpu)) / models()
}

/// How many models lie between the two sizes.
fn models() -> f64 {
    u32::try_from(SIZES[1].saturating_sub(SIZES[0])).map_or(1.0, f64::from)
}

/// Kibibytes as mebibytes.
fn mebibytes(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::INFINITY, f64::from) / 1024.0
}
