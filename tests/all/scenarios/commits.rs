//! Commits that the server refuses, answers in another way, or makes on its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::contract::{Command, ConnectionState, Reuse, TransactionOptions};
use covet_drivers::pool::CloseReason;
use covet_orm::{CommitOutcome, CommitToken, ErrorKind, TxOptions};
use covet_tests::proxy::{Bent, Direction, Grain, Proxy};
use covet_tests::server::with_server;
use covet_tests::{Kind, on_each_database};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::scenarios::{PATIENCE, count, make_table, millis, names, open, put};

/// A message of MySQL's protocol: an error in place of an answer.
fn refusal(sequence: u8, code: u16, state: &str, text: &str) -> Vec<u8> {
    let mut body = vec![0xff];
    body.extend(code.to_le_bytes());
    body.push(b'#');
    body.extend(state.bytes());
    body.extend(text.bytes());
    let mut message = u32::try_from(body.len()).unwrap().to_le_bytes()[..3].to_vec();
    message.push(sequence);
    message.extend(body);
    message
}

/// A command of MySQL's protocol that is a text.
fn text(sql: &str) -> Vec<u8> {
    let mut message = u32::try_from(sql.len() + 1).unwrap().to_le_bytes().to_vec();
    message.push(3);
    message.extend(sql.bytes());
    message
}

/// Does to one command what a node of a cluster does that must not carry it out: the command is another one, and its
/// answer an error.
fn refuse_once(proxy: &Proxy, command: &'static str, instead: &'static str, code: u16) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let (theirs, answer) = (Arc::clone(&done), AtomicBool::new(false));
    proxy.bend(move |passing| match passing.direction {
        Direction::ToServer if passing.bytes == text(command) && !theirs.swap(true, Ordering::SeqCst) => {
            answer.store(true, Ordering::SeqCst);
            Bent::Into(text(instead))
        }
        Direction::ToClient if answer.swap(false, Ordering::SeqCst) => {
            let (state, said) = match code {
                1047 => ("08S01", "WSREP has not yet prepared node"),
                1180 => ("HY000", "Got error 5 during COMMIT"),
                _ => ("40001", "Deadlock found"),
            };
            Bent::Into(refusal(passing.bytes[3], code, state, said))
        }
        _ => Bent::Same,
    });
    done
}

#[test]
fn c10_a_cluster_refuses_a_commit_mysql() {
    covet_tests::run(Kind::Mysql, |db| {
        Box::pin(async move {
            let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
            let pool = open(proxy.url(), 1).await?;
            put("before", &pool).await?;
            // The certification of the commit failed: nothing of it is there, and the whole runs again.
            let done = refuse_once(&proxy, "COMMIT", "ROLLBACK", 1213);
            let runs = &AtomicU32::new(0);
            pool.transaction(async |tx| put(format!("run{}", runs.fetch_add(1, Ordering::SeqCst)), tx).await).await?;
            assert!(done.load(Ordering::SeqCst));
            assert_eq!(names(db).await?, ["before", "run1"]);
            let status = pool.pool_status();
            assert_eq!((status.opened, status.closings()), (1, 0), "the session is well: {status:?}");
            // The node has left its cluster: it is no use, and the pool leaves it.
            let done = refuse_once(&proxy, "SELECT 5", "SELECT 6", 1047);
            let mut lease = pool.acquire().await?;
            let error = lease.script("SELECT 5").await.unwrap_err();
            assert!(done.load(Ordering::SeqCst));
            assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Some("1047")), "{error}");
            drop(lease);
            put("after", &pool).await?;
            let status = pool.pool_status();
            assert_eq!((status.opened, status.closed_for(CloseReason::Broken)), (2, 1), "{status:?}");
            // The commit was sent to the others, and then they were lost: they may have it.
            let done = refuse_once(&proxy, "COMMIT", "COMMIT", 1180);
            let error = pool.transaction(async |tx| put("sent", tx).await).await.unwrap_err();
            assert!(done.load(Ordering::SeqCst));
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::CommitUnknown, false), "{error}");
            assert_eq!(count("sent", db).await?, 1);
            // A token tells: nothing of this one is there, and it runs again.
            pool.prepare_commit_tokens().await?;
            let done = refuse_once(&proxy, "COMMIT", "ROLLBACK", 1180);
            pool.transaction_with(TxOptions::new().token(), async |tx| put("told", tx).await).await?;
            assert!(done.load(Ordering::SeqCst));
            assert_eq!(count("told", db).await?, 1);
            Ok(())
        })
    });
}

