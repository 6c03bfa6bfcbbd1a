//! What is acknowledged outlives `kill -9`: of the server, and where there is none, of the process.
//!
//! A bank transfers money through Covet while its database is killed again and again. Each transfer is one transaction
//! with a row of its own and a token; what was said of it is written down outside of the database. Then: whatever was
//! acknowledged is there; whatever is there was acknowledged, or not known and told by its token; every token tells
//! the truth; the sum is the same at each moment; no balance is below zero, and each is what the transfers made of it.
//!
//! `kill -9` does not test power loss: what the operating system has taken outlives the process, synced or not.
//!
//! Controls must lose by the same check: one acknowledges before the commit, others run a server that acknowledges
//! before it writes. `cargo xtask soak` runs all of it for minutes; else each database is killed once.

mod bank;
mod ledger;
mod process;
mod server;
mod words;

use std::time::Duration;

use covet_tests::Kind;
use covet_tests::chance::Chance;

use bank::Acknowledge;
use ledger::Found;

/// How often a control is killed until it must have lost something.
const CONTROL_ROUNDS: u64 = 20;

/// What is run.
struct Plan {
    kind: Kind,
    acknowledge: Acknowledge,
    /// Of the server.
    settings: &'static [&'static str],
    /// For how long to go on killing; at least once.
    time: Duration,
}

impl Plan {
    /// Acknowledges rightly, on a server that writes before it acknowledges.
    fn right(kind: Kind, percent: u32) -> Plan {
        // `cargo xtask soak` says how long all of it may take.
        let seconds = std::env::var("COVET_SOAK_SECONDS").map_or(0, |seconds| seconds.parse().unwrap());
        Plan {
            kind,
            acknowledge: Acknowledge::Rightly,
            settings: &[],
            time: Duration::from_secs(seconds) * percent / 100,
        }
    }

    fn too_early(kind: Kind) -> Plan {
        Plan { acknowledge: Acknowledge::TooEarly, ..Plan::right(kind, 0) }
    }

    fn careless(kind: Kind, settings: &'static [&'static str]) -> Plan {
        Plan { settings, ..Plan::right(kind, 0) }
    }

    /// Whether it is run to see that it loses.
    fn is_control(&self) -> bool {
        self.acknowledge == Acknowledge::TooEarly || !self.settings.is_empty()
    }
}

/// Where chance begins; it is said, so that it can be had again.
fn seed(plan: &Plan) -> u64 {
    let seed = Chance::seed();
    println!("{}: COVET_SEED={seed}", plan.kind.name());
    seed
}

/// Runs the plan; `None` where the server's programs are not there, which is said, or refused, elsewhere.
fn run(plan: &Plan) -> Option<Found> {
    let found = match plan.kind {
        Kind::Sqlite => process::run(plan),
        kind => {
            let found = server::run(plan);
            let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
            assert!(
                found.is_some() || !required.contains(kind.name()),
                "the programs of {} are not there",
                kind.name()
            );
            found?
        }
    };
    let what = match (plan.acknowledge, plan.settings) {
        (Acknowledge::TooEarly, _) => ", acknowledged before COMMIT".to_owned(),
        (_, []) => String::new(),
        (_, settings) => format!(", {}", settings.join(" ")),
    };
    println!("{}{what}: {found}", plan.kind.name());
    assert!(found.kills > 0 && found.acknowledged > 0, "nothing was tested");
    Some(found)
}

fn loses_nothing(kind: Kind, percent: u32) {
    let Some(found) = run(&Plan::right(kind, percent)) else { return };
    assert_eq!(found.lost, 0, "acknowledged transfers are lost");
    assert!(found.wrong.is_empty(), "{:#?}", found.wrong);
    assert!(found.snapshots > 0, "the sum was never looked at");
}

/// The same check sees what is lost where it must be.
fn loses(plan: &Plan) {
    let Some(found) = run(plan) else { return };
    assert!(found.lost > 0, "nothing was lost in {} kills: this test cannot fail", found.kills);
}

#[test]
fn acknowledged_commits_outlive_kills_postgres() {
    loses_nothing(Kind::Postgres, 45);
}

#[test]
fn acknowledged_commits_outlive_kills_mysql() {
    loses_nothing(Kind::Mysql, 30);
}

#[test]
fn acknowledged_commits_outlive_kills_sqlite() {
    loses_nothing(Kind::Sqlite, 15);
}

#[test]
fn control_acknowledged_before_commit_sqlite() {
    loses(&Plan::too_early(Kind::Sqlite));
}

#[test]
#[ignore = "run by `cargo xtask soak`"]
fn control_acknowledged_before_commit_postgres() {
    loses(&Plan::too_early(Kind::Postgres));
}

#[test]
#[ignore = "run by `cargo xtask soak`"]
fn control_acknowledged_before_commit_mysql() {
    loses(&Plan::too_early(Kind::Mysql));
}

#[test]
#[ignore = "run by `cargo xtask soak`"]
fn control_acknowledged_before_the_log_is_written_postgres() {
    loses(&Plan::careless(Kind::Postgres, &["synchronous_commit=off"]));
}

#[test]
#[ignore = "run by `cargo xtask soak`"]
fn control_acknowledged_before_the_log_is_written_mysql() {
    loses(&Plan::careless(Kind::Mysql, &["innodb-flush-log-at-trx-commit=0"]));
}
