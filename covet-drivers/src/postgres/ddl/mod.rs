//! Changes of a schema, in PostgreSQL's SQL.

mod ask;
mod cast;
mod check;
mod column;
mod effect;
mod enums;
mod leaves;
mod offline;
mod online;
mod plan;
mod readers;
mod schemas;

use crate::catalog::{Change, Column, Schema};
use crate::contract::{Batches, Ddl, Effect, Leaves, Offline, Step};
use crate::error::Result;
use crate::postgres::dialect::NAME;

/// How PostgreSQL writes changes of a schema.
#[derive(Clone, Copy, Debug)]
pub struct PostgresDdl;

impl Ddl for PostgresDdl {
    fn plan(&self, changes: &[Change], before: &Schema, _: &Schema) -> Result<Vec<Step>> {
        plan::plan(changes, before, false)
    }

    fn plan_online(&self, changes: &[Change], before: &Schema, _: &Schema) -> Result<Vec<Step>> {
        Ok(online::apart(plan::plan(changes, before, true)?))
    }

    fn has_online(&self) -> bool {
        true
    }

    fn rewrites(&self, before: &Column, after: &Column) -> bool {
        online::rewrites(before, after)
    }

    fn next_batch(&self, batches: &Batches, after: Option<&str>, size: u32) -> String {
        online::next_batch(batches, after, size)
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

    fn leaves(&self, sql: &str) -> Leaves {
        leaves::leaves(sql)
    }

    fn stays(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self) -> Option<&'static str> {
        Some("SELECT current_schema()::text")
    }

    fn offline(&self) -> Offline {
        offline::OFFLINE
    }
}
