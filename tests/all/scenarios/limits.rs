//! Limits of the server: disks, times, locks, idle transactions, sizes, and administrators.

use std::io::Write as _;
use std::time::{Duration, Instant};

use covet_drivers::contract::{Command, Connection, ConnectionState, Reuse, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{ErrorKind, TxOptions};
use covet_tests::models::Setting;
use covet_tests::server::{Server, with_server};
use covet_tests::session::{id, kill, number};
use covet_tests::{Kind, on_each_database, on_each_server, on_postgres};

use crate::scenarios::{count, make_table, millis, names, open, put};

const PLAIN: TransactionOptions = TransactionOptions::DEFAULT;

async fn say(connection: &mut dyn Connection, sql: &str) -> covet_orm::Result<()> {
    connection.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut ()).await.map(drop)
}

/// Inserts until there is no room. Gives the error.
async fn fill(connection: &mut dyn Connection) -> covet_orm::Error {
    let value = "x".repeat(20_000);
    for number in 0..2_000 {
        let sql = format!("INSERT INTO settings (name, value) VALUES ('f{number}', '{value}')");
        if let Err(error) = say(connection, &sql).await {
            return error;
        }
    }
    panic!("there is room without end")
}

/// A disk that is full: what did not fit is told, and nothing half-done commits.
async fn full(db: &Db, before: u64) -> covet_tests::Outcome {
    let mut lease = db.acquire().await?;
    lease.begin(&PLAIN).await?;
    say(&mut *lease, "INSERT INTO settings (name, value) VALUES ('first', 'v')").await?;
    let error = fill(&mut *lease).await;
    assert_eq!(error.kind(), ErrorKind::Resources, "{error}");
    let open = lease.state() == ConnectionState::InTransaction;
    match lease.commit().await {
        // The statement alone was undone.
        Ok(()) => assert!(open),
        Err(error) => {
            assert!(!open, "{error}");
            assert_eq!(error.kind(), ErrorKind::TransactionClosed, "{error}");
            assert_eq!(Setting::query().count(db).await?, before, "nothing of it is there");
        }
    }
    assert_eq!(lease.state(), ConnectionState::Idle);
    drop(lease);
    db.ping().await?;
    Ok(())
}

#[test]
fn b16_a_full_disk_mysql() {
    let settings = &["innodb-file-per-table=0", "innodb-data-file-path=ibdata1:12M:autoextend:max:16M"];
    with_server(Kind::Mysql, settings, async |server| {
        let db = open(&server.url(), 2).await?;
        make_table(&db).await?;
        full(&db, 0).await
    });
}

#[test]
fn b16_a_full_disk_postgres() {
    with_server(Kind::Postgres, &[], async |server| {
        let Some(disk) = server.small_disk(1024) else {
            let _ = std::io::stderr()
                .write_all(b"\nleft out: a full disk of PostgreSQL (a file system cannot be mounted here)\n");
            return Ok(());
        };
        let db = open(&server.url(), 2).await?;
        make_table(&db).await?;
        put("before", &db).await?;
        let place = disk.folder().display();
        db.acquire().await?.script(&format!("CREATE TABLESPACE small LOCATION '{place}'")).await?;
        // What is written is neither compressed nor kept in another place.
        db.acquire().await?.script("ALTER TABLE settings ALTER value SET STORAGE EXTERNAL").await?;
        db.acquire().await?.script("ALTER TABLE settings SET TABLESPACE small").await?;
        full(&db, 1).await?;
        // When there is room again, it goes on.
        db.acquire().await?.script("ALTER TABLE settings SET TABLESPACE pg_default").await?;
        put("after", &db).await?;
        Ok(())
    });
}

