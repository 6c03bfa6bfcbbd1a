//! Notifications: what is sent is heard, what is missed is told, and other databases refuse by name.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{ErrorKind, Listen, ListenEvent};
use covet_tests::{Kind, Outcome, TestDb, on_each_database, on_postgres};
use futures_util::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Within this time everything arrives that is to arrive.
const SOON: Duration = Duration::from_secs(20);

/// Names the process that measures its memory.
const CHILD: &str = "COVET_TEST_SLOW_LISTENER";

/// The next event, in words.
async fn next(heard: &mut Listen) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    Ok(match tokio::time::timeout(SOON, heard.next()).await?.ok_or("the stream has ended")? {
        ListenEvent::Established => "established".into(),
        ListenEvent::Notification(told) => format!("{}: {}", told.channel, told.payload),
        ListenEvent::Lost(error) => format!("lost: {}", error.kind().name()),
        other => format!("{other:?}"),
    })
}

/// Whether nothing comes for a while.
async fn silent(heard: &mut Listen) -> bool {
    tokio::time::timeout(Duration::from_millis(150), heard.next()).await.is_err()
}

async fn established(db: &Db, channel: &str) -> Result<Listen, Box<dyn std::error::Error + Send + Sync>> {
    let mut heard = db.listen([channel])?;
    assert_eq!(next(&mut heard).await?, "established");
    Ok(heard)
}

/// The sessions of this database that listen.
async fn listening(db: &TestDb) -> covet_orm::Result<Vec<String>> {
    let sql = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    Ok(db.raw_rows(sql).await?.into_iter().flatten().flatten().collect())
}

