//! How SQLite writes changes of a schema: plain statements where they are enough, else one rebuild a table.

mod check;
mod convert;
mod create;
mod effect;
mod line;
pub(super) mod literal;
mod plan;
mod rebuild;

use crate::catalog::{Change, Schema};
use crate::contract::{Ddl, Effect, Step};
use crate::error::Result;

/// DDL of SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteDdl;

impl Ddl for SqliteDdl {
    fn plan(&self, changes: &[Change], before: &Schema, after: &Schema) -> Result<Vec<Step>> {
        plan::plan(changes, before, after)
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        check::check(schema)
    }

    fn effect(&self, sql: &str) -> Effect {
        effect::effect(sql)
    }
}
