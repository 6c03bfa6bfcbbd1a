//! A running program moves to another server: nothing fails, nothing is lost, and in doubt nothing happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use covet_orm::migrate::{Migrator, Project};
use covet_orm::prelude::*;
use covet_orm::schema::{Models, schema_of};
use covet_orm::{DbOptions, ErrorKind, ListenEvent, Role, SwitchOptions};
use covet_tests::models::{Setting, put};
use covet_tests::server::{Server, with_server};
use covet_tests::{Kind, Outcome, TestDb, Url, create_all, on_each_database, on_postgres};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;

async fn all(on: &Executor) -> covet_orm::Result<usize> {
    Ok(usize::try_from(Setting::query().count(on).await?).unwrap_or(usize::MAX))
}

/// Writes through the database until the flag falls, in and out of transactions; gives how many were acknowledged.
async fn work(db: Db, goes_on: Arc<AtomicBool>) -> covet_orm::Result<usize> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let tasks = (0..6).map(|task| {
        let (db, goes_on) = (db.clone(), Arc::clone(&goes_on));
        async move {
            let mut done = 0;
            while goes_on.load(Ordering::SeqCst) {
                let name = format!("w{}", NUMBER.fetch_add(1, Ordering::SeqCst));
                if task % 2 == 0 {
                    put(name, &db).await?;
                } else {
                    db.transaction(async |tx| {
                        put(name.clone(), tx).await?;
                        tokio::time::sleep(Duration::from_millis(3)).await;
                        Setting::query().filter(Setting::name.eq(name)).count(tx).await.map(drop)
                    })
                    .await?;
                }
                done += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok::<usize, covet_orm::Error>(done)
        }
    });
    Ok(try_join_all(tasks.map(tokio::spawn))
        .await
        .unwrap()
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .sum())
}

/// Another, empty database of the same kind, with the tables.
async fn another(db: &TestDb) -> covet_orm::Result<(Url, Db)> {
    let url = Url::fresh(db.kind()).await.unwrap();
    let other = Db::connect_with(&url.url, DbOptions::new().max_connections(2)).await?;
    create_all(&other).await;
    Ok((url, other))
}

