//! How SQLite writes changes of a schema: plain statements where they are enough, else one rebuild a table.

mod check;
mod convert;
mod create;
mod effect;
mod leaves;
mod line;
pub(super) mod literal;
mod offline;
mod online;
mod plan;
mod rebuild;
mod unknown;

pub(super) use create::quote;

use crate::catalog::{Bare, Change, Column, Qualified, Schema};
use crate::contract::{Batches, Ddl, Effect, Leaves, Offline, Step};
use crate::error::Result;
use crate::sqlite::dialect::{NAME, NO_SCHEMAS, PRODUCT};

/// DDL of SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteDdl;

impl Ddl for SqliteDdl {
    fn plan(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        steps(changes, before, after)
    }

    /// One writes at a time, and a change of the schema is a write: there is no other way to make it.
    fn plan_online(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        steps(changes, before, after)
    }

    fn has_online(&self) -> bool {
        false
    }

    fn rewrites(&self, _: &Column, _: &Column) -> bool {
        false
    }

    fn next_batch(&self, batches: &Batches, after: Option<&str>, size: u32) -> String {
        online::next_batch(batches, after, size)
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        schema.refuse_schemas(PRODUCT, NO_SCHEMAS)?;
        check::check(&Bare::of(&[], schema, schema).after)
    }

    fn kept(&self, schema: &Schema) -> Schema {
        let mut schema = Schema { objects: Vec::new(), ..schema.on(NAME) };
        for table in &mut schema.tables {
            table.comment = None;
            table.columns.iter_mut().for_each(|column| column.comment = None);
        }
        schema
    }

    fn effect(&self, sql: &str) -> Effect {
        effect::effect(sql)
    }

    fn leaves(&self, sql: &str) -> Leaves {
        leaves::leaves(sql)
    }

    fn stays(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self) -> Option<&'static str> {
        None
    }

    fn offline(&self) -> Offline {
        offline::OFFLINE
    }
}

fn steps(changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
    for schema in [before, after] {
        schema.refuse_schemas(PRODUCT, NO_SCHEMAS)?;
    }
    let Bare { changes, before, .. } = Bare::of(changes, before, after);
    let mut steps = plan::plan(&changes, &before)?;
    for table in steps.iter_mut().filter_map(|step| step.rebuilds.as_mut()) {
        *table = Qualified::text(None, table);
    }
    Ok(steps)
}
