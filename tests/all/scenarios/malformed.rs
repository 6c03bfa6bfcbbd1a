//! Servers that send what no server should: real answers with bytes changed, lengths that are none, messages twice or
//! not at all, and plain noise. Nothing panics, nothing hangs, and nobody gets what another one asked for.
//!
//! It runs in a process of its own, where a panic of any task is counted.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_drivers::value::Value;
use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions, TxOptions};
use covet_tests::chance::Chance;
use covet_tests::models::Setting;
use covet_tests::proxy::{Bent, Direction, Grain, Passing, Proxy};
use covet_tests::{Kind, Outcome, TestDb, on_each_server};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::apart;
use crate::scenarios::{millis, torture};

/// How long somebody waits who gets no answer.
const LIMIT: Duration = millis(150);

/// How much later than that anybody may come back.
const SLACK: Duration = Duration::from_secs(2);

const WORKERS: u64 = 8;

static PANICS: AtomicU32 = AtomicU32::new(0);
static SPOILT: AtomicU32 = AtomicU32::new(0);

/// What has been asked for by anybody: 32 digits each, so that a changed byte does not make one of another.
static ASKED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

fn nonce(chance: &mut Chance) -> String {
    let nonce: String = (0..32).map(|_| char::from(b"0123456789abcdef"[chance.below(16)])).collect();
    ASKED.lock().unwrap().get_or_insert_default().insert(nonce.clone());
    nonce
}

/// Nobody gets what was somebody else's. What a changed byte made of one's own is nobody's.
fn is_nobody_elses(own: &str, got: &str, case: &str) {
    let asked = ASKED.lock().unwrap();
    assert!(own == got || !asked.as_ref().is_some_and(|asked| asked.contains(got)), "{case}: {got} instead of {own}");
}

/// What becomes of a message of the server.
fn spoil(kind: Kind, chance: &mut Chance, message: &[u8]) -> Vec<u8> {
    let mut spoilt = message.to_vec();
    // Where the header ends: type and length, or length and number.
    let head = if kind == Kind::Postgres { 5 } else { 4 };
    let random = |chance: &mut Chance| u8::try_from(chance.below(256)).unwrap();
    let body = message.len().saturating_sub(head);
    match chance.below(16) {
        0..=3 if body > 0 => spoilt[head + chance.below(body)] ^= 1 << chance.below(8),
        4..=6 if body > 0 => spoilt[head + chance.below(body)] = random(chance),
        7 => spoilt.truncate(chance.below(message.len())),
        8 => {
            let at = chance.below(head);
            spoilt[at] = random(chance);
        }
        9 => {
            let length = if kind == Kind::Postgres { 4 } else { 0 };
            spoilt[length] = spoilt[length].wrapping_add(if chance.below(2) == 0 { 1 } else { 255 });
        }
        10 => spoilt.extend_from_slice(message),
        11 => spoilt.clear(),
        12 => {
            let noise: Vec<u8> = (0..1 + chance.below(20)).map(|_| random(chance)).collect();
            spoilt.splice(0..0, noise);
        }
        13 => spoilt[head..].iter_mut().for_each(|byte| *byte = random(chance)),
        14 if body > 1 => {
            // Counts and lengths stand at the beginning.
            spoilt[head] = 0xff;
            spoilt[head + 1] = 0xff;
        }
        _ => {
            let at = chance.below(message.len());
            spoilt[at] = if chance.below(2) == 0 { 0 } else { 0xff };
        }
    }
    spoilt
}

/// Spoils the server's messages: every third, and the first that comes.
fn spoiling(kind: Kind, seed: u64) -> impl Fn(Passing<'_>) -> Bent + Send + Sync {
    let state = Mutex::new((Chance(seed), true));
    move |passing| {
        let mut state = state.lock().unwrap();
        let (chance, first) = &mut *state;
        if passing.direction == Direction::ToServer || !(chance.below(3) == 0 || std::mem::take(first)) {
            return Bent::Same;
        }
        SPOILT.fetch_add(1, Ordering::SeqCst);
        Bent::Into(spoil(kind, chance, passing.bytes))
    }
}

/// Asks for what nobody else has asked for.
async fn ask(db: &Db, own: &str) -> covet_orm::Result<String> {
    let sql = if db.server().product == "PostgreSQL" { "SELECT $1::text" } else { "SELECT ?" };
    let mut found = String::new();
    let mut sink = |row: &mut Row<'_>| {
        found = row.get(0, &ColumnType::Text { max_len: None })?;
        Ok(Flow::Continue)
    };
    let value = Value::Text(own.to_owned());
    db.acquire().await?.run(Command { sql, args: &[&value], reuse: Reuse::Keep }, &mut sink).await?;
    Ok(found)
}

