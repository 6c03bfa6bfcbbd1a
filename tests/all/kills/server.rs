//! Servers that are killed while clients work: these clients live on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_tests::Kind;
use covet_tests::chance::Chance;
use covet_tests::server::Server;

use crate::kills::bank::{self, Business};
use crate::kills::ledger::{Found, Ledger};
use crate::kills::{CONTROL_ROUNDS, Plan, seed};

const TASKS: usize = 8;

/// Durable as they come; deadlocks are found sooner, which has nothing to do with it.
fn settings(plan: &Plan) -> Vec<&'static str> {
    let mut settings = match plan.kind {
        Kind::Postgres => vec!["fsync=on", "deadlock_timeout=100ms"],
        _ => vec!["innodb-flush-log-at-trx-commit=1"],
    };
    settings.extend(plan.settings);
    settings
}

/// Runs the plan on a server of its own; `None` where its programs are not there.
pub(crate) fn run(plan: &Plan) -> Option<Found> {
    let mut server = start(plan)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let run = async {
        server.lets_in().await;
        let db = bank::open(&server.url(), TASKS).await?;
        bank::found(&db).await?;
        kills(plan, &mut server, &db).await
    };
    Some(runtime.block_on(run).unwrap_or_else(|error| panic!("on {}: {error}\n{error:?}", plan.kind.name())))
}

/// On a disk. But MariaDB that is killed may recover wrongly from a log on a disk, and not from one that it maps, as it
/// does in memory (docs/testing.md). Only where it must lose what it has not written does it have to write.
fn start(plan: &Plan) -> Option<Server> {
    if plan.kind != Kind::Mysql || !plan.settings.is_empty() {
        return Server::start_on_disk(plan.kind, &settings(plan));
    }
    let server = Server::start(plan.kind, &settings(plan))?;
    if !server.maps_its_log() {
        println!(
            "{}: its log lies on a disk, from which MariaDB recovers wrongly after about one kill in two hundred: with \
             TMPDIR in memory it does not (docs/testing.md)",
            plan.kind.name(),
        );
    }
    Some(server)
}

async fn kills(plan: &Plan, server: &mut Server, db: &Db) -> covet_orm::Result<Found> {
    let seed = seed(plan);
    let mut chance = Chance(seed);
    let ledger = Arc::new(Ledger::default());
    let mut found = Found::default();
    let start = Instant::now();
    for round in 0.. {
        let business = Business::start(db, plan.kind, TASKS, plan.acknowledge, seed.wrapping_add(round), &ledger);
        // One that is expected to lose is checked after each kill, another one only in the end.
        loop {
            killed_once(server, &ledger, &mut chance, &mut found).await;
            ledger.resolve(db, &mut found).await?;
            if plan.is_control() || start.elapsed() >= plan.time {
                break;
            }
        }
        business.stop().await;
        ledger.resolve(db, &mut found).await?;
        ledger.check(db, &mut found).await?;
        if !plan.is_control() || found.lost > 0 || round + 1 >= CONTROL_ROUNDS {
            break;
        }
    }
    found.took = start.elapsed();
    Ok(found)
}

async fn killed_once(server: &mut Server, ledger: &Ledger, chance: &mut Chance, found: &mut Found) {
    ledger.await_success();
    ledger.first_success().await;
    tokio::time::sleep(chance.millis(300, 1_000)).await;
    server.crash();
    found.kills += 1;
    // What was answered before is heard by the end of this.
    tokio::time::sleep(chance.millis(50, 250)).await;
    ledger.await_success();
    server.up();
    let lets_in = server.lets_in().await;
    let success = ledger.first_success().await;
    found.recoveries.push(success.saturating_duration_since(lets_in).max(Duration::from_micros(1)));
}
