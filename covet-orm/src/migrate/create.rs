//! Creates the tables of models, without files and without a history: for tests and first tries.

use covet_drivers::catalog::Schema;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Db;
use crate::migrate::runner::Session;
use crate::schema::{Diff, Models, diff, schema_of};

/// Creates the tables of the models in a database that has none of them.
///
/// For databases that live only as long as a test or a first try. Whatever has to live on is
/// migrated: see [`Migrator`](crate::migrate::Migrator).
///
/// ```ignore
/// let db = Db::connect("sqlite::memory:").await?;
/// covet_orm::migrate::create_tables(&db, &covet_orm::models![User, Post]).await?;
/// ```
///
/// # Errors
/// `Migration` for models that do not fit together, `Unsupported` for what the database cannot
/// do, `AlreadyExists` when one of the tables is there.
pub async fn create_tables(db: &Db, models: &Models) -> Result<()> {
    let after = schema_of(models)?;
    let ddl = db.backend().ddl();
    ddl.check(&after)?;
    let Diff::Changes(changes) = diff(&Schema::default(), &after, &[])? else {
        return Err(Error::new(ErrorKind::Migration, "creating tables asks for a decision"));
    };
    let steps = ddl.plan(&changes, &Schema::default(), &after)?;
    let mut session = Session::open(db).await?;
    let connection = session.connection();
    connection.limit_locks(Some(std::time::Duration::from_secs(10))).await?;
    connection.begin_migration().await?;
    for step in &steps {
        if let Err(error) = connection.script(&step.sql).await {
            // The first error is the one to tell; the connection is closed with the session.
            let _ = connection.rollback_migration().await;
            return Err(error);
        }
    }
    connection.commit_migration().await?;
    session.close().await
}
