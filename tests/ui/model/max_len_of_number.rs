//! A greatest length of a number.

use covet_orm::prelude::*;

#[derive(Model)]
pub struct User {
    #[covet(key)]
    pub id: i64,
    #[covet(max_len = 10)]
    pub age: i32,
}

fn main() {}
