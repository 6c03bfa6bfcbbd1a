//! Servers that are killed and connections that are cut, at the worst of moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use covet_drivers::contract::{BRANCH_TABLE, BranchId, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{CommitOutcome, CommitToken, ErrorKind, Event, TxOptions};
use covet_tests::Kind;
use covet_tests::proxy::{Bent, Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::server::{Server, with_server};
use covet_tests::session::{self, number};

use crate::two_phase::servers::{Both, MYSQL, POSTGRES, observed, on_both};
use crate::two_phase::{has, nothing_happened, put, put_both};

/// The insert of a decision, in any of the dialects.
fn is_decision(sql: &str) -> bool {
    sql.starts_with("INSERT INTO") && sql.contains("_covet_decisions")
}

/// Does something at the end of a statement that is meant: of the one that the number says, once that is not 0.
fn armed(
    is_meant: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
    then: impl Fn() + Clone + Send + Sync + 'static,
) -> (Arc<AtomicUsize>, impl Fn(&Event<'_>) + Clone + Send + Sync + 'static) {
    let number = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&number);
    let observer = move |event: &Event<'_>| {
        if is_meant(event.sql) && theirs.load(Ordering::SeqCst) > 0 && theirs.fetch_sub(1, Ordering::SeqCst) == 1 {
            then();
        }
    };
    (number, observer)
}

#[test]
fn a_commit_of_a_branch_that_is_cut_on_the_wire_is_sent_again() {
    on_both(async |both| {
        for (kind, at) in [(Kind::Postgres, 0), (Kind::Mysql, 1)] {
            for direction in Direction::BOTH {
                for then in [Then::Cut, Then::Reset] {
                    let row = format!("{} {direction:?} {then:?}", kind.name());
                    let proxy = Arc::new(Proxy::start(kind, &both.urls[at], Grain::Message).await);
                    let mut urls = both.urls.clone();
                    urls[at] = proxy.url().to_owned();
                    let trap = Trap { direction, after: 0, then, reach: Reach::Present };
                    let theirs = Arc::clone(&proxy);
                    let (arm, observer) = armed(is_decision, move || theirs.set(trap));
                    let (c, _handles) = observed(&both.name, urls, 4, observer).await.unwrap();
                    arm.store(1, Ordering::SeqCst);
                    put_both(&c, &row).await.unwrap().everywhere().unwrap();
                    assert!(!proxy.is_untouched(), "{row}: nothing was cut");
                    assert!(both.both_have(&row).await, "{row}");
                    assert_eq!(both.prepared().await, 0);
                    nothing_happened(&c.recover().await.unwrap());
                }
            }
        }
    });
}

