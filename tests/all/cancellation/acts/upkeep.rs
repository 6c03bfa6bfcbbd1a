//! What goes beside tables: notifications, files, the upkeep of a file.

use covet_orm::prelude::*;
use covet_orm::{CheckpointMode, ErrorKind};
use covet_tests::models::Setting;

use crate::cancellation::acts::{acts, lacking};

acts! {
    notify calls ["db/listen.rs::notify"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        lacking(scene.db.notify("news", "text").await)
    }

    copy_to calls ["query/copy.rs::exec"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        lacking(Setting::copy_to(&mut Vec::new()).exec(&scene.db).await.map(drop))
    }

    copy_from calls ["query/copy.rs::exec"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let mut file = Vec::new();
        lacking(Setting::copy_to(&mut file).exec(&scene.db).await.map(drop))?;
        scene.line.start().await;
        let copied = scene.db.transaction(async |tx| {
            // Nothing of it stays, whatever becomes of the file.
            Setting::query().delete().exec(tx).await?;
            lacking(Setting::copy_from(&file[..]).exec(tx).await.map(drop))?;
            Err::<(), _>(covet_orm::Error::new(ErrorKind::NotFound, "enough"))
        }).await;
        match copied {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    checkpoint calls ["db/maintain.rs::checkpoint"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        lacking(scene.db.checkpoint(CheckpointMode::Passive).await.map(drop))
    }

    integrity_check calls ["db/maintain.rs::integrity_check"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        scene.line.start().await;
        lacking(scene.db.integrity_check().await.map(drop))
    }

    backup calls ["db/maintain.rs::into_future"] writes 0: |scene| {
        let _other = scene.db.acquire().await?;
        let folder = tempfile::tempdir().map_err(|error| covet_orm::Error::new(ErrorKind::Io, error.to_string()))?;
        scene.line.start().await;
        lacking(scene.db.backup_to(folder.path().join("copy.db")).await)
    }
}
