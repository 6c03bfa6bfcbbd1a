//! Faults on request: an application meets them, and what they say is true.

use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{Buggify, CommitOutcome, CommitToken, DbOptions, ErrorKind, TxOptions};
use covet_tests::models::{Setting, put};
use covet_tests::{TestDb, on_each_database};

async fn is_there(name: &str, on: &Executor) -> covet_orm::Result<bool> {
    Ok(Setting::query().filter(Setting::name.eq(name)).count(on).await? == 1)
}

/// The ends of transactions, one after the other, of which each is looked up in the database.
async fn ends(db: &TestDb, faults: Buggify, prefix: &str) -> covet_orm::Result<Vec<Option<ErrorKind>>> {
    let disturbed = Db::connect_with(db.url(), DbOptions::new().max_connections(1).buggify(faults)).await?;
    let mut ends = Vec::new();
    for n in 0..60 {
        let name = format!("{prefix}{n}");
        let options = TxOptions::new().token().attempts(1);
        let tx = disturbed.begin_with(options).await?;
        let ran = match put(name.clone(), &tx).await {
            Ok(()) => is_there(&name, &tx).await.map(|there| assert!(there)),
            Err(error) => Err(error),
        };
        let ended = match ran {
            Ok(()) => tx.commit().await,
            Err(error) => {
                // Whatever the fault was, nothing else takes effect in this transaction.
                let after = put(format!("{name} after"), &tx).await.unwrap_err();
                assert_eq!(after.kind(), ErrorKind::TransactionClosed, "{after}");
                assert!(tx.commit().await.is_err());
                Err(error)
            }
        };
        let there = is_there(&name, db).await?;
        match &ended {
            Ok(()) => assert!(there, "{name}"),
            Err(error) => match CommitToken::of(error) {
                Some(token) => {
                    assert_eq!((error.kind(), error.code()), (ErrorKind::CommitUnknown, Some("buggify")));
                    let outcome = db.outcome_of(token).await?;
                    assert_eq!(outcome == CommitOutcome::Committed, is_there(&name, db).await?, "{name}");
                }
                None => assert!(!there, "{name}: {error}"),
            },
        }
        ends.push(ended.err().map(|error| error.kind()));
    }
    disturbed.close();
    Ok(ends)
}

on_each_database! {
    async fn what_a_made_fault_says_is_true_and_a_seed_makes_the_same_ones(db: &TestDb) -> Outcome {
        db.prepare_commit_tokens().await?;
        let faults = Buggify::quiet(11).retryable(0.1).lost(0.1).unknown(0.3).slow(0.1, Duration::from_millis(2));
        let (one, two) = (ends(db, faults, "a").await?, ends(db, faults, "b").await?);
        assert_eq!(one, two);
        for kind in [None, Some(ErrorKind::Serialization), Some(ErrorKind::ConnectionLost), Some(ErrorKind::CommitUnknown)] {
            assert!(one.contains(&kind), "{kind:?} in {one:?}");
        }
        // Without faults nothing happens, and with nothing but them nothing else.
        assert!(ends(db, Buggify::quiet(1), "c").await?.iter().all(Option::is_none));
        let all = ends(db, Buggify::quiet(1).unknown(1.0), "d").await?;
        assert!(all.iter().all(|end| *end == Some(ErrorKind::CommitUnknown)));
        Ok(())
    }

    async fn closures_live_with_made_faults(db: &TestDb) -> Outcome {
        db.prepare_commit_tokens().await?;
        let faults = Buggify::quiet(3).retryable(0.1).unknown(0.3);
        let disturbed = Db::connect_with(db.url(), DbOptions::new().max_connections(2).buggify(faults)).await?;
        for n in 0..60 {
            let options = TxOptions::new().token().attempts(50);
            disturbed.transaction_with(options, async |tx| put(format!("e{n}"), tx).await).await?;
        }
        // Each of them once: none was lost, and none done twice, which its key would have refused.
        assert_eq!(Setting::query().filter(Setting::name.starts_with("e")).count(db).await?, 60);
        let met = disturbed.tx_status();
        assert!(met.repetitions > 0 && met.serialization_failures > 0 && met.commits_unknown > 0, "{met:?}");
        let refused = DbOptions::new().buggify(Buggify::new(1).lost(2.0));
        assert_eq!(Db::connect_with(db.url(), refused).await.unwrap_err().kind(), ErrorKind::Config);
        disturbed.close();
        Ok(())
    }
}
