//! Migrations through a pooler that gives each transaction another session.

use covet_orm::migrate::{Migrator, Project};
use covet_orm::{Db, DbOptions, ErrorKind};
use covet_tests::Kind;
use covet_tests::server::with_server;

use crate::notation::schema;
use crate::place::number;

/// Runners exclude each other by a lock of the session, which would be anybody's there: nothing is begun.
#[test]
fn a_migration_through_a_pooler_is_refused() {
    with_server(Kind::Postgres, &[], async |server| {
        let Some(pooler) = server.pooler(2) else {
            let required = std::env::var("COVET_TEST_REQUIRE").unwrap_or_default();
            assert!(!required.contains("postgres"), "PgBouncer is not there");
            return Ok(());
        };
        let open = async |url: &str| Db::connect_with(url, DbOptions::new().max_connections(2)).await;
        let (direct, pooled) = (open(&server.url()).await?, open(&pooler.url()).await?);
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("migrations");
        let project = Project::new(&path, &["postgres"])?;
        project.draft(&schema("a{id auto}"), None, &[])?.unwrap().write()?;
        let migrator = Migrator::from_dir(&path)?;
        let error = migrator.up(&pooled).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("pooler"), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("leads to the server itself")), "{error}");
        for left in [
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
        ] {
            assert_eq!(number(&direct, left).await, 0, "{left}");
        }
        // What there is to know is known through it as well, and with nothing to do there is nothing to lock.
        assert_eq!(migrator.status(&pooled).await?.len(), 1);
        assert_eq!(migrator.up(&direct).await?.done.len(), 1);
        assert_eq!(migrator.up(&pooled).await?.done.len(), 0);
        Ok(())
    });
}
