//! Schemas by chance: pairs of them with rows, through the whole cycle on each database.
//!
//! A pair comes from a seed. `COVET_RANDOM_SEEDS=7` or `7..20` runs these alone; `COVET_TORTURE=1` runs 2,000. A pair
//! that fails is made smaller, and printed as a story would say it.

mod answer;
mod edit;
mod fill;
mod kept;
mod make;
mod names;
mod pair;
mod print;
mod shrink;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use covet_tests::chance::Chance;
use covet_tests::{Kind, torture};
use futures_util::future::join_all;

use crate::place::Place;
use answer::Answers;
use make::Maker;
use pair::{Pair, Verdict};

/// How many pairs run at a time on each database.
const WORKERS: usize = 3;

/// How many that fail are made smaller, and for how many runs each.
const SHRUNK: usize = 4;
const RUNS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    all(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    all(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql() {
    all(Kind::Mysql).await;
}

/// How many failures are made smaller; `COVET_RANDOM_SHRUNK` says another number.
fn shrunk_ones() -> usize {
    std::env::var("COVET_RANDOM_SHRUNK").map_or(SHRUNK, |said| said.parse().unwrap())
}

fn seeds() -> Range<u64> {
    match std::env::var("COVET_RANDOM_SEEDS") {
        Ok(said) => match said.split_once("..") {
            Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
            None => said.parse().unwrap()..said.parse::<u64>().unwrap() + 1,
        },
        Err(_) if torture() => 0..2_000,
        Err(_) => 0..24,
    }
}

/// What came of the pairs.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<String, usize>,
    failed: Vec<(u64, String)>,
}

async fn all(kind: Kind) {
    let left = Arc::new(Mutex::new(seeds()));
    let tally = Arc::new(Mutex::new(Tally::default()));
    join_all((0..WORKERS).map(|_| worker(kind, left.clone(), tally.clone()))).await;
    let mut tally = std::mem::take(&mut *tally.lock().unwrap());
    if tally.counts.is_empty() && tally.failed.is_empty() {
        // Without the server, which was said.
        return;
    }
    println!("{}: {:?}", kind.name(), tally.counts);
    for (refusal, times) in &tally.refusals {
        println!("    {times} × {refusal}");
    }
    tally.failed.sort();
    let mut told = String::new();
    for (number, (seed, error)) in tally.failed.iter().enumerate() {
        told.push_str(&format!("\nseed {seed}: {error}\n"));
        if number < shrunk_ones() {
            let small = shrunk(kind, *seed, error).await;
            println!("{} seed {seed} made smaller\n{small}", kind.name());
            told.push_str(&small);
        }
    }
    assert!(tally.failed.is_empty(), "{}: {} of the pairs fail\n{told}", kind.name(), tally.failed.len());
}

impl Tally {
    fn add(&mut self, kind: Kind, seed: u64, result: Result<Verdict, String>) {
        let what = match &result {
            Ok(Verdict::Went) => "went",
            Ok(Verdict::Nothing) => "nothing to do",
            Ok(Verdict::Refused(why)) => {
                *self.refusals.entry(gist(why)).or_default() += 1;
                "refused"
            }
            Ok(Verdict::Stopped(_)) => "stopped by rows",
            Ok(Verdict::HalfWay(_)) => "stopped half-way",
            Ok(Verdict::NoWayBack(_)) => "way back stopped",
            Err(_) => "failed",
        };
        *self.counts.entry(what).or_default() += 1;
        // At once, because a long run may not come to its end.
        match result {
            Ok(Verdict::HalfWay(why)) => println!("{} seed {seed} stopped half-way: {why}", kind.name()),
            Ok(_) => {}
            Err(error) => {
                println!("{} seed {seed}: {error}", kind.name());
                self.failed.push((seed, error));
            }
        }
    }
}

/// Runs what is left, one pair after the other in one place, or in another one after a failure.
async fn worker(kind: Kind, left: Arc<Mutex<Range<u64>>>, tally: Arc<Mutex<Tally>>) {
    let next = || left.lock().unwrap().next();
    let mut place = Place::new(kind).await;
    while let Some(here) = place.take() {
        let Some(seed) = next() else {
            here.end().await;
            break;
        };
        let (again, result) = run(here, What::Seed(seed)).await;
        tally.lock().unwrap().add(kind, seed, result);
        place = match again {
            Some(place) => Some(place),
            None => Place::new(kind).await,
        };
    }
}

/// A refusal without the names.
fn gist(error: &str) -> String {
    error.split(['(', ':', '`', '\n']).next().unwrap_or_default().chars().take(60).collect()
}

/// The pair of a seed, on this database.
async fn pair_of(place: &Place, seed: u64) -> Pair {
    let mut maker = Maker {
        kind: place.kind,
        chance: Chance(seed.wrapping_mul(0x9e37_79b9).wrapping_add(11)),
        ddl: place.db.backend().ddl(),
    };
    let before = maker.schema();
    let way = maker.edits(&before);
    let renames = Answers { renames: way.renames(), others: Vec::new() };
    let answers = maker.decide(&before, &way.schema, &renames);
    let rows = maker.rows(&before);
    Pair { before, after: way.schema, answers, rows }
}

/// What is run: the pair of a seed, or one at hand.
enum What {
    Seed(u64),
    Pair(Box<Pair>),
}

/// Runs a pair in an empty place, and gives the place back empty; `None` when that is not to be had.
async fn run(place: Place, what: What) -> (Option<Place>, Result<Verdict, String>) {
    let ran = tokio::spawn(async move {
        let pair = match what {
            What::Seed(seed) => pair_of(&place, seed).await,
            What::Pair(pair) => *pair,
        };
        let result = pair::run(&place, &pair).await;
        if result.is_ok() {
            place.wipe().await;
        }
        (place, result)
    });
    match ran.await {
        Ok((place, Ok(verdict))) => (Some(place), Ok(verdict)),
        Ok((place, Err(error))) => {
            place.end().await;
            (None, Err(error))
        }
        Err(panic) => {
            let told = panic.into_panic();
            let told = told.downcast_ref::<String>().cloned();
            (None, Err(format!("panic: {}", told.unwrap_or_else(|| "?".to_owned()))))
        }
    }
}

/// The smallest pair that fails like this one, for people.
async fn shrunk(kind: Kind, seed: u64, error: &str) -> String {
    let Some(place) = Place::new(kind).await else { return String::new() };
    let mut smallest = pair_of(&place, seed).await;
    let mut error = error.to_owned();
    let class = |error: &str| error.split([':', '\n']).take(2).collect::<String>();
    let wanted = class(&error);
    let mut runs = 0;
    'smaller: loop {
        let mut maker = Maker { kind, chance: Chance(seed), ddl: place.db.backend().ddl() };
        for candidate in shrink::smaller(&mut maker, &smallest) {
            if runs == RUNS {
                break 'smaller;
            }
            runs += 1;
            let Some(here) = Place::new(kind).await else { break 'smaller };
            let (again, result) = run(here, What::Pair(Box::new(candidate.clone()))).await;
            if let Some(again) = again {
                again.end().await;
            }
            if let Err(found) = result
                && class(&found) == wanted
            {
                smallest = candidate;
                error = found;
                continue 'smaller;
            }
        }
        break;
    }
    place.end().await;
    let rows: String = smallest.rows.iter().map(|row| format!("    {}\n", row.show())).collect();
    format!(
        "  after {runs} runs: {error}\n  before: {}\n  after:  {}\n  decide: {:?}\n{rows}",
        print::print(&smallest.before),
        print::print(&smallest.after),
        smallest.answers.texts(),
    )
}
