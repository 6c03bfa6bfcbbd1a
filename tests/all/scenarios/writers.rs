//! Many processes write into one SQLite file.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use covet_tests::{Kind, Url};

use crate::scenarios::{count, make_table, open, put, torture};

/// Names the file, in the processes that write.
const FILE: &str = "COVET_TEST_WRITERS_FILE";

const PROCESSES: usize = 8;

fn time() -> Duration {
    if torture() { Duration::from_secs(10) } else { Duration::from_secs(1) }
}

/// Runs in the processes that write; elsewhere there is nothing to do.
#[test]
#[ignore = "run by the test below, in processes of their own"]
fn child() {
    let url = std::env::var(FILE).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = open(&url, 1).await.unwrap();
        let (start, id) = (Instant::now(), std::process::id());
        let (mut done, mut longest) = (0, Duration::ZERO);
        while start.elapsed() < time() {
            let asked = Instant::now();
            let work = db.transaction(async |tx| {
                put(format!("w{id}-{done}-a"), tx).await?;
                put(format!("w{id}-{done}-b"), tx).await
            });
            work.await.expect("a turn comes within the five seconds of `busy_timeout`");
            longest = longest.max(asked.elapsed());
            done += 1;
        }
        println!("wrote {done} {}", longest.as_millis());
    });
}

#[test]
fn c9_eight_processes_write_and_none_fails() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(Url::fresh(Kind::Sqlite)).unwrap();
    runtime.block_on(async { make_table(&open(&url.url, 1).await?).await }).unwrap();
    let program = std::env::current_exe().unwrap();
    let arguments = ["scenarios::writers::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut child = Command::new(&program);
            child.args(arguments).env(FILE, &url.url).stdout(Stdio::piped()).stderr(Stdio::piped());
            child.spawn().unwrap()
        })
        .collect();
    let (mut written, mut longest) = (0, Vec::new());
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let (_, rest) = text.split_once("wrote ").unwrap();
        let mut words = rest.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
        written += words.next().unwrap();
        longest.push(words.next().unwrap());
    }
    println!("{written} transactions of {PROCESSES} processes, the longest took {longest:?} ms");
    let there = runtime.block_on(async {
        let db = open(&url.url, 1).await?;
        count("w", &db).await
    });
    let there = there.unwrap();
    assert_eq!(there, 2 * written);
    assert!(written > u64::try_from(PROCESSES).unwrap(), "only {written} transactions");
}
