//! The coordinator as a process of its own, killed at every step: what it leaves is committed everywhere or nowhere.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use covet_orm::Event;
use covet_tests::Kind;
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};

use crate::two_phase::dropped::STEPS;
use crate::two_phase::put_both;
use crate::two_phase::servers::{Both, observed, on_both};

/// What the process is told: three URLs, the coordinator's name, the rows' name, how many transactions it runs, and
/// behind which command of the last one it dies.
const TOLD: &str = "COVET_TEST_TWO_PHASE";

/// A step that is never reached.
const NEVER: usize = usize::MAX;

#[test]
#[ignore = "a process of its own: killed_at_every_step runs it"]
fn a_coordinator() {
    let told = std::env::var(TOLD).unwrap();
    let mut told = told.lines();
    let urls = [told.next().unwrap(), told.next().unwrap(), told.next().unwrap()].map(str::to_owned);
    let (name, rows) = (told.next().unwrap(), told.next().unwrap());
    let (count, step): (usize, usize) = (told.next().unwrap().parse().unwrap(), told.next().unwrap().parse().unwrap());
    let seen = Arc::new(AtomicUsize::new(NEVER / 2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let counter = Arc::clone(&seen);
        let observer = move |_: &Event<'_>| {
            if counter.fetch_add(1, Ordering::SeqCst) == step {
                std::process::abort();
            }
        };
        let (c, _handles) = observed(name, urls, 4, observer).await.unwrap();
        println!("open");
        for n in 0..count {
            if n + 1 == count {
                seen.store(0, Ordering::SeqCst);
            }
            put_both(&c, &format!("{rows} {n}")).await.unwrap().everywhere().unwrap();
            println!("committed {n}");
        }
    });
}

fn begin(urls: &[String; 3], name: &str, rows: &str, count: usize, step: usize) -> Child {
    let [orders, stock, log] = urls;
    Command::new(std::env::current_exe().unwrap())
        .args(["two_phase::apart::a_coordinator", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(TOLD, format!("{orders}\n{stock}\n{log}\n{name}\n{rows}\n{count}\n{step}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the process says that is committed; `until` is asked behind each line whether that is enough.
fn said(child: &mut Child, mut until: impl FnMut(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The runner's own words may stand before it.
        let line = line.unwrap();
        if until(&line) {
            break;
        }
        lines.push(line);
    }
    lines
}

#[derive(Default)]
struct Figures {
    processes: usize,
    transactions: usize,
    committed: usize,
    acknowledged: usize,
    recovered: usize,
    longest: Duration,
}

impl Figures {
    /// Recovers as the next process does, and compares.
    async fn look(&mut self, both: &Both, rows: &str, count: usize, said: &[String]) {
        let begun = Instant::now();
        let c = both.coordinator().await;
        both.nothing_left(Duration::from_secs(10)).await;
        self.longest = self.longest.max(begun.elapsed());
        self.processes += 1;
        self.transactions += count;
        for n in 0..count {
            let there = both.both_have(&format!("{rows} {n}")).await;
            let acknowledged = said.iter().any(|line| line.ends_with(&format!("committed {n}")));
            assert!(there || !acknowledged, "{rows} {n} was said to be committed");
            self.committed += usize::from(there);
            self.acknowledged += usize::from(acknowledged);
        }
        let report = c.recover().await.unwrap();
        assert!(report.is_complete() && report.mixed.is_empty(), "{report:?}");
        self.recovered += report.committed.len() + report.rolled_back.len();
    }

    fn print(&self, what: &str) {
        println!(
            "{what}: {} processes killed in {} transactions, {} committed and {} acknowledged, the others in no database; \
             recovery and check took at most {:?}",
            self.processes, self.transactions, self.committed, self.acknowledged, self.longest
        );
    }
}

#[test]
fn killed_at_every_step() {
    on_both(async |both| {
        let (times, count) = if covet_tests::torture() { (20, 12) } else { (1, 2) };
        let mut figures = Figures::default();
        for (step, time) in (0..STEPS).flat_map(|step| (0..times).map(move |time| (step, time))) {
            let rows = format!("step {step} {time}");
            let mut child = begin(&both.urls, &both.name, &rows, count, step);
            let said = tokio::task::block_in_place(|| said(&mut child, |_| false));
            let status = child.wait().unwrap();
            assert!(!status.success(), "step {step} was not reached: {said:?}");
            figures.look(both, &rows, count, &said).await;
        }
        figures.print("killed behind a command");
        assert_eq!(figures.acknowledged, times * STEPS * (count - 1));
    });
}

#[test]
fn killed_while_a_message_is_on_its_way() {
    on_both(async |both| {
        let (times, stride) = if covet_tests::torture() { (4, 1) } else { (1, 5) };
        let mut figures = Figures::default();
        for (kind, at) in [(Kind::Postgres, 0), (Kind::Mysql, 1)] {
            for (direction, time) in Direction::BOTH.into_iter().flat_map(|way| (0..times).map(move |time| (way, time)))
            {
                for after in (time % stride..).step_by(stride) {
                    let rows = format!("{} {direction:?} {after} {time}", kind.name());
                    let proxy = Proxy::start(kind, &both.urls[at], Grain::Message).await;
                    let mut urls = both.urls.clone();
                    urls[at] = proxy.url().to_owned();
                    let mut child = begin(&urls, &both.name, &rows, 2, NEVER);
                    let id = child.id();
                    // Connecting and a whole transaction pass; of the second one a message is held.
                    let said = tokio::task::block_in_place(|| {
                        let mut lines = said_and(
                            &mut child,
                            |line| {
                                if line.ends_with("committed 0") {
                                    proxy.set(Trap { direction, after, then: Then::Hold, reach: Reach::All });
                                }
                            },
                            || !proxy.is_untouched(),
                            id,
                        );
                        lines.dedup();
                        lines
                    });
                    let killed = !child.wait().unwrap().success();
                    assert!(
                        !killed || !proxy.is_untouched(),
                        "it is killed when a message is held, and by nothing else"
                    );
                    proxy.cut();
                    figures.look(both, &rows, 2, &said).await;
                    if !killed {
                        figures.processes -= 1;
                        break;
                    }
                    assert!(after < 400);
                }
            }
        }
        figures.print("killed while a message was on its way");
    });
}

/// Reads what the process says, and kills it as soon as something is so.
fn said_and(child: &mut Child, mut line: impl FnMut(&str), is_time: impl Fn() -> bool + Sync, id: u32) -> Vec<String> {
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                if is_time() {
                    let _ = Command::new("kill").arg("-KILL").arg(id.to_string()).status();
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let lines = said(child, |said| {
            line(said);
            false
        });
        over.store(true, Ordering::SeqCst);
        lines
    })
}
