//! The functions that are dropped half-way.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use covet_drivers::contract::TransactionOptions;
use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::prelude::*;
use covet_orm::{DbOptions, Isolation, PoolOptions, TxOptions};
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
    /// How many rows it writes when it ends well; none or all of them may be there when it was dropped.
    pub(crate) writes: u64,
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
}

/// What a function runs in.
pub(crate) struct Scene {
    pub(crate) db: Db,
    pub(crate) line: Line,
    /// What the names of its rows begin with.
    pub(crate) batch: String,
    /// How many rows the streams give.
    pub(crate) streamed: usize,
}

/// A function under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = covet_orm::Result<()>> + Send>>;

impl Act {
    const fn new(name: &'static str, writes: u64, start: fn(Scene) -> Running) -> Self {
        Act { name, writes, special: Special::Nothing, start }
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
        if self.special == Special::Pings {
            pool.ping_after = Duration::ZERO;
        }
        let options = DbOptions::new().pool(pool);
        if self.special == Special::Narrow { options.assume(|server| server.max_parameters = 4) } else { options }
    }
}

macro_rules! acts {
    ($($name:ident writes $writes:literal $(with $special:ident)? : |$scene:ident| $body:block)*) => {
        /// All of them.
        pub(crate) const ACTS: &[Act] = &[$({
            fn start($scene: Scene) -> Running {
                Box::pin(async move { $body })
            }
            Act::new(stringify!($name), $writes, start)$(.with(Special::$special))?
        },)*];
    };
}

acts! {
    acquire_by_connecting writes 0: |scene| {
        let (a, b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        a.discard();
        b.discard();
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_resetting writes 0: |scene| {
        let (_a, mut b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        b.script("SELECT 1").await?;
        drop(b);
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_asking writes 0 with Pings: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_waiting writes 0: |scene| {
        let (_a, b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(b);
        });
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    ping writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.ping().await
    }

    select_for_the_first_time writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = format!("SELECT name FROM settings WHERE name = '{}'", scene.batch);
        scene.line.start().await;
        lease.run(Command { sql: &sql, args: &[], reuse: Reuse::Keep }, &mut |_: &Row<'_>| Ok(Flow::Continue)).await.map(drop)
    }

    select_once writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = "SELECT name FROM settings WHERE name <= 's000002'";
        scene.line.start().await;
        lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut |_: &Row<'_>| Ok(Flow::Continue)).await.map(drop)
    }

    select_again writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let all = |on| async move { Setting::query().filter(Setting::name.lt("s000003")).all(on).await.map(|_: Vec<Setting>| ()) };
        all(&scene.db).await?;
        scene.line.start().await;
        all(&scene.db).await
    }

    insert writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put(&scene.batch, 1, &scene.db).await
    }

    insert_many writes 5: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put_many(&scene.batch, 5, &scene.db).await
    }

    insert_in_pieces writes 5 with Narrow: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put_many(&scene.batch, 5, &scene.db).await
    }

    script writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = format!("INSERT INTO settings (name, value) VALUES ('{}1', 'v')", scene.batch);
        scene.line.start().await;
        lease.script(&sql).await
    }

    stream writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        stream(scene.streamed, &scene.db).await
    }

    begin writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.begin().await.map(drop)
    }

    begin_serializable writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let options = TxOptions::new().isolation(Isolation::Serializable);
        scene.line.start().await;
        scene.db.begin_with(options).await.map(drop)
    }

    select_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        Setting::query().filter(Setting::name.lt("s000003")).all(&tx).await.map(drop)
    }

    insert_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        put(&scene.batch, 2, &tx).await
    }

    stream_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        stream(scene.streamed, &tx).await
    }

    select_first_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        Setting::find("s000001").one(&scene.db).await?;
        let tx = scene.db.begin().await?;
        scene.line.start().await;
        Setting::find("s000001").one(&tx).await.map(drop)
    }

    insert_first_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        let tx = scene.db.begin().await?;
        scene.line.start().await;
        put(&scene.batch, 1, &tx).await
    }

    text_first_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        let mut lease = scene.db.acquire().await?;
        lease.begin(&TransactionOptions::default()).await?;
        let sql = format!("INSERT INTO settings (name, value) VALUES ('{}1', 'v')", scene.batch);
        scene.line.start().await;
        lease.run(Command { sql: &sql, args: &[], reuse: Reuse::Once }, &mut ()).await.map(drop)
    }

    savepoint_first_within writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        scene.line.start().await;
        tx.begin().await.map(drop)
    }

    insert_behind_transactions writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        scene.line.start().await;
        put(&scene.batch, 1, &scene.db).await
    }

    commit writes 2: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        put(&scene.batch, 2, &tx).await?;
        scene.line.start().await;
        tx.commit().await
    }

    commit_behind_a_dropped_savepoint writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 2, &savepoint).await?;
        drop(savepoint);
        scene.line.start().await;
        tx.commit().await
    }

    rollback writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        tx.rollback().await
    }

    savepoint writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        tx.begin().await.map(drop)
    }

    release writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 1, &savepoint).await?;
        scene.line.start().await;
        savepoint.commit().await
    }

    rollback_to_savepoint writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 1, &savepoint).await?;
        scene.line.start().await;
        savepoint.rollback().await
    }

    transaction writes 3: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        let batch = scene.batch.as_str();
        scene.db.transaction(async |tx| {
            put(batch, 1, tx).await?;
            tx.transaction(async |savepoint| put(batch, 2, savepoint).await).await?;
            put(batch, 3, tx).await
        }).await
    }
}

/// Transactions that begin with a write and leave nothing: behind them BEGIN flies with a write, where it ever does.
async fn guarded(scene: &Scene) -> covet_orm::Result<()> {
    for _ in 0..3 {
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        tx.rollback().await?;
    }
    Ok(())
}

/// One row of a batch.
pub(crate) async fn put(batch: &str, number: usize, on: &Executor) -> covet_orm::Result<()> {
    Setting::create().name(format!("{batch}{number}")).value("v").exec(on).await.map(drop)
}

async fn put_many(batch: &str, count: usize, on: &Executor) -> covet_orm::Result<()> {
    let rows = (1..=count).map(|number| Setting::create().name(format!("{batch}{number}")).value("v"));
    Setting::insert_many(rows).exec(on).await.map(drop)
}

async fn stream(wanted: usize, on: &Executor) -> covet_orm::Result<()> {
    let mut rows = Setting::query().filter(Setting::name.starts_with("s")).order_by(Setting::name.asc()).stream(on);
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        assert_eq!(row.name, format!("s{count:06}"));
        count += 1;
    }
    assert_eq!(count, wanted);
    Ok(())
}