#[test]
fn c13_what_a_statement_has_committed_before_it_waited_is_told_mysql() {
    covet_tests::run(Kind::Mysql, |db| {
        Box::pin(async move {
            let reader = db.begin().await?;
            assert_eq!(count("kept", &reader).await?, 0);
            let mut lease = db.acquire().await?;
            let options = TransactionOptions { lock_timeout: Some(millis(1000)), ..TransactionOptions::DEFAULT };
            lease.begin(&options).await?;
            lease.script("INSERT INTO settings (name, value) VALUES ('kept', 'v')").await?;
            let error = lease.script("TRUNCATE TABLE settings").await.unwrap_err();
            let told = (error.kind(), error.is_retryable(), error.is_transaction_lost());
            assert_eq!(told, (ErrorKind::TransactionClosed, false, false), "{error}");
            reader.rollback().await?;
            assert_eq!(count("kept", db).await?, 1);
            Ok(())
        })
    });
}

/// A backup holds up every commit, and those that statements make on the way.
#[test]
fn c13_a_commit_that_is_held_up_has_not_happened_mysql() {
    with_server(Kind::Mysql, &["innodb-rollback-on-timeout=ON"], async |server| {
        let boss = open(&server.url().replace("covet:covet@", "boss:boss@"), 1).await?;
        let db = open(&server.url(), 3).await?;
        make_table(&db).await?;
        put("row", &db).await?;
        let mut backup = boss.acquire().await?;
        let mut lease = db.acquire().await?;
        let options = TransactionOptions { lock_timeout: Some(millis(1000)), ..TransactionOptions::DEFAULT };
        let insert = |name: &str| format!("INSERT INTO settings (name, value) VALUES ('{name}', 'v')");
        let told = |error: covet_orm::Error| (error.kind(), error.is_retryable(), error.is_transaction_lost());
        let rolled_back = (ErrorKind::LockTimeout, true, true);
        let undecided = (ErrorKind::TransactionClosed, false, false);

        lease.begin(&options).await?;
        lease.script(&insert("commit")).await?;
        backup.script("FLUSH TABLES WITH READ LOCK").await?;
        assert_eq!(told(lease.commit().await.unwrap_err()), rolled_back);
        backup.script("UNLOCK TABLES").await?;
        assert_eq!(count("commit", &db).await?, 0);

        lease.begin(&options).await?;
        lease.script(&insert("on the way")).await?;
        backup.script("FLUSH TABLES WITH READ LOCK").await?;
        assert_eq!(told(lease.script("CREATE TABLE other (id INT)").await.unwrap_err()), undecided);
        backup.script("UNLOCK TABLES").await?;
        assert_eq!(count("on the way", &db).await?, 0);

        // This server rolls all of it back where a row was not had, and still not what DDL has committed.
        let mut holder = db.acquire().await?;
        holder.begin(&TransactionOptions::DEFAULT).await?;
        holder.script("UPDATE settings SET value = 'u' WHERE name = 'row'").await?;
        lease.begin(&options).await?;
        lease.script(&insert("row lock")).await?;
        let update =
            Command { sql: "UPDATE settings SET value = 'w' WHERE name = 'row'", args: &[], reuse: Reuse::Keep };
        assert_eq!(told(lease.run(update, &mut ()).await.unwrap_err()), rolled_back);
        assert_eq!(lease.state(), ConnectionState::Idle);
        assert_eq!(count("row lock", &db).await?, 0);
        lease.begin(&options).await?;
        lease.script(&insert("table lock")).await?;
        assert_eq!(told(lease.script("TRUNCATE TABLE settings").await.unwrap_err()), undecided);
        holder.rollback().await?;
        assert_eq!(count("table lock", &db).await?, 1);
        Ok(())
    });
}

