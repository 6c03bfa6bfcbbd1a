//! Changes of a schema, in PostgreSQL's SQL.

mod cast;
mod check;
mod column;
mod effect;
mod enums;
mod plan;
mod readers;

use crate::catalog::{Change, Schema};
use crate::contract::{Ddl, Effect, Step};
use crate::error::Result;
use crate::postgres::dialect::NAME;

/// How PostgreSQL writes changes of a schema.
#[derive(Clone, Copy, Debug)]
pub struct PostgresDdl;

impl Ddl for PostgresDdl {
    fn plan(&self, changes: &[Change], before: &Schema, _: &Schema) -> Result<Vec<Step>> {
        plan::plan(changes, before)
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        check::check(schema)
    }

    fn kept(&self, schema: &Schema) -> Schema {
        Schema { objects: Vec::new(), ..schema.on(NAME) }
    }

    fn effect(&self, sql: &str) -> Effect {
        effect::effect(sql)
    }
}