/// One of the things that programs do. Gives texts that came with it.
async fn act(number: usize, own: &str, db: &Db) -> covet_orm::Result<Vec<String>> {
    let create = || Setting::create().name(own).value(own);
    match number {
        0 => Ok(vec![ask(db, own).await?]),
        1 => {
            create().exec(db).await?;
            Ok(vec![Setting::find(own).one(db).await?.value])
        }
        2 => {
            let options = TxOptions::new().attempts(1);
            let row = db.transaction_with(options, async |tx| {
                create().exec(tx).await?;
                Setting::find(own).one(tx).await
            });
            Ok(vec![row.await?.value])
        }
        3 => {
            // Rows that are everybody's: what matters is that they end.
            let rows: Vec<Setting> =
                Setting::query().filter(Setting::name.starts_with("all")).stream(db).try_collect().await?;
            Ok(rows.into_iter().map(|row| row.value).collect())
        }
        4 => {
            Setting::insert_many((0..3).map(|n| Setting::create().name(format!("{own}{n}")).value(own)))
                .exec(db)
                .await?;
            let rows = Setting::query().filter(Setting::name.starts_with(own)).all(db).await?;
            Ok(rows.into_iter().map(|row| row.value).collect())
        }
        _ => db.ping().await.map(|()| Vec::new()),
    }
}

const ACTS: usize = 6;

fn options() -> DbOptions {
    DbOptions::new().pool(PoolOptions {
        max_size: 1,
        acquire_timeout: Duration::from_secs(2),
        connect_timeout: LIMIT * 4,
        recycle_timeout: LIMIT,
        ping_timeout: LIMIT,
        ..PoolOptions::default()
    })
}

async fn work(db: &TestDb, seed: u64, cases: u64) -> Outcome {
    let kind = db.kind();
    let proxy = Proxy::start(kind, db.url(), Grain::Message).await;
    let pool = Db::connect_with(proxy.url(), options()).await?;
    let mut chance = Chance(seed);
    for number in 0..cases {
        let case = format!("COVET_SEED={seed} case {number}");
        let (own, what) = (nonce(&mut chance), chance.below(ACTS + 1));
        proxy.bend(spoiling(kind, seed.wrapping_add(number.wrapping_mul(0x1_0001))));
        let start = Instant::now();
        if what == ACTS {
            // Spoilt from the first message on.
            let opened = tokio::time::timeout(LIMIT, Db::connect_with(proxy.url(), options())).await;
            if let Ok(Ok(other)) = opened {
                other.close();
            }
        } else if let Ok(Ok(texts)) = tokio::time::timeout(LIMIT, act(what, &own, &pool)).await {
            // Those of the common rows are no answers to a question.
            texts.iter().for_each(|text| is_nobody_elses(&own, text, &case));
        }
        let took = start.elapsed();
        assert!(took < LIMIT + SLACK, "{case}: it came back after {took:?}");
        proxy.straighten();
        // Whoever comes next gets an own answer, or is told that there is none.
        let mut tries = 0;
        loop {
            let own = nonce(&mut chance);
            match tokio::time::timeout(LIMIT * 4, ask(&pool, &own)).await {
                Ok(Ok(got)) => {
                    assert_eq!(got, own, "{case}: the next one gets another answer");
                    break;
                }
                Ok(Err(error)) => {
                    assert!(tries < 3, "{case}: {error}");
                    if tries > 0 {
                        // A login that was refused is told to all for a while, and spoilt messages refuse some.
                        tokio::time::sleep(PoolOptions::default().max_backoff).await;
                    }
                }
                // It waits for an answer that was lost; its user gives up.
                Err(_) => assert!(tries < 3, "{case}: nobody answers"),
            }
            tries += 1;
        }
    }
    pool.close();
    Ok(())
}

/// Whoever answers is no server at all.
async fn noise(kind: Kind, seed: u64, cases: u64) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let place = listener.local_addr()?;
    let chance = Arc::new(Mutex::new(Chance(seed)));
    let talks = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let noise: Vec<u8> = {
                let mut chance = chance.lock().unwrap();
                let length = chance.below(300);
                let mut noise: Vec<u8> = (0..length).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
                // Half of them begin as an answer might.
                if chance.below(2) == 0 {
                    let start: &[u8] = if kind == Kind::Postgres { b"R\0\0\0\x08\0\0\0" } else { b"\x40\0\0\0\x0a5.5" };
                    noise.splice(0..0, start.iter().copied());
                }
                noise
            };
            let _ = client.write_all(&noise).await;
            // Some hang up, some stay.
            if !noise.len().is_multiple_of(3) {
                tokio::spawn(async move {
                    tokio::time::sleep(LIMIT * 2).await;
                    drop(client);
                });
            }
        }
    });
    let scheme = if kind == Kind::Postgres { "postgres" } else { "mysql" };
    for number in 0..cases {
        let start = Instant::now();
        let url = format!("{scheme}://user:secret@{place}/database?sslmode=disable");
        let pool = PoolOptions { connect_timeout: LIMIT, ..PoolOptions::default() };
        let error = Db::connect_with(&url, DbOptions::new().pool(pool)).await.expect_err("it is no server");
        assert!(start.elapsed() < LIMIT + SLACK, "COVET_SEED={seed} case {number}: {:?}", start.elapsed());
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    talks.abort();
    Ok(())
}

