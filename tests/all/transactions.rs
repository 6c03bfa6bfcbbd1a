//! Transactions: closures, guards, savepoints, what is dropped half-way, isolation.

use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, Error, ErrorKind, Isolation, PoolOptions, TxOptions};
use covet_tests::models::{Setting, User};
use covet_tests::{Kind, TestDb, on_each_database};

use crate::crud::email;

async fn put(name: &str, on: &Executor) -> covet_orm::Result<Setting> {
    Setting::create().name(name).value("v").exec(on).await
}

async fn names(on: &Executor) -> covet_orm::Result<Vec<String>> {
    Setting::query().order_by(Setting::name.asc()).select(Setting::name).all(on).await
}

/// A pool of one connection, so that a leaked transaction cannot hide behind another connection.
async fn narrow(db: &TestDb) -> covet_orm::Result<Db> {
    let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() };
    Db::connect_with(db.url(), DbOptions::new().pool(pool)).await
}

#[derive(Debug)]
enum AppError {
    Db(Error),
    Refused,
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        AppError::Db(error)
    }
}

on_each_database! {
    async fn a_closure_commits_and_gives_its_value(db: &TestDb) -> Outcome {
        let prefix = "a".to_owned(); // borrowed by the closure
        let made = db.transaction(async |tx| {
            put(&format!("{prefix}1"), tx).await?;
            put(&format!("{prefix}2"), tx).await
        }).await?;
        assert_eq!(made.name, "a2");
        assert_eq!(names(db).await?, ["a1", "a2"]);
        Ok(())
    }

    async fn a_closure_that_fails_rolls_back(db: &TestDb) -> Outcome {
        let error = db.transaction(async |tx| {
            put("a", tx).await?;
            put("a", tx).await
        }).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unique);
        let refused = db.try_transaction(async |tx| -> Result<(), AppError> {
            put("b", tx).await?;
            Err(AppError::Refused)
        }).await;
        assert!(matches!(refused, Err(AppError::Refused)));
        let failed = db.try_transaction(async |tx| -> Result<(), AppError> {
            put("c", tx).await?;
            put("c", tx).await?;
            Ok(())
        }).await;
        assert!(matches!(failed, Err(AppError::Db(error)) if error.kind() == ErrorKind::Unique));
        assert_eq!(names(db).await?, Vec::<String>::new());
        Ok(())
    }

    async fn a_transaction_can_be_spawned(db: &TestDb) -> Outcome {
        let task = (**db).clone();
        let (a, b) = ("x".to_owned(), String::from("y"));
        tokio::spawn(async move {
            let (a, b) = (&a, &b);
            task.transaction(async |tx| {
                put(a, tx).await?;
                tx.transaction(async |sp| put(b, sp).await).await
            }).await
        }).await??;
        assert_eq!(names(db).await?, ["x", "y"]);
        Ok(())
    }

    async fn a_guard_commits_or_rolls_back(db: &TestDb) -> Outcome {
        let tx = db.begin().await?;
        put("kept", &tx).await?;
        tx.commit().await?;
        let tx = db.begin().await?;
        put("undone", &tx).await?;
        tx.rollback().await?;
        let tx = db.begin().await?;
        put("dropped", &tx).await?;
        assert_eq!(names(&tx).await?.len(), 2, "a transaction sees its own writes");
        drop(tx);
        assert_eq!(names(db).await?, ["kept"]);
        Ok(())
    }

    async fn what_is_dropped_is_rolled_back_before_the_connection_is_lent_again(db: &TestDb) -> Outcome {
        let one = narrow(db).await?;
        for round in 0..10 {
            let tx = one.begin().await?;
            put(&format!("r{round}"), &tx).await?;
            drop(tx);
            assert_eq!(names(&one).await?, Vec::<String>::new());
        }
        let holder = one.clone();
        let task = tokio::spawn(async move {
            holder.transaction(async |tx| {
                put("cancelled", tx).await?;
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(())
            }).await
        });
        while one.pool_status().idle > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(names(&one).await?, Vec::<String>::new());
        put("cancelled", &one).await?;
        one.close();
        Ok(())
    }

    async fn a_panic_rolls_back(db: &TestDb) -> Outcome {
        let one = narrow(db).await?;
        let other = one.clone();
        let task = tokio::spawn(async move {
            other.transaction(async |tx| {
                put("a", tx).await?;
                assert!(names(tx).await?.is_empty(), "this test panics on purpose");
                Ok(())
            }).await
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(names(&one).await?, Vec::<String>::new());
        one.close();
        Ok(())
    }

    async fn savepoints_nest(db: &TestDb) -> Outcome {
        db.transaction(async |tx| {
            put("a", tx).await?;
            let error = tx.transaction(async |sp| {
                put("b", sp).await?;
                sp.transaction(async |inner| put("c", inner).await).await?;
                put("a", sp).await // taken
            }).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unique);
            assert_eq!(names(tx).await?, ["a"]);
            tx.transaction(async |sp| {
                put("d", sp).await?;
                let _ = sp.transaction(async |inner| {
                    put("e", inner).await?;
                    Err::<(), _>(Error::new(ErrorKind::InvalidInput, "changed my mind"))
                }).await;
                Ok(())
            }).await?;
            Ok(())
        }).await?;
        assert_eq!(names(db).await?, ["a", "d"]);
        Ok(())
    }

    async fn a_dropped_savepoint_is_undone_before_the_next_statement(db: &TestDb) -> Outcome {
        let mut tx = db.begin().await?;
        put("a", &tx).await?;
        let sp = tx.begin().await?;
        put("b", &sp).await?;
        drop(sp);
        assert_eq!(names(&tx).await?, ["a"]);
        {
            let mut sp = tx.begin().await?;
            put("c", &sp).await?;
            let inner = sp.begin().await?;
            put("d", &inner).await?;
            drop(inner);
            sp.commit().await?;
        }
        let sp = tx.begin().await?;
        put("e", &sp).await?;
        drop(sp);
        tx.commit().await?;
        assert_eq!(names(db).await?, ["a", "c"]);
        Ok(())
    }

    async fn after_a_failed_statement_nothing_half_done_commits(db: &TestDb) -> Outcome {
        let tx = db.begin().await?;
        put("a", &tx).await?;
        assert_eq!(put("a", &tx).await.unwrap_err().kind(), ErrorKind::Unique);
        // PostgreSQL dooms the transaction; the others undo the statement alone. Either way the
        // answer to the commit is the truth.
        match tx.commit().await {
            Ok(()) => assert_eq!(names(db).await?, ["a"]),
            Err(error) => {
                assert_eq!((error.kind(), db.kind()), (ErrorKind::TransactionClosed, Kind::Postgres), "{error}");
                assert_eq!(names(db).await?, Vec::<String>::new());
            }
        }
        Ok(())
    }

    async fn the_isolation_level_is_the_databases_or_refused(db: &TestDb) -> Outcome {
        for level in [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable] {
            let options = TxOptions::new().isolation(level);
            let result = db.transaction_with(options, async |tx| put(level.sql(), tx).await).await;
            match result {
                Ok(setting) => assert_eq!(setting.name, level.sql()),
                Err(error) => {
                    assert_eq!((error.kind(), db.kind()), (ErrorKind::Unsupported, Kind::Sqlite), "{error}");
                    assert_ne!(level, Isolation::Serializable);
                }
            }
        }
        Ok(())
    }

    async fn repeatable_reads_repeat(db: &TestDb) -> Outcome {
        put("a", db).await?;
        let level = if db.capabilities().isolation_levels { Isolation::RepeatableRead } else { Isolation::Serializable };
        // SQLite lets one transaction write at a time; a reader beside it sees its own snapshot.
        let options = TxOptions::new().isolation(level).read_only();
        let tx = db.begin_with(options).await?;
        assert_eq!(names(&tx).await?, ["a"]);
        put("b", db).await?;
        assert_eq!(names(&tx).await?, ["a"]);
        tx.rollback().await?;
        assert_eq!(names(db).await?, ["a", "b"]);
        Ok(())
    }

    async fn a_read_only_transaction_refuses_to_write(db: &TestDb) -> Outcome {
        let options = TxOptions::new().read_only();
        let error = db.transaction_with(options, async |tx| put("a", tx).await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        put("b", db).await?;
        assert_eq!(names(db).await?, ["b"]);
        Ok(())
    }

    async fn concurrent_counting_loses_nothing(db: &TestDb) -> Outcome {
        let user = User::create().email(email("a@x")).exec(db).await?;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (db, id) = ((**db).clone(), user.id);
            tasks.spawn(async move {
                for _ in 0..10 {
                    db.transaction(async |tx| {
                        User::query().filter(User::id.eq(id)).update().set(User::visits, User::visits + 1).exec(tx).await
                    }).await?;
                }
                Ok::<_, Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        assert_eq!(User::find(user.id).one(db).await?.visits, 80);
        Ok(())
    }

    async fn a_deadlock_is_told_and_run_again(db: &TestDb) -> Outcome {
        let a = User::create().email(email("a@x")).exec(db).await?;
        let b = User::create().email(email("b@x")).exec(db).await?;
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let mut tasks = tokio::task::JoinSet::new();
        for (first, second) in [(a.id, b.id), (b.id, a.id)] {
            let (db, barrier) = ((**db).clone(), std::sync::Arc::clone(&barrier));
            tasks.spawn(async move {
                let attempts = std::sync::atomic::AtomicU32::new(0);
                let (attempts, barrier) = (&attempts, &barrier);
                db.transaction(async |tx| {
                    let add = async |id: i64| {
                        User::query().filter(User::id.eq(id)).update().set(User::visits, User::visits + 1).exec(tx).await
                    };
                    add(first).await?;
                    // Both hold their first row before either asks for the other's, the first time round.
                    if attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                        let _ = tokio::time::timeout(Duration::from_millis(300), barrier.wait()).await;
                    }
                    add(second).await
                }).await
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        assert_eq!(User::query().order_by(User::id.asc()).select(User::visits).all(db).await?, [2, 2]);
        Ok(())
    }

    async fn using_the_pool_inside_a_transaction_ends_with_a_clear_error(db: &TestDb) -> Outcome {
        let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_millis(200), ..PoolOptions::default() };
        let one = Db::connect_with(db.url(), DbOptions::new().pool(pool)).await?;
        let inner = one.clone();
        let inner = &inner;
        let error = one.transaction(async |_tx| names(inner).await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
        assert!(error.help().is_some_and(|help| help.contains("transaction")), "{error}");
        one.close();
        Ok(())
    }
}
