//! What one borrower leaves in a session is gone for the next.

use std::time::Duration;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row};
use covet_tests::{Kind, on_each_database};
use futures_util::future::try_join_all;

use crate::scenarios::{names, open, put, torture};

/// Something that is left, and the question that finds it.
struct Canary {
    what: &'static str,
    leave: &'static str,
    ask: &'static str,
}

const fn canary(what: &'static str, leave: &'static str, ask: &'static str) -> Canary {
    Canary { what, leave, ask }
}

const POSTGRES: &[Canary] = &[
    canary("a table from a query", "SELECT 1 AS id INTO TEMP canary", "SELECT to_regclass('pg_temp.canary')::text"),
    canary("a setting", "SET work_mem = '9MB'", "SELECT current_setting('work_mem')"),
    canary("a role", "SET ROLE pg_monitor", "SELECT current_user::text"),
    canary("a user", "SET SESSION AUTHORIZATION pg_monitor", "SELECT session_user::text"),
    canary("a search path", "SET search_path = pg_catalog", "SELECT current_setting('search_path')"),
    canary("a temporary table", "CREATE TEMP TABLE canary (id int)", "SELECT to_regclass('pg_temp.canary')::text"),
    canary(
        "an advisory lock",
        "SELECT pg_advisory_lock(4711)",
        "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    canary("a subscription", "LISTEN canary", "SELECT count(*)::text FROM pg_listening_channels()"),
    canary("a time zone", "SET TIME ZONE 'Asia/Tokyo'", "SELECT current_setting('TimeZone')"),
    canary(
        "an isolation level",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SELECT current_setting('default_transaction_isolation')",
    ),
    canary("a timeout", "SET statement_timeout = 12345", "SELECT current_setting('statement_timeout')"),
    canary(
        "a cursor",
        "DECLARE canary CURSOR WITH HOLD FOR SELECT 1",
        "SELECT count(*)::text FROM pg_cursors WHERE name = 'canary'",
    ),
];

const MYSQL: &[Canary] = &[
    canary("a role", "SET ROLE canary", "SELECT CURRENT_ROLE()"),
    canary("a variable", "SET @canary = 'here'", "SELECT CAST(@canary AS CHAR)"),
    canary("a lock", "SELECT GET_LOCK('covet canary', 0)", "SELECT CAST(IS_USED_LOCK('covet canary') AS CHAR)"),
    canary("the SQL mode", "SET SESSION sql_mode = ''", "SELECT @@sql_mode"),
    canary("a time zone", "SET time_zone = '+05:00'", "SELECT @@time_zone"),
    canary("an isolation level", "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "SELECT @@tx_isolation"),
    canary("a temporary table", "CREATE TEMPORARY TABLE canary (id INT)", "SELECT CAST(COUNT(*) AS CHAR) FROM canary"),
    canary("a prepared name", "PREPARE canary FROM 'SELECT ''prepared'''", "EXECUTE canary"),
    canary("autocommit", "SET autocommit = 0", "SELECT CAST(@@autocommit AS CHAR)"),
    canary("a character set", "SET NAMES latin1", "SELECT @@character_set_client"),
    canary("unchecked keys", "SET foreign_key_checks = 0", "SELECT CAST(@@foreign_key_checks AS CHAR)"),
    canary("another database", "USE information_schema", "SELECT DATABASE()"),
    canary("a transaction", "START TRANSACTION", "SELECT CAST(@@in_transaction AS CHAR)"),
];

const SQLITE: &[Canary] = &[
    canary("unchecked keys", "PRAGMA foreign_keys = OFF", "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys"),
    canary(
        "an attached database",
        "ATTACH ':memory:' AS canary",
        "SELECT CAST(count(*) AS TEXT) FROM pragma_database_list WHERE name = 'canary'",
    ),
    canary(
        "a temporary table",
        "CREATE TEMP TABLE canary (id)",
        "SELECT CAST(count(*) AS TEXT) FROM temp.sqlite_schema",
    ),
    canary("a refusal to write", "PRAGMA query_only = ON", "SELECT CAST(query_only AS TEXT) FROM pragma_query_only"),
    canary(
        "how much is synced",
        "PRAGMA synchronous = OFF",
        "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
    ),
    canary("the cache", "PRAGMA cache_size = 7", "SELECT CAST(cache_size AS TEXT) FROM pragma_cache_size"),
    canary(
        "the most pages",
        "PRAGMA max_page_count = 1234",
        "SELECT CAST(max_page_count AS TEXT) FROM pragma_max_page_count",
    ),
];

/// What a borrower leaves, by a script or by a statement, is not there for the next one on the same connection.
async fn is_gone(one: &covet_orm::Db, canary: &Canary, how: Option<Reuse>) -> covet_orm::Result<()> {
    let Canary { what, leave, ask: question } = canary;
    let before = ask(&mut *one.acquire().await?, question).await;
    let mut lease = one.acquire().await?;
    match how {
        None => lease.script(leave).await?,
        Some(reuse) => drop(lease.run(Command { sql: leave, args: &[], reuse }, &mut ()).await?),
    }
    let within = ask(&mut *lease, question).await;
    assert_ne!(before, within, "{what} ({how:?}): the question does not find it");
    drop(lease);
    let after = ask(&mut *one.acquire().await?, question).await;
    assert_eq!(before, after, "{what} ({how:?}): the next borrower has it");
    Ok(())
}

/// A database in memory goes with its one connection, so that is cleaned by taking back each thing.
#[tokio::test]
async fn d1_what_a_borrower_leaves_is_gone_in_memory() {
    let one = open("sqlite::memory:", 1).await.unwrap();
    let explained = canary(
        "unchecked keys, explained",
        "EXPLAIN PRAGMA foreign_keys = OFF",
        "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
    );
    for canary in SQLITE.iter().chain([&explained]) {
        for reuse in [Reuse::Keep, Reuse::Once] {
            is_gone(&one, canary, Some(reuse)).await.unwrap();
        }
    }
    assert_eq!(one.pool_status().opened, 1);
}

/// What the session answers; errors are answers too.
async fn ask(connection: &mut dyn Connection, sql: &str) -> String {
    let mut found = String::from("nothing");
    let text = ColumnType::Text { max_len: None };
    let mut sink = |row: &mut Row<'_>| {
        found = row.get::<Option<String>>(0, &text)?.unwrap_or_else(|| "NULL".to_owned());
        Ok(Flow::Continue)
    };
    match connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await {
        Ok(_) => found,
        Err(error) => format!("{:?}", error.kind()),
    }
}

on_each_database! {
    async fn d1_what_a_borrower_leaves_is_gone(db: &TestDb) -> Outcome {
        let canaries = match db.kind() {
            Kind::Postgres => POSTGRES,
            Kind::Mysql => MYSQL,
            Kind::Sqlite => SQLITE,
        };
        // As a script, as a statement that is kept prepared, and as one that is not.
        for how in [None, Some(Reuse::Keep), Some(Reuse::Once)] {
            for canary in canaries {
                // A session of its own, so that none hides behind another.
                let one = open(db.url(), 1).await?;
                is_gone(&one, canary, how).await?;
                put(format!("{} {how:?}", canary.what), &one).await?;
                one.close();
            }
        }
        assert_eq!(names(db).await?.len(), canaries.len() * 3);
        Ok(())
    }

    async fn d2_a_borrower_begins_by_text_and_does_not_end(db: &TestDb) -> Outcome {
        let one = open(db.url(), 1).await?;
        for (number, begin) in ["BEGIN", "begin", "/* a comment */ BEGIN"].into_iter().enumerate() {
            let mut lease = one.acquire().await?;
            lease.script(begin).await?;
            let insert = format!("INSERT INTO settings (name, value) VALUES ('left{number}', 'v')");
            lease.script(&insert).await?;
            drop(lease);
            assert_eq!(names(&one).await?.len(), number, "the next borrower sees what was left");
            put(format!("kept{number}"), &one).await?;
            assert_eq!(names(db).await?.len(), number + 1, "others see what the next borrower wrote");
        }
        let status = one.pool_status();
        assert_eq!((status.in_use, status.returning), (0, 0), "{status:?}");
        one.close();
        Ok(())
    }

    async fn d4_many_wait_and_nobody_starves(db: &TestDb) -> Outcome {
        let tasks = if torture() { 10_000 } else { 2_000 };
        let pool = open(db.url(), 8).await?;
        drop(try_join_all((0..8).map(|_| pool.acquire())).await?);
        let work: Vec<_> = (0..tasks)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut lease = pool.acquire().await?;
                    lease.ping().await?;
                    tokio::task::yield_now().await;
                    Ok::<_, covet_orm::Error>(())
                })
            })
            .collect();
        for done in work {
            done.await??;
        }
        let status = pool.pool_status();
        println!("{}: {:?}", db.kind().name(), status.waits);
        assert!(status.waits.p99 <= (status.waits.p50 * 5).max(Duration::from_millis(2)), "{:?}", status.waits);
        assert_eq!((status.timeouts, status.waiting, status.in_use), (0, 0, 0), "{status:?}");
        Ok(())
    }
}
