//! A pooler between the program and its database, which gives each transaction another session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use covet_drivers::contract::{Command, Flow, Reuse, Row, TransactionOptions};
use covet_drivers::pool::Lease;
use covet_drivers::value::Value;
use covet_orm::prelude::*;
use covet_orm::{Isolation, TxOptions};
use covet_tests::models::{Account, Role, Setting, User};
use covet_tests::server::with_server;
use covet_tests::{Kind, Outcome, create_all};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;

use crate::crud::email;
use crate::scenarios::{PATIENCE, count, open, put};

/// How many programs there are, each with a connection of its own; the server has two sessions for all of them.
const CLIENTS: usize = 20;

const SESSIONS: usize = 2;

/// A function that takes so many names of prepared statements behind the one that it was called by.
const TAKE_NAMES: &str = "CREATE FUNCTION take_names(names int) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE here int;
    BEGIN
        SELECT max(substr(name, 2)::int) INTO here FROM pg_prepared_statements
            WHERE statement LIKE 'SELECT take_names(%' AND name ~ '^s[0-9]+$';
        FOR n IN here + 1 .. here + names LOOP
            IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 's' || n) THEN
                EXECUTE format('PREPARE s%s AS SELECT 1', n);
            END IF;
        END LOOP;
        RETURN here;
    END $$";

async fn take_names(db: &Db) -> covet_orm::Result<()> {
    take_names_within(&mut db.acquire().await?).await
}

async fn take_names_within(lease: &mut Lease) -> covet_orm::Result<()> {
    let names = Value::Int(30);
    lease.run(Command { sql: "SELECT take_names($1)", args: &[&names], reuse: Reuse::Once }, &mut ()).await?;
    Ok(())
}

/// What a program does, one thing after the other.
async fn work(number: usize, db: Db) -> covet_orm::Result<()> {
    for round in 0..3 {
        let case = format!("c{number}-{round}");
        // Rows in and out, an enum among their columns.
        let mut user = User::create().email(email(&format!("{case}@x"))).role(Role::Editor).exec(&db).await?;
        user.name = Some(case.clone());
        user.save(&db).await?;
        assert_eq!(User::find(user.id).one(&db).await?, user);
        let account = Account::create().owner(case.as_str()).balance(rust_decimal::Decimal::ONE).exec(&db).await?;
        assert_eq!(Account::find(account.id).one(&db).await?.owner, case);
        // Transactions, with a savepoint within, and one that reads what it wrote.
        let name = &case;
        db.transaction_with(TxOptions::new().isolation(Isolation::RepeatableRead), async |tx| {
            put(format!("{name}-a"), tx).await?;
            tx.transaction(async |savepoint| put(format!("{name}-b"), savepoint).await).await?;
            assert_eq!(count(name, tx).await?, 2);
            Ok(())
        })
        .await?;
        let undone = db.begin().await?;
        put(format!("{case}-undone"), &undone).await?;
        undone.rollback().await?;
        // Few rows, and so many that they go by another way.
        for rows in [3, 700] {
            let many = (0..rows).map(|n| Setting::create().name(format!("{case}-{rows}-{n:04}")).value("v"));
            Setting::insert_many(many).exec(&db).await?;
        }
        let start = format!("{case}-700");
        let rows = Setting::query().filter(Setting::name.starts_with(start.as_str()));
        let streamed: Vec<Setting> = rows.stream(&db).try_collect().await?;
        assert_eq!(streamed.len(), 700);
        let taken = put(format!("{case}-a"), &db).await.unwrap_err();
        assert_eq!(taken.kind(), covet_orm::ErrorKind::Unique, "{taken}");
        user.delete(&db).await?;
        // Rows as a file, and texts that leave something behind or cannot stand in a transaction.
        assert!(Setting::copy_to(&mut Vec::new()).exec(&db).await? > 0);
        let mut lease = db.acquire().await?;
        let mut seen = 0;
        let mut sink = |_: &mut Row<'_>| {
            seen += 1;
            Ok(Flow::Continue)
        };
        for sql in ["SHOW server_version", "SELECT pg_advisory_xact_lock(1)", "CHECKPOINT"] {
            lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink).await?;
        }
        assert_eq!(seen, 2);
    }
    Ok(())
}

/// Rows of types that the driver has to ask for: more of them than fit under way, and behind a statement that has run by
/// then.
async fn types_are_learnt(direct: &Db, pooler: &str) -> Outcome {
    let mut made = direct.acquire().await?;
    made.script(
        "CREATE TYPE pooled_kind AS ENUM ('a', 'b');
         CREATE TYPE pooled_other AS ENUM ('a', 'b');
         CREATE PROCEDURE pooled_call(INOUT kind pooled_other) LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO settings (name, value) VALUES ('called', 'v'); COMMIT; kind := 'b';
         END $$",
    )
    .await?;
    drop(made);
    let (pooled, another) = (open(pooler, 1).await?, open(pooler, 1).await?);
    let mut lease = pooled.acquire().await?;
    let mut seen = 0;
    let mut sink = |_: &mut Row<'_>| {
        seen += 1;
        Ok(Flow::Continue)
    };
    let mut kept = None;
    for sql in ["SELECT 'a'::pooled_kind FROM generate_series(1, 50000) /* into */", "CALL pooled_call('a')"] {
        let ran = lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut sink);
        tokio::time::timeout(PATIENCE, ran).await??;
        // The session that has answered has something else to do when the next type is met.
        if kept.is_none() {
            let keeps = another.begin().await?;
            assert_eq!(count("called", &keeps).await?, 0);
            kept = Some(keeps);
        }
    }
    drop(kept);
    assert_eq!(seen, 50_001);
    drop(lease);
    assert_eq!(Setting::query().filter(Setting::name.eq("called")).delete().exec(direct).await?, 1);
    Ok(())
}

