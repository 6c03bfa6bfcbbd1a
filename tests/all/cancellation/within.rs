//! A statement is dropped and its transaction goes on: it commits whole, without what was dropped,
//! or not at all.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::Setting;
use covet_tests::{Kind, Outcome, TestDb};

use crate::cancellation::acts::put;
use crate::cancellation::poller::Cancellable;

/// What is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Insert,
    Update,
    Select,
    Savepoint,
    Release,
}

/// How many rows the update changes: enough that SQLite does not do it in one poll, however fast it is.
fn to_update(kind: Kind) -> u64 {
    if kind == Kind::Sqlite { 20_000 } else { 1_000 }
}

pub(crate) async fn sweep(db: &TestDb) -> Outcome {
    let updates = to_update(db.kind());
    let rows = (0..updates).map(|number| Setting::create().name(format!("u{number}")).value("v"));
    Setting::insert_many(rows).exec(db).await?;
    let mut refused = 0;
    for what in [What::Insert, What::Update, What::Select, What::Savepoint, What::Release] {
        for pause in [0, 3, 25].map(Duration::from_millis) {
            for polls in 0..20 {
                let batch = format!("w{what:?}{}{polls}-", pause.as_millis());
                let mut tx = db.begin().await?;
                put(&batch, 1, &tx).await?;
                let ended = dropped(&mut tx, what, &batch, polls, pause).await;
                let place = format!("{what:?} dropped after {polls} polls and {pause:?}");
                let committed = tx.commit().await;
                let inserted = Setting::query().filter(Setting::name.starts_with(&batch)).count(db).await?;
                let updated = Setting::query().filter(Setting::value.eq(&batch)).count(db).await?;
                let rows = (inserted, updated);
                let whole = match what {
                    What::Insert => (2, 0),
                    What::Update => (1, updates),
                    _ => (1, 0),
                };
                match (&committed, ended) {
                    (Ok(()), true) => assert_eq!(rows, whole, "{place}"),
                    (Ok(()), false) => assert_eq!(rows, (1, 0), "{place}, and the commit was well"),
                    (Err(error), false) => {
                        refused += 1;
                        assert_eq!(error.kind(), ErrorKind::TransactionClosed, "{place}: {error}");
                        assert_eq!(rows, (0, 0), "{place}, and the commit said: {error}");
                    }
                    (Err(error), true) => return Err(format!("{place}: {error}").into()),
                }
                if ended {
                    break;
                }
            }
        }
    }
    assert!(refused > 0, "no drop had any effect");
    Ok(())
}

/// Polls so many times, and says whether the statement has ended.
async fn dropped(tx: &mut Tx<'_>, what: What, batch: &str, polls: usize, pause: Duration) -> bool {
    let future: Pin<Box<dyn Future<Output = covet_orm::Result<()>> + Send + '_>> = match what {
        What::Insert => Box::pin(put(batch, 2, tx)),
        What::Update => Box::pin(async {
            let rows = Setting::query().filter(Setting::name.starts_with("u"));
            rows.update().set(Setting::value, batch).exec(tx).await.map(drop)
        }),
        What::Select => Box::pin(async { Setting::query().all(tx).await.map(drop) }),
        What::Savepoint => Box::pin(async { tx.begin().await.map(drop) }),
        What::Release => {
            let savepoint = match tx.begin().await {
                Ok(savepoint) => savepoint,
                Err(error) => panic!("{error}"),
            };
            Box::pin(savepoint.commit())
        }
    };
    let mut future = Cancellable::new(future);
    let ended = future.until(polls).await.is_some();
    tokio::time::sleep(pause).await;
    ended
}
