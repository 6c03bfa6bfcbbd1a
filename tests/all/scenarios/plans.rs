//! Statements that were prepared for a schema or a session that is no longer there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use covet_drivers::contract::{Command, Reuse};
use covet_drivers::pool::Lease;
use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::proxy::{Bent, Direction, Grain, Proxy};
use covet_tests::session::number;
use covet_tests::{Kind, on_each_database, on_postgres};

use crate::scenarios::{names, open, put, torture};

/// Changes the type of a column that every statement of the model reads.
fn alter(kind: Kind, round: usize) -> String {
    match (kind, round % 2) {
        (Kind::Postgres, 0) => "ALTER TABLE settings ALTER COLUMN value TYPE varchar(500)".to_owned(),
        (Kind::Postgres, _) => "ALTER TABLE settings ALTER COLUMN value TYPE text".to_owned(),
        (Kind::Mysql, 0) => "ALTER TABLE settings MODIFY value VARCHAR(500) NOT NULL".to_owned(),
        (Kind::Mysql, _) => "ALTER TABLE settings MODIFY value LONGTEXT NOT NULL".to_owned(),
        (Kind::Sqlite, _) => format!("ALTER TABLE settings ADD COLUMN extra{round} TEXT"),
    }
}

on_each_database! {
    async fn d9_another_session_alters_a_table_between_statements(db: &TestDb) -> Outcome {
        use covet_tests::models::Setting;
        let one = open(db.url(), 1).await?;
        put("a", &one).await?;
        for round in 0..4 {
            let read = async |on: &Executor| Setting::query().all(on).await.map(|rows| rows.len());
            assert_eq!(read(&one).await?, 1 + round);
            db.raw(&alter(db.kind(), round)).await?;
            // Outside of a transaction it is prepared again, and nobody notices.
            assert_eq!(read(&one).await?, 1 + round);
            db.raw(&alter(db.kind(), round + 1).replace("extra", "more")).await?;
            // Within one the whole is run again where a statement has spoilt it, and once is enough for all of them.
            let runs = AtomicU32::new(0);
            let runs = &runs;
            let seen = one
                .transaction(async |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let seen = read(tx).await?;
                    put(format!("b{round}"), tx).await?;
                    Ok(seen)
                })
                .await?;
            assert_eq!(seen, 1 + round);
            let runs = runs.load(Ordering::SeqCst);
            assert!(runs == 1 || (runs == 2 && db.kind() == Kind::Postgres), "{runs} runs");
        }
        assert_eq!(names(db).await?.len(), 5);
        let status = one.pool_status();
        assert_eq!((status.size, status.closings()), (1, 0), "{status:?}");
        one.close();
        Ok(())
    }

    async fn d11_many_distinct_texts_are_few_on_the_server(db: &TestDb) -> Outcome {
        let texts = if torture() { 10_000 } else { 1_000 };
        let one = open(db.url(), 1).await?;
        let mut lease = one.acquire().await?;
        let mut most = 0;
        for n in 0..texts {
            let sql = match db.kind() {
                Kind::Postgres => format!("SELECT {n}::bigint"),
                _ => format!("SELECT {n}"),
            };
            assert_eq!(number(&mut lease, &sql).await?, n);
            if n % 100 == 99 {
                most = most.max(kept(db.kind(), &mut lease).await?);
            }
        }
        println!("{}: {most} of {texts} were prepared at a time", db.kind().name());
        // `statement_cache_size` is 256, and the question itself takes one or two.
        assert!(most <= 260, "{most} statements are prepared");
        assert!(most >= 100 || db.kind() == Kind::Sqlite, "{most} statements are prepared");
        Ok(())
    }
}

/// How many statements the server keeps for this session.
async fn kept(kind: Kind, lease: &mut Lease) -> covet_orm::Result<i64> {
    let status = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = ";
    match kind {
        Kind::Postgres => number(lease, "SELECT count(*) FROM pg_prepared_statements").await,
        Kind::Mysql => {
            let prepared = number(lease, &format!("{status}'Com_stmt_prepare'")).await?;
            let closed = number(lease, &format!("{status}'Com_stmt_close'")).await?;
            Ok(prepared - closed)
        }
        // There is no server; the texts are kept by the driver.
        Kind::Sqlite => Ok(0),
    }
}

on_postgres! {
    async fn d10_the_session_has_forgotten_its_statements(db: &TestDb) -> Outcome {
        let one = open(db.url(), 1).await?;
        put("a", &one).await?;
        assert_eq!(names(&one).await?, ["a"]);
        let mut lease = one.acquire().await?;
        // Prepared and kept; then forgotten behind the driver's back, by a text that is sent as it is.
        let sql = "SELECT count(*) FROM settings";
        assert_eq!(number(&mut lease, sql).await?, 1);
        lease.run(Command { sql: "DEALLOCATE ALL", args: &[], reuse: Reuse::Once }, &mut ()).await?;
        assert_eq!(number(&mut lease, sql).await?, 1, "26000 is no error outside of a transaction");
        lease.run(Command { sql: "DEALLOCATE ALL", args: &[], reuse: Reuse::Once }, &mut ()).await?;
        lease.begin(&covet_drivers::contract::TransactionOptions::default()).await?;
        let error = number(&mut lease, sql).await.unwrap_err();
        assert!(error.is_retryable(), "within one, the whole may be run again: {error}");
        assert_eq!(error.code(), Some("26000"), "{error}");
        lease.rollback().await?;
        lease.begin(&covet_drivers::contract::TransactionOptions::default()).await?;
        assert_eq!(number(&mut lease, sql).await?, 1);
        lease.commit().await?;
        drop(lease);
        assert_eq!(names(&one).await?, ["a"]);
        Ok(())
    }
}

/// Has the server meet a statement that it does not know, once: the number in an execution is another one.
fn forget_once(proxy: &Proxy) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&done);
    proxy.bend(move |passing| {
        let executes = passing.direction == Direction::ToServer && passing.bytes.get(4) == Some(&0x17);
        if !executes || theirs.swap(true, Ordering::SeqCst) {
            return Bent::Same;
        }
        let mut other = passing.bytes.to_vec();
        other[5..9].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
        Bent::Into(other)
    });
    done
}

#[test]
fn d10_the_server_has_forgotten_a_statement_mysql() {
    covet_tests::run(Kind::Mysql, |db| {
        Box::pin(async move {
            let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
            let one = open(proxy.url(), 1).await?;
            put("a", &one).await?;
            assert_eq!(names(&one).await?, ["a"]);
            // 1243: nothing has run, and it is prepared again.
            let done = forget_once(&proxy);
            assert_eq!(names(&one).await?, ["a"]);
            assert!(done.load(Ordering::SeqCst));
            let done = forget_once(&proxy);
            one.transaction(async |tx| put("b", tx).await).await?;
            assert!(done.load(Ordering::SeqCst));
            assert_eq!(names(db).await?, ["a", "b"]);
            // A text that was never prepared here is not prepared a second time.
            let done = forget_once(&proxy);
            let mut lease = one.acquire().await?;
            let error = number(&mut lease, "SELECT COUNT(*) FROM settings").await.unwrap_err();
            assert!(done.load(Ordering::SeqCst));
            assert_eq!((error.kind(), error.code()), (ErrorKind::Database, Some("1243")), "{error}");
            drop(lease);
            let status = one.pool_status();
            assert_eq!((status.opened, status.closings()), (1, 0), "{status:?}");
            Ok(())
        })
    });
}