#[test]
fn b16_a_full_disk_sqlite() {
    covet_tests::run(Kind::Sqlite, |db| {
        Box::pin(async move {
            put("before", db).await?;
            let one = open(db.url(), 2).await?;
            let mut lease = one.acquire().await?;
            let pages = number(&mut lease, "SELECT page_count FROM pragma_page_count").await? + 40;
            say(&mut *lease, &format!("PRAGMA max_page_count = {pages}")).await?;
            lease.begin(&PLAIN).await?;
            say(&mut *lease, "INSERT INTO settings (name, value) VALUES ('first', 'v')").await?;
            let error = fill(&mut *lease).await;
            assert_eq!((error.kind(), error.code()), (ErrorKind::Resources, Some("13")), "{error}");
            // SQLite would leave it open, and a commit would keep the part that did fit.
            assert_ne!(lease.state(), ConnectionState::InTransaction);
            assert_eq!(lease.commit().await.unwrap_err().kind(), ErrorKind::TransactionClosed);
            assert_eq!(names(db).await?, ["before"]);
            // Outside of a transaction the statement alone fails.
            let error = fill(&mut *lease).await;
            assert_eq!(error.kind(), ErrorKind::Resources, "{error}");
            assert_eq!(lease.state(), ConnectionState::Idle);
            drop(lease);
            // The next borrower does not inherit the limit.
            let mut lease = one.acquire().await?;
            let value = "x".repeat(1_000_000);
            say(&mut *lease, &format!("INSERT INTO settings (name, value) VALUES ('large', '{value}')")).await?;
            assert_eq!(count("large", db).await?, 1);
            Ok(())
        })
    });
}

on_each_database! {
    async fn b17_a_statement_that_takes_too_long(db: &TestDb) -> Outcome {
        let slow = match db.kind() {
            Kind::Postgres => "SELECT pg_sleep(5)",
            Kind::Mysql => "SELECT SLEEP(5)",
            Kind::Sqlite => {
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) SELECT max(i) FROM n"
            }
        };
        let mut lease = db.acquire().await?;
        let options = TransactionOptions { statement_timeout: Some(millis(100)), ..PLAIN };
        lease.begin(&options).await?;
        say(&mut *lease, "INSERT INTO settings (name, value) VALUES ('a', 'v')").await?;
        let start = Instant::now();
        let error = say(&mut *lease, slow).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(!error.is_retryable(), "it would take as long the next time");
        let doomed = lease.state() == ConnectionState::Failed;
        assert_eq!(doomed, db.kind() == Kind::Postgres, "the others undo the statement alone");
        let next = say(&mut *lease, "INSERT INTO settings (name, value) VALUES ('b', 'v')").await;
        match lease.commit().await {
            Ok(()) => {
                next?;
                assert_eq!(names(db).await?, ["a", "b"]);
            }
            Err(error) => {
                assert_eq!((error.kind(), doomed), (ErrorKind::TransactionClosed, true), "{error}");
                assert_eq!(next.unwrap_err().kind(), ErrorKind::TransactionClosed);
                assert_eq!(names(db).await?, Vec::<String>::new());
            }
        }
        Ok(())
    }

    async fn b18_a_lock_that_is_not_had_in_time(db: &TestDb) -> Outcome {
        put("held", db).await?;
        let write = async |on: &Executor| {
            Setting::query().filter(Setting::name.eq("held")).update().set(Setting::value, "w").exec(on).await.map(drop)
        };
        let holder = db.begin().await?;
        write(&holder).await?;
        let limits = TxOptions::new().lock_timeout(millis(200));
        let ended = async {
            let tx = db.begin_with(limits).await?;
            put("a", &tx).await?;
            let waited = write(&tx).await;
            // Whoever ignores the error gets no further, on no database.
            let error = waited.unwrap_err();
            assert_eq!(put("b", &tx).await.unwrap_err().kind(), ErrorKind::TransactionClosed);
            assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::TransactionClosed);
            Err::<(), _>(error)
        };
        let start = Instant::now();
        let error = ended.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
        assert!(error.is_retryable());
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        holder.rollback().await?;
        assert_eq!(names(db).await?, ["held"]);
        Ok(())
    }

    async fn b21_a_value_of_seventeen_megabytes(db: &TestDb) -> Outcome {
        let one = open(db.url(), 1).await?;
        let large = "x".repeat(17 << 20);
        let create = Setting::create().name("large").value(large.as_str()).exec(&one).await;
        match create {
            Ok(_) => {
                assert_ne!(db.kind(), Kind::Mysql, "it takes packets of 16 MiB");
                assert_eq!(Setting::find("large").one(&one).await?.value.len(), large.len());
            }
            Err(error) => {
                assert_eq!((error.kind(), db.kind()), (ErrorKind::OutOfRange, Kind::Mysql), "{error}");
                assert_eq!((error.model(), error.field()), (Some("Setting"), Some("value")), "{error}");
                assert!(error.help().is_some() && error.to_string().len() < 500, "{error}");
            }
        }
        // Nothing was sent that would have ended the session.
        put("small", &one).await?;
        let status = one.pool_status();
        assert_eq!((status.opened, status.closings()), (1, 0), "{status:?}");
        one.close();
        Ok(())
    }
}