/// Another program has left its statements in the session, under the names that come next.
async fn names_are_taken(direct: &Db, pooler: &str) -> Outcome {
    direct.acquire().await?.script(TAKE_NAMES).await?;
    let pooled = open(pooler, 1).await?;
    take_names(&pooled).await?;
    open(pooler, 1).await?.close();
    let mut file = Vec::new();
    take_names(&pooled).await?;
    let copied = Setting::copy_to(&mut file).exec(&pooled).await?;
    take_names(&pooled).await?;
    Setting::query().delete().exec(&pooled).await?;
    take_names(&pooled).await?;
    assert_eq!(Setting::copy_from(&file[..]).exec(&pooled).await?, copied);
    assert_eq!(Setting::query().count(direct).await?, copied);
    for rows in [3_u64, 700] {
        take_names(&pooled).await?;
        let many = (0..rows).map(|n| Setting::create().name(format!("taken-{rows}-{n:04}")).value("v"));
        assert_eq!(Setting::insert_many(many).exec(&pooled).await?, rows);
    }
    let mut lease = pooled.acquire().await?;
    lease.begin(&TransactionOptions::DEFAULT).await?;
    take_names_within(&mut lease).await?;
    let name = Value::Text("taken-tx".to_owned());
    let sql = "INSERT INTO settings (name, value) VALUES ($1, 'v')";
    lease.run(Command { sql, args: &[&name], reuse: Reuse::Once }, &mut ()).await?;
    lease.commit().await?;
    drop(lease);
    assert_eq!(count("taken", direct).await?, 3 + 700 + 1);
    Ok(())
}

/// The control: what is kept prepared meets other sessions, since a transaction keeps the one that had it.
async fn sessions_are_mixed(pooler: &str) -> Outcome {
    let pooled = open(pooler, 1).await?;
    let careless = open(&pooler.replace("&statement_cache_size=0", ""), 1).await?;
    let mut outlived = false;
    for _ in 0..50 {
        Setting::find("c0-0-a").one(&careless).await?;
        let keeps = pooled.begin().await?;
        assert_eq!(count("c0-0-a", &keeps).await?, 1);
        let meets = careless.begin().await?;
        let found = Setting::find("c0-0-a").one(&meets).await;
        meets.rollback().await?;
        keeps.rollback().await?;
        if let Err(error) = found {
            assert_eq!((error.kind(), error.code()), (covet_orm::ErrorKind::Serialization, Some("26000")), "{error}");
            outlived = true;
            break;
        }
    }
    assert!(outlived, "the pooler does not mix sessions");
    Ok(())
}

#[test]
fn b24_a_pooler_that_mixes_sessions() {
    with_server(Kind::Postgres, &[], async |server| {
        let Some(pooler) = server.pooler(SESSIONS) else {
            let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
            assert!(!required.contains("postgres"), "PgBouncer is not there");
            return Ok(());
        };
        let direct = open(&server.url(), 1).await?;
        create_all(&direct).await;
        let programs = try_join_all((0..CLIENTS).map(async |_| open(&pooler.url(), 1).await)).await?;
        let done = Arc::new(AtomicUsize::new(0));
        let tasks = programs.into_iter().enumerate().map(|(number, db)| {
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                let worked = work(number, db).await;
                done.fetch_add(1, Ordering::SeqCst);
                worked.map_err(|error| format!("{number}: {error} ({:?})", error.code()))
            })
        });
        for task in try_join_all(tasks).await? {
            task?;
        }
        assert_eq!(done.load(Ordering::SeqCst), CLIENTS);
        let all = u64::try_from(CLIENTS * 3)?;
        assert_eq!(Setting::query().count(&direct).await?, all * (2 + 3 + 700));
        assert_eq!((User::query().count(&direct).await?, Account::query().count(&direct).await?), (0, all));
        types_are_learnt(&direct, &pooler.url()).await?;
        names_are_taken(&direct, &pooler.url()).await?;
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
                        AND pid <> pg_backend_pid()";
        let sessions = covet_tests::session::number(&mut direct.acquire().await?, sessions).await?;
        assert!(sessions <= i64::try_from(SESSIONS)?, "{sessions} sessions");
        sessions_are_mixed(&pooler.url()).await?;
        Ok(())
    });
}
