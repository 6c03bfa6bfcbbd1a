//! A version that cannot count.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(version)]
    pub version: String,
}

fn main() {}
