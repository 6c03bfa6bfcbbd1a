//! `cargo covet schema`: the schema after the last migration, or that of a database.

pub(super) mod args;
mod dump;
mod graph;

use covet_drivers::catalog;
use covet_drivers::{Error, ErrorKind, Result};
use serde_json::json;

use crate::cli::context::{Access, Context};
use crate::cli::offline;
use crate::cli::out::Form;
use crate::cli::schema::args::{Dump, Format, Schema, Whose};
use crate::migrate::{Folder, Target};

pub(super) async fn run(context: &Context, command: &Schema) -> Result<()> {
    match command {
        Schema::Dump(options) => dump(context, options).await,
        Schema::Graph(options) => {
            let (schema, _) = schema(context, &options.whose).await?;
            let text = graph::mermaid(&schema);
            context.out.line(text.trim_end());
            context.out.json(&json!({ "mermaid": text }))
        }
    }
}

async fn dump(context: &Context, options: &Dump) -> Result<()> {
    let (schema, live) = schema(context, &options.whose).await?;
    if options.format == Format::Json || context.out.form() == Form::Json {
        let value = serde_json::to_value(&schema).map_err(unwritable)?;
        let text = serde_json::to_string_pretty(&value).map_err(unwritable)?;
        context.out.raw(text);
        return Ok(());
    }
    let target = match (&options.kind, live) {
        (None, Some(target)) => target,
        (kind, _) => offline::target(context, kind.as_deref())?,
    };
    context.out.line(dump::sql(&schema, &target)?.trim_end());
    Ok(())
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Io, "the schema cannot be written as JSON").with_source(error)
}

/// The schema, and of what kind the database is that it was read from.
async fn schema(context: &Context, whose: &Whose) -> Result<(catalog::Schema, Option<Target>)> {
    let asked = &whose.database;
    if whose.live || asked.url.is_some() || asked.database.is_some() || !whose.schemas.is_empty() {
        let db = context.connect(&context.database(asked)?, Access::Read).await?;
        let backend = db.backend();
        let mut lease = db.acquire().await?;
        let schema = backend.introspect().read(&mut *lease, &whose.schemas).await?;
        return Ok((schema, Some(Target::of(&*backend))));
    }
    let folder = Folder::read(context.project()?.migrations())?;
    if folder.migrations().is_empty() {
        return Err(Error::new(ErrorKind::Migration, format!("there is no migration in {}", folder.path().display()))
            .with_help("make one with `cargo covet migrate make`, or show that of a database with --live"));
    }
    Ok((folder.schema()?, None))
}
