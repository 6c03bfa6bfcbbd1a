//! Futures that are dropped half-way: at every place where that can happen, and afterwards the pool
//! must be as if nothing had been.
//!
//! A point is a function, how often its future was polled, and where the traffic stood: messages to
//! the server and back, or for SQLite the lock that was waited for. `COVET_TORTURE=1` counts bytes
//! instead of messages.

mod acts;
mod complete;
mod embedded;
mod inspector;
pub(crate) mod poller;
mod wire;
mod within;

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::io::Write as _;
use std::time::Duration;

use covet_orm::prelude::*;
use covet_tests::models::Setting;
use covet_tests::{Kind, TestDb, on_each_database, torture};

use crate::cancellation::acts::{MOST, streamed};

on_each_database! {
    async fn a_dropped_future_leaves_the_pool_clean(db: &TestDb) -> Outcome {
        match db.kind() {
            Kind::Sqlite => embedded::sweep(db).await,
            Kind::Postgres | Kind::Mysql => wire::sweep(db).await,
        }
    }

    async fn a_dropped_statement_never_leaves_half_a_transaction(db: &TestDb) -> Outcome {
        within::sweep(db).await
    }
}

/// The rows that the streams read, and one for each connection to write to.
async fn rows_to_start_with(db: &TestDb) -> covet_orm::Result<()> {
    let rows = (0..streamed(db.kind())).map(|n| format!("s{n:06}"));
    let names = rows.chain((0..=MOST).map(|n| format!("zz{n}")));
    Setting::insert_many(names.map(|name| Setting::create().name(name).value("v"))).exec(db).await.map(drop)
}

/// The points that a sweep has been at.
struct Points<P> {
    kind: Kind,
    seen: HashSet<P>,
    drops: usize,
}

impl<P: Debug + Eq + Hash> Points<P> {
    fn new(kind: Kind) -> Self {
        Points { kind, seen: HashSet::new(), drops: 0 }
    }

    fn add(&mut self, point: P) {
        self.drops += 1;
        self.seen.insert(point);
    }

    /// Tells how far a long sweep is.
    fn tell_of(&self, act: &str, took: Duration) {
        say(&format!("{}: {act} took {} s: {} points\n", self.kind.name(), took.as_secs(), self.seen.len()));
    }

    /// Tells how many there were, and asserts that they were enough.
    fn tell(&self, least: usize) {
        say(&format!("\n{}: {} distinct points in {} drops\n", self.kind.name(), self.seen.len(), self.drops));
        assert!(self.seen.len() >= least, "only {} points, and {least} are expected", self.seen.len());
    }
}

/// Past the test runner's capture: a sweep that shrinks must be seen.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}
