//! Two version columns.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(version)]
    pub version: i64,
    #[covet(version)]
    pub edition: i64,
}

fn main() {}
