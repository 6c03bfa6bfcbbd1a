//! Single changes: with no rows and with rows, forth, back and forth again; or refused, with nothing changed.

mod aside;
mod beyond;
mod columns;
mod keys;
mod objects;
mod random;
mod run;
mod schemas;
mod tables;
mod types;

use std::sync::{Arc, Mutex};

use covet_tests::Kind;
use futures_util::future::join_all;

use crate::place::Place;

/// How many cases run at a time on each database.
const WORKERS: usize = 3;

/// A change, in the notation of `notation`.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    /// Statements that fill the tables before; `[name]` is quoted, `{1.50/2}` is a decimal of that scale.
    pub(crate) rows: &'static [&'static str],
    pub(crate) decide: &'static [&'static str],
    /// What is offered when nothing is decided.
    pub(crate) asks: &'static [&'static str],
    pub(crate) outcome: Outcome,
    /// A database that cannot even hold what is there before, and why.
    pub(crate) not_on: Option<(Kind, &'static str)>,
    /// The only database that can hold it, and why another cannot.
    pub(crate) only_on: Option<(Kind, &'static str)>,
    /// Columns, by the names that they have before, whose values may change.
    pub(crate) changed: &'static [&'static str],
    /// What counts are after the way forth, with rows.
    pub(crate) holds: &'static [(&'static str, i64)],
    /// What stops the way back, with rows: what was lost cannot be made up.
    pub(crate) no_way_back: Option<&'static str>,
    /// In the end: what the database is to refuse …
    pub(crate) fails: &'static [&'static str],
    /// … what it is to do …
    pub(crate) works: &'static [&'static str],
    /// … and what counts are after that.
    pub(crate) sees: &'static [(&'static str, i64)],
}

/// What a change comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// It is made, and leads to what a new database has.
    Goes,
    /// There is nothing to do.
    Nothing,
    /// No migration is made, because of this.
    Refused(&'static str),
    /// No migration is made for this database.
    RefusedOn(Kind, &'static str),
    /// No migration is made for another database than this.
    OnlyOn(Kind, &'static str),
    /// With rows it stops, because of this, and nothing is changed; without it goes.
    Stops(&'static str),
}

pub(crate) const CASE: Case = Case {
    id: "",
    before: "",
    after: "",
    rows: &[],
    decide: &[],
    asks: &[],
    outcome: Outcome::Goes,
    not_on: None,
    only_on: None,
    changed: &[],
    holds: &[],
    no_way_back: None,
    fails: &[],
    works: &[],
    sees: &[],
};

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

/// All cases, some at a time; every one that fails is named.
async fn all(kind: Kind) {
    let cases = [
        tables::CASES,
        columns::CASES,
        types::CASES,
        keys::CASES,
        beyond::CASES,
        aside::CASES,
        objects::CASES,
        random::CASES,
        schemas::CASES,
    ]
    .concat();
    let only = std::env::var("COVET_TEST_CASE").ok();
    let cases = cases.into_iter().filter(|case| only.as_deref().is_none_or(|only| case.id.starts_with(only)));
    let left = Arc::new(Mutex::new(cases.collect::<Vec<_>>()));
    let workers = (0..WORKERS).map(|_| worker(kind, left.clone()));
    let failed = join_all(workers).await.concat();
    assert!(failed.is_empty(), "on {}: {failed:?}", kind.name());
}

/// Runs what is left, one after the other in one place, or in another one after a failure.
async fn worker(kind: Kind, left: Arc<Mutex<Vec<Case>>>) -> Vec<&'static str> {
    let next = || left.lock().unwrap().pop();
    let mut failed = Vec::new();
    let mut place = Place::new(kind).await;
    while let Some(here) = place.take() {
        let Some(case) = next() else {
            here.end().await;
            break;
        };
        place = match tokio::spawn(run::case(here, case)).await {
            Ok(empty) => Some(empty),
            Err(_) => {
                failed.push(case.id);
                Place::new(kind).await
            }
        };
    }
    failed
}
