//! Runs all migrations on a database that is made for it: forth, back, and forth again; and compares what is there with
//! what the last snapshot makes at once.

use covet_drivers::catalog::Schema;
use covet_drivers::contract::{Adapter, Admin, ConnectUrl, Others, adapter_for};
use covet_drivers::{Error, ErrorKind, Result};

use crate::cli::context::Chosen;
use crate::db::{Db, DbOptions};
use crate::migrate::cause::Cause;
use crate::migrate::{Folder, Goal, Migrator};
use crate::schema::{Diff, diff};

/// How a replay ended.
pub(super) enum Replayed {
    /// As it should.
    Well(String),
    /// There is no database to do it on.
    Nowhere(String),
}

/// A place for databases that nobody else uses.
pub(super) struct Scratch {
    pub(super) adapter: &'static dyn Adapter,
    pub(super) admin: &'static dyn Admin,
    pub(super) url: ConnectUrl,
    /// Whether it is made on a server, and has to be removed from there.
    pub(super) made: bool,
}

/// Replays the migrations for this kind of database: on the server of the one that was named, or without any server
/// where that can be.
///
/// # Errors
/// `Migration` when they do not lead to the snapshot, or not back; those of the run.
pub(super) async fn replay(folder: &Folder, kind: &str, near: Option<&Chosen>) -> Result<Replayed> {
    let adapter = adapter_for(kind)?;
    let name = adapter.dialect().name();
    let near = near.filter(|near| adapter_for(near.url.scheme()).is_ok_and(|other| other.dialect().name() == name));
    let near = near.map(|near| &near.url);
    let Some((admin, url)) = adapter.admin().and_then(|admin| Some((admin, admin.scratch(near)?))) else {
        return Ok(Replayed::Nowhere(format!("{name}: not run, because no server of it is named (--url, --database)")));
    };
    if let Some(step) = Migrator::from_dir(folder.path())?.unknown_step(adapter.dialect())? {
        return Ok(Replayed::Nowhere(format!("{name}: not run, because the step `{step}` in Rust is the program's")));
    }
    let scratch = Scratch { adapter, admin, url, made: near.is_some() };
    let after = folder.schema()?;
    let schemas = after.on(name).schemas();
    let whole = scratch.with(async |db: Db| there_and_back(folder, &db, &schemas).await).await?;
    let fresh = scratch.with(async |db: Db| at_once(&after, &db, &schemas).await).await?;
    if whole.schema != fresh {
        let told = differences(&fresh, &whole.schema)?;
        return Err(Error::new(
            ErrorKind::Migration,
            format!("{name}: the migrations do not make what the last snapshot says: {told}"),
        )
        .with_help("an edited script makes something else: put it right, or change the models"));
    }
    let back = match whole.irreversible {
        None => "forth, back and forth again".to_owned(),
        Some(why) => format!("forth; {why}"),
    };
    Ok(Replayed::Well(format!("{name}: {back}, and the schema is that of the last snapshot")))
}

impl Scratch {
    /// Works on a new database, and removes it again, whatever comes of the work.
    pub(super) async fn with<T>(&self, work: impl AsyncFnOnce(Db) -> Result<T>) -> Result<T> {
        if self.made && !self.admin.create(&self.url).await? {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists already", self.url))
                .with_help("another check may be at work; remove it if none is"));
        }
        let opened = match self.adapter.open(&self.url) {
            Ok(backend) => Db::open(backend, DbOptions::new().max_connections(1)).await,
            Err(error) => Err(error),
        };
        let result = match opened {
            Ok(db) => {
                let result = work(db.clone()).await;
                db.close();
                result
            }
            Err(error) => Err(error),
        };
        if self.made {
            let removed = self.admin.remove(&self.url, Others::Go).await;
            // The first error is the one to tell.
            return result.and_then(|value| removed.map(|_| value));
        }
        result
    }
}

/// The schema after all migrations, and why there was no way back.
struct Whole {
    schema: Schema,
    irreversible: Option<String>,
}

async fn there_and_back(folder: &Folder, db: &Db, schemas: &[String]) -> Result<Whole> {
    let migrator = Migrator::from_dir(folder.path())?;
    migrator.up(db).await?;
    let schema = introspected(db, schemas).await?;
    match migrator.down(db, Goal::All).await {
        Ok(_) => {}
        Err(error) if matches!(Cause::of(&error), Some(Cause::NoWayBack(_))) => {
            return Ok(Whole { schema, irreversible: Some(error.message().to_owned()) });
        }
        Err(error) => return Err(error),
    }
    let left = introspected(db, schemas).await?;
    if left != Schema::default() {
        let told = differences(&Schema::default(), &left)?;
        return Err(Error::new(ErrorKind::Migration, format!("the ways back leave something behind: {told}")));
    }
    migrator.up(db).await?;
    let again = introspected(db, schemas).await?;
    if again != schema {
        let told = differences(&schema, &again)?;
        return Err(Error::new(ErrorKind::Migration, format!("the second run makes something else: {told}")));
    }
    Ok(Whole { schema, irreversible: None })
}

/// What the database has that is given the whole schema at once.
async fn at_once(schema: &Schema, db: &Db, schemas: &[String]) -> Result<Schema> {
    create(schema, db).await?;
    introspected(db, schemas).await
}

/// Gives an empty database the whole schema.
pub(super) async fn create(schema: &Schema, db: &Db) -> Result<()> {
    let Diff::Changes(changes) = diff(&Schema::default(), schema, &[])? else {
        return Err(Error::new(ErrorKind::Migration, "creating the schema asks for a decision"));
    };
    let steps = db.backend().ddl().plan(&changes, &Schema::default(), schema)?;
    let mut lease = db.acquire().await?;
    for step in steps {
        lease.script(&step.sql).await?;
    }
    Ok(())
}

/// The schema that the database has; columns by name, because one that comes later stands last.
async fn introspected(db: &Db, schemas: &[String]) -> Result<Schema> {
    let backend = db.backend();
    let mut lease = db.acquire().await?;
    let mut schema = backend.introspect().read(&mut *lease, schemas).await?;
    schema.sort();
    schema.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
    Ok(schema)
}

/// What lies between two schemas, in words.
fn differences(wanted: &Schema, found: &Schema) -> Result<String> {
    Ok(match diff(wanted, found, &[])? {
        Diff::Changes(changes) if changes.is_empty() => "something that no change could make".to_owned(),
        Diff::Changes(changes) => changes.iter().map(crate::schema::describe).collect::<Vec<_>>().join("; "),
        Diff::Missing(missing) => missing
            .iter()
            .map(|question| format!("{}: {}", question.about, question.found))
            .collect::<Vec<_>>()
            .join("; "),
    })
}
