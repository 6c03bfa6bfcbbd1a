//! What a database says of itself.

use std::time::Duration;

use covet_orm::prelude::*;
use covet_orm::{DbOptions, ErrorKind, PoolOptions, Role};
use covet_tests::proxy::{Direction, Grain, Proxy, Reach, Then, Trap};
use covet_tests::{Kind, on_each_database, on_each_server};

on_each_database! {
    async fn a_database_that_answers_tells_how_it_is(db: &TestDb) -> Outcome {
        let tx = db.begin().await?;
        let health = db.health().await;
        assert!(health.is_healthy(), "{health}");
        assert!(health.latency.is_some_and(|latency| latency < Duration::from_secs(1)), "{health}");
        assert_eq!((health.pool.in_use, health.server.clone()), (1, db.server()));
        let role = if db.kind() == Kind::Sqlite { Role::Embedded } else { Role::Primary };
        // MariaDB tells its part to those who may ask.
        let role = if db.kind() == Kind::Mysql && health.vitals.role == Role::Unknown { Role::Unknown } else { role };
        assert_eq!((health.vitals.role, health.vitals.lag), (role, None), "{health}");
        assert!(health.to_string().starts_with(&format!("{} {}: ", db.server().product, db.server().version)), "{health}");
        assert!(health.to_string().contains(" ms, "), "{health}");
        tx.rollback().await?;
        Ok(())
    }

    async fn a_database_that_gives_no_connection_says_why(db: &TestDb) -> Outcome {
        let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_millis(100), ..PoolOptions::default() };
        let one = Db::connect_with(db.url(), DbOptions::new().pool(pool)).await?;
        let held = one.acquire().await?;
        let health = one.health().await;
        assert_eq!(health.error.as_ref().map(covet_orm::Error::kind), Some(ErrorKind::PoolTimeout), "{health}");
        assert!(!health.is_healthy() && health.latency.is_none() && health.pool.in_use == 1, "{health}");
        assert!(health.to_string().contains("no answer") && health.to_string().contains("health.rs"), "{health}");
        drop(held);
        assert!(one.health().await.is_healthy());
        one.close();
        assert_eq!(one.health().await.error.map(|error| error.kind()), Some(ErrorKind::PoolClosed));
        Ok(())
    }
}

on_each_server! {
    async fn a_server_that_fell_silent_is_told_in_time(db: &TestDb) -> Outcome {
        let proxy = Proxy::start(db.kind(), db.url(), Grain::Message).await;
        let pool = PoolOptions { max_size: 1, acquire_timeout: Duration::from_millis(500), ..PoolOptions::default() };
        let far = Db::connect_with(proxy.url(), DbOptions::new().pool(pool)).await?;
        assert!(far.health().await.is_healthy());
        proxy.set(Trap { direction: Direction::ToServer, after: 0, then: Then::Swallow, reach: Reach::All });
        let start = std::time::Instant::now();
        let health = far.health().await;
        assert!(!health.is_healthy() && start.elapsed() < Duration::from_secs(6), "{health} {:?}", start.elapsed());
        Ok(())
    }
}