/// Whatever message of a transaction is lost with its connection: what is said of it is the truth.
#[test]
fn whatever_message_is_lost_what_is_said_is_the_truth() {
    on_both(async |both| {
        let stride = if covet_tests::torture() { 1 } else { 4 };
        let (mut cases, mut committed, mut longest) = (0, 0, Duration::ZERO);
        for (kind, at) in [(Kind::Postgres, 0), (Kind::Mysql, 1)] {
            let proxy = Proxy::start(kind, &both.urls[at], Grain::Message).await;
            let mut urls = both.urls.clone();
            urls[at] = proxy.url().to_owned();
            let (c, _handles) = observed(&both.name, urls, 2, |_: &Event<'_>| {}).await.unwrap();
            for (direction, offset) in Direction::BOTH.into_iter().zip(0_usize..) {
                for after in (offset % stride..).step_by(stride) {
                    let row = format!("{} {direction:?} {after}", kind.name());
                    put_both(&c, &format!("warm {row}")).await.unwrap().everywhere().unwrap();
                    proxy.set(Trap { direction, after, then: Then::Cut, reach: Reach::Present });
                    let once = TxOptions::new().attempts(1);
                    let ended = c
                        .transaction_with(once, async |[orders, stock]| {
                            put(&row, orders).await?;
                            put(&row, stock).await
                        })
                        .await;
                    let untouched = proxy.is_untouched();
                    proxy.release();
                    cases += 1;
                    longest = longest.max(both.nothing_left(Duration::from_secs(20)).await);
                    let there = both.both_have(&row).await;
                    match ended {
                        Ok(done) => {
                            done.everywhere().unwrap();
                            assert!(there, "{row}: it was said to be committed");
                        }
                        Err(error) => {
                            assert!(!there && error.kind() != ErrorKind::CommitUnknown, "{row}: {error}");
                        }
                    }
                    committed += usize::from(there);
                    // Cut connections are found by whoever comes next.
                    while put_both(&c, &format!("again {row}")).await.is_err() {}
                    if untouched {
                        break;
                    }
                    assert!(after < 400);
                }
            }
        }
        println!(
            "{cases} transactions lost a message, {committed} of them committed; the last branch went after {longest:?}"
        );
    });
}

#[test]
fn a_log_that_is_cut_while_it_decides_is_asked_again() {
    on_both(async |both| {
        // The log in a database behind a proxy of its own.
        for (direction, then) in
            Direction::BOTH.into_iter().flat_map(|way| [Then::Cut, Then::Reset].map(|then| (way, then)))
        {
            let row = format!("{direction:?} {then:?}");
            let proxy = Arc::new(Proxy::start(Kind::Postgres, &both.urls[0], Grain::Message).await);
            let urls = [both.urls[0].clone(), both.urls[1].clone(), proxy.url().to_owned()];
            let trap = Trap { direction, after: 0, then, reach: Reach::Present };
            let theirs = Arc::clone(&proxy);
            let (arm, observer) = armed(|sql| sql == "PREPARE TRANSACTION", move || theirs.set(trap));
            let (c, _handles) = observed(&both.name, urls, 4, observer).await.unwrap();
            arm.store(2, Ordering::SeqCst);
            let ended = put_both(&c, &row).await;
            let there = both.both_have(&row).await;
            match ended {
                Ok(done) => {
                    done.everywhere().unwrap();
                    assert!(there);
                }
                Err(error) => assert!(!there, "{row}: {error}"),
            }
            assert!(!proxy.is_untouched(), "{row}: nothing was cut");
            both.nothing_left(Duration::from_secs(10)).await;
        }
    });
}

/// What stands between the log and the coordinator says no to a decision that the log has taken.
#[test]
fn a_refusal_that_is_none_of_the_logs_is_asked_about() {
    on_both(async |both| {
        // Too many connections, no such user, no such database, one thing too many in an hour.
        for code in [1040_u16, 1045, 1049, 1226] {
            let row = format!("refused {code}");
            let proxy = Arc::new(Proxy::start(Kind::Mysql, &both.urls[1], Grain::Message).await);
            let urls = [both.urls[0].clone(), both.urls[1].clone(), proxy.url().to_owned()];
            let theirs = Arc::clone(&proxy);
            let (arm, observer) = armed(
                |sql| sql == "PREPARE TRANSACTION",
                move || {
                    let (sent, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
                    theirs.bend(move |passing| {
                        // The statement runs, and its answer becomes another one.
                        if passing.direction == Direction::ToServer && passing.bytes.get(4) == Some(&0x17) {
                            sent.store(1, Ordering::SeqCst);
                        }
                        let answers = passing.direction == Direction::ToClient && sent.load(Ordering::SeqCst) == 1;
                        if !answers || done.swap(1, Ordering::SeqCst) == 1 {
                            return Bent::Same;
                        }
                        let mut refusal = vec![0, 0, 0, passing.bytes[3], 0xff];
                        refusal.extend_from_slice(&code.to_le_bytes());
                        refusal.extend_from_slice(b"#08004not now");
                        refusal[0] = u8::try_from(refusal.len() - 4).unwrap();
                        Bent::Into(refusal)
                    });
                },
            );
            let (c, _handles) = observed(&both.name, urls, 4, observer).await.unwrap();
            arm.store(2, Ordering::SeqCst);
            put_both(&c, &row).await.unwrap().everywhere().unwrap();
            assert!(both.both_have(&row).await, "{row}");
            both.nothing_left(Duration::from_secs(10)).await;
            proxy.straighten();
        }
    });
}

/// Servers fall silent, and a deadline holds: for what is rolled back, for the decision, and for what is told of it.
#[test]
fn deadlines_hold_while_servers_are_silent() {
    on_both(async |both| {
        let limit = Duration::from_millis(600);
        let late = Duration::from_millis(900);
        let options = TxOptions::new().deadline(limit).attempts(1);
        let silence = |direction| Trap { direction, after: 0, then: Then::Swallow, reach: Reach::All };
        // The closure gives up, and one of the databases does not answer the rollback.
        for (kind, at) in [(Kind::Postgres, 0), (Kind::Mysql, 1)] {
            let proxy = Proxy::start(kind, &both.urls[at], Grain::Message).await;
            let mut urls = both.urls.clone();
            urls[at] = proxy.url().to_owned();
            let (c, _handles) = observed(&both.name, urls, 4, |_: &Event<'_>| {}).await.unwrap();
            let row = format!("given up {}", kind.name());
            let started = Instant::now();
            let ended = c
                .transaction_with(options, async |[orders, stock]| {
                    put(&row, orders).await?;
                    put(&row, stock).await?;
                    proxy.set(silence(Direction::ToClient));
                    Err::<(), _>(covet_orm::Error::new(ErrorKind::InvalidInput, "the test's own"))
                })
                .await;
            assert_eq!(ended.map(drop).unwrap_err().kind(), ErrorKind::InvalidInput);
            assert!(started.elapsed() < limit + late, "{row}: {:?}", started.elapsed());
            proxy.cut();
            assert!(!both.both_have(&row).await);
        }
        // The log does not answer the decision: it is not known, and that is said in time.
        let proxy = Arc::new(Proxy::start(Kind::Postgres, &both.urls[0], Grain::Message).await);
        let urls = [both.urls[0].clone(), both.urls[1].clone(), proxy.url().to_owned()];
        let theirs = Arc::clone(&proxy);
        let trap = silence(Direction::ToClient);
        let (arm, observer) = armed(|sql| sql == "PREPARE TRANSACTION", move || theirs.set(trap));
        let (c, _handles) = observed(&both.name, urls, 4, observer).await.unwrap();
        arm.store(2, Ordering::SeqCst);
        let started = Instant::now();
        let ended = c
            .transaction_with(options, async |[orders, stock]| {
                put("undecided", orders).await?;
                put("undecided", stock).await
            })
            .await;
        let error = ended.map(drop).unwrap_err();
        assert!(started.elapsed() < limit + late, "{:?}: {error}", started.elapsed());
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        proxy.cut();
        let outcome = c.outcome_of(CommitToken::of(&error).unwrap()).await.unwrap();
        both.nothing_left(Duration::from_secs(20)).await;
        assert_eq!(both.both_have("undecided").await, outcome == CommitOutcome::Committed);
    });
}

/// The log falls silent when it is told of the commit: nobody knows, and that is said; later it can be asked.
#[test]
fn a_log_that_falls_silent_leaves_it_unknown_until_it_is_asked() {
    if !covet_tests::torture() {
        return;
    }
    on_both(async |both| {
        let proxy = Arc::new(Proxy::start(Kind::Postgres, &both.urls[0], Grain::Message).await);
        let urls = [both.urls[0].clone(), both.urls[1].clone(), proxy.url().to_owned()];
        let trap = Trap { direction: Direction::ToClient, after: 0, then: Then::Swallow, reach: Reach::All };
        let theirs = Arc::clone(&proxy);
        let (arm, observer) = armed(|sql| sql == "PREPARE TRANSACTION", move || theirs.set(trap));
        let (c, _handles) = observed(&both.name, urls, 4, observer).await.unwrap();
        arm.store(2, Ordering::SeqCst);
        let error = put_both(&c, "unknown").await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{error}");
        assert_eq!(both.prepared().await, 2);
        proxy.cut();
        let outcome = c.outcome_of(CommitToken::of(&error).unwrap()).await.unwrap();
        both.nothing_left(Duration::from_secs(20)).await;
        assert_eq!(both.both_have("unknown").await, outcome == CommitOutcome::Committed);
    });
}

/// One server is killed when the commit is decided and no branch is told of it yet.
#[test]
fn a_server_that_is_killed_between_prepare_and_commit_has_it_when_it_is_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for kind in [Kind::Postgres, Kind::Mysql] {
        let (Some(postgres), Some(mysql)) =
            (Server::start(Kind::Postgres, POSTGRES), Server::start(Kind::Mysql, MYSQL))
        else {
            return;
        };
        let urls = (postgres.url(), mysql.url());
        let victim = Arc::new(std::sync::Mutex::new(if kind == Kind::Postgres { postgres } else { mysql }));
        // Kept for its server.
        runtime.block_on(async {
            let both = Both::on(&urls.0, &urls.1).await;
            killed(&both, &victim, kind).await;
        });
    }
}

async fn killed(both: &Both, victim: &Arc<std::sync::Mutex<Server>>, kind: Kind) {
    let theirs = Arc::clone(victim);
    let (arm, observer) = armed(is_decision, move || theirs.lock().unwrap().crash());
    let (c, _handles) = both.observed(4, observer).await;
    // It is away for longer than the caller waits.
    arm.store(1, Ordering::SeqCst);
    let limit = TxOptions::new().deadline(Duration::from_millis(1500)).attempts(1);
    let started = Instant::now();
    let done = c
        .transaction_with(limit, async |[orders, stock]| {
            put("away", orders).await?;
            put("away", stock).await?;
            Ok(3)
        })
        .await
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(done.pending().len(), 1, "{}", kind.name());
    let away = usize::from(done.pending()[0].branch.id.number());
    assert_eq!(away, usize::from(kind == Kind::Mysql));
    let error = done.everywhere().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CommitPending, "{error}");
    assert!(error.to_string().contains("is committed") && error.help().is_some(), "{error}");
    let report = c.recover().await.unwrap();
    assert!(!report.is_complete() && report.mixed.is_empty() && report.unreachable.len() == 1, "{report:?}");
    victim.lock().unwrap().up();
    let back = Instant::now();
    while !victim.lock().unwrap().accepts() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // In the background, without a word of ours.
    while !there_too(both, "away").await {
        assert!(back.elapsed() < Duration::from_secs(60), "{}: it is still not told", kind.name());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{}: told {:?} after it was started again", kind.name(), back.elapsed());
    // It is back before the caller's patience ends.
    let theirs = Arc::clone(victim);
    arm.store(1, Ordering::SeqCst);
    let starter = tokio::task::spawn_blocking(move || {
        // Started again as soon as it is dead.
        let accepts = || theirs.lock().unwrap().accepts();
        while accepts() {
            std::thread::sleep(Duration::from_millis(10));
        }
        theirs.lock().unwrap().up();
    });
    let done = put_both(&c, "short").await.unwrap();
    starter.await.unwrap();
    done.everywhere().unwrap();
    assert!(there_too(both, "short").await);
    nothing_happened(&c.recover().await.unwrap());
}

/// A server that is started anew counts its sessions from the beginning: the number of one that has gone with it is
/// somebody else's by then, who does not go.
#[test]
fn a_session_that_has_gone_with_its_server_is_not_waited_for() {
    with_server(Kind::Mysql, MYSQL, async |server| {
        let url = server.url();
        let connect = async || Db::connect(&url).await?.acquire().await;
        let branch = BranchId::new("gone", [1; 16], 1)?;
        let mut gone = connect().await?;
        gone.script(&format!("CREATE TABLE {BRANCH_TABLE} (gid varchar(80) PRIMARY KEY)")).await?;
        let session = session::id(&mut gone).await?;
        let theirs = gone.two_phase().expect("two-phase commit");
        theirs.begin_branch(&branch, &TransactionOptions::DEFAULT).await?;
        assert!(theirs.prepare(&branch).await?);
        server.crash();
        drop(gone);
        server.up();
        server.lets_in().await;
        let mut others = Vec::new();
        let mut last = 0;
        while last < session {
            let mut other = connect().await?;
            last = session::id(&mut other).await?;
            others.push(other);
        }
        let mut ours = connect().await?;
        let start = Instant::now();
        while let Err(error) = ours.two_phase().expect("two-phase commit").commit_prepared(&branch).await {
            assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            assert!(start.elapsed() < Duration::from_secs(5), "{error}");
        }
        let committed = format!("SELECT COUNT(*) FROM {BRANCH_TABLE} WHERE gid = '{branch}'");
        assert_eq!(number(&mut ours, &committed).await?, 1);
        println!("ended {:?} after the server was back, beside {} sessions", start.elapsed(), others.len());
        Ok(())
    });
}

/// Whether the row is in both databases, by connections of the moment.
async fn there_too(both: &Both, row: &str) -> bool {
    let mut there = true;
    for url in &both.urls[..2] {
        let Ok(db) = Db::connect(url).await else { return false };
        there &= has(row, &db).await;
    }
    there
}
