//! Distributed transactions: all databases commit, or none does, whatever happens to whom at what moment.

mod apart;
mod dropped;
mod ends;
mod faults;
mod orphans;
mod refusals;
mod servers;

use std::time::{Duration, Instant};

use covet_orm::prelude::*;
use covet_orm::{Coordinator, Recovered};
use covet_tests::models::{Setting, put};

use servers::Both;

async fn has(name: &str, on: &Executor) -> bool {
    Setting::query().filter(Setting::name.eq(name)).count(on).await.unwrap() == 1
}

/// Puts a row of this name into both databases.
async fn put_both(both: &Coordinator<2>, name: &str) -> covet_orm::Result<covet_orm::Committed<()>> {
    both.transaction(async |[orders, stock]| {
        put(name, orders).await?;
        put(name, stock).await
    })
    .await
}

impl Both {
    /// Whether the row of this name is there: in both databases, or in neither.
    async fn both_have(&self, name: &str) -> bool {
        let (orders, stock) = (has(name, &self.orders).await, has(name, &self.stock).await);
        assert_eq!(orders, stock, "{name}: one database has it and the other has not");
        orders
    }

    /// How many branches of this test's coordinators are prepared.
    async fn prepared(&self) -> usize {
        let mut count = 0;
        for db in [&self.orders, &self.stock] {
            let mut lease = db.acquire().await.unwrap();
            let prepared = lease.two_phase().unwrap().prepared().await.unwrap();
            count += prepared.branches.iter().filter(|branch| branch.coordinator() == self.name).count();
        }
        count
    }

    /// Waits until no branch is prepared, and says how long that took.
    async fn nothing_left(&self, within: Duration) -> Duration {
        let start = Instant::now();
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.prepared().await == 0 { quiet + 1 } else { 0 };
            assert!(start.elapsed() < within, "a branch is left after {within:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }

    /// Waits until every connection is back; what looks after what was left may just have one.
    async fn nobody_holds_a_connection(&self) {
        let begun = Instant::now();
        for db in [&self.orders, &self.stock] {
            while db.pool_status().in_use > 0 {
                assert!(begun.elapsed() < Duration::from_secs(5), "a connection is not given back: {db:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// How many decisions stand in the log, and how many traces in the databases.
    async fn kept(&self) -> (usize, usize) {
        let rows = async |db: &Db, table: &str| {
            let mut lease = db.acquire().await.unwrap();
            covet_tests::session::number(&mut lease, &format!("SELECT COUNT(*) FROM {table}")).await.unwrap()
        };
        let traces = rows(&self.orders, "_covet_branches").await + rows(&self.stock, "_covet_branches").await;
        // The log's own mark is no decision.
        let decisions = rows(&self.log, "_covet_decisions").await - 1;
        (usize::try_from(decisions).unwrap(), usize::try_from(traces).unwrap())
    }
}

fn nothing_happened(report: &Recovered) {
    assert!(report.is_complete() && report.mixed.is_empty(), "{report:?}");
    assert!(report.committed.is_empty() && report.rolled_back.is_empty(), "{report:?}");
}
