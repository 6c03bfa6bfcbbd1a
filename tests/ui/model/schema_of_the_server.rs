//! Schemas that no model can be in.

use covet_orm::prelude::*;

#[derive(Model)]
#[covet(schema = "pg_catalog")]
pub struct User {
    #[covet(key)]
    pub id: i64,
}

#[derive(Model)]
#[covet(schema = "")]
pub struct Post {
    #[covet(key)]
    pub id: i64,
}

#[derive(Model)]
#[covet(schema(billing))]
pub struct Tag {
    #[covet(key)]
    pub id: i64,
}

#[derive(DbEnum)]
#[covet(schema = "information_schema")]
pub enum State {
    Open,
}

fn main() {}
