//! A default that is no literal.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(default = 1 + 1)]
    pub age: i32,
}

fn main() {}