/// The server ends sessions that leave a transaction open for long.
async fn idle_for_too_long(url: &str, wait: Duration) -> covet_tests::Outcome {
    let db = open(url, 2).await?;
    let tx = db.begin().await?;
    put("a", &tx).await?;
    let quiet = db.begin().await?;
    put("b", &quiet).await?;
    tokio::time::sleep(wait).await;
    let error = put("c", &tx).await.unwrap_err();
    assert!(error.is_connection_lost() || error.kind() == ErrorKind::TransactionClosed, "{error}");
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TransactionClosed, "it never came to the commit: {error}");
    // One that goes straight to its commit.
    let error = quiet.commit().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TransactionClosed | ErrorKind::CommitUnknown), "{error}");
    assert_eq!(names(&db).await?, Vec::<String>::new());
    put("d", &db).await?;
    Ok(())
}

on_postgres! {
    async fn b19_a_transaction_that_is_idle_for_too_long(db: &TestDb) -> Outcome {
        let url = format!("{}&idle_in_transaction_session_timeout=200", db.url());
        idle_for_too_long(&url, millis(600)).await?;
        assert_eq!(names(db).await?, ["d"]);
        Ok(())
    }
}

#[test]
fn b19_a_transaction_that_is_idle_for_too_long_mysql() {
    with_server(Kind::Mysql, &["idle-transaction-timeout=1"], async |server: &mut Server| {
        make_table(&open(&server.url(), 1).await?).await?;
        idle_for_too_long(&server.url(), millis(2_200)).await
    });
}

#[test]
fn b19_a_connection_that_is_idle_for_too_long_mysql() {
    with_server(Kind::Mysql, &["wait-timeout=1"], async |server: &mut Server| {
        let db = open(&server.url(), 3).await?;
        make_table(&db).await?;
        drop(futures_util::future::try_join_all((0..3).map(|_| db.acquire())).await?);
        tokio::time::sleep(millis(2_200)).await;
        let mut lost = 0;
        for number in 0..9 {
            match put(format!("n{number}"), &db).await {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
                    lost += 1;
                }
            }
        }
        // The first one that is found lost casts doubt on the others, which are asked before they are lent.
        assert!(lost <= 1, "{lost} statements were lost");
        Ok(())
    });
}

on_each_server! {
    async fn b20_what_an_administrator_ends(db: &TestDb) -> Outcome {
        let slow = if db.kind() == Kind::Postgres { "SELECT pg_sleep(30)" } else { "SELECT SLEEP(30)" };
        let pool = open(db.url(), 2).await?;
        // A statement is cancelled: its session lives on.
        let mut lease = pool.acquire().await?;
        let session = id(&mut lease).await?;
        let cancel = async {
            tokio::time::sleep(millis(150)).await;
            match db.kind() {
                Kind::Postgres => db.raw(&format!("SELECT pg_cancel_backend({session})")).await,
                _ => db.raw(&format!("KILL QUERY {session}")).await,
            }
        };
        let (ended, cancelled) = futures_util::future::join(say(&mut *lease, slow), cancel).await;
        cancelled?;
        match ended {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
            // SLEEP gives 1 instead of an error where it is interrupted.
            Ok(()) => assert_eq!(db.kind(), Kind::Mysql),
        }
        assert_eq!(id(&mut lease).await?, session);
        // A session is ended in the middle of a statement.
        let end = async {
            tokio::time::sleep(millis(150)).await;
            kill(session, db).await
        };
        let (ended, killed) = futures_util::future::join(say(&mut *lease, slow), end).await;
        killed?;
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert_eq!(lease.state(), ConnectionState::Broken);
        drop(lease);
        put("after", &pool).await?;
        assert_eq!(pool.pool_status().in_use, 0);
        Ok(())
    }
}
