//! SQLite: futures are dropped after every poll, while they run, while they wait for a lock of
//! another process or for their turn to write, and while a long read is under way.

use std::time::{Duration, Instant};

use covet_drivers::contract::{Command, Flow, Reuse, Row, TransactionOptions};
use covet_drivers::pool::Lease;
use covet_orm::DbOptions;
use covet_orm::prelude::*;
use covet_tests::{Outcome, TestDb};

use crate::cancellation::acts::{self, Act, MOST, Scene, streamed};
use crate::cancellation::inspector::Inspector;
use crate::cancellation::poller::{Cancellable, Line};
use crate::cancellation::{Points, rows_to_start_with, torture};

/// Who is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rival {
    Nobody,
    /// Another handle to the file, as another process has it, holds the lock to write.
    Foreign,
    /// Another connection of the same pool is writing.
    Own,
}

/// What happens between the last poll and the drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Between {
    /// Nothing: the work may be under way.
    Nothing,
    /// The work ends, and nobody has looked at it.
    End,
}

/// A function, the number of polls, who was in the way, and how the drop came.
type Point = (&'static str, usize, Rival, Between);

struct Sweep {
    url: String,
    other: Db,
    inspector: Inspector,
    points: Points<Point>,
}

pub(crate) async fn sweep(db: &TestDb) -> Outcome {
    rows_to_start_with(db).await?;
    let other = Db::connect_with(&format!("{}?busy_timeout=0", db.url()), DbOptions::new().max_connections(1)).await?;
    let mut sweep = Sweep {
        url: db.url().to_owned(),
        other,
        inspector: Inspector::open(db).await?,
        points: Points::new(db.kind()),
    };
    for act in acts::all() {
        for rival in [Rival::Nobody, Rival::Foreign, Rival::Own] {
            sweep.act(act, rival).await?;
        }
    }
    a_long_read_ends(&sweep.url).await?;
    sweep.points.tell(250);
    Ok(())
}

impl Sweep {
    async fn act(&mut self, act: &'static Act, rival: Rival) -> Outcome {
        // The rival of the same pool takes a connection of its own.
        let slots = if rival == Rival::Own { MOST + 1 } else { MOST };
        let pool = Db::connect_with(&self.url, act.options().max_connections(slots)).await?;
        // Who waits for a lock looks again and again, and each look takes as many before it: the sum is their square.
        let most = if torture() { 32 } else { 12 };
        for between in [Between::Nothing, Between::End] {
            for polls in 0..most {
                if !self.point(&pool, slots, act, (act.name, polls, rival, between)).await? {
                    break;
                }
            }
        }
        pool.close();
        Ok(())
    }

    /// Drops the function once and looks around. False when it ended before, or has the lock itself.
    async fn point(&mut self, pool: &Db, slots: usize, act: &Act, point: Point) -> Result<bool, String> {
        let (_, polls, rival, between) = point;
        let place = |wrong: String| format!("{point:?}: {wrong}");
        let batch = self.inspector.batch();
        let line = Line::default();
        let held =
            if rival == Rival::Own { Some(pool.acquire().await.map_err(|error| error.to_string())?) } else { None };
        let scene = Scene {
            db: pool.clone(),
            url: self.url.clone(),
            line: line.clone(),
            batch: batch.clone(),
            streamed: streamed(self.points.kind),
        };
        let mut future = Cancellable::new(act.start(scene));
        if let Err(ended) = future.prepare(&line).await {
            return Err(place(format!("the preparation ended with {ended:?}")));
        }
        let rival = match (rival, held) {
            (Rival::Nobody, _) => None,
            (_, Some(lease)) => locked(lease).await,
            (_, None) => locked(self.other.acquire().await.map_err(|error| error.to_string())?).await,
        };
        if rival.is_none() && point.2 != Rival::Nobody {
            return Ok(false);
        }
        let (mut ended, mut goes_on) = (None, true);
        for poll in 1..=polls {
            // Who waits for a turn asks for no poll before it comes.
            let reached = tokio::time::timeout(Duration::from_millis(30), future.until(poll)).await;
            goes_on = reached.is_ok();
            ended = reached.unwrap_or_default();
            if ended.is_some() || !goes_on {
                break;
            }
        }
        if between == Between::End {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(future);
        if let Some(mut lease) = rival {
            lease.rollback().await.map_err(|error| place(error.to_string()))?;
        }
        self.inspector.check(pool, slots).await.map_err(place)?;
        let rows = self.inspector.rows(&batch).await.map_err(|error| place(error.to_string()))?;
        match &ended {
            // The number of polls was not reached, but what was dropped has left nothing either.
            None if !goes_on && (act.may_leave(rows)) => {}
            None if act.may_leave(rows) => self.points.add(point),
            Some(Ok(())) if rows == act.after => {}
            _ => return Err(place(format!("{rows} rows are there, and it ended with {ended:?}"))),
        }
        Ok(ended.is_none() && goes_on)
    }
}

/// The connection, with the lock to write, unless somebody has it.
async fn locked(mut lease: Lease) -> Option<Lease> {
    let options = TransactionOptions::default();
    match tokio::time::timeout(Duration::from_millis(20), lease.begin(&options)).await {
        Ok(Ok(())) => Some(lease),
        _ => None,
    }
}

/// A read that would take minutes is stopped soon after nobody wants it any more, whenever that is.
async fn a_long_read_ends(url: &str) -> Outcome {
    let db = Db::connect_with(url, DbOptions::new().max_connections(1)).await?;
    let sql = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000000000) SELECT MAX(x) FROM n";
    for millis in [0, 1, 5, 20, 50] {
        let mut lease = db.acquire().await?;
        let command = Command { sql, args: &[], reuse: Reuse::Keep };
        let mut sink = |_: &mut Row<'_>| Ok(Flow::Continue);
        let run = lease.run(command, &mut sink);
        assert!(tokio::time::timeout(Duration::from_millis(millis), run).await.is_err(), "it takes minutes");
        drop(lease);
        let start = Instant::now();
        db.ping().await?;
        assert!(start.elapsed() < Duration::from_millis(250), "the next borrower waited {:?}", start.elapsed());
    }
    db.close();
    Ok(())
}
