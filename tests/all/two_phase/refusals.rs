//! What cannot work, or would not be safe, is refused with what to change.

use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{Coordinator, Error, ErrorKind, TxOptions};
use covet_tests::server::Server;
use covet_tests::{Kind, Url};

use crate::two_phase::servers::{MYSQL, on_both, patiently};

fn refused<T>(result: covet_orm::Result<T>, kind: ErrorKind, says: &str) {
    let error = result.map(drop).unwrap_err();
    let text = error.to_string();
    assert!(error.kind() == kind && text.contains(says) && error.help().is_some(), "{says}: {text}");
}

#[test]
fn bad_names_and_databases_that_cannot_take_part() {
    on_both(async |both| {
        let (orders, stock, log) = (&both.orders, &both.stock, &both.log);
        for name in ["", "Shop", "a:b", "ü", "shop' OR '1", &"x".repeat(25)] {
            refused(Coordinator::open(name, log, [orders, stock]).await, ErrorKind::InvalidInput, "name");
        }
        refused(Coordinator::open("shop", log, []).await, ErrorKind::InvalidInput, "needs databases");
        for twice in [orders, stock] {
            refused(Coordinator::open("shop", log, [twice, twice]).await, ErrorKind::InvalidInput, "twice");
            let again = Db::open(twice.backend().clone(), covet_orm::DbOptions::new()).await.unwrap();
            refused(Coordinator::open("shop", log, [twice, &again]).await, ErrorKind::InvalidInput, "twice");
        }
        refused(Coordinator::open("shop", log, [orders, log]).await, ErrorKind::Unsupported, "SQLite");
        let coordinator = both.coordinator().await;
        for options in [TxOptions::new().token(), TxOptions::new().read_only(), TxOptions::new().attempts(0)] {
            let error = coordinator.transaction_with(options, async |_| Ok(())).await.map(drop).unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidInput && error.help().is_some(), "{error}");
        }
    });
}

#[test]
fn logs_that_would_not_outlive_a_crash() {
    on_both(async |both| {
        let file = &both.urls[2];
        for (url, says) in [
            ("sqlite::memory:".to_owned(), "memory"),
            (format!("{file}?synchronous=normal"), "synchronous"),
            (format!("{file}?synchronous=off"), "synchronous"),
            (format!("{}2?journal_mode=memory", file), "journal"),
            (format!("{}&options=-c%20synchronous_commit%3Doff", both.urls[0]), "synchronous_commit"),
        ] {
            let log = Db::connect(&url).await.unwrap();
            refused(Coordinator::open("shop", &log, [&both.orders, &both.stock]).await, ErrorKind::Config, says);
        }
        let hasty = format!("{}&options=-c%20synchronous_commit%3Doff", both.urls[0]);
        let hasty = Db::connect(&hasty).await.unwrap();
        refused(
            Coordinator::open("shop", &both.log, [&hasty, &both.stock]).await,
            ErrorKind::Config,
            "synchronous_commit",
        );
        for level in ["full", "extra"] {
            let log = Db::connect(&format!("{file}?synchronous={level}")).await.unwrap();
            Coordinator::open("shop", &log, [&both.orders, &both.stock]).await.unwrap();
        }
    });
}

/// A server with settings, and what opening a coordinator on it says.
async fn opened_on(kind: Kind, settings: &[&str]) -> Option<Result<(), Error>> {
    let server = Server::start(kind, settings)?;
    let log = Url::fresh(Kind::Sqlite).await?;
    let (db, log) = (patiently(&server.url()).await, Db::connect(&log.url).await.unwrap());
    let opened = tokio::time::timeout(Duration::from_secs(20), Coordinator::open("shop", &log, [&db])).await.unwrap();
    Some(opened.map(drop))
}

#[test]
fn servers_whose_settings_make_it_unsafe() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for (kind, settings, says) in [
            (Kind::Postgres, &["max_prepared_transactions=0"][..], Some("max_prepared_transactions")),
            (Kind::Mysql, &["innodb-flush-log-at-trx-commit=2"], Some("innodb_flush_log_at_trx_commit")),
            (Kind::Mysql, &[MYSQL[0], "log-bin=bin", "sync-binlog=0"], Some("sync_binlog")),
            (Kind::Mysql, &[MYSQL[0], "log-bin=bin", "sync-binlog=1"], None),
        ] {
            let Some(opened) = opened_on(kind, settings).await else { return };
            match says {
                Some(says) => refused(opened, ErrorKind::Config, says),
                None => opened.unwrap(),
            }
        }
    });
}
