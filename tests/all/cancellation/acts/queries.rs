//! Reading.

use covet_orm::prelude::*;
use covet_orm::query::Query;
use covet_tests::models::Setting;

use crate::cancellation::acts::acts;

/// A few rows.
fn some() -> Query<Setting> {
    Setting::query().filter(Setting::name.lt("s000003"))
}

acts! {
    find_one calls ["query/find.rs::one"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        Setting::find("s000001").one(&scene.db).await.map(drop)
    }

    find_optional calls ["query/find.rs::optional"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        Setting::find("s000001").optional(&scene.db).await.map(drop)
    }

    find_exists calls ["query/find.rs::exists"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        Setting::find("s000001").exists(&scene.db).await.map(drop)
    }

    select_first calls ["query/select.rs::first"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().first(&scene.db).await.map(drop)
    }

    select_optional calls ["query/select.rs::optional"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().limit(1).optional(&scene.db).await.map(drop)
    }

    select_one calls ["query/select.rs::one"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().limit(1).one(&scene.db).await.map(drop)
    }

    count calls ["query/select.rs::count"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().count(&scene.db).await.map(drop)
    }

    exists calls ["query/select.rs::exists"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().exists(&scene.db).await.map(drop)
    }

    project_all calls ["query/projection.rs::all"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().select(Setting::value).all(&scene.db).await.map(drop)
    }

    project_first calls ["query/projection.rs::first"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().select(Setting::value).first(&scene.db).await.map(drop)
    }

    project_one calls ["query/projection.rs::one"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        some().limit(1).select(Setting::value).one(&scene.db).await.map(drop)
    }
}