async fn listening_soon(db: &TestDb, wanted: usize) -> covet_orm::Result<()> {
    let begun = Instant::now();
    while listening(db).await?.len() != wanted {
        assert!(begun.elapsed() < SOON, "{:?}", listening(db).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

on_each_database! {
    async fn whoever_has_none_refuses_by_name(db: &TestDb) -> Outcome {
        let (listened, notified) = (db.listen(["a"]).map(drop), db.notify("a", "b").await);
        if db.kind() == Kind::Postgres {
            return Ok(listened.and(notified)?);
        }
        for (result, what) in [(listened, "LISTEN"), (notified, "NOTIFY")] {
            let error = result.expect_err(what);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(what) && error.to_string().contains(db.kind().name()), "{error}");
        }
        Ok(())
    }
}

on_postgres! {
    async fn what_is_sent_is_heard_in_order(db: &TestDb) -> Outcome {
        let odd = "Ünï \"quoted\"; NOTIFY x";
        let long = "x".repeat(63);
        let mut heard = db.listen(["orders", odd, &long])?;
        assert_eq!(listening(db).await?.len(), 0, "nothing is opened before the first poll");
        assert_eq!(next(&mut heard).await?, "established");
        db.notify("Orders", "another channel").await?;
        for (channel, payload) in [("orders", "1"), (odd, "'; SELECT"), (&long, ""), ("orders", "1")] {
            db.notify(channel, payload).await?;
            assert_eq!(next(&mut heard).await?, format!("{channel}: {payload}"));
        }
        let most = "p".repeat(7_999);
        db.notify("orders", &most).await?;
        assert_eq!(next(&mut heard).await?, format!("orders: {most}"));
        for number in 0..1_000 {
            db.notify("orders", &number.to_string()).await?;
        }
        for number in 0..1_000 {
            assert_eq!(next(&mut heard).await?, format!("orders: {number}"));
        }
        assert!(silent(&mut heard).await);
        Ok(())
    }

    async fn what_cannot_be_sent_is_refused_before_it_is(db: &TestDb) -> Outcome {
        let (long, much) = ("é".repeat(32), "é".repeat(4_000));
        for channel in ["", "a\0b", &long] {
            assert_eq!(db.listen(["fine", channel]).unwrap_err().kind(), ErrorKind::InvalidInput, "{channel:?}");
            assert_eq!(db.notify(channel, "").await.unwrap_err().kind(), ErrorKind::InvalidInput, "{channel:?}");
        }
        for payload in ["a\0b", &much] {
            let error = db.notify("fine", payload).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidInput, None), "{error}");
        }
        assert_eq!(db.listen(Vec::<String>::new()).unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    }

    async fn a_notification_belongs_to_its_transaction(db: &TestDb) -> Outcome {
        let mut heard = established(db, "c").await?;
        let mut tx = db.begin().await?;
        tx.notify("c", "kept back").await?;
        let undone = tx.transaction(async |inner| {
            inner.notify("c", "of a savepoint").await?;
            Err::<(), _>(covet_orm::Error::new(ErrorKind::NotFound, "undo"))
        });
        assert!(undone.await.is_err());
        assert!(silent(&mut heard).await);
        tx.commit().await?;
        assert_eq!(next(&mut heard).await?, "c: kept back");
        let tx = db.begin().await?;
        tx.notify("c", "never").await?;
        tx.rollback().await?;
        db.notify("c", "last").await?;
        assert_eq!(next(&mut heard).await?, "c: last");
        Ok(())
    }

    async fn a_killed_session_is_told_before_anything_else(db: &TestDb) -> Outcome {
        let mut heard = established(db, "c").await?;
        for round in 0..3 {
            db.notify("c", &format!("before {round}")).await?;
            assert_eq!(next(&mut heard).await?, format!("c: before {round}"));
            let sessions = listening(db).await?;
            assert_eq!(sessions.len(), 1);
            db.raw(&format!("SELECT pg_terminate_backend({}, 5000)", sessions[0])).await?;
            db.notify("c", "missed").await?;
            assert_eq!(next(&mut heard).await?, "lost: connection lost");
            assert_eq!(next(&mut heard).await?, "established");
        }
        db.notify("c", "after").await?;
        assert_eq!(next(&mut heard).await?, "c: after");
        Ok(())
    }

    async fn a_server_that_is_away_is_asked_again_with_pauses(db: &TestDb) -> Outcome {
        let mut gate = Gate::open(db.url()).await?;
        let far = Db::connect(&gate.url(db.url())).await?;
        let mut heard = established(&far, "c").await?;
        gate.close();
        db.notify("c", "missed").await?;
        let away = Instant::now();
        assert_eq!(next(&mut heard).await?, "lost: connection lost");
        for _ in 0..3 {
            assert_eq!(next(&mut heard).await?, "lost: unreachable");
        }
        // At least half of 100, 200 and 400 ms, and not much more than the whole of them.
        assert!((350..5_000).contains(&away.elapsed().as_millis()), "{:?}", away.elapsed());
        gate.reopen().await?;
        assert_eq!(next(&mut heard).await?, "established");
        db.notify("c", "there again").await?;
        assert_eq!(next(&mut heard).await?, "c: there again");
        Ok(())
    }

    async fn a_dropped_stream_ends_its_session_wherever_it_stands(db: &TestDb) -> Outcome {
        let heard = established(db, "c").await?;
        assert_eq!(listening(db).await?.len(), 1);
        drop(heard);
        listening_soon(db, 0).await?;
        // Dropped while it connects: after each number of polls.
        for polls in 0..20 {
            let mut heard = db.listen(["c"])?;
            for _ in 0..polls {
                let _ = futures_util::poll!(heard.next());
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
        }
        Ok(listening_soon(db, 0).await?)
    }
}

/// A way to the server that can be closed, and opened again in the same place.
struct Gate {
    server: Arc<str>,
    port: u16,
    open: JoinHandle<()>,
}

impl Gate {
    async fn open(url: &str) -> std::io::Result<Gate> {
        let (_, place) = url.split_once('@').unwrap();
        let server: Arc<str> = place.split_once('/').unwrap().0.into();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        Ok(Gate { open: tokio::spawn(carry(listener, Arc::clone(&server))), server, port })
    }

    fn url(&self, url: &str) -> String {
        url.replace(&*self.server, &format!("127.0.0.1:{}", self.port))
    }

    /// Closes every connection, and takes none.
    fn close(&self) {
        self.open.abort();
    }

    async fn reopen(&mut self) -> std::io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await?;
        self.open = tokio::spawn(carry(listener, Arc::clone(&self.server)));
        Ok(())
    }
}

async fn carry(listener: TcpListener, server: Arc<str>) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        connections.spawn(async move {
            let mut upstream = TcpStream::connect(&*server).await?;
            tokio::io::copy_bidirectional(&mut client, &mut upstream).await
        });
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Runs in a process of its own, where nothing else takes memory.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn slow() {
    async fn case(db: &TestDb) -> Outcome {
        let (rounds, each) = (20, 500);
        let payload = |number: usize| format!("{number:07}{}", "x".repeat(7_000));
        let mut heard = established(db, "c").await?;
        db.notify("c", &payload(0)).await?;
        next(&mut heard).await?;
        let before = resident();
        for round in 0..rounds {
            let numbers = round * each..(round + 1) * each;
            db.transaction(async |tx| {
                for number in numbers.clone() {
                    tx.notify("c", &payload(number)).await?;
                }
                Ok(())
            })
            .await?;
        }
        // 70 MB are under way.
        let grown = resident().saturating_sub(before);
        assert!(grown < 8 * 1024, "{grown} KiB");
        for number in 0..rounds * each {
            assert_eq!(next(&mut heard).await?, format!("c: {}", payload(number)));
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 8 * 1024, "{grown} KiB");
        println!("kept nothing");
        Ok(())
    }
    assert!(std::env::var(CHILD).is_ok());
    covet_tests::run(Kind::Postgres, |db| Box::pin(case(db)));
}

#[test]
fn nothing_is_kept_for_a_slow_listener_and_nothing_is_lost() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["listen::slow", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(program).args(arguments).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("kept nothing") || !covet_tests::servers().contains(&Kind::Postgres), "{text}");
}