async fn all(db: &TestDb) -> Outcome {
    std::panic::set_hook(Box::new(|panic| {
        // What the drivers panic at is caught where they are called; if it were not, a worker would end with it.
        let place = panic.location().map_or_else(String::new, |place| place.file().to_owned());
        if !place.contains("mysql_async") && !place.contains("mysql_common") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        eprintln!("{panic}");
    }));
    let rows = (0..40).map(|n| Setting::create().name(format!("all{n:03}")).value(format!("value {n}")));
    Setting::insert_many(rows).exec(db).await?;
    let seed = Chance::seed();
    println!("COVET_SEED={seed}");
    let cases = if torture() { 1_500 } else { 120 };
    try_join_all((0..WORKERS).map(|worker| work(db, seed.wrapping_add(worker << 32), cases))).await?;
    noise(db.kind(), seed, cases).await?;
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something panicked");
    let spoilt = SPOILT.load(Ordering::SeqCst);
    println!("spoilt {spoilt} messages in {} cases, and none did harm", WORKERS * cases);
    Ok(())
}

/// Runs in the process where panics are counted; elsewhere there is nothing to do.
#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child() {
    covet_tests::run(apart::database(), |db| Box::pin(all(db)));
}

fn parent(kind: Kind) {
    let text = apart::run("scenarios::malformed::child", kind);
    assert!(text.contains("none did harm") || !covet_tests::servers().contains(&kind), "{text}");
}

#[test]
fn b23_malformed_messages_do_no_harm_postgres() {
    parent(Kind::Postgres);
}

#[test]
fn b23_malformed_messages_do_no_harm_mysql() {
    parent(Kind::Mysql);
}

/// A message that describes a statement, with another number of values or another type for what it gives back.
fn misdescribed(kind: Kind, of_values: bool, passing: Passing<'_>) -> Option<Vec<u8>> {
    let mut spoilt = passing.bytes.to_vec();
    match (kind, spoilt.first()?, of_values) {
        _ if passing.direction == Direction::ToServer => return None,
        // Length and count, without the types.
        (Kind::Postgres, b't', true) => spoilt = b"t\0\0\0\x06\0\0".to_vec(),
        // `text`, 25, becomes `int4`, 23.
        (Kind::Postgres, b'T', false) => {
            let at = spoilt.windows(4).position(|bytes| bytes == [0, 0, 0, 25])?;
            spoilt[at + 3] = 23;
        }
        // The header, 0, the statement's number, and how many columns and values it has.
        (Kind::Mysql, _, true) if spoilt.len() == 16 && spoilt[4] == 0 && spoilt[11] == 1 => spoilt[11] = 0,
        _ => return None,
    }
    Some(spoilt)
}

on_each_server! {
    async fn a_spoilt_description_is_not_kept(db: &TestDb) -> Outcome {
        for of_values in [true, false] {
            let kind = db.kind();
            let proxy = Proxy::start(kind, db.url(), Grain::Message).await;
            let pool = Db::connect_with(proxy.url(), options()).await?;
            let spoilt = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&spoilt);
            proxy.bend(move |passing| match misdescribed(kind, of_values, passing) {
                Some(bytes) => {
                    count.fetch_add(1, Ordering::SeqCst);
                    Bent::Into(bytes)
                }
                None => Bent::Same,
            });
            let asked = ask(&pool, "own").await;
            proxy.straighten();
            // MariaDB describes what a statement gives back with each answer.
            assert_eq!(spoilt.load(Ordering::SeqCst), u32::from(of_values || kind == Kind::Postgres));
            match asked {
                Err(error) if of_values => {
                    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
                    assert!(error.to_string().contains("takes 0 values"), "{error}");
                }
                asked => assert_eq!(asked.is_err(), kind == Kind::Postgres),
            }
            assert_eq!(ask(&pool, "own").await?, "own", "the connection keeps what it was told");
            pool.close();
        }
        Ok(())
    }
}
