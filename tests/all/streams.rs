//! Rows as streams.

use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions};
use covet_tests::models::{Post, Setting, User};
use covet_tests::{Kind, TestDb, on_each_database};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

async fn settings(db: &TestDb, count: usize) -> covet_orm::Result<()> {
    let rows = (0..count).map(|n| Setting::create().name(format!("s{n:06}")).value("x".repeat(100)));
    Setting::insert_many(rows).exec(db).await.map(drop)
}

async fn narrow(db: &TestDb) -> covet_orm::Result<Db> {
    let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_secs(5), ..PoolOptions::default() };
    Db::connect_with(db.url(), DbOptions::new().pool(pool)).await
}

/// A statement was told of the stream, of which one row of 500 has been read, and the transaction goes on behind it.
async fn told_and_goes_on(
    error: &covet_orm::Error,
    rows: impl Stream<Item = covet_orm::Result<Setting>>,
    tx: &Tx<'_>,
) -> covet_orm::Result<()> {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("stream"), "{error}");
    let rest: Vec<Setting> = rows.try_collect().await?;
    assert_eq!(rest.len(), 499);
    assert_eq!(Setting::query().count(tx).await?, 500, "and goes on when the stream has ended");
    Ok(())
}

on_each_database! {
    async fn every_row_comes_once_and_in_order(db: &TestDb) -> Outcome {
        settings(db, 3_000).await?;
        let mut rows = Setting::query().order_by(Setting::name.asc()).stream(db);
        let mut n = 0;
        while let Some(row) = rows.try_next().await? {
            assert_eq!(row.name, format!("s{n:06}"));
            n += 1;
        }
        assert_eq!(n, 3_000);
        assert!(rows.next().await.is_none(), "a stream that has ended stays so");
        Ok(())
    }

    async fn a_stream_of_nothing_and_of_tuples(db: &TestDb) -> Outcome {
        assert!(Setting::query().stream(db).next().await.is_none());
        settings(db, 3).await?;
        let names: Vec<String> = Setting::query().order_by(Setting::name.desc()).select(Setting::name).stream(db).try_collect().await?;
        assert_eq!(names, ["s000002", "s000001", "s000000"]);
        Ok(())
    }

    async fn a_dropped_stream_frees_its_connection(db: &TestDb) -> Outcome {
        settings(db, 20_000).await?;
        let one = narrow(db).await?;
        for _ in 0..5 {
            let mut rows = Setting::query().order_by(Setting::name.asc()).stream(&one);
            assert_eq!(rows.try_next().await?.map(|row| row.name).as_deref(), Some("s000000"));
            drop(rows);
            assert_eq!(Setting::query().count(&one).await?, 20_000, "the next borrower gets its own answer");
        }
        one.close();
        Ok(())
    }

    async fn what_a_stream_leaves_is_nobody_elses(db: &TestDb) -> Outcome {
        settings(db, 200).await?;
        let one = narrow(db).await?;
        let own = Setting::name.eq("s000003");
        for taken in [1, 2, 63, 64, 65, 128, 150, 199] {
            let rows = Setting::query().order_by(Setting::name.asc()).stream(&one).take(taken);
            assert_eq!(rows.count().await, taken);
            assert_eq!(Setting::find("s000007").one(&one).await?.name, "s000007", "after {taken}");
            // On a server the transaction goes with its stream.
            if db.kind() == Kind::Sqlite {
                let tx = one.begin().await?;
                let rows = Setting::query().order_by(Setting::name.asc()).stream(&tx).take(taken);
                assert_eq!(rows.count().await, taken);
                assert_eq!(Setting::find("s000007").one(&tx).await?.name, "s000007", "after {taken}");
                tx.commit().await?;
            }
            let rows = Setting::query().order_by(Setting::name.asc()).stream(&one).take(taken);
            assert_eq!(rows.count().await, taken);
            assert!(!Setting::query().filter(Setting::name.eq("nobody")).exists(&one).await?, "after {taken}");
            let rows = Setting::query().order_by(Setting::name.asc()).stream(&one).take(taken);
            assert_eq!(rows.count().await, taken);
            assert_eq!(Setting::query().filter(own.clone()).all(&one).await?.len(), 1, "after {taken}");
        }
        one.close();
        Ok(())
    }

    async fn a_stream_within_a_transaction(db: &TestDb) -> Outcome {
        settings(db, 500).await?;
        let mut tx = db.begin().await?;
        Setting::create().name("zz").value("v").exec(&tx).await?;
        let seen: Vec<Setting> = Setting::query().stream(&tx).try_collect().await?;
        assert_eq!(seen.len(), 501);
        let sp = tx.begin().await?;
        sp.commit().await?;
        tx.rollback().await?;
        assert_eq!(Setting::query().count(db).await?, 500);
        Ok(())
    }

    async fn a_statement_beside_an_open_stream_of_its_transaction_is_told(db: &TestDb) -> Outcome {
        settings(db, 500).await?;
        let tx = db.begin().await?;
        let mut rows = Setting::query().stream(&tx);
        assert!(rows.try_next().await?.is_some());
        let error = tokio::time::timeout(Duration::from_secs(5), Setting::query().count(&tx)).await?.unwrap_err();
        told_and_goes_on(&error, rows, &tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn a_statement_that_waits_when_a_stream_of_its_transaction_begins_is_told(db: &TestDb) -> Outcome {
        settings(db, 500).await?;
        let tx = db.begin().await?;
        let mut rows = Setting::query().stream(&tx);
        // In this order they ask for the connection: the stream gets it, and is polled no more.
        let all = futures_util::future::join3(
            Setting::query().count(&tx),
            rows.try_next(),
            Setting::query().count(&tx),
        );
        let (before, first, behind) = tokio::time::timeout(Duration::from_secs(5), all).await?;
        assert_eq!(before?, 500);
        assert!(first?.is_some());
        let error = behind.unwrap_err();
        told_and_goes_on(&error, rows, &tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn an_error_comes_through_the_stream(db: &TestDb) -> Outcome {
        let mut rows = Post::query().include(Post::author).stream(db);
        let error = rows.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(rows.next().await.is_none());
        let mut rows = User::query().filter(User::id.is_in(0..70_000_i64)).stream(db);
        assert_eq!(rows.next().await.unwrap().unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    }

    async fn a_slow_reader_holds_the_stream_back(db: &TestDb) -> Outcome {
        settings(db, 2_000).await?;
        let mut rows = Setting::query().order_by(Setting::name.asc()).stream(db);
        for n in 0..200 {
            assert_eq!(rows.try_next().await?.map(|row| row.name), Some(format!("s{n:06}")));
            if n % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let rest: Vec<Setting> = rows.try_collect().await?;
        assert_eq!(rest.len(), 1_800);
        Ok(())
    }
}
