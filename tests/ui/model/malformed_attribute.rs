//! An attribute without its value.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len)]
    pub email: String,
}

fn main() {}
