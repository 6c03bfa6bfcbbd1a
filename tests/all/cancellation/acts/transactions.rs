//! Transactions, savepoints, and what became of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use covet_drivers::contract::{Command, Reuse, TransactionOptions};
use covet_orm::prelude::*;
use covet_orm::{Isolation, TxOptions};
use covet_tests::models::Setting;

use crate::cancellation::acts::{Scene, acts, put, stream};

static NUMBER: AtomicU64 = AtomicU64::new(1);

acts! {
    begin calls ["db/transaction.rs::begin"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.begin().await.map(drop)
    }

    begin_serializable calls ["db/transaction.rs::begin_with"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let options = TxOptions::new().isolation(Isolation::Serializable);
        scene.line.start().await;
        scene.db.begin_with(options).await.map(drop)
    }

    select_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        Setting::query().filter(Setting::name.lt("s000003")).all(&tx).await.map(drop)
    }

    insert_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        put(&scene.batch, 2, &tx).await
    }

    stream_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        stream(scene.streamed, &tx).await
    }

    select_first_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        Setting::find("s000001").one(&scene.db).await?;
        let tx = scene.db.begin().await?;
        scene.line.start().await;
        Setting::find("s000001").one(&tx).await.map(drop)
    }

    insert_first_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        let tx = scene.db.begin().await?;
        scene.line.start().await;
        put(&scene.batch, 1, &tx).await
    }

    text_first_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        let mut lease = scene.db.acquire().await?;
        lease.begin(&TransactionOptions::default()).await?;
        let sql = format!("INSERT INTO settings (name, value) VALUES ('{}1', 'v')", scene.batch);
        scene.line.start().await;
        lease.run(Command { sql: &sql, args: &[], reuse: Reuse::Once }, &mut ()).await.map(drop)
    }

    savepoint_first_within calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        scene.line.start().await;
        tx.begin().await.map(drop)
    }

    insert_behind_transactions calls [] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        guarded(&scene).await?;
        scene.line.start().await;
        put(&scene.batch, 1, &scene.db).await
    }

    commit calls ["db/transaction.rs::commit"] writes 2: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        put(&scene.batch, 2, &tx).await?;
        scene.line.start().await;
        tx.commit().await
    }

    commit_behind_a_dropped_savepoint calls [] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 2, &savepoint).await?;
        drop(savepoint);
        scene.line.start().await;
        tx.commit().await
    }

    rollback calls ["db/transaction.rs::rollback"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        tx.rollback().await
    }

    savepoint calls ["db/transaction.rs::begin"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        scene.line.start().await;
        tx.begin().await.map(drop)
    }

    release calls ["db/transaction.rs::commit"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 1, &savepoint).await?;
        scene.line.start().await;
        savepoint.commit().await
    }

    rollback_to_savepoint calls ["db/transaction.rs::rollback"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut tx = scene.db.begin().await?;
        let savepoint = tx.begin().await?;
        put(&scene.batch, 1, &savepoint).await?;
        scene.line.start().await;
        savepoint.rollback().await
    }

    transaction calls ["db/transaction.rs::transaction"] writes 3: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        let batch = scene.batch.as_str();
        scene.db.transaction(async |tx| {
            put(batch, 1, tx).await?;
            tx.transaction(async |savepoint| put(batch, 2, savepoint).await).await?;
            put(batch, 3, tx).await
        }).await
    }

    try_transaction calls ["db/transaction.rs::try_transaction"] writes 2: |scene| {
        let _other = scene.db.acquire().await?;
        let batch = scene.batch.as_str();
        scene.line.start().await;
        scene.db.try_transaction(async |tx| -> covet_orm::Result<()> {
            put(batch, 1, tx).await?;
            tx.try_transaction(async |savepoint| put(batch, 2, savepoint).await).await
        }).await
    }

    transaction_with_a_token calls ["db/transaction.rs::try_transaction_with", "db/commit_token.rs::outcome_of"] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        scene.db.prepare_commit_tokens().await?;
        let batch = scene.batch.as_str();
        scene.line.start().await;
        scene.db.try_transaction_with(TxOptions::new().token(), async |tx| put(batch, 1, tx).await).await
    }

    transaction_with_a_deadline calls ["db/transaction.rs::transaction_with"] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let batch = scene.batch.as_str();
        scene.line.start().await;
        scene.db.transaction_with(TxOptions::new().deadline(Duration::from_secs(5)), async |tx| put(batch, 1, tx).await).await
    }

    outcome_of calls ["db/commit_token.rs::outcome_of"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.db.prepare_commit_tokens().await?;
        let token = format!("{:032x}", NUMBER.fetch_add(1, Ordering::SeqCst)).parse()?;
        scene.line.start().await;
        scene.db.outcome_of(token).await.map(drop)
    }

    prepare_commit_tokens calls ["db/commit_token.rs::prepare_commit_tokens"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        scene.db.prepare_commit_tokens().await
    }

    forget_commits calls ["db/commit_token.rs::forget_commits"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.db.prepare_commit_tokens().await?;
        scene.line.start().await;
        scene.db.forget_commits(Duration::from_secs(3600)).await.map(drop)
    }
}

/// Transactions that begin with a write and leave nothing: behind them BEGIN flies with a write, where it ever does.
async fn guarded(scene: &Scene) -> covet_orm::Result<()> {
    for _ in 0..3 {
        let tx = scene.db.begin().await?;
        put(&scene.batch, 1, &tx).await?;
        tx.rollback().await?;
    }
    Ok(())
}
