//! Statements as text, and the ones that everything else is made of.

use covet_drivers::contract::{Command, Flow, Reuse, Row};
use covet_orm::prelude::*;
use covet_tests::models::Setting;

use crate::cancellation::acts::{acts, put, put_many, stream};

acts! {
    select_for_the_first_time calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = format!("SELECT name FROM settings WHERE name = '{}'", scene.batch);
        scene.line.start().await;
        lease.run(Command { sql: &sql, args: &[], reuse: Reuse::Keep }, &mut |_: &mut Row<'_>| Ok(Flow::Continue)).await.map(drop)
    }

    select_once calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = "SELECT name FROM settings WHERE name <= 's000002'";
        scene.line.start().await;
        lease.run(Command { sql, args: &[], reuse: Reuse::Once }, &mut |_: &mut Row<'_>| Ok(Flow::Continue)).await.map(drop)
    }

    select_again calls ["query/select.rs::all"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let all = |on| async move { Setting::query().filter(Setting::name.lt("s000003")).all(on).await.map(|_: Vec<Setting>| ()) };
        all(&scene.db).await?;
        scene.line.start().await;
        all(&scene.db).await
    }

    insert calls ["query/insert.rs::exec"] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put(&scene.batch, 1, &scene.db).await
    }

    insert_many calls ["query/insert_many.rs::exec"] writes 5: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put_many(&scene.batch, 5, &scene.db).await
    }

    insert_in_pieces calls ["query/insert_many.rs::exec"] writes 5 with Narrow: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        put_many(&scene.batch, 5, &scene.db).await
    }

    script calls [] writes 1: |scene| {
        let _other = scene.db.acquire().await?;
        let mut lease = scene.db.acquire().await?;
        let sql = format!("INSERT INTO settings (name, value) VALUES ('{}1', 'v')", scene.batch);
        scene.line.start().await;
        lease.script(&sql).await
    }

    stream calls [] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        stream(scene.streamed, &scene.db).await
    }
}