on_each_database! {
    async fn under_load_no_statement_fails_and_every_row_is_where_it_was_acknowledged(db: &TestDb) -> Outcome {
        let (url, other) = another(db).await?;
        let old = Db::connect_with(db.url(), DbOptions::new().max_connections(1)).await?;
        let goes_on = Arc::new(AtomicBool::new(true));
        let working = tokio::spawn(work((**db).clone(), Arc::clone(&goes_on)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let switched = db.switch_to(&url.url).await?;
        // Whether these two are copies of each other nobody can tell.
        assert!(!switched.caught_up);
        let before = all(&old).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        goes_on.store(false, Ordering::SeqCst);
        let acknowledged = working.await?.map_err(|error| format!("a statement failed: {error}"))?;
        let after = all(&other).await?;
        assert!(before > 0 && after > 0, "{before} + {after}");
        assert_eq!((all(&old).await?, before + after), (before, acknowledged), "the pause was {:?}", switched.pause);
        assert_eq!(all(db).await?, after);
        assert!(db.pool_status().closed_for(covet_orm::drivers::pool::CloseReason::Switched) > 0);
        // And back, with a handle that has not seen the first switch.
        let clone = (**db).clone();
        clone.switch_to(db.url()).await?;
        assert_eq!(all(db).await?, before);
        old.close();
        other.close();
        url.drop_database().await;
        Ok(())
    }

    async fn what_does_not_fit_is_refused_and_nothing_has_changed(db: &TestDb) -> Outcome {
        let (url, other) = another(db).await?;
        put("here".to_owned(), db).await?;
        let wrong_kind = if db.kind() == Kind::Sqlite { "postgres://127.0.0.1:1/x" } else { "sqlite://other.db" };
        let refusals = [(wrong_kind, ErrorKind::SwitchRefused), ("nothing", ErrorKind::Config)];
        for (url, kind) in refusals {
            let error = db.switch_to(url).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
        // Other migrations.
        let folder = tempfile::tempdir()?;
        let project = Project::new(folder.path().join("migrations"), &[db.kind().name()])?;
        let empty = Url::fresh(db.kind()).await.unwrap();
        let migrated = Db::connect_with(&empty.url, DbOptions::new().max_connections(2)).await?;
        project.draft(&schema_of(&Models::registered())?, None, &[])?.unwrap().write()?;
        Migrator::from_dir(folder.path().join("migrations"))?.up(&migrated).await?;
        let error = db.switch_to(&empty.url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SwitchRefused, "{error}");
        assert!(error.to_string().contains("here it is none") && error.help().is_some(), "{error}");
        // Somebody does not end in time, and is named; whoever waits meanwhile goes on here.
        let tx = db.begin().await?;
        let short = || SwitchOptions::new().deadline(Duration::from_millis(200));
        let (switched, waited) = tokio::join!(db.switch_to_with(&url.url, short()), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            all(db).await
        });
        let error = switched.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
        assert!(error.to_string().contains("switch.rs"), "{error}");
        assert_eq!(waited?, 1);
        tx.rollback().await?;
        // Dropped half-way.
        let tx = db.begin().await?;
        assert!(tokio::time::timeout(Duration::from_millis(100), db.switch_to(&url.url)).await.is_err());
        tx.rollback().await?;
        assert_eq!((all(db).await?, all(&other).await?), (1, 0));
        assert!(!db.switch_to_with(&url.url, short()).await?.caught_up);
        db.close();
        assert_eq!(db.switch_to(&url.url).await.unwrap_err().kind(), ErrorKind::PoolClosed);
        migrated.close();
        other.close();
        empty.drop_database().await;
        url.drop_database().await;
        Ok(())
    }
}

on_postgres! {
    async fn who_listens_hears_the_other_server_from_then_on(db: &TestDb) -> Outcome {
        let (url, other) = another(db).await?;
        let mut heard = db.listen(["news"])?;
        assert!(matches!(heard.next().await, Some(ListenEvent::Established)));
        db.switch_to(&url.url).await?;
        let lost = heard.next().await;
        assert!(matches!(&lost, Some(ListenEvent::Lost(error)) if error.kind() == ErrorKind::ConnectionLost), "{lost:?}");
        assert!(matches!(heard.next().await, Some(ListenEvent::Established)));
        other.notify("news", "from there").await?;
        let told = heard.next().await;
        assert!(matches!(&told, Some(ListenEvent::Notification(told)) if told.payload == "from there"), "{told:?}");
        drop(heard);
        db.switch_to(db.url()).await?;
        other.close();
        url.drop_database().await;
        Ok(())
    }
}

#[test]
fn a_database_in_memory_stays_where_it_is() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Db::connect("sqlite::memory:").await.unwrap();
        let error = db.switch_to("sqlite::memory:").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SwitchRefused, "{error}");
        let file = tempfile::tempdir().unwrap();
        let error = db.switch_to(&format!("sqlite://{}", file.path().join("x.db").display())).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::SwitchRefused), "{error}");
    });
}

