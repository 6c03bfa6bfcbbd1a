//! PostgreSQL and MySQL: the traffic is held at every message, and the future dropped there.

use std::future::Future;
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_tests::proxy::{Direction, Grain, Position, Proxy, Reach, Then, Trap};
use covet_tests::{Kind, Outcome, TestDb};

use crate::cancellation::acts::{self, Act, MOST, Scene, streamed};
use crate::cancellation::inspector::Inspector;
use crate::cancellation::poller::{Cancellable, Line};
use crate::cancellation::{Points, rows_to_start_with, torture};

/// A function, the number of polls, and where the traffic stood.
type Point = (&'static str, usize, Position);

/// What is done at a point.
#[derive(Clone, Copy, Debug)]
enum Drop {
    /// When nothing moves any more behind so many messages.
    Behind(Direction, usize),
    /// Right after so many polls.
    At(usize),
    /// After so many polls, when the server has answered and nobody has looked.
    AtAnswered(usize),
}

/// What becomes of the messages that were held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// They arrive when the future is gone.
    Late,
    /// They never arrive.
    Never,
}

struct Sweep {
    proxy: Proxy,
    inspector: Inspector,
    points: Points<Point>,
}

pub(crate) async fn sweep(db: &TestDb) -> Outcome {
    rows_to_start_with(db).await?;
    let grain = if torture() { Grain::Byte } else { Grain::Message };
    let proxy = Proxy::start(db.kind(), db.url(), grain).await;
    let mut sweep = Sweep { proxy, inspector: Inspector::open(db).await?, points: Points::new(db.kind()) };
    for act in acts::all() {
        let began = Instant::now();
        sweep.act(act).await?;
        if torture() {
            sweep.points.tell_of(act.name, began.elapsed());
        }
    }
    if !torture() {
        // The one answer of which every byte counts.
        sweep.proxy = Proxy::start(db.kind(), db.url(), Grain::Byte).await;
        for act in acts::all().filter(|act| act.name == "commit") {
            sweep.act(act).await?;
        }
    }
    sweep.points.tell(match (torture(), db.kind()) {
        (false, Kind::Postgres) => 400,
        (false, _) => 300,
        (true, _) => 8_000,
    });
    Ok(())
}

impl Sweep {
    async fn act(&mut self, act: &'static Act) -> Outcome {
        let pool = Db::connect_with(self.proxy.url(), act.options()).await?;
        for direction in Direction::BOTH {
            let mut after = 0;
            loop {
                let place = Drop::Behind(direction, after);
                let both = both_endings(act, after);
                let first = if both || after % 2 == 0 { Ending::Late } else { Ending::Never };
                if !self.point(&pool, act, place, first).await? {
                    break;
                }
                if both && !self.point(&pool, act, place, Ending::Never).await? {
                    break;
                }
                after += step(after);
            }
        }
        for how in [Drop::At, Drop::AtAnswered] {
            let mut polls = 0;
            while self.point(&pool, act, how(polls), Ending::Late).await? {
                polls += step(polls);
            }
        }
        self.inspector.no_transactions().await.map_err(|wrong| format!("after {}: {wrong}", act.name))?;
        pool.close();
        Ok(())
    }

    /// Drops the function once and looks around. False when the function ended before the place was reached.
    async fn point(&mut self, pool: &Db, act: &Act, place: Drop, ending: Ending) -> Result<bool, String> {
        let batch = self.inspector.batch();
        let line = Line::default();
        let scene = Scene {
            db: pool.clone(),
            url: self.proxy.url().to_owned(),
            line: line.clone(),
            batch: batch.clone(),
            streamed: streamed(self.points.kind),
        };
        let mut future = Cancellable::new(act.start(scene));
        let place_of = |wrong: String| format!("{} dropped {place:?}, {ending:?}: {wrong}", act.name);
        match in_time("the preparation", future.prepare(&line)).await.map_err(place_of)? {
            Ok(()) => {}
            Err(ended) => return Err(place_of(format!("the preparation ended with {ended:?}"))),
        }
        self.proxy.count_anew();
        let ended = in_time("the function", reach(&self.proxy, &mut future, place)).await.map_err(place_of)?;
        let point = (act.name, future.polls(), self.proxy.position());
        drop(future);
        match ending {
            // What came to its end is whole, and shall stay so.
            _ if ended.is_some() => self.proxy.release(),
            Ending::Late => self.proxy.release(),
            Ending::Never => self.proxy.cut_caught(),
        }
        self.proxy.let_go();
        let place_of = |wrong: String| format!("{} dropped {place:?}, {ending:?}, at {point:?}: {wrong}", act.name);
        self.inspector.check(pool, MOST).await.map_err(place_of)?;
        let rows = self.inspector.rows(&batch).await.map_err(|error| place_of(error.to_string()))?;
        match &ended {
            None if act.may_leave(rows) => self.points.add(point),
            Some(Ok(())) if rows == act.after => {}
            _ => return Err(place_of(format!("{rows} rows are there, and it ended with {ended:?}"))),
        }
        if rows > 0 {
            // A table that grew from point to point would make long what comes later.
            self.inspector.remove(&batch).await.map_err(|error| place_of(error.to_string()))?;
        }
        Ok(ended.is_none())
    }
}

/// Whether a place is reached twice, once for each ending; else they take turns. The hundredth row of a stream is like the
/// tenth, and a byte in the middle of a message like the one beside it; but each byte of a commit counts.
fn both_endings(act: &Act, after: usize) -> bool {
    if torture() { act.name == "commit" } else { after < 12 }
}

/// How far it is to the next place. Where bytes are counted, rows like those before come behind so many of them, or polls.
fn step(after: usize) -> usize {
    if torture() && after >= 512 { 7 } else { 1 }
}

/// Polls to the place.
async fn reach<T>(proxy: &Proxy, future: &mut Cancellable<'_, T>, place: Drop) -> Option<T> {
    match place {
        Drop::Behind(direction, after) => {
            proxy.set(Trap { direction, after, then: Then::Hold, reach: Reach::All });
            proxy.run_up();
            let ended = tokio::select! {
                biased;
                ended = future.until(usize::MAX) => ended,
                () = proxy.caught() => None,
            };
            if ended.is_some() { ended } else { future.until_quiet().await }
        }
        Drop::At(polls) => future.until(polls).await,
        Drop::AtAnswered(polls) => {
            let ended = future.until(polls).await;
            let mut position = None;
            while ended.is_none() && position != Some(proxy.position()) {
                position = Some(proxy.position());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            ended
        }
    }
}

/// Nothing here waits for long.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(Duration::from_secs(10), future).await.map_err(|_| format!("{what} hangs"))
}
