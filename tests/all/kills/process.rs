//! SQLite has no server, so the process is killed that works with the file. What it has acknowledged stands in the
//! ledger of the process that has begun it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use covet_tests::chance::Chance;
use covet_tests::{Kind, Url};

use crate::kills::bank::{self, Acknowledge, Business};
use crate::kills::ledger::{Found, Ledger};
use crate::kills::words::{Hears, Word};
use crate::kills::{CONTROL_ROUNDS, Plan, seed};

const TASKS: usize = 4;

/// Name, in the process that is killed, the database, the last number of a transfer, the seed, and whether to
/// acknowledge too early.
const DATABASE: &str = "COVET_KILLS_DATABASE";
const LAST: &str = "COVET_KILLS_LAST";
const SEED: &str = "COVET_KILLS_SEED";
const EARLY: &str = "COVET_KILLS_EARLY";

/// Runs the plan on a file of its own.
pub(crate) fn run(plan: &Plan) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(kills(plan)).unwrap_or_else(|error| panic!("on {}: {error}\n{error:?}", plan.kind.name()))
}

async fn kills(plan: &Plan) -> covet_orm::Result<Found> {
    let url = Url::fresh(Kind::Sqlite).await.expect("a file can always be made");
    let db = bank::open(&url.url, TASKS).await?;
    bank::found(&db).await?;
    db.close();
    drop(db);
    let seed = seed(plan);
    let mut chance = Chance(seed);
    let ledger = Arc::new(Ledger::default());
    let mut found = Found::default();
    let start = Instant::now();
    for round in 0.. {
        let worker = Worker::start(plan, &url.url, seed.wrapping_add(round), &ledger);
        ledger.await_success();
        ledger.first_success().await;
        // Every other time the file is open here too, so that it is not always the next one to come who puts it in order.
        let beside = if round % 2 == 0 { Some(bank::open(&url.url, TASKS).await?) } else { None };
        tokio::time::sleep(chance.millis(50, 300)).await;
        worker.kill();
        found.kills += 1;
        ledger.begun_are_unknown();
        let opens = Instant::now();
        let db = match beside {
            Some(db) => db,
            None => bank::open(&url.url, TASKS).await?,
        };
        bank::balances(&db).await?;
        found.recoveries.push(opens.elapsed());
        ledger.resolve(&db, &mut found).await?;
        let last = if plan.is_control() { round + 1 >= CONTROL_ROUNDS } else { start.elapsed() >= plan.time };
        if plan.is_control() || last {
            ledger.check(&db, &mut found).await?;
        }
        db.close();
        if last || found.lost > 0 {
            break;
        }
    }
    found.took = start.elapsed();
    Ok(found)
}

/// The process that is killed, and the thread that hears what it says.
struct Worker {
    process: Child,
    hearing: std::thread::JoinHandle<()>,
}

impl Worker {
    fn start(plan: &Plan, url: &str, seed: u64, ledger: &Arc<Ledger>) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["kills::process::worker", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(DATABASE, url).env(LAST, ledger.last().to_string()).env(SEED, seed.to_string());
        if plan.acknowledge == Acknowledge::TooEarly {
            command.env(EARLY, "1");
        }
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (said, ledger) = (process.stdout.take().unwrap(), Arc::clone(ledger));
        let hearing = std::thread::spawn(move || {
            for line in BufReader::new(said).lines() {
                if let Some(word) = Word::read(&line.unwrap()) {
                    ledger.hear(word);
                }
            }
        });
        Worker { process, hearing }
    }

    /// Kills it, and hears to the end what it has said.
    fn kill(mut self) {
        assert!(self.process.try_wait().unwrap().is_none(), "the process has ended by itself");
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.hearing.join().unwrap();
    }
}

/// Says everything in lines, each in one piece.
struct Pipe {
    last: AtomicI64,
}

impl Hears for Pipe {
    fn next(&self) -> i64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn hear(&self, word: Word) {
        // Past the macros, which the test runner redirects. Without a parent there is nobody to work for.
        let line = format!("{word}\n");
        if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
            std::process::exit(1);
        }
    }
}

/// Runs in the process that is killed; elsewhere there is nothing to do.
#[test]
#[ignore = "run by the tests of this module, in a process of its own"]
fn worker() {
    let number = |name: &str| std::env::var(name).unwrap().parse::<i64>().unwrap();
    let url = std::env::var(DATABASE).unwrap();
    let acknowledge = if std::env::var_os(EARLY).is_some() { Acknowledge::TooEarly } else { Acknowledge::Rightly };
    let pipe = Arc::new(Pipe { last: AtomicI64::new(number(LAST)) });
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    // The test runner has begun a line.
    std::io::stdout().lock().write_all(b"\n").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let db = bank::open(&url, TASKS).await.unwrap();
        let _business = Business::start(&db, Kind::Sqlite, TASKS, acknowledge, seed, &pipe);
        // Nobody waits for so long.
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
}
