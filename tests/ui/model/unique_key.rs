//! A unique index over the key.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key, unique)]
    pub id: i64,
}

fn main() {}
