//! Upkeep of a database that is a file; where a server keeps it, the calls are refused by name.

use covet_orm::prelude::*;
use covet_orm::{CheckpointMode, ErrorKind};
use covet_tests::models::Setting;
use covet_tests::{Kind, on_each_database};

on_each_database! {
    async fn backup_checkpoint_and_check(db: &TestDb) -> Outcome {
        Setting::create().name("a").value("1").exec(db).await?;
        let folder = tempfile::tempdir()?;
        let to = folder.path().join("copy.db");
        let mut told = Vec::new();
        let copied = db.backup_to(&to).pages_per_step(1).progress(|now| told.push(now)).await;
        let checkpoint = db.checkpoint(CheckpointMode::Full).await;
        let faults = db.integrity_check().await;
        if db.kind() != Kind::Sqlite {
            for (error, what) in [(copied.err(), "backup"), (checkpoint.err(), "checkpoint"), (faults.err(), "check")] {
                let error = error.ok_or(what)?;
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.to_string().contains(what) && error.to_string().contains(db.server().product), "{error}");
            }
            assert!(!to.exists());
            return Ok(());
        }
        copied?;
        assert!(told.last().is_some_and(|last| last.copied == last.total && last.total > 1), "{told:?}");
        let checkpoint = checkpoint?;
        assert!(!checkpoint.busy && checkpoint.copied == checkpoint.log && checkpoint.log > 0, "{checkpoint:?}");
        assert_eq!(faults?, Vec::<String>::new());
        let copy = Db::connect(&format!("sqlite://{}", to.display())).await?;
        assert_eq!(Setting::query().one(&copy).await?.value, "1");
        // Of what was not awaited nothing is there.
        drop(db.backup_to(folder.path().join("never.db")));
        assert_eq!(db.backup_to(&to).await.unwrap_err().kind(), ErrorKind::Io);
        Ok(())
    }
}