/// A primary under load, its follower is promoted, and everything that was acknowledged is there.
async fn to_a_follower(primary: &mut Server, settings: &[&str]) -> Outcome {
    let db = Db::connect(&primary.url()).await?;
    create_all(&db).await;
    let follower = Arc::new(primary.follower(settings).await);
    let other = Db::connect_with(&follower.url(), DbOptions::new().max_connections(2)).await?;
    let goes_on = Arc::new(AtomicBool::new(true));
    let working = tokio::spawn(work(db.clone(), Arc::clone(&goes_on)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = std::time::Instant::now();
    loop {
        let health = other.health().await;
        assert!(health.is_healthy(), "{health}");
        assert_eq!((health.vitals.role, health.vitals.writable), (Role::Replica, Some(false)), "{health}");
        if health.vitals.lag.is_some_and(|lag| lag < Duration::from_secs(3)) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{health}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A replica that nobody promotes takes no writes.
    let options = SwitchOptions::new().deadline(Duration::from_secs(2));
    let error = db.switch_to_with(&follower.url(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
    let promoted = Arc::clone(&follower);
    let options = SwitchOptions::new().when_caught_up(move || async move {
        promoted.promote().await;
        Ok(())
    });
    let switched = db.switch_to_with(&follower.url(), options).await?;
    assert!(switched.caught_up);
    tokio::time::sleep(Duration::from_millis(200)).await;
    goes_on.store(false, Ordering::SeqCst);
    let acknowledged = working.await?.map_err(|error| format!("a statement failed: {error}"))?;
    assert_eq!(
        (all(&db).await?, all(&other).await?),
        (acknowledged, acknowledged),
        "the pause was {:?}",
        switched.pause
    );
    println!("{acknowledged} rows, nothing was lent for {:?}", switched.pause);
    assert_eq!(db.health().await.vitals.writable, Some(true));
    // What is behind is refused: the old server has less now.
    let back = db.switch_to_with(&primary.url(), SwitchOptions::new().deadline(Duration::from_secs(1))).await;
    assert!(back.as_ref().map_or(true, |switched| !switched.caught_up), "{back:?}");
    Ok(())
}

/// Waits until so many rows have come.
async fn holds(db: &Db, rows: usize) {
    while all(db).await.ok() != Some(rows) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A program whose server is killed, and a follower that has its one row.
async fn orphaned(primary: &mut Server, settings: &[&str]) -> covet_orm::Result<(Db, Server)> {
    let db = Db::connect(&primary.url()).await?;
    create_all(&db).await;
    put("a".to_owned(), &db).await?;
    let follower = primary.follower(settings).await;
    holds(&Db::connect_with(&follower.url(), DbOptions::new().max_connections(2)).await?, 1).await;
    primary.kill();
    Ok((db, follower))
}

/// The old server is gone: nobody can tell what the follower has of it.
async fn from_a_dead_server(primary: &mut Server, settings: &[&str]) -> Outcome {
    let (db, follower) = orphaned(primary, settings).await?;
    follower.promote().await;
    let error = db.switch_to(&follower.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SwitchRefused, "{error}");
    assert!(error.help().is_some_and(|help| help.contains("abandon_old")), "{error:?}");
    let switched = db.switch_to_with(&follower.url(), SwitchOptions::new().abandon_old()).await?;
    assert!(!switched.caught_up);
    put("b".to_owned(), &db).await?;
    assert_eq!(all(&db).await?, 2);
    Ok(())
}

/// The old server is there and says nothing. Whoever leaves it does not wait for it until there is no time left.
async fn from_a_silent_server(old: &mut Server, kind: Kind) -> Outcome {
    let new = Server::start(kind, &[]).ok_or("its programs are there")?;
    new.lets_in().await;
    let db = Db::connect(&old.url()).await?;
    create_all(&db).await;
    let other = Db::connect(&new.url()).await?;
    create_all(&other).await;
    old.freeze();
    let start = std::time::Instant::now();
    let switched = db.switch_to_with(&new.url(), SwitchOptions::new().abandon_old()).await;
    old.thaw();
    assert!(!switched?.caught_up);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    put("a".to_owned(), &db).await?;
    assert_eq!(all(&other).await?, 1);
    Ok(())
}

/// The program writes to a server of which another one was promoted long ago. Whoever follows that one has come farther,
/// and has not what was written here.
async fn to_another_history(old: &mut Server, settings: [&[&str]; 2]) -> Outcome {
    let db = Db::connect(&old.url()).await?;
    create_all(&db).await;
    let promoted = old.follower(settings[0]).await;
    let there = Db::connect_with(&promoted.url(), DbOptions::new().max_connections(2)).await?;
    put("shared".to_owned(), &db).await?;
    holds(&there, 1).await;
    promoted.promote().await;
    while there.health().await.vitals.writable != Some(true) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    put("lost".to_owned(), &db).await?;
    for number in 0..20 {
        put(format!("elsewhere {number}"), &there).await?;
    }
    let follower = promoted.follower(settings[1]).await;
    let other = Db::connect_with(&follower.url(), DbOptions::new().max_connections(2)).await?;
    holds(&other, 21).await;
    let error = db.switch_to(&follower.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SwitchRefused, "{error}");
    assert!(error.to_string().contains("never had"), "{error}");
    assert_eq!(all(&db).await?, 2);
    Ok(())
}

/// The old server is gone, and the replica is promoted by what is to be called.
async fn a_dead_servers_replica_is_promoted(primary: &mut Server, settings: &[&str]) -> Outcome {
    let (db, follower) = orphaned(primary, settings).await?;
    let follower = Arc::new(follower);
    let promoted = Arc::clone(&follower);
    let options = SwitchOptions::new().abandon_old().when_caught_up(move || async move {
        promoted.promote().await;
        Ok(())
    });
    assert!(!db.switch_to_with(&follower.url(), options).await?.caught_up);
    put("b".to_owned(), &db).await?;
    assert_eq!(all(&db).await?, 2);
    Ok(())
}

const BINARY_LOG: [&str; 3] = ["log-bin=log", "server-id=1", "binlog-format=ROW"];
const FOLLOWS: [&str; 3] = ["log-bin=log", "server-id=2", "binlog-format=ROW"];

#[test]
fn to_a_promoted_follower_postgres() {
    with_server(Kind::Postgres, &[], async |server| to_a_follower(server, &[]).await);
}

#[test]
fn to_a_promoted_follower_mysql() {
    with_server(Kind::Mysql, &BINARY_LOG, async |server| to_a_follower(server, &FOLLOWS).await);
}

#[test]
fn from_a_dead_server_only_on_request_postgres() {
    with_server(Kind::Postgres, &[], async |server| from_a_dead_server(server, &[]).await);
}

#[test]
fn from_a_dead_server_only_on_request_mysql() {
    with_server(Kind::Mysql, &BINARY_LOG, async |server| from_a_dead_server(server, &FOLLOWS).await);
}

#[test]
fn from_a_silent_server_postgres() {
    with_server(Kind::Postgres, &[], async |old| from_a_silent_server(old, Kind::Postgres).await);
}

#[test]
fn from_a_silent_server_mysql() {
    with_server(Kind::Mysql, &[], async |old| from_a_silent_server(old, Kind::Mysql).await);
}

#[test]
fn to_another_history_is_refused_postgres() {
    with_server(Kind::Postgres, &[], async |old| to_another_history(old, [&[], &[]]).await);
}

#[test]
fn to_another_history_is_refused_mysql() {
    const ON: [&str; 4] = ["log-bin=log", "server-id=2", "binlog-format=ROW", "log-slave-updates=1"];
    const FARTHER: [&str; 3] = ["log-bin=log", "server-id=3", "binlog-format=ROW"];
    with_server(Kind::Mysql, &BINARY_LOG, async |old| to_another_history(old, [&ON, &FARTHER]).await);
}

#[test]
fn a_dead_servers_replica_is_promoted_postgres() {
    with_server(Kind::Postgres, &[], async |server| a_dead_servers_replica_is_promoted(server, &[]).await);
}

#[test]
fn a_dead_servers_replica_is_promoted_mysql() {
    with_server(Kind::Mysql, &BINARY_LOG, async |server| a_dead_servers_replica_is_promoted(server, &FOLLOWS).await);
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_no_target() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (db, other) = (Db::connect(&url("a.db")).await.unwrap(), Db::connect(&url("b.db")).await.unwrap());
    create_all(&db).await;
    create_all(&other).await;
    let target = format!("{}?mode=ro", url("b.db"));
    let error = db.switch_to(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SwitchRefused, "{error}");
    assert!(error.to_string().contains("reading alone"), "{error}");
    put("a".to_owned(), &db).await.unwrap();
}
