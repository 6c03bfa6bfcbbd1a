//! Writing.

use covet_orm::prelude::*;
use covet_orm::query::Query;
use covet_tests::models::Setting;

use crate::cancellation::acts::{acts, lacking, put};

/// The rows of a batch.
fn mine(batch: &str) -> Query<Setting> {
    Setting::query().filter(Setting::name.starts_with(batch))
}

acts! {
    update calls ["query/update.rs::exec"] from 1 writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        scene.line.start().await;
        mine(&scene.batch).update().set(Setting::name, format!("moved {}", scene.batch)).exec(&scene.db).await.map(drop)
    }

    update_returning calls ["query/update.rs::returning"] from 1 writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        scene.line.start().await;
        lacking(mine(&scene.batch).update().set(Setting::value, "w").returning(&scene.db).await.map(drop))
    }

    delete calls ["query/delete.rs::exec"] from 1 writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        scene.line.start().await;
        mine(&scene.batch).delete().exec(&scene.db).await.map(drop)
    }

    delete_returning calls ["query/delete.rs::returning"] from 1 writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        scene.line.start().await;
        mine(&scene.batch).delete().returning(&scene.db).await.map(drop)
    }

    change_a_row calls ["query/changes.rs::exec"] from 1 writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        let mut row = Setting::find(format!("{}1", scene.batch)).one(&scene.db).await?;
        scene.line.start().await;
        row.update().set(Setting::value, "w").exec(&scene.db).await
    }

    save_a_row calls ["query/changes.rs::save", "model/record.rs::save"] from 1 writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        let mut row = Setting::find(format!("{}1", scene.batch)).one(&scene.db).await?;
        row.value = "w".to_owned();
        scene.line.start().await;
        row.save(&scene.db).await
    }

    delete_a_row calls ["query/changes.rs::delete", "model/record.rs::delete"] from 1 writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        let row = Setting::find(format!("{}1", scene.batch)).one(&scene.db).await?;
        scene.line.start().await;
        row.delete(&scene.db).await
    }

    insert_all calls ["query/insert_all.rs::exec"] writes 5: |scene| {
        let _other = scene.db.acquire().await?;
        let row = |n| Setting { name: format!("{}{n}", scene.batch), value: "v".into() };
        let rows: Vec<Setting> = (1..=5).map(row).collect();
        scene.line.start().await;
        Setting::insert_all(&rows).exec(&scene.db).await.map(drop)
    }

    insert_many_returning calls ["query/insert_many.rs::returning"] writes 3: |scene| {
        let _other = scene.db.acquire().await?;
        let rows = (1..=3).map(|n| Setting::create().name(format!("{}{n}", scene.batch)).value("v"));
        scene.line.start().await;
        Setting::insert_many(rows).returning(&scene.db).await.map(drop)
    }

    upsert calls ["query/conflict.rs::exec"] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let name = format!("{}1", scene.batch);
        scene.line.start().await;
        Setting::create().name(name).value("w").on_conflict(Setting::name).update().exec(&scene.db).await.map(drop)
    }

    upsert_what_is_there calls ["query/conflict.rs::exec"] from 1 writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        put(&scene.batch, 1, &scene.db).await?;
        let name = format!("{}1", scene.batch);
        scene.line.start().await;
        Setting::create().name(name).value("w").on_conflict(Setting::name).update().exec(&scene.db).await.map(drop)
    }
}
