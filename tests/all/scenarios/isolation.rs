//! Several sessions that take turns by a script, and wait for each other where the database makes them.

use std::time::Duration;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Flow, Isolation, Reuse, Row, TransactionOptions};
use covet_drivers::pool::Lease;
use covet_orm::Db;
use tokio::sync::{mpsc, oneshot};

/// A step that takes longer waits for somebody else's.
const WAITS: Duration = Duration::from_millis(250);

/// What a step gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Keys and values.
    pub(super) rows: Vec<(i64, i64)>,
    /// Whether the database refused it.
    pub(super) failed: bool,
}

/// How a script went.
#[derive(Debug)]
pub(super) struct Play {
    steps: Vec<(usize, Seen)>,
    /// What is there in the end.
    pub(super) left: Vec<(i64, i64)>,
}

impl Play {
    /// What a session saw, one reading after the other.
    pub(super) fn readings(&self, session: usize) -> impl Iterator<Item = &[(i64, i64)]> {
        self.steps
            .iter()
            .filter(move |(who, seen)| *who == session && !seen.rows.is_empty())
            .map(|(_, seen)| &*seen.rows)
    }

    /// Whether a session saw a row, ever.
    pub(super) fn saw(&self, session: usize, row: (i64, i64)) -> bool {
        self.readings(session).any(|rows| rows.contains(&row))
    }

    /// Whether nothing of a session was refused, its commit included.
    pub(super) fn went_well(&self, session: usize) -> bool {
        self.steps.iter().all(|(who, seen)| *who != session || !seen.failed)
    }
}

type Told = (Step, oneshot::Sender<Seen>);

#[derive(Clone, Debug)]
enum Step {
    Run(String),
    Commit,
    Rollback,
}

/// The steps of a script: who, and `set KEY VALUE`, `put KEY VALUE`, `get`, `get KEY`, `thirds` (values that three
/// divides), `commit`, `rollback`.
fn step(words: &str, table: &str) -> (usize, Step) {
    let words: Vec<&str> = words.split_whitespace().collect();
    let who = words[0].parse().unwrap();
    let step = match words[1..] {
        ["set", key, value] => Step::Run(format!("UPDATE {table} SET value = {value} WHERE id = {key}")),
        ["put", key, value] => Step::Run(format!("INSERT INTO {table} (id, value) VALUES ({key}, {value})")),
        ["get"] => Step::Run(format!("SELECT id, value FROM {table} ORDER BY id")),
        ["get", key] => Step::Run(format!("SELECT id, value FROM {table} WHERE id = {key}")),
        ["thirds"] => Step::Run(format!("SELECT id, value FROM {table} WHERE value % 3 = 0 ORDER BY id")),
        ["commit"] => Step::Commit,
        ["rollback"] => Step::Rollback,
        _ => panic!("{words:?}"),
    };
    (who, step)
}

/// Runs a statement, and gives its rows.
async fn run(lease: &mut Lease, sql: &str) -> covet_orm::Result<Vec<(i64, i64)>> {
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        rows.push((row.get(0, &ColumnType::I64)?, row.get(1, &ColumnType::I64)?));
        Ok(Flow::Continue)
    };
    lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await?;
    Ok(rows)
}

/// One session: a transaction that begins with its first step.
async fn session(db: Db, level: Isolation, mut steps: mpsc::UnboundedReceiver<Told>) {
    let mut lease = db.acquire().await.unwrap();
    let mut begun = Ok(false);
    while let Some((step, tell)) = steps.recv().await {
        if matches!(begun, Ok(false)) {
            let options = TransactionOptions { isolation: Some(level), ..TransactionOptions::DEFAULT };
            begun = lease.begin(&options).await.map(|()| true);
        }
        let done = match (&begun, &step) {
            (Err(_), _) => Err(()),
            (_, Step::Run(sql)) => run(&mut lease, sql).await.map_err(drop),
            (_, Step::Commit) => lease.commit().await.map(|()| Vec::new()).map_err(drop),
            (_, Step::Rollback) => lease.rollback().await.map(|()| Vec::new()).map_err(drop),
        };
        let _ = tell.send(Seen { failed: done.is_err(), rows: done.unwrap_or_default() });
    }
}

/// Plays a script on a table of its own, with two rows in it: 1 is 10, and 2 is 20.
pub(super) async fn play(db: &Db, level: Isolation, table: &str, script: &[&str]) -> covet_orm::Result<Play> {
    let mut own = db.acquire().await?;
    own.script(&format!("CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)")).await?;
    own.script(&format!("INSERT INTO {table} (id, value) VALUES (1, 10), (2, 20)")).await?;
    drop(own);
    let script: Vec<_> = script.iter().map(|words| step(words, table)).collect();
    let sessions = script.iter().map(|(who, _)| *who).max().unwrap_or(0);
    let (told, tasks): (Vec<_>, Vec<_>) = (0..sessions)
        .map(|_| {
            let (tell, steps) = mpsc::unbounded_channel();
            (tell, tokio::spawn(session(db.clone(), level, steps)))
        })
        .unzip();
    let mut waiting = Vec::new();
    for (who, step) in script {
        let (tell, mut answer) = oneshot::channel();
        let _ = told[who - 1].send((step, tell));
        let early = tokio::time::timeout(WAITS, &mut answer).await.ok().and_then(Result::ok);
        waiting.push((who, early, answer));
    }
    let mut steps = Vec::new();
    for (who, early, answer) in waiting {
        let seen = match early {
            Some(seen) => seen,
            None => {
                tokio::time::timeout(Duration::from_secs(20), answer).await.expect("nobody waits for ever").unwrap()
            }
        };
        steps.push((who, seen));
    }
    drop(told);
    for task in tasks {
        task.await.unwrap();
    }
    let left = run(&mut db.acquire().await?, &format!("SELECT id, value FROM {table} ORDER BY id")).await?;
    Ok(Play { steps, left })
}