on_each_database! {
    async fn c13_what_would_commit_in_silence_is_refused_or_told(db: &TestDb) -> Outcome {
        let mut lease = db.acquire().await?;
        let plain = TransactionOptions::DEFAULT;
        let insert = "INSERT INTO settings (name, value) VALUES ('a', 'v')";
        lease.begin(&plain).await?;
        lease.run(Command { sql: insert, args: &[], reuse: Reuse::Keep }, &mut ()).await?;
        // A second BEGIN would commit the first one on MySQL and MariaDB.
        let error = lease.begin(&plain).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TransactionClosed | ErrorKind::InvalidInput), "{error}");
        assert_eq!(lease.state(), ConnectionState::InTransaction);
        assert_eq!(names(db).await?, Vec::<String>::new());
        lease.script("CREATE TABLE other (id INTEGER)").await?;
        if db.capabilities().transactional_ddl {
            assert_eq!(lease.state(), ConnectionState::InTransaction);
            lease.rollback().await?;
            assert_eq!(names(db).await?, Vec::<String>::new());
            lease.script("CREATE TABLE other (id INTEGER)").await?;
            return Ok(());
        }
        // The server has committed, and whoever goes on is told.
        assert_eq!(lease.state(), ConnectionState::Idle);
        assert_eq!(names(db).await?, ["a"]);
        let error = lease.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TransactionClosed, "{error}");
        assert!(error.help().is_some_and(|help| help.contains("DDL")), "{error}");
        Ok(())
    }
}

/// Hears warnings of transactions.
struct Ear(Arc<AtomicBool>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "covet::transaction" && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The standby that every commit waits for is not there.
const ALONE: &[&str] = &["synchronous_standby_names=nobody", "synchronous_commit=on"];

#[test]
fn c16_a_commit_that_waits_for_a_dead_standby() {
    with_server(Kind::Postgres, ALONE, async |server| {
        let limit = millis(400);
        let local = format!("{}&options=-c%20synchronous_commit%3Dlocal", server.url());
        let outside = open(&local, 2).await?;
        make_table(&outside).await?;
        outside.prepare_commit_tokens().await?;
        let db = open(&server.url(), 2).await?;
        // The deadline passes: the commit is not known, and never said to have failed.
        let tx = db.begin_with(TxOptions::new().token().deadline(limit)).await?;
        put("a", &tx).await?;
        let start = Instant::now();
        let error = tx.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        assert!(start.elapsed() < limit + millis(300), "{:?}", start.elapsed());
        let token = CommitToken::of(&error).ok_or("one was asked for")?;
        let outcome = tokio::time::timeout(Duration::from_secs(20), outside.outcome_of(token)).await??;
        assert_eq!(outcome, CommitOutcome::Committed, "the server has it, and its standby has not");
        assert_eq!(count("a", &outside).await?, 1);
        // An administrator cancels the waiting: the server warns that it has committed on its own.
        let heard = Arc::new(AtomicBool::new(false));
        let (url, ear) = (server.url(), Ear(Arc::clone(&heard)));
        let waits = std::thread::spawn(move || {
            // Only what this thread does is heard.
            let _hears = tracing::subscriber::set_default(ear);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let db = open(&url, 1).await?;
                put("b", &db).await
            })
        });
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let start = Instant::now();
        while !waits.is_finished() {
            assert!(start.elapsed() < PATIENCE, "it waits for ever");
            outside.acquire().await?.script(cancel).await?;
            tokio::time::sleep(millis(20)).await;
        }
        waits.join().unwrap()?;
        assert!(heard.load(Ordering::SeqCst), "nobody was warned");
        assert_eq!(count("b", &outside).await?, 1);
        assert!(server.log().contains("canceling wait for synchronous replication"), "{}", server.log());
        Ok(())
    });
}
