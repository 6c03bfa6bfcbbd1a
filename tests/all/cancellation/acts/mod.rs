//! The functions that are dropped half-way.

mod lending;
mod queries;
mod relations;
mod statements;
mod transactions;
mod upkeep;
mod writes;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions};
use covet_tests::Kind;
use covet_tests::models::Setting;
use futures_util::TryStreamExt as _;

use crate::cancellation::poller::Line;

/// The connections of the pool that is looked at.
pub(crate) const MOST: usize = 2;

/// How many rows the streams give: more than a stream keeps, and more than SQLite gives in one go.
pub(crate) fn streamed(kind: Kind) -> usize {
    if kind == Kind::Sqlite { 600 } else { 70 }
}

/// A function, and what it may leave behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub(crate) name: &'static str,
    /// The public functions that it goes through, as `file::function`.
    pub(crate) calls: &'static [&'static str],
    /// How many rows of its batch are there before.
    pub(crate) before: u64,
    /// How many are there when it ends well; the one or the other number may be there when it was dropped.
    pub(crate) after: u64,
    special: Special,
    start: fn(Scene) -> Running,
}

/// What its pool has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    Nothing,
    /// Every connection is asked whether it lives before it is lent.
    Pings,
    /// A statement may bind four values.
    Narrow,
    /// It shall have as many connections as it may have.
    Full,
}

/// What a function runs in.
pub(crate) struct Scene {
    pub(crate) db: Db,
    pub(crate) url: String,
    pub(crate) line: Line,
    /// What the names of its rows begin with.
    pub(crate) batch: String,
    /// How many rows the streams give.
    pub(crate) streamed: usize,
}

/// A function under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = covet_orm::Result<()>> + Send>>;

impl Act {
    const fn new(name: &'static str, before: u64, after: u64, start: fn(Scene) -> Running) -> Self {
        Act { name, calls: &[], before, after, special: Special::Nothing, start }
    }

    const fn calling(mut self, calls: &'static [&'static str]) -> Self {
        self.calls = calls;
        self
    }

    /// Whether so many rows of its batch may be there.
    pub(crate) fn may_leave(&self, rows: u64) -> bool {
        rows == self.before || rows == self.after
    }

    const fn with(mut self, special: Special) -> Self {
        self.special = special;
        self
    }

    /// The function, at its beginning.
    pub(crate) fn start(&self, scene: Scene) -> Running {
        (self.start)(scene)
    }

    /// The pool that it runs on.
    pub(crate) fn options(&self) -> DbOptions {
        let mut pool = PoolOptions { max_size: MOST, ..PoolOptions::default() };
        match self.special {
            Special::Pings => pool.ping_after = Duration::ZERO,
            Special::Full => pool.min_size = MOST,
            Special::Nothing | Special::Narrow => {}
        }
        let options = DbOptions::new().pool(pool);
        if self.special == Special::Narrow { options.assume(|server| server.max_parameters = 4) } else { options }
    }
}

/// A list of functions: what each is called, which public functions it goes through, how many rows of its batch are there
/// before (none unless said) and behind it.
macro_rules! acts {
    ($($name:ident calls $calls:tt $(from $before:literal)? writes $after:literal $(with $special:ident)? : |$scene:ident| $body:block)*) => {
        pub(super) const ACTS: &[$crate::cancellation::acts::Act] = &[$({
            fn start($scene: $crate::cancellation::acts::Scene) -> $crate::cancellation::acts::Running {
                Box::pin(async move { $body })
            }
            $crate::cancellation::acts::Act::new(stringify!($name), 0 $(+ $before)?, $after, start)
                .calling(&$calls)
                $(.with($crate::cancellation::acts::Special::$special))?
        },)*];
    };
}
pub(super) use acts;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Act> {
    [lending::ACTS, statements::ACTS, transactions::ACTS, queries::ACTS, writes::ACTS, relations::ACTS, upkeep::ACTS]
        .into_iter()
        .flatten()
}

/// One row of a batch.
pub(crate) async fn put(batch: &str, number: usize, on: &Executor) -> covet_orm::Result<()> {
    Setting::create().name(format!("{batch}{number}")).value("v").exec(on).await.map(drop)
}

pub(super) async fn put_many(batch: &str, count: usize, on: &Executor) -> covet_orm::Result<()> {
    let rows = (1..=count).map(|number| Setting::create().name(format!("{batch}{number}")).value("v"));
    Setting::insert_many(rows).exec(on).await.map(drop)
}

pub(super) async fn stream(wanted: usize, on: &Executor) -> covet_orm::Result<()> {
    let mut rows = Setting::query().filter(Setting::name.starts_with("s")).order_by(Setting::name.asc()).stream(on);
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        assert_eq!(row.name, format!("s{count:06}"));
        count += 1;
    }
    assert_eq!(count, wanted);
    Ok(())
}

/// What a database does not have it refuses, which is an end as good as any.
pub(super) fn lacking(result: covet_orm::Result<()>) -> covet_orm::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}
