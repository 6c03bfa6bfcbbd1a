//! Getting connections, giving them up, moving to another server.

use std::time::Duration;

use covet_orm::prelude::*;

use crate::cancellation::acts::acts;

acts! {
    acquire_by_connecting calls ["db/connect.rs::acquire", "pool/mod.rs::acquire", "pool/mod.rs::acquire_for"] writes 0: |scene| {
        let (a, b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        a.discard();
        b.discard();
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_resetting calls ["db/connect.rs::acquire"] writes 0: |scene| {
        let (_a, mut b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        b.script("SELECT 1").await?;
        drop(b);
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_asking calls ["db/connect.rs::acquire"] writes 0 with Pings: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    acquire_by_waiting calls ["db/connect.rs::acquire"] writes 0: |scene| {
        let (_a, b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(b);
        });
        scene.line.start().await;
        scene.db.acquire().await.map(drop)
    }

    ping calls ["db/connect.rs::ping"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.ping().await
    }

    open calls ["db/connect.rs::connect", "db/connect.rs::connect_with", "db/connect.rs::open"] writes 0: |scene| {
        let _both = (scene.db.acquire().await?, scene.db.acquire().await?);
        scene.line.start().await;
        Db::connect(&scene.url).await.map(drop)
    }

    warm_up calls ["pool/mod.rs::warm_up"] writes 0 with Full: |scene| {
        let (a, b) = (scene.db.acquire().await?, scene.db.acquire().await?);
        a.discard();
        b.discard();
        scene.line.start().await;
        scene.db.pool().warm_up().await
    }

    stop calls ["pool/switch.rs::stop"] writes 0: |scene| {
        let lease = scene.db.acquire().await?;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(lease);
        });
        scene.line.start().await;
        scene.db.pool().stop(Duration::from_secs(5)).await.map(drop)
    }

    switch_to calls ["db/switch.rs::switch_to", "db/switch.rs::switch_to_with", "pool/switch.rs::idle"] writes 0: |scene| {
        let lease = scene.db.acquire().await?;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(lease);
        });
        scene.line.start().await;
        scene.db.switch_to(&scene.url).await.map(drop)
    }

    health calls ["db/health.rs::health"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.health().await.error.map_or(Ok(()), Err)
    }
}
