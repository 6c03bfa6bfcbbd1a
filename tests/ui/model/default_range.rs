//! A default that the type cannot hold.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(default = 300)]
    pub age: u8,
}

fn main() {}
